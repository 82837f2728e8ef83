//! Work that waits.
//!
//! PROTOCOL §4.8. A worker takes jobs by one guarded statement; its conditions stand in the outer `WHERE` too, so that of two nodes
//! that found the same rows only the first changes them. `attempts` counts the leases: who comes back after another took over
//! finds a higher number and changes nothing.

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store};
use crate::model::fault::Fault;
use crate::model::id::JobId;
use crate::model::job::{LeasedJob, NewJob, Queue, StoredJob, Turn, Undone};
use crate::protocol::numeric_date::NumericDate;

const INSERT: &str = "INSERT INTO job (id, queue, payload, idempotency_key, created_at, run_at, expires_at, attempts)
    VALUES ($1, $2, $3, $4, $5, $5, $6, 0) ON CONFLICT (idempotency_key) DO NOTHING";
const IS_DUE: &str = "SELECT id FROM job WHERE queue = $1 AND run_at <= $2 AND dead_at IS NULL AND done_at IS NULL
    AND (leased_until IS NULL OR leased_until <= $2) LIMIT 1";
const LEASE: &str = "UPDATE job SET leased_until = $3, attempts = attempts + 1
    WHERE id IN (SELECT id FROM job WHERE queue = $1 AND run_at <= $2 AND dead_at IS NULL AND done_at IS NULL
        AND (leased_until IS NULL OR leased_until <= $2) ORDER BY run_at, id LIMIT $4)
    AND run_at <= $2 AND dead_at IS NULL AND done_at IS NULL AND (leased_until IS NULL OR leased_until <= $2)
    RETURNING id, payload, attempts, created_at, expires_at";
const FINISH: &str = "UPDATE job SET done_at = $3, payload = $4, leased_until = NULL, last_error = NULL
    WHERE id = $1 AND attempts = $2 AND dead_at IS NULL AND done_at IS NULL";
const POSTPONE: &str = "UPDATE job SET run_at = $3, last_error = $4, leased_until = NULL
    WHERE id = $1 AND attempts = $2 AND dead_at IS NULL AND done_at IS NULL";
const GIVE_UP: &str = "UPDATE job SET dead_at = $3, last_error = $4, leased_until = NULL
    WHERE id = $1 AND attempts = $2 AND dead_at IS NULL AND done_at IS NULL";
const WAITING: &str =
    "SELECT id, queue, payload, created_at, expires_at, attempts, last_error, run_at, dead_at FROM job
    WHERE dead_at IS NULL AND done_at IS NULL ORDER BY run_at, id LIMIT $1";
const DEAD: &str = "SELECT id, queue, payload, created_at, expires_at, attempts, last_error, run_at, dead_at FROM job
    WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id DESC LIMIT $1";
const COUNT: &str = "SELECT queue, CAST(SUM(CASE WHEN dead_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS waiting,
    CAST(SUM(CASE WHEN dead_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS given_up
    FROM job WHERE done_at IS NULL GROUP BY queue ORDER BY queue";
const REVIVE: &str = "UPDATE job SET dead_at = NULL, attempts = 0, run_at = $2 WHERE id = $1 AND dead_at IS NOT NULL AND expires_at > $2";
const REVIVE_ALL: &str = "UPDATE job SET dead_at = NULL, attempts = 0, run_at = $2
    WHERE dead_at IS NOT NULL AND expires_at > $2 AND ($1 IS NULL OR queue = $1)";
/// What a worker holds at the moment is let alone.
const HASTEN: &str = "UPDATE job SET run_at = $2 WHERE id = $1 AND dead_at IS NULL AND done_at IS NULL
    AND expires_at > $2 AND (leased_until IS NULL OR leased_until <= $2)";
const CANCEL: &str = "DELETE FROM job WHERE id = $1 AND dead_at IS NULL AND done_at IS NULL
    AND (leased_until IS NULL OR leased_until <= $2)";
const DISCARD: &str = "DELETE FROM job WHERE id = $1 AND dead_at IS NOT NULL";

impl Store {
    /// Writes down jobs and events that no other fact carries.
    pub async fn record(&self, beside: Beside) -> Result<(), Fault> {
        let fact = Fact::several(move |connection| async move { beside.write(connection).await }.boxed());
        self.recorder.record(fact).await
    }

    /// Whether a job of `queue` has its turn; costs the writer nothing.
    pub async fn has_due_job(&self, queue: Queue, now: NumericDate) -> Result<bool, Fault> {
        let look = self.readers.query(IS_DUE).bind(queue.as_str()).bind(now.seconds());
        let found: Option<Uuid> = look.scalar_optional().await.context("look for jobs")?;
        Ok(found.is_some())
    }

    /// Takes at most `limit` jobs of `queue` whose turn has come, until `until`; nobody else gets them before that.
    pub async fn lease_jobs(
        &self,
        queue: Queue,
        (now, until): (NumericDate, NumericDate),
        limit: u32,
    ) -> Result<Vec<LeasedJob>, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let lease = connection.query(LEASE).bind(queue.as_str()).bind(now.seconds());
                let lease = lease.bind(until.seconds()).bind(i64::from(limit));
                let rows: Vec<LeasedRow> = lease.fetch_all().await.context("lease jobs")?;
                rows.into_iter().map(|row| row.of(queue)).collect()
            }
            .boxed()
        });
        let mut leased: Vec<LeasedJob> = self.recorder.record(fact).await?;
        // RETURNING has no order; ids are in the order of time.
        leased.sort_by_key(|job| job.id);
        Ok(leased)
    }

    /// Records that a leased job is done: what it held is wiped, its idempotency key stays until it expires.
    ///
    /// False when another worker has taken it over since.
    pub async fn finish_job(&self, job: JobId, attempt: u32, now: NumericDate) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let finish = connection.query(FINISH).bind(job.uuid()).bind(i64::from(attempt));
                let finish = finish.bind(now.seconds()).bind(Vec::<u8>::new());
                finish.execute().await.context("finish a job").map(|changed| changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Records that an attempt failed and when the next one has its turn. False as in [`Store::finish_job`].
    pub async fn postpone_job(
        &self,
        (job, attempt): (JobId, u32),
        next: NumericDate,
        error: String,
    ) -> Result<bool, Fault> {
        self.end_attempt(POSTPONE, (job, attempt), next, error).await
    }

    /// Records that a job is given up on; it stays for an operator to look at. False as in [`Store::finish_job`].
    pub async fn give_up_job(
        &self,
        (job, attempt): (JobId, u32),
        now: NumericDate,
        error: String,
    ) -> Result<bool, Fault> {
        self.end_attempt(GIVE_UP, (job, attempt), now, error).await
    }

    async fn end_attempt(
        &self,
        statement: &'static str,
        (job, attempt): (JobId, u32),
        moment: NumericDate,
        error: String,
    ) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let end = connection.query(statement).bind(job.uuid()).bind(i64::from(attempt));
                let end = end.bind(moment.seconds()).bind(error);
                end.execute().await.context("end an attempt at a job").map(|changed| changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// At most `limit` jobs that have another turn, the next first.
    pub async fn waiting_jobs(&self, limit: u32) -> Result<Vec<StoredJob>, Fault> {
        self.undone_jobs(WAITING, limit).await
    }

    /// At most `limit` jobs that were given up on, the latest first.
    pub async fn dead_jobs(&self, limit: u32) -> Result<Vec<StoredJob>, Fault> {
        self.undone_jobs(DEAD, limit).await
    }

    async fn undone_jobs(&self, statement: &'static str, limit: u32) -> Result<Vec<StoredJob>, Fault> {
        let list = self.readers.query(statement).bind(i64::from(limit));
        let rows: Vec<StoredRow> = list.fetch_all().await.context("list jobs")?;
        rows.into_iter().map(StoredJob::try_from).collect()
    }

    /// How many jobs of each queue are not done; queues without one are left out.
    pub async fn count_jobs(&self) -> Result<Vec<Undone>, Fault> {
        let rows: Vec<CountRow> = self.readers.query(COUNT).fetch_all().await.context("count jobs")?;
        rows.into_iter().map(Undone::try_from).collect()
    }

    /// Gives a job that was given up on its turn again; false when there is no such job or it would come too late.
    pub async fn revive_job(&self, job: JobId, now: NumericDate) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let revive = connection.query(REVIVE).bind(job.uuid()).bind(now.seconds());
                revive.execute().await.context("revive a job").map(|changed| changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Gives every job that was given up on its turn again, of one queue or of all, where it would not come too late; returns how many.
    pub async fn revive_jobs(&self, queue: Option<Queue>, now: NumericDate) -> Result<u64, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let revive = connection.query(REVIVE_ALL).bind(queue.map(Queue::as_str)).bind(now.seconds());
                revive.execute().await.context("revive jobs")
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Gives a job that waits its turn at once; false when it does not wait, or is being done.
    pub async fn hasten_job(&self, job: JobId, now: NumericDate) -> Result<bool, Fault> {
        self.change_waiting(HASTEN, job, now).await
    }

    /// Deletes a job that waits; false when it does not wait, or is being done.
    pub async fn cancel_job(&self, job: JobId, now: NumericDate) -> Result<bool, Fault> {
        self.change_waiting(CANCEL, job, now).await
    }

    async fn change_waiting(&self, statement: &'static str, job: JobId, now: NumericDate) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let change = connection.query(statement).bind(job.uuid()).bind(now.seconds());
                change.execute().await.context("change a job that waits").map(|changed| changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Deletes a job that was given up on; false when there is no such job.
    pub async fn discard_job(&self, job: JobId) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let discard = connection.query(DISCARD).bind(job.uuid());
                discard.execute().await.context("discard a job").map(|changed| changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

/// Writes a job down within the transaction of `connection`; one with the same idempotency key stays as it is.
pub(super) async fn insert(connection: &mut Connection, job: &NewJob) -> Result<(), Fault> {
    let insert = connection.query(INSERT).bind(job.id.uuid()).bind(job.queue.as_str()).bind(job.sealed.clone());
    let insert = insert.bind(job.idempotency_key.clone()).bind(job.created_at.seconds());
    insert.bind(job.expires_at.seconds()).execute().await.context("record a job").map(|_| ())
}

#[derive(FromRow)]
struct LeasedRow {
    id: Uuid,
    payload: Vec<u8>,
    attempts: i64,
    created_at: i64,
    expires_at: i64,
}

impl LeasedRow {
    fn of(self, queue: Queue) -> Result<LeasedJob, Fault> {
        Ok(LeasedJob {
            id: JobId::from_uuid(self.id),
            queue,
            sealed: self.payload,
            created_at: NumericDate::from_seconds(self.created_at),
            attempt: attempts(Place { table: "job", id: &self.id }, self.attempts)?,
            expires_at: NumericDate::from_seconds(self.expires_at),
        })
    }
}

#[derive(FromRow)]
struct StoredRow {
    id: Uuid,
    queue: String,
    payload: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    attempts: i64,
    last_error: Option<String>,
    run_at: i64,
    dead_at: Option<i64>,
}

impl TryFrom<StoredRow> for StoredJob {
    type Error = Fault;

    fn try_from(row: StoredRow) -> Result<Self, Fault> {
        let place = Place { table: "job", id: &row.id };
        Ok(Self {
            id: JobId::from_uuid(row.id),
            queue: Queue::parse(&row.queue).ok_or_else(|| place.damaged("queue"))?,
            sealed: row.payload,
            created_at: NumericDate::from_seconds(row.created_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            attempts: attempts(place, row.attempts)?,
            last_error: row.last_error.unwrap_or_default(),
            turn: match row.dead_at {
                Some(dead_at) => Turn::GivenUp(NumericDate::from_seconds(dead_at)),
                None => Turn::From(NumericDate::from_seconds(row.run_at)),
            },
        })
    }
}

#[derive(FromRow)]
struct CountRow {
    queue: String,
    waiting: i64,
    given_up: i64,
}

impl TryFrom<CountRow> for Undone {
    type Error = Fault;

    fn try_from(row: CountRow) -> Result<Self, Fault> {
        let place = Place { table: "job", id: &row.queue };
        Ok(Self {
            queue: Queue::parse(&row.queue).ok_or_else(|| place.damaged("queue"))?,
            waiting: row.waiting.unsigned_abs(),
            given_up: row.given_up.unsigned_abs(),
        })
    }
}

fn attempts(place: Place<'_>, count: i64) -> Result<u32, Fault> {
    u32::try_from(count).map_err(|_| place.damaged("attempts"))
}
