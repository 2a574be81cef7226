-- +goose Up
-- The ledger's page filters by these.
CREATE INDEX ledger_action ON ledger (action, seq);
CREATE INDEX ledger_actor ON ledger (actor, seq);
CREATE INDEX ledger_at ON ledger (at);

-- What somebody has looked at before: only the first time is an entry.
CREATE TABLE ledger_seen (
    object  text NOT NULL,
    version text NOT NULL,
    viewer  text NOT NULL,
    PRIMARY KEY (object, version, viewer)
);
