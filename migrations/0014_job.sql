-- What is to be done later (mails, text messages, calls to other servers), written in the transaction of the fact that asks for it.
-- "payload" is sealed by the vault: it holds codes and links. "idempotency_key" makes two requests for the same thing one job.
CREATE TABLE job (
    id UUID PRIMARY KEY NOT NULL,
    queue TEXT NOT NULL,
    payload BYTEA NOT NULL,
    idempotency_key TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    leased_until BIGINT,
    last_error TEXT,
    dead_at BIGINT
);
CREATE INDEX job_by_turn ON job (queue, run_at) WHERE dead_at IS NULL;
CREATE INDEX job_by_expiry ON job (expires_at);
