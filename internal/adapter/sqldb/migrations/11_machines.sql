-- +goose Up
-- What a machine proves itself with: the secret of a key, or a certificate.
-- A key has one or, while it is being replaced, several.
CREATE TABLE credential (
    id         text PRIMARY KEY,
    access_key text NOT NULL REFERENCES access_key (id),
    kind       text NOT NULL,
    hash       text NOT NULL UNIQUE,
    label      text NOT NULL,
    authority  {{blob}} NOT NULL,
    created_at bigint NOT NULL,
    ends_at    bigint NOT NULL,
    last_used  bigint NOT NULL
);
CREATE INDEX credential_key ON credential (access_key, created_at);
CREATE INDEX credential_label ON credential (kind, label);

INSERT INTO credential (id, access_key, kind, hash, label, authority, created_at, ends_at, last_used)
SELECT id, id, 'secret', hash, '', '', created_at, 0, last_used FROM access_key;

-- access_key.hash stays as the hash of the key's first credential.
ALTER TABLE access_key ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN notes text NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN networks text NOT NULL DEFAULT '';
-- 0: never. Keys from before there was an expiry keep their promise.
ALTER TABLE access_key ADD COLUMN expires_at bigint NOT NULL DEFAULT 0;

CREATE INDEX access_key_created ON access_key (created_at, id);
