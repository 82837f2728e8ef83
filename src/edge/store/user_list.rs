//! People in lists: sorted, filtered, searched, page by page.
//!
//! S-138. A list is read in one of two ways. Where a filter leaves few people, they are gathered by its index and then sorted; where every
//! filter leaves many, the list is walked in its order, and the page is soon full. Neither looks at everybody.
//!
//! *Why no string building:* the statements are fixed; what is not filtered by is NULL.

use std::sync::Arc;

use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Query;
use crate::edge::store::user::{UserRow, into_users, rank_text, role_text};
use crate::model::fault::Fault;
use crate::model::id::{GroupId, UserId};
use crate::model::search::Beginning;
use crate::model::user::{Role, User};

macro_rules! page {
    ($people:expr, $order:literal) => {
        concat!(
            "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
            u.state, u.purge_at, u.attributes, u.last_sign_in_at, u.admin_rank,
            i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
            FROM (",
            $people,
            ") u LEFT JOIN identifier i ON i.user_id = u.id ORDER BY ",
            $order
        )
    };
}

/// `$1`, `$2`: the role and what stands beside it; `$3`: the state; `$4`: the group; `$5` to before `$6`: the beginning of a name;
/// `$7`: the id.
macro_rules! filters {
    () => {
        "($1 IS NULL OR (a.role = $1 AND a.admin_rank IS NOT DISTINCT FROM $2))
        AND ($3 IS NULL OR (CASE WHEN a.disabled_at IS NULL THEN 'active' ELSE COALESCE(a.state, 'disabled') END) = $3)
        AND ($4 IS NULL OR EXISTS (SELECT 1 FROM group_member m WHERE m.group_id = $4 AND m.user_id = a.id))
        AND ($5 IS NULL OR a.id = $7
            OR EXISTS (SELECT 1 FROM identifier l WHERE l.user_id = a.id AND l.lookup >= $5 AND l.lookup < $6)
            OR EXISTS (SELECT 1 FROM person_name n WHERE n.user_id = a.id AND n.name >= $5 AND n.name < $6))"
    };
}

/// Who is left by one filter; of these values, all but those of that filter are NULL. Each person may stand there several times.
macro_rules! gathered {
    () => {
        "SELECT user_id FROM group_member WHERE group_id = $11
        UNION ALL SELECT user_id FROM identifier WHERE lookup >= $12 AND lookup < $13
        UNION ALL SELECT user_id FROM person_name WHERE name >= $12 AND name < $13
        UNION ALL SELECT id FROM user_account WHERE id = $14
        UNION ALL SELECT id FROM user_account WHERE role <> 'member' AND role = $15
        UNION ALL SELECT id FROM user_account WHERE admin_rank IS NOT NULL AND admin_rank = $16
        UNION ALL SELECT id FROM user_account
            WHERE disabled_at IS NOT NULL AND COALESCE(state, 'disabled') = $17"
    };
}

/// The oldest first. `$8`, `$9`: after this moment and id.
const BY_CREATION: &str = page!(
    concat!(
        "SELECT * FROM user_account a WHERE (a.created_at, a.id) > ($8, $9) AND ",
        filters!(),
        " ORDER BY a.created_at, a.id LIMIT $10"
    ),
    "u.created_at, u.id, i.id"
);
/// Those with an e-mail address, by it. `$8`: after this address; `$9` is not looked at.
const BY_EMAIL: &str = page!(
    concat!(
        "SELECT a.*, e.lookup AS sort_key FROM identifier e CROSS JOIN user_account a
        WHERE a.id = e.user_id AND e.kind = 'email' AND e.is_primary AND e.lookup > $8 AND $9 = $9 AND ",
        filters!(),
        " ORDER BY e.lookup LIMIT $10"
    ),
    "u.sort_key, u.id, i.id"
);
/// As [`BY_CREATION`], of those that one filter leaves. `CROSS JOIN` is a word to SQLite's planner: them first.
const GATHERED_BY_CREATION: &str = page!(
    concat!(
        "SELECT a.* FROM (SELECT DISTINCT user_id FROM (",
        gathered!(),
        ") AS named) AS few CROSS JOIN user_account a
        WHERE a.id = few.user_id AND (a.created_at, a.id) > ($8, $9) AND ",
        filters!(),
        " ORDER BY a.created_at, a.id LIMIT $10"
    ),
    "u.created_at, u.id, i.id"
);
/// As [`BY_EMAIL`], of those that one filter leaves.
const GATHERED_BY_EMAIL: &str = page!(
    concat!(
        "SELECT a.*, e.lookup AS sort_key FROM (SELECT DISTINCT user_id FROM (",
        gathered!(),
        ") AS named) AS few CROSS JOIN user_account a CROSS JOIN identifier e
        WHERE a.id = few.user_id AND e.user_id = a.id AND e.kind = 'email' AND e.is_primary AND e.lookup > $8 AND $9 = $9 AND ",
        filters!(),
        " ORDER BY e.lookup LIMIT $10"
    ),
    "u.sort_key, u.id, i.id"
);
const COUNT_MEMBERS: &str =
    "SELECT COUNT(*) FROM (SELECT user_id FROM group_member WHERE group_id = $1 LIMIT $2) AS counted";
pub(super) const COUNT_NAMED: &str =
    "SELECT COUNT(*) FROM (SELECT user_id FROM identifier WHERE lookup >= $1 AND lookup < $2
    UNION ALL SELECT user_id FROM person_name WHERE name >= $1 AND name < $2 LIMIT $3) AS counted";
pub(super) const COUNT_CLOSED: &str = "SELECT COUNT(*) FROM (SELECT id FROM user_account
    WHERE disabled_at IS NOT NULL AND COALESCE(state, 'disabled') = $1 LIMIT $2) AS counted";

/// So many people are gathered and sorted in fifty to eighty milliseconds (11 000 of 100 000, by creation and by address); of more, one in
/// eight of a hundred thousand is soon met on a walk.
const FEW: i64 = 12_000;

/// The order of a list, with the last that was shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UserSort {
    /// The oldest first.
    Created {
        /// After the account of this moment and id.
        after: Option<(i64, UserId)>,
    },
    /// By primary e-mail address; who has none is left out.
    Email {
        /// After this one, in the form that is looked up.
        after: Option<String>,
    },
}

/// Who is asked for.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// In which order.
    pub sort: UserSort,
    /// Only those with this role on this server.
    pub role: Option<Role>,
    /// Only those whose account is in this state.
    pub state: Option<&'static str>,
    /// Only those who were put into this group.
    pub group: Option<GroupId>,
    /// Only those whose id it is, or of whom a name, an address or a number begins so.
    pub search: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// The filter that leaves few people.
#[derive(Clone, Debug)]
enum Few {
    Members(Uuid),
    Named(Beginning, Option<Uuid>),
    Ranked(Role),
    Closed(&'static str),
}

impl Store {
    /// The people that a query asks for, in its order.
    pub async fn find_users(&self, query: &UserQuery) -> Result<Vec<Arc<User>>, Fault> {
        let beginning = query.search.as_deref().map(Beginning::parse);
        // No name begins so.
        let Ok(beginning) = beginning.map(|parsed| parsed.ok_or(())).transpose() else { return Ok(Vec::new()) };
        let few = self.few(query, beginning.as_ref()).await?;
        let statement = match (&query.sort, &few) {
            (UserSort::Created { .. }, None) => BY_CREATION,
            (UserSort::Created { .. }, Some(_)) => GATHERED_BY_CREATION,
            (UserSort::Email { .. }, None) => BY_EMAIL,
            (UserSort::Email { .. }, Some(_)) => GATHERED_BY_EMAIL,
        };
        let asked = self.readers.query(statement);
        let asked = asked.bind(query.role.map(role_text)).bind(query.role.and_then(rank_text)).bind(query.state);
        let asked = asked.bind(query.group.map(GroupId::uuid));
        // Who is gathered by name need not be asked for it once more.
        let beginning = beginning.filter(|_| !matches!(few, Some(Few::Named(..))));
        let asked = asked.bind(beginning.as_ref().map(|beginning| beginning.first().to_owned()));
        let asked = asked.bind(beginning.as_ref().map(Beginning::end)).bind(query.search.as_deref().and_then(id_in));
        let asked = match &query.sort {
            UserSort::Created { after } => {
                let (moment, id) = after.map_or((i64::MIN, Uuid::nil()), |(moment, id)| (moment, id.uuid()));
                asked.bind(moment).bind(id)
            }
            UserSort::Email { after } => asked.bind(after.clone().unwrap_or_default()).bind(Uuid::nil()),
        };
        let asked = asked.bind(i64::from(query.limit));
        let asked = match few {
            Some(few) => gather(asked, few),
            None => asked,
        };
        let rows: Vec<UserRow> = asked.fetch_all().await.context("find users")?;
        Ok(into_users(rows)?.into_iter().map(Arc::new).collect())
    }

    /// The first filter that leaves few people, if one does.
    async fn few(&self, query: &UserQuery, beginning: Option<&Beginning>) -> Result<Option<Few>, Fault> {
        // Administrators are few.
        if let Some(role) = query.role.filter(|role| *role != Role::Member) {
            return Ok(Some(Few::Ranked(role)));
        }
        if let Some(beginning) = beginning {
            let count = self.readers.query(COUNT_NAMED).bind(beginning.first().to_owned()).bind(beginning.end());
            if is_few(count).await? {
                return Ok(Some(Few::Named(beginning.clone(), query.search.as_deref().and_then(id_in))));
            }
        }
        if let Some(group) = query.group.map(GroupId::uuid)
            && is_few(self.readers.query(COUNT_MEMBERS).bind(group)).await?
        {
            return Ok(Some(Few::Members(group)));
        }
        if let Some(state) = query.state.filter(|state| *state != "active")
            && is_few(self.readers.query(COUNT_CLOSED).bind(state)).await?
        {
            return Ok(Some(Few::Closed(state)));
        }
        Ok(None)
    }
}

/// Whether a count, to which its limit is bound here, leaves few.
pub(super) async fn is_few(count: Query<'_>) -> Result<bool, Fault> {
    let count: i64 = count.bind(FEW + 1).scalar_one().await.context("count whom a filter leaves")?;
    Ok(count <= FEW)
}

/// The id that is searched for.
pub(super) fn id_in(search: &str) -> Option<Uuid> {
    search.trim().parse::<UserId>().ok().map(UserId::uuid)
}

/// Binds the values of the filter that leaves few; those of the others are NULL.
fn gather(asked: Query<'_>, few: Few) -> Query<'_> {
    let (mut group, mut named, mut id, mut role, mut closed) = (None, None, None, None, None);
    match few {
        Few::Members(members) => group = Some(members),
        Few::Named(beginning, exactly) => (named, id) = (Some(beginning), exactly),
        Few::Ranked(rank) => role = Some(rank),
        Few::Closed(state) => closed = Some(state),
    }
    let owner = role.map(role_text).filter(|role| *role != "member");
    let asked = asked.bind(group).bind(named.as_ref().map(|named| named.first().to_owned()));
    asked.bind(named.as_ref().map(Beginning::end)).bind(id).bind(owner).bind(role.and_then(rank_text)).bind(closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::plan_tests::plan;

    /// No list looks at everybody. What is walked in its order, is walked by the index of that order.
    #[tokio::test]
    async fn people_are_listed_by_indexes() {
        for statement in [COUNT_MEMBERS, COUNT_NAMED, COUNT_CLOSED, GATHERED_BY_CREATION, GATHERED_BY_EMAIL] {
            let plan = plan(statement).await;
            assert!(!plan.scans(&["user_account", "identifier", "person_name", "group_member", "a", "e"]), "{plan}");
        }
        let walk = plan(BY_CREATION).await;
        assert!(
            walk.says("SEARCH a USING INDEX user_account_by_creation") && !walk.scans(&["a", "l", "n", "m"]),
            "{walk}"
        );
        let walk = plan(BY_EMAIL).await;
        assert!(
            walk.says("SEARCH e USING INDEX identifier_by_email") && !walk.scans(&["a", "e", "l", "n", "m"]),
            "{walk}"
        );
    }
}
