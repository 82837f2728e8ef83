//! What operators do to accounts and sessions from outside.
//!
//! PROTOCOL.md A13 (a password set by somebody else ends everything that the old one opened).

use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::edge::store::row::Context as _;
use crate::edge::store::user::{rank_text, role_text};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store, directory, epoch, sign_in_failure};
use crate::model::fault::Fault;
use crate::model::id::{SessionId, UserId};
use crate::model::user::Role;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::Secret;

const ENABLE: &str = "UPDATE user_account SET disabled_at = NULL, state = NULL, purge_at = NULL
    WHERE id = $1 AND disabled_at IS NOT NULL";
/// The last owner stays one.
const SET_ROLE: &str = "UPDATE user_account SET role = $2, admin_rank = $3, updated_at = $4 WHERE id = $1
    AND ($2 = 'owner' OR role <> 'owner' OR EXISTS (SELECT 1 FROM user_account other
        WHERE other.role = 'owner' AND other.id <> $1 AND other.disabled_at IS NULL))";
const OTHER_OWNERS: &str =
    "SELECT COUNT(*) FROM user_account WHERE role = 'owner' AND id <> $1 AND disabled_at IS NULL";
const SET_PASSWORD: &str = "INSERT INTO credential (user_id, kind, secret, updated_at) VALUES ($1, 'password', $2, $3)
    ON CONFLICT (user_id, kind) DO UPDATE SET secret = excluded.secret, updated_at = excluded.updated_at";
const LIVE: &str = "SELECT id FROM user_session
    WHERE ended_at IS NULL AND expires_at > $1 AND last_seen_at + idle_lifetime > $1
    ORDER BY last_seen_at DESC, id LIMIT $2";

const COUNT_LIVE: &str = "SELECT COUNT(*) FROM user_session
    WHERE ended_at IS NULL AND expires_at > $1 AND last_seen_at + idle_lifetime > $1";

const FILLED: &str = "SELECT COUNT(*) FROM (SELECT id FROM user_account UNION ALL SELECT id FROM job
    UNION ALL SELECT NULL FROM oauth_client UNION ALL SELECT NULL FROM signing_key UNION ALL SELECT NULL FROM server_secret) AS filled";

impl Store {
    /// Whether nobody and nothing is in it: as migrating an empty database leaves it, so that no key has sealed anything.
    pub async fn is_bare(&self) -> Result<bool, Fault> {
        let filled: i64 = self.readers.query(FILLED).scalar_one().await.context("look whether anything is stored")?;
        Ok(filled == 0)
    }

    /// How many sessions are live.
    pub async fn count_live_sessions(&self, now: NumericDate) -> Result<u64, Fault> {
        let count = self.readers.query(COUNT_LIVE).bind(now.seconds());
        let count: i64 = count.scalar_one().await.context("count the live sessions")?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Enables a disabled account; false when it was enabled or there is none. What was ended stays ended.
    pub async fn enable_user(&self, id: UserId) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let enable = connection.query(ENABLE).bind(id.uuid());
                Ok(enable.execute().await.context("enable a user")? == 1)
            }
            .boxed()
        });
        self.record_of(id, fact).await
    }

    /// Whether somebody else is an owner whose account may be used.
    pub async fn has_other_owner(&self, id: UserId) -> Result<bool, Fault> {
        let others: i64 =
            self.readers.query(OTHER_OWNERS).bind(id.uuid()).scalar_one().await.context("count the owners")?;
        Ok(others > 0)
    }

    /// Gives the person another role; false when there is no such person, or when they are the last owner.
    pub async fn set_role(&self, id: UserId, role: Role, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                // One behind the other: two owners who demote each other at once leave one.
                connection.query(directory::NEXT).execute().await.context("begin to change a role")?;
                let set = connection.query(SET_ROLE).bind(id.uuid()).bind(role_text(role)).bind(rank_text(role));
                let changed = set.bind(now.seconds()).execute().await.context("change the role of a user")? == 1;
                if changed {
                    beside.write(connection).await?;
                }
                Ok(changed)
            }
            .boxed()
        });
        self.record_of(id, fact).await
    }

    /// Sets the person's password (a PHC string), ends their sessions and revokes their grants.
    pub async fn reset_password(&self, id: UserId, phc: &str, now: NumericDate, beside: Beside) -> Result<(), Fault> {
        let phc = Secret::from(phc);
        let fact = Fact::several(move |connection| {
            async move {
                let set =
                    connection.query(SET_PASSWORD).bind(id.uuid()).bind(phc.expose().as_str()).bind(now.seconds());
                set.execute().await.context("record a password")?;
                sign_in_failure::clear(connection, id).await?;
                let stepped = epoch::step(connection, id, None, now).await?;
                beside.write(connection).await?;
                Ok(stepped)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|_| ())
    }

    /// At most `limit` sessions that are live at `now`, the last used first.
    pub async fn live_sessions(&self, now: NumericDate, limit: u32) -> Result<Vec<SessionId>, Fault> {
        let list = self.readers.query(LIVE).bind(now.seconds()).bind(i64::from(limit));
        let ids: Vec<Uuid> = list.scalar_all().await.context("list live sessions")?;
        Ok(ids.into_iter().map(SessionId::from_uuid).collect())
    }
}
