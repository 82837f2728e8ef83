-- The public half of a signing key whose last token has expired: ID tokens that it signed are read as hints until "expires_at".
CREATE TABLE retired_signing_key (
    kid TEXT PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX retired_signing_key_by_expiry ON retired_signing_key (expires_at);
