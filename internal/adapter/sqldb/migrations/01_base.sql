-- +goose Up
CREATE TABLE ledger (
    seq    bigint PRIMARY KEY,
    at     bigint NOT NULL,
    actor  text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    member text NOT NULL,
    detail text NOT NULL,
    hash   text NOT NULL
);
CREATE INDEX ledger_object ON ledger (object, seq);
CREATE INDEX ledger_member ON ledger (member, seq);

-- The end of the chain: locking this row orders the writers.
CREATE TABLE ledger_head (
    id   bigint PRIMARY KEY,
    seq  bigint NOT NULL,
    hash text NOT NULL
);
INSERT INTO ledger_head (id, seq, hash) VALUES (1, 0, '');

CREATE TABLE member (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    name_zh    text NOT NULL,
    sector     text NOT NULL,
    mail       text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE account (
    id            text PRIMARY KEY,
    email         text NOT NULL UNIQUE,
    role          text NOT NULL,
    member        text NOT NULL,
    password_hash text NOT NULL,
    created_at    bigint NOT NULL
);
CREATE INDEX account_member ON account (member, email);

-- One-time links: enrolment, recovery, the demonstration's sign-in.
CREATE TABLE link (
    hash       text PRIMARY KEY,
    account    text NOT NULL REFERENCES account (id),
    expires_at bigint NOT NULL,
    used_at    bigint NOT NULL
);

CREATE TABLE access_key (
    id         text PRIMARY KEY,
    hash       text NOT NULL UNIQUE,
    member     text NOT NULL REFERENCES member (id),
    scopes     text NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint NOT NULL,
    last_used  bigint NOT NULL
);
CREATE INDEX access_key_member ON access_key (member, created_at);

CREATE TABLE session (
    token      text PRIMARY KEY,
    data       {{blob}} NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX session_expiry ON session (expires_at);
