-- Why an account may not be used. "disabled_at" keeps people out, as it did; "state" says why: 'pending' (made and never activated),
-- 'disabled' (by an administrator), 'deletion' (its owner asked for it; it goes at "purge_at"). Without a state it is 'disabled'.
-- *Why two columns:* the release before this one reads "disabled_at" alone, and keeps all of them out.
ALTER TABLE user_account ADD COLUMN state TEXT;
ALTER TABLE user_account ADD COLUMN purge_at BIGINT;
-- Custom attributes: a JSON object, none when it is missing.
ALTER TABLE user_account ADD COLUMN attributes TEXT;
ALTER TABLE user_account ADD COLUMN last_sign_in_at BIGINT;
CREATE INDEX user_account_by_purge ON user_account (purge_at);

-- Links of mails: good once, for one purpose, one account, one address, and only while nothing ended what stood when they were sent
-- ("epoch", of the account then). "user_id" is missing where a stranger asked for somebody who has no account: the answer must take as long.
CREATE TABLE mailed_link (
    hash BYTEA PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    user_id UUID REFERENCES user_account (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    epoch TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX mailed_link_by_user ON mailed_link (user_id, purpose);
CREATE INDEX mailed_link_by_expiry ON mailed_link (expires_at);

-- What a person asked to be given of their data. "archive" is sealed by the vault, and missing until the job has made it.
CREATE TABLE data_export (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    languages TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    archive BYTEA
);
CREATE INDEX data_export_by_user ON data_export (user_id);
CREATE INDEX data_export_by_expiry ON data_export (expires_at);
