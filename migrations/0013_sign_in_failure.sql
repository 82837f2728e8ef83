-- Failed sign-ins of a person in a row, since the last right one. NIST SP 800-63B-4 section 3.2.2 wants an end to them that
-- no restart and no lost counter takes away.
CREATE TABLE sign_in_failure (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    failures BIGINT NOT NULL,
    counted_at BIGINT NOT NULL
);
