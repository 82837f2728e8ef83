-- Which server vouched for the person of a session, whom it names, and by which session of its own: what a logout token of it ends.
ALTER TABLE user_session ADD COLUMN upstream_issuer TEXT;
ALTER TABLE user_session ADD COLUMN upstream_subject TEXT;
ALTER TABLE user_session ADD COLUMN upstream_sid TEXT;
CREATE INDEX user_session_by_upstream ON user_session (upstream_issuer, upstream_subject) WHERE upstream_issuer IS NOT NULL;
CREATE INDEX user_session_by_upstream_sid ON user_session (upstream_issuer, upstream_sid) WHERE upstream_sid IS NOT NULL;
