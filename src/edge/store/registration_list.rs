//! How accounts came to be: who registers still, and who was asked in by whom (S-142).

use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::user_list::pattern;
use crate::model::fault::Fault;
use crate::model::id::{InvitationId, UserId};
use crate::protocol::numeric_date::NumericDate;

/// The latest first; what is not asked for is NULL. `$1`, `$2`: before this moment and id.
const FIND: &str = "SELECT a.id, a.created_at, i.id AS invitation, i.invited_by,
    CAST(CASE WHEN a.state = 'pending' THEN 1 ELSE 0 END AS BIGINT) AS registering
    FROM user_account a LEFT JOIN invitation i ON i.accepted_by = a.id
    WHERE ($1 IS NULL OR a.created_at < $1 OR (a.created_at = $1 AND a.id < $2))
    AND ($3 IS NULL OR CAST(CASE WHEN a.state = 'pending' THEN 1 ELSE 0 END AS BIGINT) = $3)
    AND ($4 IS NULL OR CAST(CASE WHEN i.id IS NULL THEN 0 ELSE 1 END AS BIGINT) = $4)
    AND ($5 IS NULL OR i.invited_by = $5)
    AND ($6 IS NULL OR a.id IN (SELECT user_id FROM identifier WHERE lookup LIKE $6 ESCAPE '\\'))
    ORDER BY a.created_at DESC, a.id DESC LIMIT $7";

/// Which accounts are asked for.
#[derive(Clone, Debug, Default)]
pub struct RegistrationQuery {
    /// Before the account of this moment and id.
    pub before: Option<(i64, UserId)>,
    /// Only those that are not activated yet, or only those that are.
    pub registering: Option<bool>,
    /// Only those of people who were asked in, or only the others.
    pub invited: Option<bool>,
    /// Only those of people whom this one asked in.
    pub invited_by: Option<UserId>,
    /// Only those with this in a name, an address or a number.
    pub search: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// How an account came to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    /// Whose.
    pub user: UserId,
    /// When it was made.
    pub created_at: NumericDate,
    /// Whether it waits for its activation.
    pub registering: bool,
    /// The invitation that was accepted by it.
    pub invitation: Option<InvitationId>,
    /// Who had sent that; nobody of ours on the command line.
    pub invited_by: Option<UserId>,
}

impl Store {
    /// The accounts that a query asks for, the latest first.
    pub async fn find_registrations(&self, query: &RegistrationQuery) -> Result<Vec<Registration>, Fault> {
        let (moment, id) = query.before.map_or((None, None), |(moment, id)| (Some(moment), Some(id.uuid())));
        let find = self.readers.query(FIND).bind(moment).bind(id);
        let find = find.bind(query.registering.map(i64::from)).bind(query.invited.map(i64::from));
        let find = find.bind(query.invited_by.map(UserId::uuid)).bind(query.search.as_deref().map(pattern));
        let rows: Vec<Row> = find.bind(i64::from(query.limit)).fetch_all().await.context("find registrations")?;
        Ok(rows.into_iter().map(Registration::from).collect())
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    created_at: i64,
    invitation: Option<Uuid>,
    invited_by: Option<Uuid>,
    registering: i64,
}

impl From<Row> for Registration {
    fn from(row: Row) -> Self {
        Self {
            user: UserId::from_uuid(row.id),
            created_at: NumericDate::from_seconds(row.created_at),
            registering: row.registering == 1,
            invitation: row.invitation.map(InvitationId::from_uuid),
            invited_by: row.invited_by.map(UserId::from_uuid),
        }
    }
}
