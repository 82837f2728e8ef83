-- What a person can prove themselves with beside the password. "target" is what two of a kind differ by: the address, the number, the
-- credential; a TOTP has none, since there is one. "secret" is sealed by the vault. "last_step" is the time step of the last code that
-- was right: none before it is heard again (RFC 6238 section 5.2). Without "confirmed_at" it proves nothing, and goes at "expires_at".
CREATE TABLE authenticator (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    secret BYTEA,
    last_step BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    confirmed_at BIGINT,
    last_used_at BIGINT,
    UNIQUE (user_id, kind, target)
);
CREATE INDEX authenticator_by_expiry ON authenticator (expires_at) WHERE expires_at IS NOT NULL;

-- Whether a person is asked for a second factor at each sign-in ("required_at"), and how many answers of a second factor failed in a
-- row: a counter of its own, which a right password does not clear (PROTOCOL A9).
CREATE TABLE second_factor (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    required_at BIGINT,
    failures BIGINT NOT NULL
);

-- Codes for the day when every other factor is lost, by their hashes under a key of the server; each is good once.
CREATE TABLE backup_code (
    hash BYTEA PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    generated_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX backup_code_by_user ON backup_code (user_id);
