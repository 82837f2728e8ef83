-- Groups, which nest; who is in them; the scopes that only their members may have; roles and permissions.
-- "lookup" is the canonical form of "name": two siblings are never told apart by case alone.
CREATE TABLE user_group (
    id UUID PRIMARY KEY NOT NULL,
    parent_id UUID REFERENCES user_group (id),
    name TEXT NOT NULL,
    lookup TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- Two indexes, since no two missing parents are equal.
CREATE UNIQUE INDEX user_group_root ON user_group (lookup) WHERE parent_id IS NULL;
CREATE UNIQUE INDEX user_group_child ON user_group (parent_id, lookup) WHERE parent_id IS NOT NULL;
CREATE TABLE group_member (
    group_id UUID NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_member_by_user ON group_member (user_id);
-- "scopes" is a JSON array. A scope that no row names is open to everybody whom the client may serve.
CREATE TABLE group_scope (
    id UUID PRIMARY KEY NOT NULL,
    group_id UUID NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL
);
CREATE INDEX group_scope_by_group ON group_scope (group_id);
-- A role of one client, or of all of them.
CREATE TABLE app_role (
    id UUID PRIMARY KEY NOT NULL,
    client_id TEXT REFERENCES oauth_client (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL
);
CREATE UNIQUE INDEX app_role_global ON app_role (name) WHERE client_id IS NULL;
CREATE UNIQUE INDEX app_role_of_client ON app_role (client_id, name) WHERE client_id IS NOT NULL;
CREATE TABLE role_of_user (
    role_id UUID NOT NULL REFERENCES app_role (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    PRIMARY KEY (role_id, user_id)
);
CREATE INDEX role_of_user_by_user ON role_of_user (user_id);
CREATE TABLE role_of_group (
    role_id UUID NOT NULL REFERENCES app_role (id) ON DELETE CASCADE,
    group_id UUID NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    PRIMARY KEY (role_id, group_id)
);
CREATE INDEX role_of_group_by_group ON role_of_group (group_id);
-- "app:resource:action".
CREATE TABLE permission (
    name TEXT PRIMARY KEY NOT NULL,
    description TEXT NOT NULL
);
CREATE TABLE permission_of_group (
    permission TEXT NOT NULL REFERENCES permission (name) ON DELETE CASCADE,
    group_id UUID NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    PRIMARY KEY (permission, group_id)
);
CREATE INDEX permission_of_group_by_group ON permission_of_group (group_id);
CREATE TABLE permission_of_role (
    permission TEXT NOT NULL REFERENCES permission (name) ON DELETE CASCADE,
    role_id UUID NOT NULL REFERENCES app_role (id) ON DELETE CASCADE,
    PRIMARY KEY (permission, role_id)
);
CREATE INDEX permission_of_role_by_role ON permission_of_role (role_id);
-- One row, which every change of the tables above writes first: it puts them one behind the other, so that two moves at once make no
-- cycle, and its number tells whether what is held in memory is of today.
CREATE TABLE directory_state (
    id BIGINT PRIMARY KEY NOT NULL,
    revision BIGINT NOT NULL
);
INSERT INTO directory_state (id, revision) VALUES (1, 0);
