//! Browsers in which a person wants to be asked for no second factor, by the hashes of their marks.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, bigint};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store};
use crate::model::authenticator::RememberedBrowser;
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{RememberedId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const ADD: &str = "INSERT INTO remembered_browser
    (id, user_id, mark_hash, epoch, user_agent, address, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const IS_REMEMBERED: &str = "SELECT COUNT(*) FROM remembered_browser
    WHERE mark_hash = $1 AND user_id = $2 AND epoch = $3 AND expires_at > $4";
const LIST: &str = "SELECT id, user_agent, address, created_at, expires_at FROM remembered_browser
    WHERE user_id = $1 AND epoch = $2 AND expires_at > $3 ORDER BY id DESC";
const FORGET: &str = "DELETE FROM remembered_browser WHERE user_id = $1 AND ($2 IS NULL OR id = $2)";

impl Store {
    /// Records a browser in which no second factor is asked for, by the hash of its mark.
    pub async fn remember_browser(
        &self,
        (user, epoch): (UserId, Epoch),
        mark: TokenHash,
        browser: RememberedBrowser,
    ) -> Result<(), Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let add = connection.query(ADD).bind(browser.id.uuid()).bind(user.uuid());
                let add = add.bind(mark.as_bytes().as_slice()).bind(bigint(epoch.count)).bind(browser.user_agent);
                let add = add.bind(browser.address).bind(browser.created_at.seconds());
                let add = add.bind(browser.expires_at.seconds());
                add.execute().await.context("remember a browser").map(|_| ())
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// True when the browser with this mark is remembered for the person, in this epoch.
    pub async fn is_remembered(
        &self,
        (user, epoch): (UserId, Epoch),
        mark: &TokenHash,
        now: NumericDate,
    ) -> Result<bool, Fault> {
        let read = self.readers.query(IS_REMEMBERED).bind(mark.as_bytes().as_slice()).bind(user.uuid());
        let read = read.bind(bigint(epoch.count)).bind(now.seconds());
        let count: i64 = read.scalar_one().await.context("look for a remembered browser")?;
        Ok(count > 0)
    }

    /// The browsers of a person in which no second factor is asked for, the newest first.
    pub async fn remembered_browsers(
        &self,
        (user, epoch): (UserId, Epoch),
        now: NumericDate,
    ) -> Result<Vec<RememberedBrowser>, Fault> {
        let list = self.readers.query(LIST).bind(user.uuid()).bind(bigint(epoch.count)).bind(now.seconds());
        let rows: Vec<Row> = list.fetch_all().await.context("list remembered browsers")?;
        Ok(rows.into_iter().map(RememberedBrowser::from).collect())
    }

    /// Asks for the second factor in this browser again, or in all of them; false when there was none.
    pub async fn forget_browsers(
        &self,
        user: UserId,
        only: Option<RememberedId>,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let forget = connection.query(FORGET).bind(user.uuid()).bind(only.map(RememberedId::uuid));
                let is_changed = forget.execute().await.context("forget remembered browsers")? > 0;
                if is_changed {
                    beside.write(connection).await?;
                }
                Ok(is_changed)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    user_agent: String,
    address: String,
    created_at: i64,
    expires_at: i64,
}

impl From<Row> for RememberedBrowser {
    fn from(row: Row) -> Self {
        Self {
            id: RememberedId::from_uuid(row.id),
            user_agent: row.user_agent,
            address: row.address,
            created_at: NumericDate::from_seconds(row.created_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
        }
    }
}
