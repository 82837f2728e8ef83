//! Who is in which group and has which role.
//!
//! S-147, S-148, S-150. Read person by person and held: what changes is felt by the next token, userinfo answer and introspection.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::role::Give;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Change, Store};
use crate::model::directory::Membership;
use crate::model::fault::Fault;
use crate::model::group::Member;
use crate::model::id::{GroupId, ProviderId, RoleId, UserId};
use crate::protocol::numeric_date::NumericDate;

const GROUPS: &str = "SELECT group_id FROM group_member WHERE user_id = $1 ORDER BY group_id";
const ROLES: &str = "SELECT role_id FROM role_of_user WHERE user_id = $1 ORDER BY role_id";
const MEMBERS: &str = "SELECT user_id, since FROM group_member
    WHERE group_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
const COUNT: &str = "SELECT COUNT(*) FROM group_member WHERE group_id = $1";
const HOLDERS: &str = "SELECT user_id FROM role_of_user
    WHERE role_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
const ADD: &str = "INSERT INTO group_member (group_id, user_id, since) SELECT $1, $2, $3
    WHERE EXISTS (SELECT 1 FROM user_group WHERE id = $1) AND EXISTS (SELECT 1 FROM user_account WHERE id = $2)
    ON CONFLICT DO NOTHING";
/// An operator's word stands, whatever a provider says later.
const KEEP: &str = "UPDATE group_member SET provider_id = NULL
    WHERE group_id = $1 AND user_id = $2 AND provider_id IS NOT NULL";
const REMOVE: &str = "DELETE FROM group_member WHERE group_id = $1 AND user_id = $2";
const MAPPED: &str = "SELECT group_id FROM group_member WHERE user_id = $1 AND provider_id = $2";
const MAP: &str = "INSERT INTO group_member (group_id, user_id, since, provider_id) SELECT $1, $2, $3, $4
    WHERE EXISTS (SELECT 1 FROM user_group WHERE id = $1) AND EXISTS (SELECT 1 FROM user_account WHERE id = $2)
    AND EXISTS (SELECT 1 FROM identity_provider WHERE id = $4) ON CONFLICT DO NOTHING";
const UNMAP: &str = "DELETE FROM group_member WHERE group_id = $1 AND user_id = $2 AND provider_id = $3";
const GIVE: &str = "INSERT INTO role_of_user (role_id, user_id) SELECT $1, $2
    WHERE EXISTS (SELECT 1 FROM app_role WHERE id = $1) AND EXISTS (SELECT 1 FROM user_account WHERE id = $2)
    ON CONFLICT DO NOTHING";
const TAKE: &str = "DELETE FROM role_of_user WHERE role_id = $1 AND user_id = $2";

impl Store {
    /// What a person was given directly.
    pub async fn membership(&self, user: UserId) -> Result<Arc<Membership>, Fault> {
        let load = async {
            let groups: Vec<Uuid> =
                self.readers.query(GROUPS).bind(user.uuid()).scalar_all().await.context("read the groups of a user")?;
            let roles: Vec<Uuid> =
                self.readers.query(ROLES).bind(user.uuid()).scalar_all().await.context("read the roles of a user")?;
            Ok(Some(Membership {
                groups: groups.into_iter().map(GroupId::from_uuid).collect(),
                roles: roles.into_iter().map(RoleId::from_uuid).collect(),
            }))
        };
        Ok(self.held.memberships.get_or_load(&user, load).await?.unwrap_or_default())
    }

    /// At most `limit` of those who were put into a group, by their ids, those after `after`.
    pub async fn members(&self, group: GroupId, (after, limit): (Option<UserId>, u32)) -> Result<Vec<Member>, Fault> {
        let list = self.readers.query(MEMBERS).bind(group.uuid()).bind(after.map_or(Uuid::nil(), UserId::uuid));
        let rows: Vec<MemberRow> =
            list.bind(i64::from(limit)).fetch_all().await.context("list the members of a group")?;
        Ok(rows.into_iter().map(Member::from).collect())
    }

    /// How many were put into a group.
    pub async fn count_members(&self, group: GroupId) -> Result<u64, Fault> {
        let count: i64 =
            self.readers.query(COUNT).bind(group.uuid()).scalar_one().await.context("count the members of a group")?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// At most `limit` of those who were given a role by name, by their ids, those after `after`.
    pub async fn holders_of_role(
        &self,
        role: RoleId,
        (after, limit): (Option<UserId>, u32),
    ) -> Result<Vec<UserId>, Fault> {
        let list = self.readers.query(HOLDERS).bind(role.uuid()).bind(after.map_or(Uuid::nil(), UserId::uuid));
        let ids: Vec<Uuid> = list.bind(i64::from(limit)).scalar_all().await.context("list who has a role")?;
        Ok(ids.into_iter().map(UserId::from_uuid).collect())
    }

    /// Puts somebody into a group, or takes them out: `Unchanged` when it was so, or one of the two is not there.
    pub async fn member_of_group(
        &self,
        give: Give,
        (user, group): (UserId, GroupId),
        now: NumericDate,
        beside: Beside,
    ) -> Result<Change, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let change = match give {
                    Give::To => connection.query(ADD).bind(group.uuid()).bind(user.uuid()).bind(now.seconds()),
                    Give::From => connection.query(REMOVE).bind(group.uuid()).bind(user.uuid()),
                };
                let mut changed = change.execute().await.context("change the members of a group")?;
                if changed == 0 && give == Give::To {
                    let keep = connection.query(KEEP).bind(group.uuid()).bind(user.uuid());
                    changed = keep.execute().await.context("keep a member of a group")?;
                }
                if changed == 0 {
                    return Ok(Change::Unchanged);
                }
                beside.write(connection).await?;
                Ok(Change::Done)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.memberships.forget(&user))).await
    }

    /// Has somebody be in the groups that a provider says, and in no other that it said before; `told` is written beside each change.
    /// What an operator gave stays. Returns how many changed.
    pub async fn map_groups(
        &self,
        (user, provider): (UserId, ProviderId),
        groups: BTreeSet<GroupId>,
        now: NumericDate,
        told: impl Fn(Give, GroupId) -> Beside + Send + Sync + 'static,
    ) -> Result<usize, Fault> {
        let mapped = self.readers.query(MAPPED).bind(user.uuid()).bind(provider.uuid());
        let mapped: Vec<Uuid> = mapped.scalar_all().await.context("read the groups that a provider gave")?;
        let mapped: BTreeSet<GroupId> = mapped.into_iter().map(GroupId::from_uuid).collect();
        let has = self.membership(user).await?;
        let is_new = |group: &&GroupId| !mapped.contains(group) && !has.groups.contains(group);
        let gained: Vec<GroupId> = groups.iter().filter(is_new).copied().collect();
        let lost: Vec<GroupId> = mapped.difference(&groups).copied().collect();
        if gained.is_empty() && lost.is_empty() {
            return Ok(0);
        }
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let mut changed = 0;
                for group in gained {
                    let map = connection.query(MAP).bind(group.uuid()).bind(user.uuid()).bind(now.seconds());
                    if map.bind(provider.uuid()).execute().await.context("put somebody into a mapped group")? > 0 {
                        told(Give::To, group).write(connection).await?;
                        changed += 1;
                    }
                }
                for group in lost {
                    let unmap = connection.query(UNMAP).bind(group.uuid()).bind(user.uuid()).bind(provider.uuid());
                    if unmap.execute().await.context("take somebody out of a mapped group")? > 0 {
                        told(Give::From, group).write(connection).await?;
                        changed += 1;
                    }
                }
                Ok(changed)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.memberships.forget(&user))).await
    }

    /// Gives somebody a role, or takes it away: `Unchanged` when it was so, or one of the two is not there.
    pub async fn role_of_user(
        &self,
        give: Give,
        (user, role): (UserId, RoleId),
        beside: Beside,
    ) -> Result<Change, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let statement = match give {
                    Give::To => GIVE,
                    Give::From => TAKE,
                };
                let change = connection.query(statement).bind(role.uuid()).bind(user.uuid());
                if change.execute().await.context("change the roles of a user")? == 0 {
                    return Ok(Change::Unchanged);
                }
                beside.write(connection).await?;
                Ok(Change::Done)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.memberships.forget(&user))).await
    }
}

/// Puts somebody into a group within the transaction of `connection`.
pub(super) async fn join(
    connection: &mut Connection,
    (group, user): (GroupId, UserId),
    now: NumericDate,
) -> Result<(), Fault> {
    let join = connection.query(ADD).bind(group.uuid()).bind(user.uuid()).bind(now.seconds());
    join.execute().await.context("put somebody into a group").map(|_| ())
}

#[derive(FromRow)]
struct MemberRow {
    user_id: Uuid,
    since: i64,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { user: UserId::from_uuid(row.user_id), since: NumericDate::from_seconds(row.since) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::plan_tests::plan;

    #[tokio::test]
    async fn members_are_listed_by_indexes_in_their_order() {
        for (statement, range) in [(MEMBERS, "(group_id=? AND user_id>?)"), (HOLDERS, "(role_id=? AND user_id>?)")] {
            let plan = plan(statement).await;
            assert!(plan.says(range) && !plan.says("TEMP B-TREE"), "{statement}: {plan}");
        }
        for statement in [COUNT, GROUPS, ROLES] {
            let plan = plan(statement).await;
            assert!(!plan.scans(&["group_member", "role_of_user"]), "{statement}: {plan}");
        }
    }
}
