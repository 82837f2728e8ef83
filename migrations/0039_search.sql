-- Lists are read by an index, however many people there are. A person is found by the beginning of one of their names: "name" is one of
-- them in the form that is compared, also from its second word on, and so forth. It is made of the profile; "searchable_at" says when,
-- and is missing where a release before this one wrote the person, until a job has looked at them.
CREATE TABLE person_name (
    name TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    PRIMARY KEY (name, user_id)
);
CREATE INDEX person_name_by_user ON person_name (user_id, name);
ALTER TABLE user_account ADD COLUMN searchable_at BIGINT;
CREATE INDEX user_account_unsearchable ON user_account (id) WHERE searchable_at IS NULL;
CREATE INDEX user_account_closed ON user_account ((COALESCE(state, 'disabled'))) WHERE disabled_at IS NOT NULL;
CREATE INDEX user_account_ranked ON user_account (admin_rank) WHERE admin_rank IS NOT NULL;
CREATE INDEX identifier_by_email ON identifier (lookup) WHERE kind = 'email' AND is_primary;

-- Of whom an app keeps a profile that is told about it: since their first sign-in there.
CREATE TABLE app_profile (
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX app_profile_by_client ON app_profile (client_id);

-- Ids of events sort by time.
CREATE INDEX event_of_user ON event (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX event_of_client ON event (client_id, id) WHERE client_id IS NOT NULL;
CREATE INDEX event_of_name ON event (name, id);
CREATE INDEX event_failed ON event (id) WHERE outcome = 'failure';
DROP INDEX event_by_user;
