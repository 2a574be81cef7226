-- +goose Up
-- What a member owes stands with its delivery: due is when an answer is to be
-- given (0: none asked, or the release has ended), answered_at when the first
-- was (0: not yet). Homes and inboxes read what is owed, however much was ever
-- delivered.
ALTER TABLE delivery ADD COLUMN due bigint NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN answered_at bigint NOT NULL DEFAULT 0;
UPDATE delivery SET
    due = coalesce((SELECT r.answer_due FROM release r WHERE r.id = delivery.release AND r.ended_at = 0), 0),
    answered_at = coalesce((SELECT min(a.at) FROM answer a WHERE a.advisory = delivery.advisory AND a.member = delivery.member), 0);
CREATE INDEX delivery_owed ON delivery (member, answered_at, due) WHERE due > 0;
CREATE INDEX delivery_asked ON delivery (member, due, answered_at) WHERE due > 0;
CREATE INDEX delivery_overdue ON delivery (due, member) WHERE due > 0 AND answered_at = 0;
DROP INDEX delivery_at;
CREATE INDEX delivery_at ON delivery (delivered_at, opened_at, answered_at, due);

-- A search in titles reads an index that holds them, not the messages. A title
-- has at most 200 characters in each language, which fits into an index entry
-- of either engine.
ALTER TABLE release_scope ADD COLUMN search text NOT NULL DEFAULT '';
UPDATE release_scope SET search = coalesce((SELECT r.search FROM release r WHERE r.id = release_scope.release), '');
DROP INDEX release_scope_changed;
CREATE INDEX release_scope_changed ON release_scope (scope, changed_at, advisory, search);
DROP INDEX advisory_changed;
CREATE INDEX advisory_changed ON advisory (changed_at, id, state, category, search);
CREATE INDEX advisory_created ON advisory (created_at);
CREATE INDEX advisory_state ON advisory (state, changed_at, id);
CREATE INDEX alert_new ON alert (severity, raised, number) WHERE state = 'new';
CREATE INDEX receipt_member ON receipt (member, at);

-- How a person likes to see a list. query is what stands behind the list's
-- address; at most one view of a list is opened by default.
CREATE TABLE saved_view (
    id         text PRIMARY KEY,
    account    text NOT NULL,
    list       text NOT NULL,
    name       text NOT NULL,
    query      text NOT NULL,
    preferred  bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE UNIQUE INDEX saved_view_name ON saved_view (account, list, name);
