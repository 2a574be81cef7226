-- +goose Up
-- Shelves: whom a document can be found by. The index's terms begin with a
-- shelf's number.
CREATE TABLE search_shelf (
    id   bigint PRIMARY KEY,
    name text NOT NULL UNIQUE
);

-- What documents belong to: an advisory as the centre has it (edition '') or
-- as one release gave it (edition is the release), an alert of the centre's or
-- of a member's (edition is the member), a member.
CREATE TABLE search_source (
    id       bigint PRIMARY KEY,
    kind     text NOT NULL,
    object   text NOT NULL,
    edition  text NOT NULL,
    at       bigint NOT NULL,
    tlp      text NOT NULL,
    class    text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    UNIQUE (kind, object, edition)
);

-- What is found. Larger numbers are newer.
CREATE TABLE search_doc (
    number bigint PRIMARY KEY,
    source bigint NOT NULL,
    item   text NOT NULL,   -- an indicator of the source; '' for the source itself
    class  text NOT NULL,   -- the indicator's kind
    value  text NOT NULL,   -- the indicator's value
    digest bigint NOT NULL  -- of what it is found by
);
CREATE INDEX search_doc_source ON search_doc (source);

{{search_index}}

-- Numbers given out, and what the index was made with; 'version' 0: not yet.
CREATE TABLE search_counter (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO search_counter (name, value) VALUES ('top', 0), ('bottom', 0), ('source', 0), ('shelf', 0), ('version', 0);
