-- Registered clients: what they said about themselves, and what the operator decided about them.
CREATE TABLE oauth_client (
    id TEXT PRIMARY KEY NOT NULL,
    metadata TEXT NOT NULL,
    policy TEXT NOT NULL,
    secret_hash BYTEA,
    sealed_secret BYTEA,
    registration_token_hash BYTEA,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    CHECK (secret_hash IS NULL OR sealed_secret IS NULL)
);
