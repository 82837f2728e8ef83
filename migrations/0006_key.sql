-- Keys and secrets of the server, sealed by the vault.
CREATE TABLE signing_key (
    kid TEXT PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    sealed_private_key BYTEA NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Two nodes that start at once agree on one active key for each algorithm.
CREATE UNIQUE INDEX signing_key_active ON signing_key (algorithm) WHERE state = 'active';

CREATE TABLE server_secret (
    name TEXT PRIMARY KEY NOT NULL,
    sealed BYTEA NOT NULL
);
