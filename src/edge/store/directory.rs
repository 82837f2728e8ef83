//! The directory: groups, and the scopes that only their members may have.
//!
//! S-147, S-149. It is read whole, and held until something of it changes; every change writes `directory_state` first.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, moment, to_json};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store};
use crate::model::directory::{Directory, DirectoryRows};
use crate::model::fault::Fault;
use crate::model::group::{Group, GroupScope};
use crate::model::id::{GroupId, GroupScopeId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

pub(super) const NEXT: &str = "UPDATE directory_state SET revision = revision + 1 WHERE id = 1";
const GROUPS: &str =
    "SELECT id, parent_id, name, description, created_at, updated_at, second_factor_at FROM user_group ORDER BY id";
const SCOPES: &str = "SELECT id, group_id, name, scopes FROM group_scope ORDER BY id";
/// A group and those around it, from within outwards.
const AROUND: &str = "WITH RECURSIVE around (id, parent_id, depth) AS (
    SELECT id, parent_id, 1 FROM user_group WHERE id = $1
    UNION ALL SELECT g.id, g.parent_id, around.depth + 1 FROM user_group g JOIN around ON g.id = around.parent_id
    WHERE around.depth < 200) SELECT id FROM around";
/// How many levels a group has, its own among them.
const LEVELS: &str = "WITH RECURSIVE within (id, depth) AS (
    SELECT id, 1 FROM user_group WHERE id = $1
    UNION ALL SELECT g.id, within.depth + 1 FROM user_group g JOIN within ON g.parent_id = within.id
    WHERE within.depth < 200) SELECT CAST(COALESCE(MAX(depth), 0) AS BIGINT) FROM within";
const CREATE: &str = "INSERT INTO user_group
    (id, parent_id, name, lookup, description, created_at, updated_at, second_factor_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
const SIBLING: &str =
    "SELECT COUNT(*) FROM user_group WHERE lookup = $1 AND parent_id IS NOT DISTINCT FROM $2 AND id <> $3";
/// While it is what was read before.
const UPDATE: &str = "UPDATE user_group SET parent_id = $2, name = $3, lookup = $4, description = $5, updated_at = $6,
    second_factor_at = $10
    WHERE id = $1 AND parent_id IS NOT DISTINCT FROM $7 AND name = $8 AND description = $9
    AND second_factor_at IS NOT DISTINCT FROM $11";
const HAS_CHILDREN: &str = "SELECT COUNT(*) FROM user_group WHERE parent_id = $1";
const DELETE: &str = "DELETE FROM user_group WHERE id = $1";
const CREATE_SCOPE: &str = "INSERT INTO group_scope (id, group_id, name, scopes)
    SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM user_group WHERE id = $2)";
const UPDATE_SCOPE: &str = "UPDATE group_scope SET name = $2, scopes = $3 WHERE id = $1 AND name = $4 AND scopes = $5";
const DELETE_SCOPE: &str = "DELETE FROM group_scope WHERE id = $1";

/// What became of a change of the directory.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// It was made.
    Done,
    /// It was so before; nothing was written.
    Unchanged,
    /// Something that it names is not there.
    Unknown,
    /// The name is taken.
    Taken,
    /// A group would stand within itself.
    Circle,
    /// Groups would nest deeper than [`Group::MAX_DEPTH`].
    TooDeep,
    /// Other groups stand within it.
    InUse,
    /// Somebody changed it meanwhile.
    Stale,
}

impl Store {
    /// Every group, role and permission, as they stand.
    pub async fn directory(&self) -> Result<Arc<Directory>, Fault> {
        let load = async { Ok(Some(Directory::of(self.read_directory().await?))) };
        let directory = self.held.directory.get_or_load(&(), load).await?;
        Ok(directory.unwrap_or_default())
    }

    async fn read_directory(&self) -> Result<DirectoryRows, Fault> {
        let groups: Vec<GroupRow> = self.readers.query(GROUPS).fetch_all().await.context("list groups")?;
        let scopes: Vec<ScopeRow> = self.readers.query(SCOPES).fetch_all().await.context("list group scopes")?;
        Ok(DirectoryRows {
            groups: groups.into_iter().map(Group::try_from).collect::<Result<_, _>>()?,
            scopes: scopes.into_iter().map(GroupScope::try_from).collect::<Result<_, _>>()?,
            mappers: self.read_claim_mappers().await?,
            apis: self.read_apis().await?,
            ..self.read_roles().await?
        })
    }

    /// Records a new group: `Unknown` is its parent, `Taken` its name among its siblings.
    pub async fn create_group(&self, group: &Group, beside: Beside) -> Result<Change, Fault> {
        let group = group.clone();
        self.change_directory(
            move |connection| {
                async move {
                    if let Some(refusal) = misplaced(connection, &group, 1).await? {
                        return Ok(refusal);
                    }
                    let insert = connection.query(CREATE).bind(group.id.uuid()).bind(group.parent.map(GroupId::uuid));
                    let insert =
                        insert.bind(group.name.as_str()).bind(group.name.lookup()).bind(group.description.as_str());
                    let insert = insert.bind(group.created_at.seconds()).bind(group.updated_at.seconds());
                    let insert = insert.bind(group.second_factor_at.map(NumericDate::seconds));
                    let changed = insert.execute().await.context("record a group")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Taken })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Renames, describes and moves a group: `before` is what was read, `after` what it shall be.
    pub async fn update_group(&self, before: &Group, after: &Group, beside: Beside) -> Result<Change, Fault> {
        let (before, after) = (before.clone(), after.clone());
        self.change_directory(
            move |connection| {
                async move {
                    let levels = connection.query(LEVELS).bind(after.id.uuid());
                    let levels: i64 = levels.scalar_one().await.context("measure a group")?;
                    if levels == 0 {
                        return Ok(Change::Unknown);
                    }
                    if let Some(refusal) =
                        misplaced(connection, &after, usize::try_from(levels).unwrap_or(usize::MAX)).await?
                    {
                        return Ok(refusal);
                    }
                    let update = connection.query(UPDATE).bind(after.id.uuid()).bind(after.parent.map(GroupId::uuid));
                    let update =
                        update.bind(after.name.as_str()).bind(after.name.lookup()).bind(after.description.as_str());
                    let update = update.bind(after.updated_at.seconds()).bind(before.parent.map(GroupId::uuid));
                    let update = update.bind(before.name.as_str()).bind(before.description.as_str());
                    let update = update.bind(after.second_factor_at.map(NumericDate::seconds));
                    let update = update.bind(before.second_factor_at.map(NumericDate::seconds));
                    let changed = update.execute().await.context("change a group")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Stale })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Deletes a group with its memberships and group scopes; one that others stand within stays ([`Change::InUse`]).
    pub async fn delete_group(&self, id: GroupId, beside: Beside) -> Result<Change, Fault> {
        self.change_directory(
            move |connection| {
                async move {
                    let children = connection.query(HAS_CHILDREN).bind(id.uuid());
                    let children: i64 = children.scalar_one().await.context("look what is within a group")?;
                    if children > 0 {
                        return Ok(Change::InUse);
                    }
                    let changed = connection.query(DELETE).bind(id.uuid()).execute().await.context("delete a group")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unknown })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Records what only the members of a group may have.
    pub async fn create_group_scope(&self, scope: &GroupScope, beside: Beside) -> Result<Change, Fault> {
        let (scope, list) = (scope.clone(), scopes_json(&scope.scopes)?);
        self.change_directory(
            move |connection| {
                async move {
                    let insert = connection.query(CREATE_SCOPE).bind(scope.id.uuid()).bind(scope.group.uuid());
                    let insert = insert.bind(scope.name.as_str()).bind(list);
                    let changed = insert.execute().await.context("record a group scope")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unknown })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Changes the name and the scopes of a group scope.
    pub async fn update_group_scope(
        &self,
        before: &GroupScope,
        after: &GroupScope,
        beside: Beside,
    ) -> Result<Change, Fault> {
        let (old, new) = (scopes_json(&before.scopes)?, scopes_json(&after.scopes)?);
        let (id, before, after) = (after.id.uuid(), before.name.clone(), after.name.clone());
        self.change_directory(
            move |connection| {
                async move {
                    let update = connection.query(UPDATE_SCOPE).bind(id).bind(after).bind(new).bind(before).bind(old);
                    let changed = update.execute().await.context("change a group scope")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Stale })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Deletes a group scope.
    pub async fn delete_group_scope(&self, id: GroupScopeId, beside: Beside) -> Result<Change, Fault> {
        self.change_directory(
            move |connection| {
                async move {
                    let delete = connection.query(DELETE_SCOPE).bind(id.uuid());
                    let changed = delete.execute().await.context("delete a group scope")?;
                    Ok(if changed == 1 { Change::Done } else { Change::Unknown })
                }
                .boxed()
            },
            beside,
        )
        .await
    }

    /// Makes `change`, and writes what goes `beside` it when it was made.
    pub(super) async fn change_directory<F>(&self, change: F, beside: Beside) -> Result<Change, Fault>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<Change, Fault>> + Send + 'static,
    {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                connection.query(NEXT).execute().await.context("begin to change the directory")?;
                let changed = change(connection).await?;
                if changed == Change::Done {
                    beside.write(connection).await?;
                }
                Ok(changed)
            }
            .boxed()
        });
        let publish = move |_: &Change| {
            held.directory.forget(&());
            // What is deleted takes memberships along.
            held.memberships.flush();
        };
        self.recorder.record(fact.then(publish)).await
    }
}

/// Why `group`, which has so many `levels`, cannot stand where it wants to.
async fn misplaced(connection: &mut Connection, group: &Group, levels: usize) -> Result<Option<Change>, Fault> {
    if let Some(parent) = group.parent {
        let around = connection.query(AROUND).bind(parent.uuid());
        let around: Vec<Uuid> = around.scalar_all().await.context("look what is around a group")?;
        if around.is_empty() {
            return Ok(Some(Change::Unknown));
        }
        if around.contains(&group.id.uuid()) {
            return Ok(Some(Change::Circle));
        }
        if around.len().saturating_add(levels) > Group::MAX_DEPTH {
            return Ok(Some(Change::TooDeep));
        }
    }
    let sibling = connection.query(SIBLING).bind(group.name.lookup()).bind(group.parent.map(GroupId::uuid));
    let siblings: i64 = sibling.bind(group.id.uuid()).scalar_one().await.context("look for a group of this name")?;
    Ok((siblings > 0).then_some(Change::Taken))
}

fn scopes_json(scopes: &Scope) -> Result<String, Fault> {
    to_json(&scopes.iter().collect::<Vec<_>>())
}

#[derive(FromRow)]
struct GroupRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    name: String,
    description: String,
    created_at: i64,
    updated_at: i64,
    second_factor_at: Option<i64>,
}

impl TryFrom<GroupRow> for Group {
    type Error = Fault;

    fn try_from(row: GroupRow) -> Result<Self, Fault> {
        let place = Place { table: "user_group", id: &row.id };
        Ok(Self {
            id: GroupId::from_uuid(row.id),
            parent: row.parent_id.map(GroupId::from_uuid),
            name: place.parse("name", &row.name)?,
            description: row.description,
            second_factor_at: moment(row.second_factor_at),
            created_at: NumericDate::from_seconds(row.created_at),
            updated_at: NumericDate::from_seconds(row.updated_at),
        })
    }
}

#[derive(FromRow)]
struct ScopeRow {
    id: Uuid,
    group_id: Uuid,
    name: String,
    scopes: String,
}

impl TryFrom<ScopeRow> for GroupScope {
    type Error = Fault;

    fn try_from(row: ScopeRow) -> Result<Self, Fault> {
        let place = Place { table: "group_scope", id: &row.id };
        let scopes: Vec<String> = place.json("scopes", &row.scopes)?;
        Ok(Self {
            id: GroupScopeId::from_uuid(row.id),
            group: GroupId::from_uuid(row.group_id),
            name: row.name,
            scopes: place.parse("scopes", &scopes.join(" "))?,
        })
    }
}
