-- Whether a client is told when a session is over that it got tokens in: in a column of its own, so the end of a session finds it.
ALTER TABLE oauth_client ADD COLUMN hears_logout BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX oauth_client_hearing ON oauth_client (id) WHERE hears_logout;

-- The clients of a session whose grants were cleared away while it goes on; those of the others are in "oauth_grant".
CREATE TABLE session_client (
    session_id UUID NOT NULL REFERENCES user_session (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX session_client_by_client ON session_client (client_id);

-- What a job of the queue "logout" tells: the session and its person, who may be gone by then, and whom it tells. No secret is in it,
-- so it stands beside the job, whose payload is empty, and the transaction that ends a session writes it without the vault.
CREATE TABLE logout_notice (
    job_id UUID PRIMARY KEY NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    user_id UUID NOT NULL,
    session_id UUID NOT NULL
);
