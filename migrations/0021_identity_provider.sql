-- Servers elsewhere by which people sign in. "settings" is JSON; the secret is sealed by the vault or stands in a variable.
CREATE TABLE identity_provider (
    id UUID PRIMARY KEY NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    client_id TEXT NOT NULL,
    sealed_secret BYTEA,
    secret_variable TEXT,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    disabled_at BIGINT,
    CHECK (sealed_secret IS NULL OR secret_variable IS NULL)
);

-- Identities there that are connected to accounts here. One identity belongs to one account, whatever provider it came by.
CREATE TABLE upstream_link (
    id UUID PRIMARY KEY NOT NULL,
    provider_id UUID NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    label TEXT,
    linked_at BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (issuer, subject)
);
CREATE INDEX upstream_link_by_user ON upstream_link (user_id);
CREATE INDEX upstream_link_by_provider ON upstream_link (provider_id);
