//! Failed sign-ins in a row.
//!
//! NIST SP 800-63B-4 §3.2.2; PROTOCOL A4. An attempt is counted as a failure before it is judged, so that neither a crash nor
//! many attempts at once go past the end; a right one clears the count.

use futures_util::FutureExt as _;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const COUNT: &str = "INSERT INTO sign_in_failure (user_id, failures, counted_at)
    SELECT id, 1, $2 FROM user_account WHERE id = $1
    ON CONFLICT (user_id) DO UPDATE SET failures = sign_in_failure.failures + 1, counted_at = excluded.counted_at
    WHERE sign_in_failure.failures < $3";
const COUNT_NOBODY: &str = "INSERT INTO sign_in_of_nobody (slot, failures, counted_at) VALUES ($1, 1, $2)
    ON CONFLICT (slot) DO UPDATE SET failures = sign_in_of_nobody.failures + 1, counted_at = excluded.counted_at";
const CLEAR: &str = "DELETE FROM sign_in_failure WHERE user_id = $1";

impl Store {
    /// Counts one more attempt of somebody as `user`; false when `most` in a row have failed already.
    pub async fn count_sign_in(&self, user: UserId, most: u32, now: NumericDate) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let count = connection.query(COUNT).bind(user.uuid()).bind(now.seconds()).bind(i64::from(most));
                let changed = count.execute().await.context("count a sign-in")?;
                Ok(changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Writes as much for a name that nobody has as [`count_sign_in`](Self::count_sign_in) does for one that somebody has, so that the
    /// time of the answer does not tell them apart (PROTOCOL A17). Names share 256 slots: however many are tried, nothing grows.
    pub async fn count_sign_in_of_nobody(&self, name: &TokenHash, now: NumericDate) -> Result<(), Fault> {
        let [slot, ..] = *name.as_bytes();
        let fact = Fact::one(move |connection| {
            async move {
                let count = connection.query(COUNT_NOBODY).bind(i64::from(slot)).bind(now.seconds());
                count.execute().await.context("count a sign-in of nobody").map(|_| ())
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Forgets the failures: the person has proven who they are.
    pub async fn clear_sign_in_failures(&self, user: UserId) -> Result<(), Fault> {
        let fact = Fact::one(move |connection| async move { clear(connection, user).await }.boxed());
        self.recorder.record(fact).await
    }
}

/// Forgets the failures of a person.
pub(super) async fn clear(connection: &mut Connection, user: UserId) -> Result<(), Fault> {
    connection.query(CLEAR).bind(user.uuid()).execute().await.context("clear the failed sign-ins of a user").map(|_| ())
}
