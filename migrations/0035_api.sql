-- APIs: whom access tokens are for. "settings" is JSON; "audience" is the resource of RFC 8707. They are part of the directory.
CREATE TABLE api (
    id UUID PRIMARY KEY NOT NULL,
    audience TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
