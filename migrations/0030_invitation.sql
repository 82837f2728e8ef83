-- Somebody may have an account who was asked in. "token_hash" is that of what the message holds. "invited_by" is missing for an operator on
-- the command line; it refers to nobody once its person is gone, and an invitation of theirs is of no use then. "groups" is a JSON array.
CREATE TABLE invitation (
    id UUID PRIMARY KEY NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    profile TEXT NOT NULL,
    groups TEXT NOT NULL,
    role TEXT NOT NULL,
    client_id TEXT REFERENCES oauth_client (id) ON DELETE SET NULL,
    invited_by UUID,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by UUID REFERENCES user_account (id) ON DELETE CASCADE,
    revoked_at BIGINT
);
CREATE INDEX invitation_by_expiry ON invitation (expires_at) WHERE accepted_at IS NULL;
CREATE INDEX invitation_by_inviter ON invitation (invited_by, id);
CREATE INDEX invitation_by_address ON invitation (address);
CREATE INDEX invitation_by_person ON invitation (accepted_by);
