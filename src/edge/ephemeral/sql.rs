//! The ephemeral store in SQL: a SQLite file of its own, or unlogged tables in the main PostgreSQL database.
//!
//! SQLite with `synchronous=OFF`: a commit reaches the operating system, which keeps it when we die; only a power failure loses
//! it. *Why a file of its own:* a code never waits for the fsync of the main file. What this node wrote it reads from memory;
//! `take`, `replace` and `add_if_absent` are decided by the file. On PostgreSQL an unlogged table waits for no disk either; every node reads
//! and counts in the same place. Losing any of it makes nothing valid again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteSynchronous;

use crate::edge::ephemeral::rate::Limiter;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota};
use crate::edge::store::cache::{Cache, Hearing, Sharing};
use crate::edge::store::open::{Layout, Snapshot};
use crate::edge::store::recorder::Recorder;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::{Connection, Readers};
use crate::edge::store::writer::{Fact, Mirror, Writer};
use crate::edge::store::{Store, StoreError};
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;

const PUT: &str = "INSERT INTO ephemeral (namespace, key, value, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const GET: &str = "SELECT value, expires_at FROM ephemeral WHERE namespace = $1 AND key = $2";
const TAKE: &str = "DELETE FROM ephemeral WHERE namespace = $1 AND key = $2 RETURNING value, expires_at";
const REPLACE: &str =
    "UPDATE ephemeral SET value = $4, expires_at = $5 WHERE namespace = $1 AND key = $2 AND value = $3";
const ADD: &str = "INSERT INTO ephemeral (namespace, key, value, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (namespace, key) DO UPDATE SET expires_at = excluded.expires_at WHERE ephemeral.expires_at <= $5";
const CLEAR: &str = "DELETE FROM ephemeral WHERE (namespace, key) IN
    (SELECT namespace, key FROM ephemeral WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
/// PostgreSQL only. A bucket is never fuller than full, and never emptier than empty.
const RATE: &str = "INSERT INTO ephemeral_rate (namespace, key, empty_at) VALUES ($1, $2, $3 + $4)
    ON CONFLICT (namespace, key)
    DO UPDATE SET empty_at = GREATEST(LEAST(ephemeral_rate.empty_at, $3 + $5), $3) + $4
    WHERE GREATEST(LEAST(ephemeral_rate.empty_at, $3 + $5), $3) + $4 <= $3 + $5 RETURNING empty_at";
const GIVE_BACK: &str = "UPDATE ephemeral_rate SET empty_at = empty_at - $3 WHERE namespace = $1 AND key = $2";
const READ_RATE: &str = "SELECT empty_at FROM ephemeral_rate WHERE namespace = $1 AND key = $2";
const CLEAR_RATE: &str = "DELETE FROM ephemeral_rate WHERE (namespace, key) IN
    (SELECT namespace, key FROM ephemeral_rate WHERE empty_at <= $1 ORDER BY empty_at LIMIT $2)";
const HOLDS: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM ephemeral LIMIT 1) AS waiting";
const COUNT: &str = "SELECT COUNT(*) FROM ephemeral";
/// Marks of `add_if_absent` have an empty value and stay: losing one would let a value be used twice.
const TRIM: &str = "DELETE FROM ephemeral WHERE (namespace, key) IN (SELECT namespace, key FROM ephemeral
    WHERE length(value) > 0 AND namespace = (SELECT namespace FROM ephemeral GROUP BY namespace ORDER BY COUNT(*) DESC LIMIT 1)
    ORDER BY expires_at LIMIT $1)";

/// The most rows; beyond them the crowded namespace loses the rows that are nearest to their end.
const CAPACITY: i64 = 400_000;
/// How many rows go at once.
const TRIMMED: i64 = 20_000;
/// How many values are held in memory: what was just written is read a moment later.
const HELD: usize = 4_096;
/// The largest of them, in bytes, and so ten megabytes in all: strangers make requests wait that are as long as a URL, and the
/// file holds those as well.
const HELD_SIZE: usize = 2 * 1024;

static MIGRATOR: Migrator = sqlx::migrate!("./migrations/ephemeral");

/// The ephemeral store in SQL.
pub struct SqlStore {
    recorder: Arc<Recorder>,
    readers: Readers,
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
    fn renew<'c>(&'c self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Fault>> {
        Box::pin(async move {
            self.values.flush();
            let rows = connection.query(COUNT).scalar_one().await.context("count ephemeral values")?;
            self.rows.store(rows, Ordering::Relaxed);
            Ok(())
        })
    }
}

impl Held {
    fn new(sharing: &Sharing) -> Self {
        Self { values: Cache::new(HELD, sharing), rows: AtomicI64::new(0) }
    }
}

impl SqlStore {
    /// Opens the file at `path`, or makes it. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the file cannot be used; it is left as it is.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let synchronous = SqliteSynchronous::Off;
        let layout = Layout { path, migrator: &MIGRATOR, synchronous, snapshot: Snapshot::None };
        let (connection, readers) = layout.open().await?;
        let held = Arc::new(Held::new(&Sharing::Alone));
        let writer = Writer::start(Connection::Sqlite(connection), Arc::clone(&held) as Arc<dyn Mirror>);
        let recorder = Arc::new(Recorder::Sqlite(writer));
        Ok(Self { recorder, readers: Readers::Sqlite(readers), held, limiter: Limiter::default() })
    }

    /// The tables beside those of `store`, which must be on PostgreSQL. They share its connections and close with it.
    pub fn within(store: &Store) -> Self {
        let (recorder, readers) = store.shared();
        // Another node may have overwritten what this one wrote: nothing is held.
        let held = Held::new(&Sharing::Nodes(Arc::new(Hearing::none())));
        Self { recorder, readers, held: Arc::new(held), limiter: Limiter::default() }
    }

    /// Whether anything waits, expired or not.
    pub(super) async fn holds_any(&self) -> Result<bool, Fault> {
        let some: i64 = self.readers.query(HOLDS).scalar_one().await.context("look for ephemeral values")?;
        Ok(some > 0)
    }

    /// Counts where every node counts, in one statement.
    async fn rate_together(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Result<Decision, Fault> {
        let (now, period) = (milliseconds(now), period_of(quota));
        let room = period.saturating_mul(i64::from(quota.burst));
        let under = key.clone();
        let fact = Fact::one(move |connection| {
            async move {
                let count = connection.query(RATE).bind(under.namespace()).bind(under.bytes());
                let count = count.bind(now).bind(period).bind(room);
                count.scalar_optional::<i64>().await.context("count a use")
            }
            .boxed()
        });
        if self.recorder.record(fact).await?.is_some() {
            return Ok(Decision::Allowed);
        }
        let read = self.readers.query(READ_RATE).bind(key.namespace()).bind(key.bytes());
        let empty_at: Option<i64> = read.scalar_optional().await.context("read a counter")?;
        let wait = empty_at.map_or(period, |empty_at| empty_at.min(now + room) + period - now - room);
        Ok(Decision::refused(u64::try_from(wait).unwrap_or(0)))
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
                // Others clear away as well: there may be room.
                let rows: i64 = connection.query(COUNT).scalar_one().await.context("count ephemeral values")?;
                if rows < CAPACITY {
                    return Ok(rows);
                }
                tracing::warn!(rows, "a flood of ephemeral values is cut back");
                connection.query(TRIM).bind(TRIMMED).execute().await.context("trim ephemeral values")?;
                connection.query(COUNT).scalar_one().await.context("count ephemeral values")
            }
            .boxed()
        });
        self.recorder.post(fact.then(move |rows: &i64| {
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
                let put = connection.query(PUT).bind(under.namespace()).bind(under.bytes());
                let put = put.bind(written.bytes.as_slice()).bind(written.expires_at.seconds());
                put.execute().await.context("keep an ephemeral value").map(|_| ())
            }
            .boxed()
        });
        let publish = move |(): &()| {
            if value.bytes.len() <= HELD_SIZE { held.values.put(key, value) } else { held.values.forget(&key) }
        };
        self.recorder.record(fact.then(publish)).await
    }

    async fn get(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        if let Some(value) = self.held.values.get(key) {
            return Ok(value.at(now));
        }
        let ticket = self.held.values.ticket(key);
        let get = self.readers.query(GET).bind(key.namespace()).bind(key.bytes());
        let row: Option<(Vec<u8>, i64)> = get.fetch_optional().await.context("read an ephemeral value")?;
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
                let take = connection.query(TAKE).bind(under.namespace()).bind(under.bytes());
                let row: Option<(Vec<u8>, i64)> = take.fetch_optional().await.context("take an ephemeral value")?;
                Ok(row.map(|(bytes, expires_at)| Value { bytes, expires_at: NumericDate::from_seconds(expires_at) }))
            }
            .boxed()
        });
        let taken = self.recorder.record(fact.then(move |_| held.values.forget(&key))).await?;
        Ok(taken.and_then(|value| value.at(now)))
    }

    async fn replace(
        &self,
        key: &EphemeralKey,
        held: &[u8],
        value: Vec<u8>,
        expires_at: NumericDate,
    ) -> Result<bool, Fault> {
        let (key, was) = (key.clone(), held.to_vec());
        let value = Arc::new(Value { bytes: value, expires_at });
        let (written, under, held) = (Arc::clone(&value), key.clone(), Arc::clone(&self.held));
        let fact = Fact::one(move |connection| {
            async move {
                let replace = connection.query(REPLACE).bind(under.namespace()).bind(under.bytes());
                let replace = replace.bind(was.as_slice()).bind(written.bytes.as_slice());
                let replace = replace.bind(written.expires_at.seconds());
                Ok(replace.execute().await.context("change an ephemeral value")? == 1)
            }
            .boxed()
        });
        let publish = move |is_done: &bool| {
            if *is_done && value.bytes.len() <= HELD_SIZE {
                held.values.put(key, value);
            } else {
                held.values.forget(&key);
            }
        };
        self.recorder.record(fact.then(publish)).await
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
                let add = connection.query(ADD).bind(under.namespace()).bind(under.bytes()).bind(b"".as_slice());
                let add = add.bind(expires_at.seconds()).bind(now.seconds());
                let changed = add.execute().await.context("remember a value that is good once")?;
                Ok(changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.values.forget(&key))).await
    }

    async fn rate(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Result<Decision, Fault> {
        if matches!(self.readers, Readers::Sqlite(_)) {
            return Ok(self.limiter.rate(key, quota, now));
        }
        match self.rate_together(key, quota, now).await {
            Ok(decision) => Ok(self.limiter.confirm(key, decision, (quota, now))),
            Err(fault) => {
                tracing::debug!(error = %fault, "uses are counted by this node alone");
                Ok(self.limiter.rate(key, quota.stricter(), now))
            }
        }
    }

    async fn give_back(&self, key: &EphemeralKey, quota: Quota) -> Result<(), Fault> {
        self.limiter.give_back(key, quota);
        if matches!(self.readers, Readers::Sqlite(_)) {
            return Ok(());
        }
        let (key, period) = (key.clone(), period_of(quota));
        let fact = Fact::one(move |connection| {
            async move {
                let give_back = connection.query(GIVE_BACK).bind(key.namespace()).bind(key.bytes()).bind(period);
                give_back.execute().await.context("give a use back").map(|_| ())
            }
            .boxed()
        });
        // What cannot be given back stays counted.
        drop(self.recorder.record(fact).await);
        Ok(())
    }

    async fn clear_expired(&self, now: NumericDate, limit: u32) -> Result<u64, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::one(move |connection| {
            async move {
                let clear = connection.query(CLEAR).bind(now.seconds()).bind(i64::from(limit));
                let changed = clear.execute().await.context("clear away ephemeral values")?;
                Ok(changed)
            }
            .boxed()
        });
        let publish = move |cleared: &u64| {
            held.rows.fetch_sub(i64::try_from(*cleared).unwrap_or(i64::MAX), Ordering::Relaxed);
        };
        let cleared = self.recorder.record(fact.then(publish)).await?;
        if matches!(self.readers, Readers::Postgres(_)) {
            let end = milliseconds(now);
            let fact = Fact::one(move |connection| {
                async move {
                    let clear = connection.query(CLEAR_RATE).bind(end).bind(i64::from(limit));
                    clear.execute().await.context("clear away counters")
                }
                .boxed()
            });
            self.recorder.record(fact).await?;
        }
        Ok(cleared)
    }

    async fn ready(&self) -> Result<(), Fault> {
        self.readers.query("SELECT 1").execute().await.context("ask the ephemeral store").map(|_| ())
    }

    async fn close(&self) {
        if matches!(self.readers, Readers::Sqlite(_)) {
            // The writer goes last: the last connection brings the journal into the file.
            self.readers.close().await;
            self.recorder.close().await;
        }
    }
}

fn milliseconds(moment: NumericDate) -> i64 {
    moment.seconds().saturating_mul(1_000)
}

fn period_of(quota: Quota) -> i64 {
    i64::try_from(quota.period.as_millis()).unwrap_or(i64::from(u32::MAX))
}
