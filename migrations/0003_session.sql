-- Browsers in which people are signed in.
CREATE TABLE user_session (
    id UUID PRIMARY KEY NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    authentication TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    idle_lifetime BIGINT NOT NULL,
    is_persistent BOOLEAN NOT NULL,
    ended_at BIGINT,
    user_agent TEXT NOT NULL
);
CREATE INDEX user_session_by_user ON user_session (user_id);
CREATE INDEX user_session_by_expiry ON user_session (expires_at);
