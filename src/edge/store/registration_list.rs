//! How accounts came to be: who registers still, and who was asked in by whom (S-142).

use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::user_list::{COUNT_CLOSED, COUNT_NAMED, id_in, is_few};
use crate::model::fault::Fault;
use crate::model::id::{InvitationId, UserId};
use crate::model::search::Beginning;
use crate::protocol::numeric_date::NumericDate;

/// The latest first; what is not asked for is NULL. `$1`, `$2`: before this moment and id; `$6` to before `$7`: the beginning of a name;
/// `$8`: the id.
macro_rules! find {
    ($people:expr) => {
        concat!(
            "SELECT a.id, a.created_at, i.id AS invitation, i.invited_by,
            CAST(CASE WHEN a.state = 'pending' THEN 1 ELSE 0 END AS BIGINT) AS registering
            FROM ",
            $people,
            " LEFT JOIN invitation i ON i.accepted_by = a.id
            WHERE (a.created_at, a.id) < ($1, $2)
            AND ($3 IS NULL OR CAST(CASE WHEN a.state = 'pending' THEN 1 ELSE 0 END AS BIGINT) = $3)
            AND ($4 IS NULL OR CAST(CASE WHEN i.id IS NULL THEN 0 ELSE 1 END AS BIGINT) = $4)
            AND ($5 IS NULL OR i.invited_by = $5)
            AND ($6 IS NULL OR a.id = $8
                OR EXISTS (SELECT 1 FROM identifier l WHERE l.user_id = a.id AND l.lookup >= $6 AND l.lookup < $7)
                OR EXISTS (SELECT 1 FROM person_name n WHERE n.user_id = a.id AND n.name >= $6 AND n.name < $7))
            ORDER BY a.created_at DESC, a.id DESC LIMIT $9"
        )
    };
}

/// Everybody, in the order of the list: where every filter leaves many, a page is soon full.
const WALKED: &str = find!("user_account a");
/// Those whom one filter leaves; of its values, all but those of that filter are NULL.
const GATHERED: &str = find!(
    "(SELECT DISTINCT user_id FROM (
        SELECT user_id FROM identifier WHERE lookup >= $10 AND lookup < $11
        UNION ALL SELECT user_id FROM person_name WHERE name >= $10 AND name < $11
        UNION ALL SELECT id FROM user_account WHERE id = $12
        UNION ALL SELECT accepted_by FROM invitation WHERE invited_by = $13 AND accepted_by IS NOT NULL
        UNION ALL SELECT accepted_by FROM invitation WHERE accepted_by >= $14
        UNION ALL SELECT id FROM user_account WHERE disabled_at IS NOT NULL AND COALESCE(state, 'disabled') = $15
    ) AS named) AS few JOIN user_account a ON a.id = few.user_id"
);
const COUNT_INVITED: &str =
    "SELECT COUNT(*) FROM (SELECT accepted_by FROM invitation WHERE accepted_by >= $1 LIMIT $2) AS counted";

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
    /// Only those whose id it is, or of whom a name, an address or a number begins so.
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

/// The filter that leaves few people.
enum Few {
    Named(Beginning, Option<Uuid>),
    InvitedBy(UserId),
    Invited,
    Registering,
}

impl Store {
    /// The accounts that a query asks for, the latest first.
    pub async fn find_registrations(&self, query: &RegistrationQuery) -> Result<Vec<Registration>, Fault> {
        let beginning = query.search.as_deref().map(Beginning::parse);
        // No name begins so.
        let Ok(beginning) = beginning.map(|parsed| parsed.ok_or(())).transpose() else { return Ok(Vec::new()) };
        let id = query.search.as_deref().and_then(id_in);
        let few = self.few_registrations(query, (beginning.as_ref(), id)).await?;
        let (moment, before) = query.before.map_or((i64::MAX, Uuid::max()), |(moment, id)| (moment, id.uuid()));
        let find = self.readers.query(if few.is_some() { GATHERED } else { WALKED }).bind(moment).bind(before);
        let find = find.bind(query.registering.map(i64::from)).bind(query.invited.map(i64::from));
        let find = find.bind(query.invited_by.map(UserId::uuid));
        let beginning = beginning.filter(|_| !matches!(few, Some(Few::Named(..))));
        let find = find.bind(beginning.as_ref().map(|beginning| beginning.first().to_owned()));
        let find = find.bind(beginning.as_ref().map(Beginning::end)).bind(id).bind(i64::from(query.limit));
        let find = match few {
            None => find,
            Some(few) => {
                let (mut named, mut exactly, mut by, mut invited, mut state) = (None, None, None, None, None);
                match few {
                    Few::Named(beginning, id) => (named, exactly) = (Some(beginning), id),
                    Few::InvitedBy(id) => by = Some(id.uuid()),
                    Few::Invited => invited = Some(Uuid::nil()),
                    Few::Registering => state = Some("pending"),
                }
                let find = find.bind(named.as_ref().map(|named| named.first().to_owned()));
                find.bind(named.as_ref().map(Beginning::end)).bind(exactly).bind(by).bind(invited).bind(state)
            }
        };
        let rows: Vec<Row> = find.fetch_all().await.context("find registrations")?;
        Ok(rows.into_iter().map(Registration::from).collect())
    }

    /// The first filter that leaves few people, if one does.
    async fn few_registrations(
        &self,
        query: &RegistrationQuery,
        (beginning, id): (Option<&Beginning>, Option<Uuid>),
    ) -> Result<Option<Few>, Fault> {
        // Nobody asks more in than they write messages.
        if let Some(by) = query.invited_by {
            return Ok(Some(Few::InvitedBy(by)));
        }
        if let Some(beginning) = beginning {
            let count = self.readers.query(COUNT_NAMED).bind(beginning.first().to_owned()).bind(beginning.end());
            if is_few(count).await? {
                return Ok(Some(Few::Named(beginning.clone(), id)));
            }
        }
        if query.registering == Some(true) && is_few(self.readers.query(COUNT_CLOSED).bind("pending")).await? {
            return Ok(Some(Few::Registering));
        }
        if query.invited == Some(true) && is_few(self.readers.query(COUNT_INVITED).bind(Uuid::nil())).await? {
            return Ok(Some(Few::Invited));
        }
        Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::plan_tests::plan;

    #[tokio::test]
    async fn registrations_are_listed_by_indexes() {
        for statement in [GATHERED, COUNT_INVITED] {
            let plan = plan(statement).await;
            assert!(!plan.scans(&["user_account", "identifier", "person_name", "invitation", "a", "i"]), "{plan}");
        }
        let walk = plan(WALKED).await;
        let by_creation = walk.says("SEARCH a USING INDEX user_account_by_creation");
        assert!(by_creation && !walk.scans(&["a", "i", "l", "n"]), "{walk}");
    }
}
