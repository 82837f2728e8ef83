-- Which names, addresses, numbers and callers are taken, beside the rules of the settings. A row never changes.
CREATE TABLE identity_rule (
    id UUID PRIMARY KEY NOT NULL,
    effect TEXT NOT NULL,
    kind TEXT NOT NULL,
    pattern TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, effect, pattern)
);
