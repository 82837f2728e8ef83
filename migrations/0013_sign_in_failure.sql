-- Failed sign-ins of a person in a row, since the last right one. NIST SP 800-63B-4 section 3.2.2 wants an end to them that
-- no restart and no lost counter takes away.
CREATE TABLE sign_in_failure (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    failures BIGINT NOT NULL,
    counted_at BIGINT NOT NULL
);

-- Guesses at names that nobody has, in a few slots: only so that one costs the database what a guess at somebody costs, and the
-- time of the answer does not tell who has an account.
CREATE TABLE sign_in_of_nobody (
    slot BIGINT PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    counted_at BIGINT NOT NULL
);
