-- +goose Up
-- What happened, once for all who are told.
CREATE TABLE notify_event (
    id     text PRIMARY KEY,
    topic  text NOT NULL,
    object text NOT NULL,
    at     bigint NOT NULL,
    body   text NOT NULL
);

-- Lines on people's pages.
CREATE TABLE notify_notice (
    id      text PRIMARY KEY,
    account text NOT NULL,
    member  text NOT NULL,
    event   text NOT NULL,
    topic   text NOT NULL,
    at      bigint NOT NULL,
    read_at bigint NOT NULL
);
CREATE INDEX notify_notice_account ON notify_notice (account, at, id);
CREATE INDEX notify_notice_unread ON notify_notice (account, read_at);

-- Mails and calls of webhooks, and the events that each tells of.
CREATE TABLE notify_message (
    id         text PRIMARY KEY,
    recipient  text NOT NULL,
    member     text NOT NULL,
    topic      text NOT NULL,
    state      text NOT NULL,
    due_at     bigint NOT NULL,
    attempts   bigint NOT NULL,
    first_at   bigint NOT NULL,
    claimed_at bigint NOT NULL,
    reason     text NOT NULL,
    detail     text NOT NULL,
    created_at bigint NOT NULL,
    done_at    bigint NOT NULL
);
CREATE INDEX notify_message_state ON notify_message (state, done_at, id);
CREATE INDEX notify_message_member ON notify_message (member, state, done_at, id);

CREATE TABLE notify_item (
    message text NOT NULL,
    event   text NOT NULL,
    PRIMARY KEY (message, event)
);

-- How much of a topic each recipient was told lately. Locking the clock's row
-- orders those who change it.
CREATE TABLE notify_fold (
    recipient text NOT NULL,
    topic     text NOT NULL,
    sent      text NOT NULL,
    pending   text NOT NULL,
    PRIMARY KEY (recipient, topic)
);
CREATE INDEX notify_fold_pending ON notify_fold (pending);
CREATE TABLE notify_clock (
    id    bigint PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO notify_clock (id, value) VALUES (1, 0);

-- What people chose, where it is not the topic's default.
CREATE TABLE notify_choice (
    recipient text NOT NULL,
    topic     text NOT NULL,
    mode      text NOT NULL,
    PRIMARY KEY (recipient, topic)
);
CREATE INDEX notify_choice_topic ON notify_choice (topic);
CREATE TABLE notify_hour (
    recipient text PRIMARY KEY,
    hour      bigint NOT NULL
);

CREATE TABLE notify_key (
    recipient   text PRIMARY KEY,
    fingerprint text NOT NULL,
    armored     text NOT NULL,
    expires_at  bigint NOT NULL,
    added_at    bigint NOT NULL
);

CREATE TABLE notify_hook (
    id         text PRIMARY KEY,
    member     text NOT NULL,
    url        text NOT NULL,
    topics     text NOT NULL,
    secret     text NOT NULL,
    old_secret text NOT NULL,
    old_until  bigint NOT NULL,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL
);
CREATE INDEX notify_hook_member ON notify_hook (member, created_at);

-- Urgent warnings that nobody of a member has opened.
CREATE TABLE notify_escalation (
    event   text NOT NULL,
    member  text NOT NULL,
    step    bigint NOT NULL,
    name    text NOT NULL,
    phone   text NOT NULL,
    at      bigint NOT NULL,
    done_at bigint NOT NULL,
    done_by text NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (event, member)
);
CREATE INDEX notify_escalation_open ON notify_escalation (done_at, step, at);
