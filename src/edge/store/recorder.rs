//! Where facts are recorded: in the writer's group on SQLite, each in a transaction of its own on PostgreSQL.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::postgres::PgPool;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::timeout;

use crate::edge::meter::{Operation, database};
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::{Connection, PATIENCE, Query};
use crate::edge::store::writer::{Fact, Record, Statements, Writer};
use crate::model::fault::{Fault, FaultKind};

/// The most facts that wait for PostgreSQL; more are refused.
const WAITING: u32 = 4096;
/// How long the undoing of a fact may take before its connection is given up.
const UNDO: Duration = Duration::from_secs(1);

/// Records facts.
pub(in crate::edge) enum Recorder {
    Sqlite(Writer),
    Postgres(PostgresRecorder),
}

impl Recorder {
    /// Records `fact` and waits until it is durable. It goes on when the asker goes away.
    pub(in crate::edge) async fn record<T: Send + 'static>(&self, fact: Fact<T>) -> Result<T, Fault> {
        let recorded = async {
            match self {
                Self::Sqlite(writer) => writer.record(fact).await,
                Self::Postgres(recorder) => recorder
                    .start(fact)?
                    .await
                    .unwrap_or_else(|failure| Err(Fault::internal("record a fact").caused_by(failure))),
            }
        };
        database(Operation::Write, recorded).await
    }

    /// Records `fact` in the background. It may be lost when the server is overloaded or dies.
    pub(in crate::edge) fn post<T: Send + 'static>(&self, fact: Fact<T>) -> Result<(), Fault> {
        match self {
            Self::Sqlite(writer) => writer.post(fact),
            Self::Postgres(recorder) => recorder.start(fact).map(|_| ()),
        }
    }

    /// Finishes what waits.
    pub(in crate::edge) async fn close(&self) {
        match self {
            Self::Sqlite(writer) => writer.close().await,
            Self::Postgres(recorder) => recorder.close().await,
        }
    }
}

/// Transactions on PostgreSQL, at READ COMMITTED: what must happen once is a guarded statement, which comes first.
pub(in crate::edge) struct PostgresRecorder {
    pool: PgPool,
    room: Arc<Semaphore>,
}

impl PostgresRecorder {
    pub(in crate::edge) fn new(pool: PgPool) -> Self {
        Self { pool, room: Arc::new(Semaphore::new(WAITING as usize)) }
    }

    /// A task of its own, so that a request that is given up never leaves a transaction half way.
    fn start<T: Send + 'static>(&self, fact: Fact<T>) -> Result<tokio::task::JoinHandle<Result<T, Fault>>, Fault> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|refusal| match refusal {
            TryAcquireError::NoPermits => Fault::unavailable("record a fact: too many wait for the database"),
            TryAcquireError::Closed => Fault::unavailable("record a fact: the store is closed"),
        })?;
        let pool = self.pool.clone();
        Ok(tokio::spawn(async move {
            let outcome = transact(&pool, fact.statements, fact.record).await;
            match &outcome {
                Ok(value) => (fact.publish)(value),
                Err(fault) => {
                    tracing::error!(error = %fault, cause = ?std::error::Error::source(fault), "a fact was not recorded");
                }
            }
            drop(room);
            outcome
        }))
    }

    async fn close(&self) {
        // All permits are back when nothing is under way.
        drop(self.room.acquire_many(WAITING).await);
        self.room.close();
    }
}

async fn transact<T>(pool: &PgPool, statements: Statements, record: Record<T>) -> Result<T, Fault> {
    let connection = pool.acquire().await.context("reach the database")?;
    let mut connection = Connection::Postgres(connection);
    let ran = AssertUnwindSafe(run(&mut connection, statements, record)).catch_unwind();
    let outcome = match timeout(PATIENCE, ran).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(Fault::internal("record a fact: the job panicked")),
        Err(_elapsed) => Err(Fault::unavailable("record a fact: the database did not answer within four seconds")),
    };
    if let Err(fault) = &outcome {
        let sound = fault.kind() == FaultKind::Internal && is_undone(&mut connection, statements).await;
        if !sound && let Connection::Postgres(connection) = connection {
            // It may hang, or stand in the middle of a transaction: the server rolls back when it is closed.
            drop(connection.detach());
        }
    }
    outcome
}

/// One statement, and a linked change is one here, is a transaction by itself.
async fn run<T>(connection: &mut Connection, statements: Statements, record: Record<T>) -> Result<T, Fault> {
    if statements != Statements::Several {
        return record(connection).await;
    }
    control(connection.query("BEGIN")).await.context("begin to record a fact")?;
    let value = record(connection).await?;
    control(connection.query("COMMIT")).await.context("commit a recorded fact")?;
    Ok(value)
}

async fn is_undone(connection: &mut Connection, statements: Statements) -> bool {
    statements != Statements::Several
        || timeout(UNDO, control(connection.query("ROLLBACK"))).await.is_ok_and(|done| done.is_ok())
}

async fn control(query: Query<'_>) -> Result<(), sqlx::Error> {
    query.execute().await.map(|_| ())
}
