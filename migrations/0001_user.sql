-- People, the names that find them, and what proves them.
CREATE TABLE user_account (
    id UUID PRIMARY KEY NOT NULL,
    profile TEXT NOT NULL,
    role TEXT NOT NULL,
    auth_epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    disabled_at BIGINT
);

-- "lookup" is the canonical form of "value": one name belongs to one person, whatever its kind.
CREATE TABLE identifier (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    lookup TEXT NOT NULL UNIQUE,
    verified_at BIGINT,
    is_primary BOOLEAN NOT NULL
);
CREATE INDEX identifier_by_user ON identifier (user_id);

-- "secret" is what proves the person, in the form of its kind: for a password its PHC string.
CREATE TABLE credential (
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    secret TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, kind)
);
