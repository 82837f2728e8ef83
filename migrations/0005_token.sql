-- Tokens by their hashes, and values that are good once.
CREATE TABLE refresh_token (
    hash BYTEA PRIMARY KEY NOT NULL,
    grant_id UUID NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    family_expires_at BIGINT NOT NULL,
    used_at BIGINT,
    successor_hash BYTEA
);
CREATE INDEX refresh_token_by_grant ON refresh_token (grant_id);
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at);

CREATE TABLE opaque_access_token (
    hash BYTEA PRIMARY KEY NOT NULL,
    grant_id UUID REFERENCES oauth_grant (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX opaque_access_token_by_grant ON opaque_access_token (grant_id);
CREATE INDEX opaque_access_token_by_client ON opaque_access_token (client_id);
CREATE INDEX opaque_access_token_by_expiry ON opaque_access_token (expires_at);

-- JWT access tokens that were taken back before their end, by the hash of their "jti".
CREATE TABLE denied_access_token (
    jti_hash BYTEA PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX denied_access_token_by_expiry ON denied_access_token (expires_at);

CREATE TABLE consumed_once (
    kind TEXT NOT NULL,
    hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash)
);
CREATE INDEX consumed_once_by_expiry ON consumed_once (expires_at);
