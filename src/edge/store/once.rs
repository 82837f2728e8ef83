//! Values that are good once: `jti` of assertions, links, one-time passwords.

use futures_util::FutureExt as _;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const CONSUME: &str = "INSERT INTO consumed_once (kind, hash, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (kind, hash) DO UPDATE SET expires_at = excluded.expires_at WHERE consumed_once.expires_at <= $4";
const TAKE_BACK: &str = "DELETE FROM consumed_once WHERE kind = $1 AND hash = $2";

impl Store {
    /// True for the first who presents this value of this `kind` before it expires.
    pub async fn consume_once(
        &self,
        kind: &'static str,
        hash: &TokenHash,
        expires_at: NumericDate,
        now: NumericDate,
    ) -> Result<bool, Fault> {
        let hash = *hash;
        let fact = Fact::one(move |connection| {
            async move { consume(connection, (kind, &hash), expires_at, now).await }.boxed()
        });
        self.recorder.record(fact).await
    }
}

/// Makes a value good again that the transaction of `connection` used up in vain.
pub(super) async fn take_back(
    connection: &mut Connection,
    (kind, hash): (&'static str, &TokenHash),
) -> Result<(), Fault> {
    let take_back = connection.query(TAKE_BACK).bind(kind).bind(hash.as_bytes().as_slice());
    take_back.execute().await.context("make a value good again").map(|_| ())
}

/// Uses the value up within the transaction of `connection`; false when it was used before.
pub(super) async fn consume(
    connection: &mut Connection,
    (kind, hash): (&'static str, &TokenHash),
    expires_at: NumericDate,
    now: NumericDate,
) -> Result<bool, Fault> {
    let consume = connection.query(CONSUME).bind(kind).bind(hash.as_bytes().as_slice());
    let consume = consume.bind(expires_at.seconds()).bind(now.seconds());
    let changed = consume.execute().await.context("consume a value that is good once")?;
    Ok(changed == 1)
}
