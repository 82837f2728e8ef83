-- What waits until it expires, in a file of its own.
CREATE TABLE ephemeral (
    namespace TEXT NOT NULL,
    key BYTEA NOT NULL,
    value BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX ephemeral_by_expiry ON ephemeral (expires_at);
