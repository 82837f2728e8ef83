//! Reaching PostgreSQL: a pool with time limits, and a schema that is brought up to date under a lock.
//!
//! The tables come from the same migrations as on SQLite; what only PostgreSQL has (telling other nodes, unlogged tables) stands
//! in `migrations/postgresql`, which runs after them. PostgreSQL 13 or later.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::timeout;

use crate::edge::store::open::StoreError;
use crate::edge::store::schema::{self, Part};
use crate::protocol::secret::Secret;

/// Which PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=…`
    pub url: Secret,
    /// The most connections of this process; one more listens.
    pub connections: u32,
    /// Certificates in PEM: the server must show one that was issued by one of them, for its name.
    pub ca: Option<Vec<u8>>,
}

impl PostgresSettings {
    /// The `sslmode` that leaves it open who answers, when it is another machine; `prefer` is the default
    /// (<https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>).
    pub fn verifies_nobody(&self) -> Option<&'static str> {
        let options = PgConnectOptions::from_str(self.url.expose()).ok()?;
        let host = options.get_host().trim_matches(['[', ']']);
        let is_near = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if self.ca.is_some() || is_near {
            return None;
        }
        match options.get_ssl_mode() {
            PgSslMode::Disable => Some("disable"),
            PgSslMode::Allow => Some("allow"),
            PgSslMode::Prefer => Some("prefer"),
            PgSslMode::Require => Some("require"),
            PgSslMode::VerifyCa | PgSslMode::VerifyFull => None,
        }
    }
}

/// How long a request waits for a connection: a database that is away is told at once.
const ACQUIRE: Duration = Duration::from_millis(1_500);
/// How long the start waits for the server.
const REACH: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it still stands.
const IDLE: Duration = Duration::from_millis(500);
/// The server gives up a statement, a lock and a forgotten transaction after this many milliseconds.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "3500"), ("lock_timeout", "3000"), ("idle_in_transaction_session_timeout", "10000")];

/// Nodes that start at once bring the schema up to date one after the other: "SYMB" in ASCII.
const LOCK: &str = "SELECT pg_advisory_lock(1398361410)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1398361410)";
/// Another node may be busy with a long migration.
const PATIENT: &str = "SELECT set_config('statement_timeout', '0', FALSE), set_config('lock_timeout', '60s', FALSE)";

/// What only PostgreSQL has.
pub(super) fn additions() -> Migrator {
    let mut additions = sqlx::migrate!("./migrations/postgresql");
    additions.dangerous_set_table_name("_sqlx_migrations_postgresql");
    additions
}

/// The server, without its password.
#[derive(Clone)]
pub(in crate::edge) struct Server {
    options: PgConnectOptions,
    name: String,
}

impl Server {
    /// Reads the settings.
    pub(in crate::edge) fn new(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let mut options = PgConnectOptions::from_str(settings.url.expose()).map_err(|_| StoreError::Inaccessible {
            database: "of database.url".to_owned(),
            reason: "it is no URL like postgres://user:password@host:5432/database".to_owned(),
        })?;
        if let Some(ca) = &settings.ca {
            options = options.ssl_root_cert_from_pem(ca.clone()).ssl_mode(PgSslMode::VerifyFull);
        }
        let options = options.application_name("symbolon").options(LIMITS).disable_statement_logging();
        let name = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let name = format!("postgres://{name}/{}", options.get_database().unwrap_or_default());
        Ok(Self { options, name })
    }

    /// Brings the schema up to date; `tables` is the folder of both engines.
    pub(in crate::edge) async fn migrate(&self, tables: &Migrator) -> Result<(), StoreError> {
        let mut connection = self.reach().await?;
        for statement in [PATIENT, LOCK] {
            sqlx::query(statement).execute(&mut connection).await.map_err(|cause| self.inaccessible(&cause))?;
        }
        let outcome = self.apply(&mut connection, tables).await;
        if outcome.is_ok() {
            sqlx::query(UNLOCK).execute(&mut connection).await.map_err(|cause| self.inaccessible(&cause))?;
        }
        // Closing lets the lock go in any case.
        drop(connection.close().await);
        outcome
    }

    /// A connection of its own.
    pub(super) async fn reach(&self) -> Result<PgConnection, StoreError> {
        match timeout(REACH, self.options.connect()).await {
            Ok(connected) => connected.map_err(|cause| self.inaccessible(&cause)),
            Err(_elapsed) => Err(self.inaccessible(&"it does not answer within five seconds")),
        }
    }

    async fn apply(&self, connection: &mut PgConnection, tables: &Migrator) -> Result<(), StoreError> {
        for (migrator, part) in [(tables, Part::Tables), (&additions(), Part::Additions)] {
            let applied =
                schema::applied_to_server(connection, part).await.map_err(|cause| self.inaccessible(&cause))?;
            // What is up to date is not touched: a role without the right to change the schema may start then.
            if schema::judge(migrator, &applied, &self.name)?.is_some() {
                let changed = migrator.run_direct(None, connection, false).await;
                changed.map_err(|cause| StoreError::Migration {
                    database: self.name.clone(),
                    reason: cause.to_string(),
                })?;
            }
        }
        Ok(())
    }

    /// A pool of at most `connections`, which connects when it is used.
    pub(in crate::edge) fn pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    let asked = meta.idle_for > IDLE;
                    Ok(!asked || timeout(IDLE, connection.ping()).await.is_ok_and(|answer| answer.is_ok()))
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    pub(super) fn inaccessible(&self, reason: &dyn fmt::Display) -> StoreError {
        StoreError::Inaccessible { database: self.name.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_when_nobody_is_verified() {
        for (url, told) in [
            ("postgres://u:p@db.example/x", Some("prefer")),
            ("postgres://u:p@db.example/x?sslmode=require", Some("require")),
            ("postgres://u:p@10.0.0.7/x?sslmode=disable", Some("disable")),
            ("postgres://u:p@db.example/x?sslmode=verify-full", None),
            ("postgres://u:p@db.example/x?sslmode=verify-ca", None),
            ("postgres://u:p@localhost/x", None),
            ("postgres://u:p@127.0.0.1:5432/x", None),
            ("postgres://u:p@[::1]/x", None),
            ("postgres:///x?host=/run/postgresql", None),
        ] {
            let settings = PostgresSettings { url: Secret::from(url), connections: 2, ca: None };
            assert_eq!(settings.verifies_nobody(), told, "{url}");
            let settings = PostgresSettings { ca: Some(Vec::new()), ..settings };
            assert_eq!(settings.verifies_nobody(), None, "{url}");
        }
    }
}
