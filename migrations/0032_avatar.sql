-- Pictures of people, as this server drew them anew, by the unguessable name of their URL. One that is replaced goes.
CREATE TABLE avatar (
    name TEXT PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    content_type TEXT NOT NULL,
    picture BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX avatar_by_user ON avatar (user_id);
