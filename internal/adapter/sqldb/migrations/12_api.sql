-- +goose Up
-- Answers to requests that may come again with their Idempotency-Key; sealed.
CREATE TABLE api_replay (
    slot    text PRIMARY KEY,
    request text NOT NULL,
    answer  text NOT NULL, -- '' while the request is being answered
    at      bigint NOT NULL
);
CREATE INDEX api_replay_at ON api_replay (at);

-- People's tokens for the API and the command line.
CREATE TABLE personal_token (
    id         text PRIMARY KEY,
    hash       text NOT NULL UNIQUE,
    account    text NOT NULL REFERENCES account (id),
    name       text NOT NULL,
    roles      text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint NOT NULL,
    last_used  bigint NOT NULL
);
CREATE INDEX personal_token_account ON personal_token (account, created_at);

-- What GET /api/v1/changes follows.
CREATE INDEX alert_change_at ON alert_change (at, number);
