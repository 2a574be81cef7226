-- +goose Up
-- What is being worked on: the newest version of each advisory.
CREATE TABLE advisory (
    id           text PRIMARY KEY,
    version      bigint NOT NULL,
    state        text NOT NULL,
    category     text NOT NULL,
    changed_at   bigint NOT NULL,
    created_at   bigint NOT NULL,
    released_at  bigint NOT NULL,
    withdrawn_at bigint NOT NULL,
    standing     bigint NOT NULL,
    lineage      text NOT NULL,
    author       text NOT NULL,
    submitted_by text NOT NULL,
    title_zh     text NOT NULL,
    title_en     text NOT NULL,
    search       text NOT NULL,
    audience     text NOT NULL,
    alerts       text NOT NULL,
    message      text NOT NULL
);
CREATE INDEX advisory_changed ON advisory (changed_at, id);

-- Every version that ever was.
CREATE TABLE advisory_version (
    advisory   text NOT NULL,
    version    bigint NOT NULL,
    state      text NOT NULL,
    author     text NOT NULL,
    changed_at bigint NOT NULL,
    audience   text NOT NULL,
    message    text NOT NULL,
    PRIMARY KEY (advisory, version)
);

-- What recipients see: the message is already cut to them. ended_at is when
-- the next release or a withdrawal ended it, 0 while it stands.
CREATE TABLE release (
    id          text PRIMARY KEY,
    advisory    text NOT NULL,
    version     bigint NOT NULL,
    lineage     text NOT NULL,
    seq         bigint NOT NULL UNIQUE,
    at          bigint NOT NULL UNIQUE,
    ended_at    bigint NOT NULL,
    changed_at  bigint NOT NULL,
    category    text NOT NULL,
    answer_due  bigint NOT NULL,
    decided_by  text NOT NULL,
    approved_by text NOT NULL,
    search      text NOT NULL,
    redacted    text NOT NULL,
    audience    text NOT NULL,
    message     text NOT NULL
);
CREATE INDEX release_advisory ON release (advisory, at);
CREATE INDEX release_changed ON release (changed_at, advisory);

-- Who sees a release, one row for each scope key of its audience, with what
-- lists are ordered by: a viewer's list is read from its own scopes alone, so
-- that its cost does not depend on what others were given.
CREATE TABLE release_scope (
    release    text NOT NULL,
    scope      text NOT NULL,
    advisory   text NOT NULL,
    lineage    text NOT NULL,
    at         bigint NOT NULL,
    ended_at   bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (release, scope)
);
CREATE INDEX release_scope_changed ON release_scope (scope, changed_at, advisory);
CREATE INDEX release_scope_at ON release_scope (scope, at);
CREATE INDEX release_scope_ended ON release_scope (scope, ended_at);
CREATE INDEX release_scope_advisory ON release_scope (advisory, at);
CREATE INDEX release_scope_lineage ON release_scope (lineage, at);

-- Which STIX objects a release has.
CREATE TABLE release_object (
    object  text NOT NULL,
    release text NOT NULL,
    lineage text NOT NULL,
    PRIMARY KEY (object, release)
);

CREATE TABLE delivery (
    release      text NOT NULL,
    member       text NOT NULL,
    advisory     text NOT NULL,
    delivered_at bigint NOT NULL,
    mailed_at    bigint NOT NULL,
    recalled_at  bigint NOT NULL,
    opened_at    bigint NOT NULL,
    mail_error   text NOT NULL,
    PRIMARY KEY (release, member)
);
CREATE INDEX delivery_at ON delivery (delivered_at);

CREATE TABLE answer (
    seq      {{serial}},
    advisory text NOT NULL,
    member   text NOT NULL,
    kind     text NOT NULL,
    reason   text NOT NULL,
    actor    text NOT NULL,
    at       bigint NOT NULL
);
CREATE INDEX answer_at ON answer (at);
CREATE INDEX answer_member ON answer (advisory, member, seq);

-- The indicators to match records with, and since which change.
CREATE TABLE watch (
    indicator text PRIMARY KEY,
    advisory  text NOT NULL,
    kind      text NOT NULL,
    value     text NOT NULL,
    under     bigint NOT NULL,
    released  bigint NOT NULL,
    removed   bigint NOT NULL,
    scopes    text NOT NULL,
    version   bigint NOT NULL
);
CREATE INDEX watch_version ON watch (version);
CREATE INDEX watch_advisory ON watch (advisory);

-- Counters whose rows order the writers.
CREATE TABLE intel_clock (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO intel_clock (name, value) VALUES ('release', 0), ('seq', 0), ('watch', 0);
