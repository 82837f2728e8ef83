//! Whether the database may be relied on: it answers, and it takes changes.
//!
//! PROTOCOL.md §3 (read-only while running: not ready; security decisions only on the primary).

use std::error::Error as _;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::edge::store::Store;
use crate::edge::store::open::SET_APPLICATION_ID;
use crate::edge::store::row::{Context as _, primary_code};
use crate::edge::store::statement::Readers;
use crate::edge::store::writer::Fact;
use crate::model::fault::Fault;

/// A standby answers as well, and lags behind what was taken back.
const IS_PRIMARY: &str = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";
/// How long a verdict on a file stands: whoever asks more often costs nothing.
const STANDS: Duration = Duration::from_secs(1);
/// How long the file may take; a process that holds the lock for longer lets go by itself.
const PATIENCE: Duration = Duration::from_millis(500);

/// `SQLITE_BUSY`, `LOCKED`, `NOMEM`, `FULL`: changes are refused for a while, and what only reads goes on. A server that were not
/// ready for that would take discovery and verification away with it.
const ENDURED: &[i32] = &[5, 6, 7, 13];

/// The last verdict on a file, and its moment.
#[derive(Default)]
pub(super) struct Verdict(Mutex<Option<(Instant, Result<(), Fault>)>>);

impl Store {
    /// Succeeds when the database answers and takes changes. A full disk, and another process that writes, are endured.
    ///
    /// # Errors
    /// A fault that says what is wrong: the database is away, a standby, or read-only.
    pub async fn ready(&self) -> Result<(), Fault> {
        match &self.readers {
            Readers::Postgres(_) => {
                let is_primary = self.readers.query(IS_PRIMARY).scalar_one().await;
                if is_primary.context("the database does not answer")? {
                    return Ok(());
                }
                Err(Fault::unavailable("the database takes no changes: it is a standby, or read-only"))
            }
            Readers::Sqlite(_) => {
                self.readers.query("SELECT 1").execute().await.context("the database does not answer")?;
                let mut last = self.verdict.0.lock().await;
                if let Some((told, verdict)) = &*last
                    && told.elapsed() < STANDS
                {
                    return verdict.clone();
                }
                let verdict = self.takes_changes().await;
                *last = Some((Instant::now(), verdict.clone()));
                verdict
            }
        }
    }

    /// As [`Store::ready`], for those who need no reason.
    pub async fn is_ready(&self) -> bool {
        self.ready().await.is_ok()
    }

    /// Writes what stands in the file already.
    async fn takes_changes(&self) -> Result<(), Fault> {
        let fact = Fact::one(|connection| {
            async move {
                let written = connection.query(SET_APPLICATION_ID).execute().await;
                written.context("the database takes no changes").map(|_| ())
            }
            .boxed()
        });
        match timeout(PATIENCE, self.recorder.record(fact)).await {
            Ok(Err(fault)) if !is_endured(&fault) => Err(fault),
            _ => Ok(()),
        }
    }
}

fn is_endured(fault: &Fault) -> bool {
    let cause = fault.source().and_then(|source| source.downcast_ref::<sqlx::Error>());
    let code = cause.and_then(sqlx::Error::as_database_error).and_then(primary_code);
    code.is_some_and(|code| ENDURED.contains(&code))
}
