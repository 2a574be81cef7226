-- +goose Up
-- What the door answered, for good: a retry is answered from here.
CREATE TABLE receipt (
    batch    text PRIMARY KEY,
    slot     text NOT NULL,   -- of the Idempotency-Key; '' for none
    body     text NOT NULL,
    member   text NOT NULL,
    accepted bigint NOT NULL,
    rejected text NOT NULL,   -- JSON; '' for none
    at       bigint NOT NULL,
    partial  bigint NOT NULL  -- written by the pipeline, request never answered
);
CREATE INDEX receipt_slot ON receipt (slot) WHERE slot <> '';

CREATE TABLE dead_letter (
    number   {{serial}},
    id       text NOT NULL UNIQUE,
    member   text NOT NULL,
    at       bigint NOT NULL,
    line     bigint NOT NULL,
    reason   text NOT NULL,
    place    bigint NOT NULL,
    bytes    bigint NOT NULL,
    raw      {{blob}} NOT NULL
);
CREATE INDEX dead_letter_member ON dead_letter (member, number);

-- Stream positions: 'detector' moves with its effects, 'snapshot' with the
-- correlator's state.
CREATE TABLE pipeline (
    name     text PRIMARY KEY,
    position bigint NOT NULL,
    state    {{blob}}
);
INSERT INTO pipeline (name, position) VALUES ('detector', 0), ('snapshot', 0);

CREATE TABLE alert (
    number       {{serial}},
    id           text NOT NULL UNIQUE,
    key          text NOT NULL UNIQUE,
    cause        text NOT NULL,
    rule_id      text NOT NULL,
    rule_version text NOT NULL,
    title        text NOT NULL,
    title_zh     text NOT NULL,
    severity     bigint NOT NULL,
    about        text NOT NULL,   -- the group, JSON list of name and value
    words        text NOT NULL,   -- titles, lower case
    about_words  text NOT NULL,   -- group values, lower case
    why          text NOT NULL,
    why_member   text NOT NULL,
    restricted   bigint NOT NULL, -- 1: members need a row in alert_scope
    first_at     bigint NOT NULL,
    last_at      bigint NOT NULL,
    count        bigint NOT NULL,
    members      bigint NOT NULL,
    kept         bigint NOT NULL, -- rows in alert_record
    raised       bigint NOT NULL,
    state        text NOT NULL,
    active       bigint NOT NULL, -- 1: new or in progress
    assignee     text NOT NULL,
    advisory     text NOT NULL,
    version      bigint NOT NULL
);
CREATE INDEX alert_raised ON alert (raised, number);
CREATE INDEX alert_active ON alert (active, raised, number);
CREATE INDEX alert_severity ON alert (severity, number);
CREATE INDEX alert_last ON alert (last_at, number);
CREATE INDEX alert_count ON alert (count, number);
CREATE INDEX alert_open ON alert (active, severity);

CREATE TABLE alert_member (
    alert    bigint NOT NULL,
    member   text NOT NULL,
    count    bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at  bigint NOT NULL,
    raised   bigint NOT NULL, -- when it first concerned this member
    PRIMARY KEY (alert, member)
);
CREATE INDEX alert_member_raised ON alert_member (member, raised, alert);

CREATE TABLE alert_scope (
    alert bigint NOT NULL,
    scope text NOT NULL,
    PRIMARY KEY (alert, scope)
);

CREATE TABLE alert_record (
    alert       bigint NOT NULL,
    record      text NOT NULL,
    member      text NOT NULL,
    at          bigint NOT NULL,
    observables text NOT NULL, -- JSON list of kind, value, field
    PRIMARY KEY (alert, record)
);

CREATE TABLE alert_note (
    number {{serial}},
    alert  bigint NOT NULL,
    at     bigint NOT NULL,
    author text NOT NULL,
    text   text NOT NULL
);
CREATE INDEX alert_note_alert ON alert_note (alert, number);

CREATE TABLE alert_change (
    number {{serial}},
    alert  bigint NOT NULL,
    at     bigint NOT NULL,
    actor  text NOT NULL,
    what   text NOT NULL,
    old    text NOT NULL,
    new    text NOT NULL
);
CREATE INDEX alert_change_alert ON alert_change (alert, number);

CREATE TABLE sighting (
    indicator text NOT NULL,
    member    text NOT NULL,
    value     text NOT NULL,
    origin    text NOT NULL, -- 'stream' adds up, 'hunt' keeps the larger
    first_at  bigint NOT NULL,
    last_at   bigint NOT NULL,
    count     bigint NOT NULL,
    PRIMARY KEY (indicator, member, value, origin)
);
CREATE INDEX sighting_member ON sighting (member, last_at);
