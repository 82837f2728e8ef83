-- The life of a signing key: next (published), active (signing since "activated_at"), retiring (verifying until "expires_at").
ALTER TABLE signing_key ADD COLUMN activated_at BIGINT;
ALTER TABLE signing_key ADD COLUMN expires_at BIGINT;

-- Two nodes that prepare for a rotation at once agree on one next key for each algorithm.
CREATE UNIQUE INDEX signing_key_next ON signing_key (algorithm) WHERE state = 'next';
