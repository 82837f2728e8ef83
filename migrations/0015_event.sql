-- What happened, for the person's history and the operator's audit; written in the transaction of the fact it tells of.
-- "name" is of the catalogue in src/model/event.rs. No secret, code or whole token is ever in "details".
CREATE TABLE event (
    id UUID PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    user_id UUID,
    actor TEXT NOT NULL,
    client_id TEXT,
    session_id UUID,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX event_by_user ON event (user_id, at);
CREATE INDEX event_by_time ON event (at);
