-- What was allowed. A consent outlives its grants; a grant outlives the session it was given in when it is offline.
CREATE TABLE consent (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    claims TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    UNIQUE (user_id, client_id)
);
CREATE INDEX consent_by_client ON consent (client_id);

-- UNIQUE "code_hash" is what makes an authorization code single-use (RFC 6749 section 4.1.2).
CREATE TABLE oauth_grant (
    id UUID PRIMARY KEY NOT NULL,
    code_hash BYTEA NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    session_id UUID NOT NULL,
    scope TEXT NOT NULL,
    is_offline BOOLEAN NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX oauth_grant_by_user ON oauth_grant (user_id, client_id);
CREATE INDEX oauth_grant_by_client ON oauth_grant (client_id);
CREATE INDEX oauth_grant_by_session ON oauth_grant (session_id);
CREATE INDEX oauth_grant_by_expiry ON oauth_grant (expires_at);
