-- What somebody may do on this server, where "role" has no word for it: the release before this one knows members and owners only,
-- and takes everybody else for a member.
ALTER TABLE user_account ADD COLUMN admin_rank TEXT;
CREATE INDEX user_account_by_creation ON user_account (created_at, id);
CREATE INDEX user_account_by_rank ON user_account (role) WHERE role <> 'member';
