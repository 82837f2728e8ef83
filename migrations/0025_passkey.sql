-- A passkey is of one person, whoever presents it: its credential is its "target".
CREATE UNIQUE INDEX authenticator_passkey ON authenticator (target) WHERE kind = 'passkey';
