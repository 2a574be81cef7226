-- +goose Up
-- A member's state is empty while it takes part, else suspended or departed.
ALTER TABLE member ADD COLUMN state text NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN removed_at bigint NOT NULL DEFAULT 0;

-- What a member says of itself: the newest version, and when it last said
-- that its contacts and its networks are right.
CREATE TABLE profile (
    member      text PRIMARY KEY REFERENCES member (id),
    version     bigint NOT NULL,
    contacts_at bigint NOT NULL,
    networks_at bigint NOT NULL
);

CREATE TABLE profile_version (
    member  text NOT NULL REFERENCES member (id),
    version bigint NOT NULL,
    at      bigint NOT NULL,
    actor   text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (member, version)
);

-- Ad-hoc sharing groups. The owner is a member, or empty for the centre.
CREATE TABLE sharing_group (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    name_zh    text NOT NULL,
    owner      text NOT NULL,
    listed     bigint NOT NULL,
    terms      bigint NOT NULL, -- the version in force
    created_at bigint NOT NULL,
    closed_at  bigint NOT NULL
);

CREATE TABLE sharing_terms (
    sharing_group text NOT NULL REFERENCES sharing_group (id),
    version       bigint NOT NULL,
    at            bigint NOT NULL,
    actor         text NOT NULL,
    text_en       text NOT NULL,
    text_zh       text NOT NULL,
    names_shown   bigint NOT NULL,
    PRIMARY KEY (sharing_group, version)
);

-- A member stands in a group once: invited, asking, joined or left. It is in
-- the group while it is joined and has accepted the terms in force. A name
-- that a member invites need not be a member's: the owner is not told.
CREATE TABLE sharing_membership (
    sharing_group text NOT NULL REFERENCES sharing_group (id),
    member        text NOT NULL,
    state         text NOT NULL,
    terms         bigint NOT NULL, -- the version accepted; 0 for none
    changed_at    bigint NOT NULL,
    PRIMARY KEY (sharing_group, member)
);
CREATE INDEX sharing_membership_member ON sharing_membership (member, state);
