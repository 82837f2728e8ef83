-- A job that was done stays until its expiry, emptied, so that a second request with its idempotency key does nothing.
ALTER TABLE job ADD COLUMN done_at BIGINT;
DROP INDEX job_by_turn;
CREATE INDEX job_waiting ON job (queue, run_at) WHERE dead_at IS NULL AND done_at IS NULL;
CREATE INDEX job_dead ON job (dead_at) WHERE dead_at IS NOT NULL;
