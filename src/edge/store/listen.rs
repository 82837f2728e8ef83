//! Hearing what other nodes change, by `LISTEN` (<https://www.postgresql.org/docs/current/sql-notify.html>).
//!
//! Triggers tell the key of each changed row in the transaction that changes it. The listening connection is asked every tenth
//! of a second; PostgreSQL hands over what was told before it answers. Each answer makes what is held good for less than a second
//! from the moment we asked; after that nothing is believed until the next answer. When an answer fails to come, a new connection
//! listens and everything is let go.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgListener, PgPool};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::edge::store::Held;
use crate::edge::store::cache::Hearing;
use crate::edge::store::postgres::Server;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Mirror as _;
use crate::model::fault::Fault;
use crate::model::id::{GrantId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// The channel of `migrations/postgresql`.
const CHANNEL: &str = "symbolon";
/// How often the connection is asked.
const EVERY: Duration = Duration::from_millis(100);
/// How long its answer may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// The listening task; it ends with this value.
pub(super) struct Listener(JoinHandle<()>);

/// What it listens with.
pub(super) struct Listening {
    pub(super) server: Server,
    pub(super) pool: PgPool,
    pub(super) held: Arc<Held>,
    /// How much of what is told is heard.
    pub(super) hearing: Arc<Hearing>,
}

impl Listener {
    pub(super) fn start(listening: Listening) -> Self {
        Self(tokio::spawn(listening.run()))
    }

    /// Stops listening.
    pub(super) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Listening {
    async fn run(self) {
        loop {
            let Err(fault) = self.attend().await;
            if self.hearing.end() {
                tracing::warn!(error = %fault, cause = ?std::error::Error::source(&fault), "the changes of other nodes are not heard; everything is read from the database");
            }
            sleep(EVERY).await;
        }
    }

    async fn attend(&self) -> Result<Infallible, Fault> {
        // A pool of its own, each time: a connection that hangs must not be waited for.
        let pool = self.server.pool(1);
        let mut listener = within(CONNECT, PgListener::connect_with(&pool)).await?;
        within(PATIENCE, listener.listen(CHANNEL)).await?;
        let asked = Instant::now();
        self.renew().await?;
        self.hearing.renew(asked);
        // What changed while nothing was heard.
        self.held.keys_told.notify_one();
        loop {
            sleep(EVERY).await;
            let asked = Instant::now();
            within(PATIENCE, sqlx::query("SELECT 1").execute(&mut listener)).await?;
            let mut is_complete = true;
            while let Some(told) = listener.next_buffered() {
                is_complete &= self.held.hear(told.payload()).is_some();
            }
            if !is_complete {
                self.renew().await?;
            }
            self.hearing.renew(asked);
        }
    }

    async fn renew(&self) -> Result<(), Fault> {
        let mut connection = Connection::Postgres(self.pool.acquire().await.context("reach the database")?);
        timeout(CONNECT, self.held.renew(&mut connection))
            .await
            .unwrap_or_else(|_| Err(Fault::unavailable("read what is held in memory: it took too long")))
    }
}

async fn within<T>(limit: Duration, asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Fault> {
    let answer = timeout(limit, asked).await;
    answer.unwrap_or_else(|_| Err(super::statement::too_slow())).context("listen to the database")
}

impl Held {
    /// Lets go of what another node changed. `None` when everything must be let go and read again.
    fn hear(&self, told: &str) -> Option<()> {
        let (table, key) = told.split_once(' ')?;
        match (table, key) {
            ("user_account" | "identifier", "*") => self.users.flush(),
            ("oauth_client", "*") => self.clients.flush(),
            ("user_session", "*") => self.sessions.flush(),
            ("consent", "*") => self.consents.flush(),
            ("oauth_grant", "*") => self.grants.flush(),
            ("refresh_token", "*") => self.refresh_tokens.flush(),
            ("opaque_access_token", "*") => self.opaque_access_tokens.flush(),
            ("directory", _) => self.directory.flush(),
            ("group_member" | "role_of_user", "*") => self.memberships.flush(),
            ("group_member" | "role_of_user", id) => self.memberships.forget(&UserId::from_uuid(uuid(id)?)),
            ("identity_provider", _) => self.identity_providers.flush(),
            ("user_account" | "identifier", id) => self.users.forget(&UserId::from_uuid(uuid(id)?)),
            ("oauth_client", id) => self.clients.forget(&id.parse().ok()?),
            ("user_session", id) => self.sessions.forget(&SessionId::from_uuid(uuid(id)?)),
            ("consent", key) => {
                let (user, client) = key.split_once(' ')?;
                self.consents.forget(&(UserId::from_uuid(uuid(user)?), client.parse().ok()?));
            }
            ("oauth_grant", id) => self.grants.forget(&GrantId::from_uuid(uuid(id)?)),
            ("refresh_token", hash) => self.refresh_tokens.forget(&token_hash(hash)?),
            ("opaque_access_token", hash) => self.opaque_access_tokens.forget(&token_hash(hash)?),
            ("denied_access_token", key) => {
                let (jti, expires_at) = key.split_once(' ')?;
                let (jti, expires_at) = (token_hash(jti)?, NumericDate::from_seconds(expires_at.parse().ok()?));
                self.denied.write().unwrap_or_else(PoisonError::into_inner).insert(jti, expires_at);
            }
            ("signing_key" | "retired_signing_key", _) => self.keys_told.notify_one(),
            // A later release holds more than this one.
            _ => (),
        }
        Some(())
    }
}

fn uuid(text: &str) -> Option<Uuid> {
    text.parse().ok()
}

/// BYTEA as text: `\x` and hexadecimal digits (PostgreSQL §8.4.1).
fn token_hash(text: &str) -> Option<TokenHash> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    TokenHash::from_slice(&digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::edge::store::cache::Sharing;

    #[test]
    fn each_table_is_told_by_its_key() {
        let held = Held::new(Sharing::Nodes(Arc::new(Hearing::none())));
        let grant = GrantId::new(NumericDate::from_seconds(1), [1; 10]);
        let hash = TokenHash::of("token");
        let mut hex = String::new();
        for byte in hash.as_bytes() {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert_eq!(held.hear(&format!("denied_access_token \\x{hex} 77")), Some(()));
        assert!(held.denied.read().unwrap().contains_key(&hash));

        let ticket = held.grants.ticket(&grant);
        assert_eq!(held.hear(&format!("oauth_grant {}", grant.uuid())), Some(()));
        assert_ne!(ticket, held.grants.ticket(&grant));
        let user = UserId::new([1; 16]);
        let key = (user, "https://shop.example/id".parse().unwrap());
        let ticket = held.consents.ticket(&key);
        assert_eq!(held.hear(&format!("consent {} https://shop.example/id", user.uuid())), Some(()));
        assert_ne!(ticket, held.consents.ticket(&key));

        let ticket = held.refresh_tokens.ticket(&hash);
        for told in [
            "refresh_token *",
            &format!("refresh_token \\x{hex}"),
            "signing_key kid",
            "retired_signing_key kid",
            "a_later_table 1",
        ] {
            assert_eq!(held.hear(told), Some(()), "{told}");
        }
        assert_ne!(ticket, held.refresh_tokens.ticket(&hash));
        for damaged in ["", "oauth_grant", "oauth_grant x", "consent x", "denied_access_token *", "refresh_token \\xzz"]
        {
            assert_eq!(held.hear(damaged), None, "{damaged}");
        }
    }
}
