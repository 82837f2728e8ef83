//! Roles and permissions, and which groups and roles have them.
//!
//! S-147, S-148. They are part of the directory; who has a role by name is in `membership`.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::directory::Change;
use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::{Beside, Store};
use crate::model::directory::DirectoryRows;
use crate::model::fault::Fault;
use crate::model::id::{ClientId, GroupId, RoleId};
use crate::model::role::{AppRole, Permission, PermissionName};

const ROLES: &str = "SELECT id, client_id, name, description FROM app_role ORDER BY id";
const PERMISSIONS: &str = "SELECT name, description FROM permission ORDER BY name";
const ROLES_OF_GROUPS: &str = "SELECT role_id, group_id FROM role_of_group ORDER BY group_id, role_id";
const PERMISSIONS_OF_GROUPS: &str =
    "SELECT permission, group_id AS holder FROM permission_of_group ORDER BY group_id, permission";
const PERMISSIONS_OF_ROLES: &str =
    "SELECT permission, role_id AS holder FROM permission_of_role ORDER BY role_id, permission";
pub(super) const HAS_CLIENT: &str = "SELECT COUNT(*) FROM oauth_client WHERE id = $1";
const CREATE: &str =
    "INSERT INTO app_role (id, client_id, name, description) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const DESCRIBE: &str = "UPDATE app_role SET description = $2 WHERE id = $1 AND description = $3";
const DELETE: &str = "DELETE FROM app_role WHERE id = $1";
const CREATE_PERMISSION: &str = "INSERT INTO permission (name, description) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const DESCRIBE_PERMISSION: &str = "UPDATE permission SET description = $2 WHERE name = $1 AND description = $3";
const DELETE_PERMISSION: &str = "DELETE FROM permission WHERE name = $1";
const ROLE_TO_GROUP: &str = "INSERT INTO role_of_group (role_id, group_id) SELECT $1, $2
    WHERE EXISTS (SELECT 1 FROM app_role WHERE id = $1) AND EXISTS (SELECT 1 FROM user_group WHERE id = $2)
    ON CONFLICT DO NOTHING";
const ROLE_FROM_GROUP: &str = "DELETE FROM role_of_group WHERE role_id = $1 AND group_id = $2";
const PERMISSION_TO_GROUP: &str = "INSERT INTO permission_of_group (permission, group_id) SELECT $1, $2
    WHERE EXISTS (SELECT 1 FROM permission WHERE name = $1) AND EXISTS (SELECT 1 FROM user_group WHERE id = $2)
    ON CONFLICT DO NOTHING";
const PERMISSION_FROM_GROUP: &str = "DELETE FROM permission_of_group WHERE permission = $1 AND group_id = $2";
const PERMISSION_TO_ROLE: &str = "INSERT INTO permission_of_role (permission, role_id) SELECT $1, $2
    WHERE EXISTS (SELECT 1 FROM permission WHERE name = $1) AND EXISTS (SELECT 1 FROM app_role WHERE id = $2)
    ON CONFLICT DO NOTHING";
const PERMISSION_FROM_ROLE: &str = "DELETE FROM permission_of_role WHERE permission = $1 AND role_id = $2";

/// Whether something is given or taken away.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Give {
    /// It is given.
    To,
    /// It is taken away.
    From,
}

impl Give {
    /// One of two statements.
    const fn of(self, (to, from): (&'static str, &'static str)) -> &'static str {
        match self {
            Self::To => to,
            Self::From => from,
        }
    }
}

/// What holds a permission.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// A group: its members have it.
    Group(GroupId),
    /// A role: whoever has that has it.
    Role(RoleId),
}

impl Store {
    /// Roles and permissions; groups and group scopes are left out.
    pub(super) async fn read_roles(&self) -> Result<DirectoryRows, Fault> {
        let roles: Vec<RoleRow> = self.readers.query(ROLES).fetch_all().await.context("list roles")?;
        let permissions: Vec<(String, String)> =
            self.readers.query(PERMISSIONS).fetch_all().await.context("list permissions")?;
        let of_groups: Vec<(Uuid, Uuid)> =
            self.readers.query(ROLES_OF_GROUPS).fetch_all().await.context("list the roles of groups")?;
        let by_groups: Vec<(String, Uuid)> =
            self.readers.query(PERMISSIONS_OF_GROUPS).fetch_all().await.context("list the permissions of groups")?;
        let by_roles: Vec<(String, Uuid)> =
            self.readers.query(PERMISSIONS_OF_ROLES).fetch_all().await.context("list the permissions of roles")?;
        let permission = |name: &str| Place { table: "permission", id: &name }.parse::<PermissionName>("name", name);
        Ok(DirectoryRows {
            roles: roles.into_iter().map(AppRole::try_from).collect::<Result<_, _>>()?,
            permissions: permissions
                .into_iter()
                .map(|(name, description)| Ok(Permission { name: permission(&name)?, description }))
                .collect::<Result<_, Fault>>()?,
            roles_of_groups: of_groups
                .into_iter()
                .map(|(role, group)| (RoleId::from_uuid(role), GroupId::from_uuid(group)))
                .collect(),
            permissions_of_groups: by_groups
                .into_iter()
                .map(|(name, group)| Ok((permission(&name)?, GroupId::from_uuid(group))))
                .collect::<Result<_, Fault>>()?,
            permissions_of_roles: by_roles
                .into_iter()
                .map(|(name, role)| Ok((permission(&name)?, RoleId::from_uuid(role))))
                .collect::<Result<_, Fault>>()?,
            ..DirectoryRows::default()
        })
    }

    /// Records a new role: `Unknown` is its client, `Taken` its name.
    pub async fn create_role(&self, role: &AppRole, beside: Beside) -> Result<Change, Fault> {
        let role = role.clone();
        self.change_directory(
            move |connection| {
                async move {
                    let client = role.client.as_ref().map(ClientId::as_str);
                    if let Some(client) = client {
                        let known = connection.query(HAS_CLIENT).bind(client.to_owned());
                        let known: i64 = known.scalar_one().await.context("look for the client of a role")?;
                        if known == 0 {
                            return Ok(Change::Unknown);
                        }
                    }
                    let insert = connection.query(CREATE).bind(role.id.uuid()).bind(client.map(str::to_owned));
                    let insert = insert.bind(role.name.as_str()).bind(role.description.as_str());
                    let changed = insert.execute().await.context("record a role")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Taken })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Describes a role in place of what was read `before`.
    pub async fn describe_role(&self, before: &AppRole, description: &str, beside: Beside) -> Result<Change, Fault> {
        let (id, before, after) = (before.id.uuid(), before.description.clone(), description.to_owned());
        self.change_directory(
            move |connection| {
                async move {
                    let update = connection.query(DESCRIBE).bind(id).bind(after).bind(before);
                    let changed = update.execute().await.context("describe a role")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Stale })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Deletes a role; whoever had it has it no longer.
    pub async fn delete_role(&self, id: RoleId, beside: Beside) -> Result<Change, Fault> {
        self.change_directory(
            move |connection| {
                async move {
                    let changed = connection.query(DELETE).bind(id.uuid()).execute().await.context("delete a role")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unknown })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Records a new permission: `Taken` is its name.
    pub async fn create_permission(&self, permission: &Permission, beside: Beside) -> Result<Change, Fault> {
        let permission = permission.clone();
        self.change_directory(
            move |connection| {
                async move {
                    let insert = connection.query(CREATE_PERMISSION).bind(permission.name.as_str());
                    let insert = insert.bind(permission.description.as_str());
                    let changed = insert.execute().await.context("record a permission")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Taken })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Describes a permission in place of what was read `before`.
    pub async fn describe_permission(
        &self,
        before: &Permission,
        description: &str,
        beside: Beside,
    ) -> Result<Change, Fault> {
        let (before, after) = (before.clone(), description.to_owned());
        self.change_directory(
            move |connection| {
                async move {
                    let update = connection.query(DESCRIBE_PERMISSION).bind(before.name.as_str()).bind(after);
                    let changed =
                        update.bind(before.description.as_str()).execute().await.context("describe a permission")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Stale })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Deletes a permission; whoever had it has it no longer.
    pub async fn delete_permission(&self, name: &PermissionName, beside: Beside) -> Result<Change, Fault> {
        let name = name.clone();
        self.change_directory(
            move |connection| {
                async move {
                    let delete = connection.query(DELETE_PERMISSION).bind(name.as_str());
                    let changed = delete.execute().await.context("delete a permission")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unknown })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Gives the members of a group a role, or takes it away: `Unchanged` when it was so, or one of the two is not there.
    pub async fn role_of_group(
        &self,
        give: Give,
        (role, group): (RoleId, GroupId),
        beside: Beside,
    ) -> Result<Change, Fault> {
        let statement = give.of((ROLE_TO_GROUP, ROLE_FROM_GROUP));
        self.change_directory(
            move |connection| {
                async move {
                    let change = connection.query(statement).bind(role.uuid()).bind(group.uuid());
                    let changed = change.execute().await.context("change the roles of a group")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unchanged })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Gives a group or a role a permission, or takes it away: `Unchanged` when it was so, or one of the two is not there.
    pub async fn permission_of(
        &self,
        give: Give,
        (permission, holder): (&PermissionName, Holder),
        beside: Beside,
    ) -> Result<Change, Fault> {
        let (statement, holder) = match holder {
            Holder::Group(group) => (give.of((PERMISSION_TO_GROUP, PERMISSION_FROM_GROUP)), group.uuid()),
            Holder::Role(role) => (give.of((PERMISSION_TO_ROLE, PERMISSION_FROM_ROLE)), role.uuid()),
        };
        let permission = permission.clone();
        self.change_directory(
            move |connection| {
                async move {
                    let change = connection.query(statement).bind(permission.as_str()).bind(holder);
                    let changed = change.execute().await.context("change who has a permission")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unchanged })
                }
                .boxed()
            },
            beside,
        )
        .await
    }
}

#[derive(FromRow)]
struct RoleRow {
    id: Uuid,
    client_id: Option<String>,
    name: String,
    description: String,
}

impl TryFrom<RoleRow> for AppRole {
    type Error = Fault;

    fn try_from(row: RoleRow) -> Result<Self, Fault> {
        let place = Place { table: "app_role", id: &row.id };
        Ok(Self {
            id: RoleId::from_uuid(row.id),
            client: row.client_id.as_deref().map(|client| place.parse("client_id", client)).transpose()?,
            name: place.parse("name", &row.name)?,
            description: row.description,
        })
    }
}
