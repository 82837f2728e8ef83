-- PostgreSQL only: what waits and what is counted, where no Redis is named or while it is away.
-- Unlogged: a commit waits for no disk; a crash of the database empties both, which makes nothing valid again.
CREATE UNLOGGED TABLE ephemeral (
    namespace TEXT NOT NULL,
    key BYTEA NOT NULL,
    value BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX ephemeral_by_expiry ON ephemeral (expires_at);

-- The generic cell rate algorithm: the moment, in milliseconds, at which the bucket is empty again.
CREATE UNLOGGED TABLE ephemeral_rate (
    namespace TEXT NOT NULL,
    key BYTEA NOT NULL,
    empty_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX ephemeral_rate_by_end ON ephemeral_rate (empty_at);
