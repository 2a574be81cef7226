-- +goose Up
CREATE TABLE passkey (
    id         text PRIMARY KEY,
    account    text NOT NULL REFERENCES account (id),
    name       text NOT NULL,
    record     text NOT NULL,
    created_at bigint NOT NULL,
    used_at    bigint NOT NULL
);
CREATE INDEX passkey_account ON passkey (account, created_at);

-- The app beside a password; the password's hash is the account's.
CREATE TABLE authenticator (
    account    text PRIMARY KEY REFERENCES account (id),
    secret     text NOT NULL, -- sealed
    step       bigint NOT NULL, -- the last period whose code was used
    created_at bigint NOT NULL
);

CREATE TABLE recovery_code (
    account text NOT NULL REFERENCES account (id),
    hash    text NOT NULL,
    PRIMARY KEY (account, hash)
);

-- Who is signed in where. Table session holds what the browser's cookie opens,
-- which names a row here.
CREATE TABLE sign_in (
    id         text PRIMARY KEY,
    account    text NOT NULL REFERENCES account (id),
    method     text NOT NULL,
    browser    text NOT NULL,
    address    text NOT NULL,
    started_at bigint NOT NULL,
    seen_at    bigint NOT NULL,
    proved_at  bigint NOT NULL,
    setup      bigint NOT NULL,
    ended_at   bigint NOT NULL
);
CREATE INDEX sign_in_account ON sign_in (account, started_at);

CREATE TABLE identity_provider (
    member     text PRIMARY KEY REFERENCES member (id),
    issuer     text NOT NULL,
    client_id  text NOT NULL,
    secret     text NOT NULL, -- sealed
    created_at bigint NOT NULL
);

CREATE TABLE identity_domain (
    domain text PRIMARY KEY,
    member text NOT NULL REFERENCES identity_provider (member)
);
CREATE INDEX identity_domain_member ON identity_domain (member);

CREATE TABLE recovery (
    id           text PRIMARY KEY,
    account      text NOT NULL REFERENCES account (id),
    asked_by     text NOT NULL,
    asked_at     bigint NOT NULL,
    expires_at   bigint NOT NULL,
    confirmed_at bigint NOT NULL
);
CREATE INDEX recovery_waiting ON recovery (confirmed_at, expires_at);
