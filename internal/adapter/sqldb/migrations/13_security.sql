-- +goose Up
-- Whom a member's OpenID provider calls by which name of its own.
CREATE TABLE identity_subject (
    member     text NOT NULL REFERENCES member (id),
    issuer     text NOT NULL,
    subject    text NOT NULL,
    account    text NOT NULL REFERENCES account (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (member, issuer, subject)
);
CREATE UNIQUE INDEX identity_subject_account ON identity_subject (account, issuer);
