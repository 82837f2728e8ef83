//! People in lists: sorted, filtered, searched, page by page.
//!
//! S-138. *Why two statements and no string building:* each sort has its own order of a page and its own index; what is not filtered by
//! is NULL.

use std::sync::Arc;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::user::{UserRow, into_users, rank_text, role_text};
use crate::model::fault::Fault;
use crate::model::id::{GroupId, UserId};
use crate::model::user::{Role, User};

/// The oldest first. `$1`, `$2`: after this moment and id.
const BY_CREATION: &str =
    "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
    u.state, u.purge_at, u.attributes, u.last_sign_in_at, u.admin_rank,
    i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
    FROM (SELECT * FROM user_account a
        WHERE ($1 IS NULL OR a.created_at > $1 OR (a.created_at = $1 AND a.id > $2))
        AND ($3 IS NULL OR (a.role = $3 AND a.admin_rank IS NOT DISTINCT FROM $4))
        AND ($5 IS NULL OR (CASE WHEN a.disabled_at IS NULL THEN 'active' ELSE COALESCE(a.state, 'disabled') END) = $5)
        AND ($6 IS NULL OR EXISTS (SELECT 1 FROM group_member m WHERE m.group_id = $6 AND m.user_id = a.id))
        AND ($7 IS NULL OR a.id = $8 OR a.id IN (SELECT user_id FROM identifier WHERE lookup LIKE $7 ESCAPE '\\')
            OR lower(a.profile) LIKE $7 ESCAPE '\\')
        ORDER BY a.created_at, a.id LIMIT $9) u
    LEFT JOIN identifier i ON i.user_id = u.id ORDER BY u.created_at, u.id, i.id";
/// Those with an e-mail address, by it. `$1`: after this address; `$2` is not looked at.
const BY_EMAIL: &str =
    "SELECT u.id, u.profile, u.role, u.auth_epoch, u.auth_epoch_count, u.created_at, u.updated_at, u.disabled_at,
    u.state, u.purge_at, u.attributes, u.last_sign_in_at, u.admin_rank,
    i.id AS identifier_id, i.kind, i.value, i.verified_at, i.is_primary
    FROM (SELECT a.*, e.lookup AS sort_key FROM identifier e JOIN user_account a ON a.id = e.user_id
        WHERE e.kind = 'email' AND e.is_primary AND ($1 IS NULL OR e.lookup > $1) AND ($2 IS NULL OR $2 = $2)
        AND ($3 IS NULL OR (a.role = $3 AND a.admin_rank IS NOT DISTINCT FROM $4))
        AND ($5 IS NULL OR (CASE WHEN a.disabled_at IS NULL THEN 'active' ELSE COALESCE(a.state, 'disabled') END) = $5)
        AND ($6 IS NULL OR EXISTS (SELECT 1 FROM group_member m WHERE m.group_id = $6 AND m.user_id = a.id))
        AND ($7 IS NULL OR a.id = $8 OR a.id IN (SELECT user_id FROM identifier WHERE lookup LIKE $7 ESCAPE '\\')
            OR lower(a.profile) LIKE $7 ESCAPE '\\')
        ORDER BY e.lookup LIMIT $9) u
    LEFT JOIN identifier i ON i.user_id = u.id ORDER BY u.sort_key, u.id, i.id";

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
    /// Only those whose id it is, or who have it in a name, an address, a number or their profile.
    pub search: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// The people that a query asks for, in its order.
    pub async fn find_users(&self, query: &UserQuery) -> Result<Vec<Arc<User>>, Fault> {
        let asked = match &query.sort {
            UserSort::Created { after } => {
                let (moment, id) = after.map_or((None, None), |(moment, id)| (Some(moment), Some(id.uuid())));
                self.readers.query(BY_CREATION).bind(moment).bind(id)
            }
            UserSort::Email { after } => self.readers.query(BY_EMAIL).bind(after.clone()).bind(None::<uuid::Uuid>),
        };
        let asked = asked.bind(query.role.map(role_text)).bind(query.role.and_then(rank_text)).bind(query.state);
        let asked = asked.bind(query.group.map(GroupId::uuid)).bind(query.search.as_deref().map(pattern));
        let id = query.search.as_deref().and_then(|text| text.parse::<UserId>().ok());
        let asked = asked.bind(id.map(UserId::uuid)).bind(i64::from(query.limit));
        let rows: Vec<UserRow> = asked.fetch_all().await.context("find users")?;
        Ok(into_users(rows)?.into_iter().map(Arc::new).collect())
    }
}

/// `%text%` for LIKE, with its own signs taken as they are.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_like_are_letters() {
        assert_eq!(pattern("A_b%\\"), "%a\\_b\\%\\\\%");
    }
}
