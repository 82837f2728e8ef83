-- Since when the members of a group are asked for two factors at each sign-in; they are not while it is missing.
ALTER TABLE user_group ADD COLUMN second_factor_at BIGINT;

-- Browsers in which a person wants to be asked for no second factor for a while. "mark_hash" is that of what the browser holds; it is good
-- while the account's epoch is the one that it was made in ("epoch", its count).
CREATE TABLE remembered_browser (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    mark_hash BYTEA NOT NULL UNIQUE,
    epoch BIGINT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX remembered_browser_by_user ON remembered_browser (user_id);
CREATE INDEX remembered_browser_by_expiry ON remembered_browser (expires_at);
