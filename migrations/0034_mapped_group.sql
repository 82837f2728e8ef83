-- Who is in a group since a provider says so; NULL: since an operator does. What a provider gave goes with it.
ALTER TABLE group_member ADD COLUMN provider_id UUID REFERENCES identity_provider (id) ON DELETE CASCADE;
CREATE INDEX group_member_by_provider ON group_member (provider_id) WHERE provider_id IS NOT NULL;
