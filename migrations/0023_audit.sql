-- Events are chained: each hash covers the one before, what happened, and a hash of where from, which outlives the place itself when
-- the person is forgotten. Chained a second after they were written, so that no transaction waits for another's.
ALTER TABLE event ADD COLUMN chain_seq BIGINT;
ALTER TABLE event ADD COLUMN chain_hash BYTEA;
ALTER TABLE event ADD COLUMN place_hash BYTEA;
CREATE UNIQUE INDEX event_by_chain ON event (chain_seq) WHERE chain_seq IS NOT NULL;
CREATE INDEX event_unchained ON event (id) WHERE chain_seq IS NULL;
-- The last that was chained, and the last of those that were cleared away in time.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    cleared_seq BIGINT NOT NULL,
    cleared_hash BYTEA NOT NULL
);
