-- Which claims tell of groups, roles, permissions and attributes, and where. "source" and "destinations" are JSON.
CREATE TABLE claim_mapper (
    id UUID PRIMARY KEY NOT NULL,
    scope TEXT,
    client_id TEXT REFERENCES oauth_client (id) ON DELETE CASCADE,
    claim TEXT NOT NULL,
    source TEXT NOT NULL,
    destinations TEXT NOT NULL
);
CREATE INDEX claim_mapper_by_client ON claim_mapper (client_id);
