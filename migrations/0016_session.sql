-- How often everything of a person was ended at once, beside the moment of the last time: two things of one second are told apart.
ALTER TABLE user_account ADD COLUMN auth_epoch_count BIGINT NOT NULL DEFAULT 0;

-- Where a session began, for which app, and when its person last proved again who they are without signing in anew.
ALTER TABLE user_session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE user_session ADD COLUMN client_id TEXT;
ALTER TABLE user_session ADD COLUMN proven_at BIGINT;
