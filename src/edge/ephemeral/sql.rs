//! The ephemeral store in a SQLite file of its own: it outlives a killed process and waits for no disk.
//!
//! `synchronous=OFF`: a commit reaches the operating system, which keeps it when we die; only a power failure loses it, and
//! losing it makes nothing valid again. *Why a file of its own:* a code never waits for the fsync of the main file.
//! What this node wrote it reads from memory; `take` and `add_if_absent` are decided by the file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqlitePool, SqliteSynchronous};

use crate::edge::ephemeral::rate::Limiter;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota};
use crate::edge::store::StoreError;
use crate::edge::store::cache::Cache;
use crate::edge::store::open::Layout;
use crate::edge::store::row::Context as _;
use crate::edge::store::writer::{Fact, Mirror, Writer};
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;

const PUT: &str = "INSERT INTO ephemeral (namespace, key, value, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const GET: &str = "SELECT value, expires_at FROM ephemeral WHERE namespace = $1 AND key = $2";
const TAKE: &str = "DELETE FROM ephemeral WHERE namespace = $1 AND key = $2 RETURNING value, expires_at";
const ADD: &str = "INSERT INTO ephemeral (namespace, key, value, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (namespace, key) DO UPDATE SET expires_at = excluded.expires_at WHERE ephemeral.expires_at <= $5";
const CLEAR: &str = "DELETE FROM ephemeral WHERE (namespace, key) IN
    (SELECT namespace, key FROM ephemeral WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
const COUNT: &str = "SELECT COUNT(*) FROM ephemeral";
/// Marks of `add_if_absent` have an empty value and stay: losing one would let a value be used twice.
const TRIM: &str = "DELETE FROM ephemeral WHERE (namespace, key) IN (SELECT namespace, key FROM ephemeral
    WHERE length(value) > 0 AND namespace = (SELECT namespace FROM ephemeral GROUP BY namespace ORDER BY COUNT(*) DESC LIMIT 1)
    ORDER BY expires_at LIMIT $1)";

/// The most rows; beyond them the crowded namespace loses the rows that are nearest to their end.
const CAPACITY: i64 = 400_000;
/// How many rows go at once.
const TRIMMED: i64 = 20_000;
/// How many values are held in memory.
const HELD: usize = 16_384;
/// The largest of them, in bytes, and so some forty megabytes in all: strangers make requests wait that are as long as a URL,
/// and the file holds those as well.
const HELD_SIZE: usize = 2 * 1024;

static MIGRATOR: Migrator = sqlx::migrate!("./migrations/ephemeral");

/// The ephemeral store in a SQLite file.
pub struct SqlStore {
    writer: Writer,
    readers: SqlitePool,
    held: Arc<Held>,
    limiter: Limiter,
}

struct Held {
    values: Cache<EphemeralKey, Value>,
    /// At least the number of rows.
    rows: AtomicI64,
}

struct Value {
    bytes: Vec<u8>,
    expires_at: NumericDate,
}

impl Value {
    fn at(&self, now: NumericDate) -> Option<Vec<u8>> {
        (!self.expires_at.is_past(now)).then(|| self.bytes.clone())
    }
}

impl Mirror for Held {
    fn renew<'c>(&'c self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), Fault>> {
        Box::pin(async move {
            self.values.flush();
            let rows = sqlx::query_scalar(COUNT).fetch_one(connection).await.context("count ephemeral values")?;
            self.rows.store(rows, Ordering::Relaxed);
            Ok(())
        })
    }
}

impl SqlStore {
    /// Opens the file at `path`, or makes it. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the file cannot be used; it is left as it is.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let layout = Layout { path, migrator: &MIGRATOR, synchronous: SqliteSynchronous::Off };
        let (connection, readers) = layout.open().await?;
        let held = Arc::new(Held { values: Cache::new(HELD), rows: AtomicI64::new(0) });
        let writer = Writer::start(connection, Arc::clone(&held) as Arc<dyn Mirror>);
        Ok(Self { writer, readers, held, limiter: Limiter::default() })
    }

    /// Counts a new row and, when there are too many, asks for room.
    fn make_room(&self) -> Result<(), Fault> {
        if self.held.rows.fetch_add(1, Ordering::Relaxed) < CAPACITY {
            return Ok(());
        }
        // Until the rows are counted again nobody else need ask.
        self.held.rows.fetch_sub(TRIMMED, Ordering::Relaxed);
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                sqlx::query(TRIM).bind(TRIMMED).execute(&mut *connection).await.context("trim ephemeral values")?;
                sqlx::query_scalar(COUNT).fetch_one(connection).await.context("count ephemeral values")
            }
            .boxed()
        });
        self.writer.post(fact.then(move |rows: &i64| {
            tracing::warn!(rows, "a flood of ephemeral values was cut back");
            held.rows.store(*rows, Ordering::Relaxed);
            held.values.flush();
        }))
    }
}

#[async_trait]
impl EphemeralStore for SqlStore {
    async fn put(&self, key: &EphemeralKey, value: Vec<u8>, expires_at: NumericDate) -> Result<(), Fault> {
        self.make_room()?;
        let (key, held) = (key.clone(), Arc::clone(&self.held));
        let value = Arc::new(Value { bytes: value, expires_at });
        let (written, under) = (Arc::clone(&value), key.clone());
        let fact = Fact::one(move |connection| {
            async move {
                let put = sqlx::query(PUT).bind(under.namespace()).bind(under.bytes());
                let put = put.bind(written.bytes.as_slice()).bind(written.expires_at.seconds());
                put.execute(connection).await.context("keep an ephemeral value").map(|_| ())
            }
            .boxed()
        });
        let publish = move |(): &()| {
            if value.bytes.len() <= HELD_SIZE { held.values.put(key, value) } else { held.values.forget(&key) }
        };
        self.writer.record(fact.then(publish)).await
    }

    async fn get(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        if let Some(value) = self.held.values.get(key) {
            return Ok(value.at(now));
        }
        let ticket = self.held.values.ticket(key);
        let get = sqlx::query_as(GET).bind(key.namespace()).bind(key.bytes());
        let row: Option<(Vec<u8>, i64)> = get.fetch_optional(&self.readers).await.context("read an ephemeral value")?;
        let value =
            row.map(|(bytes, expires_at)| Arc::new(Value { bytes, expires_at: NumericDate::from_seconds(expires_at) }));
        if let Some(value) = value.as_ref().filter(|value| value.bytes.len() <= HELD_SIZE) {
            self.held.values.install(ticket, key, value);
        }
        Ok(value.and_then(|value| value.at(now)))
    }

    async fn take(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        let (key, held) = (key.clone(), Arc::clone(&self.held));
        let under = key.clone();
        let fact = Fact::one(move |connection| {
            async move {
                let take = sqlx::query_as(TAKE).bind(under.namespace()).bind(under.bytes());
                let row: Option<(Vec<u8>, i64)> =
                    take.fetch_optional(connection).await.context("take an ephemeral value")?;
                Ok(row.map(|(bytes, expires_at)| Value { bytes, expires_at: NumericDate::from_seconds(expires_at) }))
            }
            .boxed()
        });
        let taken = self.writer.record(fact.then(move |_| held.values.forget(&key))).await?;
        Ok(taken.and_then(|value| value.at(now)))
    }

    async fn add_if_absent(
        &self,
        key: &EphemeralKey,
        expires_at: NumericDate,
        now: NumericDate,
    ) -> Result<bool, Fault> {
        self.make_room()?;
        let (key, held) = (key.clone(), Arc::clone(&self.held));
        let under = key.clone();
        let fact = Fact::one(move |connection| {
            async move {
                let add = sqlx::query(ADD).bind(under.namespace()).bind(under.bytes()).bind(b"".as_slice());
                let add = add.bind(expires_at.seconds()).bind(now.seconds());
                let done = add.execute(connection).await.context("remember a value that is good once")?;
                Ok(done.rows_affected() == 1)
            }
            .boxed()
        });
        self.writer.record(fact.then(move |_| held.values.forget(&key))).await
    }

    async fn rate(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Result<Decision, Fault> {
        Ok(self.limiter.rate(key, quota, now))
    }

    async fn give_back(&self, key: &EphemeralKey, quota: Quota) -> Result<(), Fault> {
        self.limiter.give_back(key, quota);
        Ok(())
    }

    async fn clear_expired(&self, now: NumericDate, limit: u32) -> Result<u64, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::one(move |connection| {
            async move {
                let clear = sqlx::query(CLEAR).bind(now.seconds()).bind(i64::from(limit));
                let done = clear.execute(connection).await.context("clear away ephemeral values")?;
                Ok(done.rows_affected())
            }
            .boxed()
        });
        let publish = move |cleared: &u64| {
            held.rows.fetch_sub(i64::try_from(*cleared).unwrap_or(i64::MAX), Ordering::Relaxed);
        };
        self.writer.record(fact.then(publish)).await
    }

    async fn close(&self) {
        // The writer goes last: the last connection brings the journal into the file.
        self.readers.close().await;
        self.writer.close().await;
    }
}
