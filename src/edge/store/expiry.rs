//! Clearing away what has expired. Nothing depends on it but the size of the file.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::edge::store::Store;
use crate::edge::store::row::Context as _;
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;

/// How long after its end a row stays that keeps something from being good: a clock that jumped ahead and comes back must find what was
/// denied, consumed or revoked.
const MARGIN: Duration = Duration::from_hours(1);

/// What is good for something itself: it goes at its end (S-167).
const GOOD: &[&str] = &[
    "DELETE FROM opaque_access_token WHERE hash IN
        (SELECT hash FROM opaque_access_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM refresh_token WHERE hash IN
        (SELECT hash FROM refresh_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM mailed_link WHERE hash IN
        (SELECT hash FROM mailed_link WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    // One that nobody accepted stays for its inviter to look at, for thirty days.
    "DELETE FROM invitation WHERE id IN
        (SELECT id FROM invitation WHERE accepted_at IS NULL AND expires_at <= $1 - 2592000 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM remembered_browser WHERE id IN
        (SELECT id FROM remembered_browser WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM data_export WHERE id IN
        (SELECT id FROM data_export WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM retired_signing_key WHERE kid IN
        (SELECT kid FROM retired_signing_key WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM authenticator WHERE id IN
        (SELECT id FROM authenticator WHERE expires_at IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2)",
];

/// A session that goes on keeps the names of its apps, so that they are told of its end.
const KEEP_CLIENTS: &str = "INSERT INTO session_client (session_id, client_id)
    SELECT DISTINCT gone.session_id, gone.client_id
    FROM (SELECT session_id, client_id FROM oauth_grant WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2) AS gone
    JOIN user_session ON user_session.id = gone.session_id AND user_session.ended_at IS NULL
    WHERE TRUE ON CONFLICT DO NOTHING";

/// What keeps something from being good. Children before parents, so that a cascade never has much to do.
const KEPT: &[&str] = &[
    "DELETE FROM denied_access_token WHERE jti_hash IN
        (SELECT jti_hash FROM denied_access_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    "DELETE FROM consumed_once WHERE (kind, hash) IN
        (SELECT kind, hash FROM consumed_once WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    // Those whose apps are kept: another node may clear away other rows at the same time.
    "DELETE FROM oauth_grant WHERE id IN
        (SELECT id FROM oauth_grant WHERE expires_at <= $1
            AND (EXISTS (SELECT 1 FROM session_client WHERE session_client.session_id = oauth_grant.session_id
                    AND session_client.client_id = oauth_grant.client_id)
                OR NOT EXISTS (SELECT 1 FROM user_session WHERE user_session.id = oauth_grant.session_id
                    AND user_session.ended_at IS NULL))
            ORDER BY expires_at, id LIMIT $2)",
    "DELETE FROM user_session WHERE id IN
        (SELECT id FROM user_session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    // One that was given up on stays for the operator to look at, for thirty days.
    "DELETE FROM job WHERE id IN
        (SELECT id FROM job WHERE expires_at <= $1 AND (dead_at IS NULL OR dead_at <= $1 - 2592000) ORDER BY expires_at LIMIT $2)",
];

impl Store {
    /// Deletes at most `limit` rows of each kind that expired by `now`, of what keeps something from being good an hour later; returns how
    /// many went.
    ///
    /// Each kind is a transaction of its own, so that other facts get their turn. Ask again while the answer is not zero.
    pub async fn clear_expired(&self, now: NumericDate, limit: u32) -> Result<u64, Fault> {
        let kept = now.minus(MARGIN);
        let keep = Fact::one(move |connection| {
            async move {
                let keep = connection.query(KEEP_CLIENTS).bind(kept.seconds()).bind(i64::from(limit));
                keep.execute().await.context("keep the clients of sessions that go on")
            }
            .boxed()
        });
        self.recorder.record(keep).await?;
        let mut cleared = 0;
        let good = GOOD.iter().map(|statement| (*statement, now));
        for (statement, end) in good.chain(KEPT.iter().map(|statement| (*statement, kept))) {
            let held = Arc::clone(&self.held);
            let fact = Fact::one(move |connection| {
                async move {
                    let clear = connection.query(statement).bind(end.seconds()).bind(i64::from(limit));
                    let changed = clear.execute().await.context("clear away what has expired")?;
                    Ok(changed)
                }
                .boxed()
            });
            let publish = move |_: &u64| {
                held.denied
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .retain(|_, expires_at| !expires_at.is_past(kept));
            };
            cleared += self.recorder.record(fact.then(publish)).await?;
        }
        Ok(cleared)
    }
}
