//! The one writer of a SQLite file: a task that commits what has queued as one group.
//!
//! A fact is a job under a savepoint in the group's transaction, so that one failure leaves the others alone; its value is
//! handed over after the commit. A panic counts as a failure. A failed commit fails the whole group.
//!
//! *Why a group:* `synchronous=FULL` waits for the disk at each commit; sixty-four facts share one wait. Before a group begins, everything
//! else that is ready has its turn once: on a busy core a commit takes more facts along (fewer than two without this, while RS256 tokens were
//! signed), on an idle one nobody waits.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::Connection as _;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::model::fault::{Fault, FaultKind};

/// The most facts that wait; more are refused, since the disk cannot keep up.
const QUEUE: usize = 4096;
/// The most facts of one transaction.
const GROUP: usize = 256;
/// How often we look whether another process wrote to the file.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The queue of the writer task.
pub(in crate::edge) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    stop: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What is held in memory of the file, renewed when another process wrote to it.
pub(in crate::edge) trait Mirror: Send + Sync {
    /// Lets go of everything that may be stale and reads again what must be complete.
    fn renew<'c>(&'c self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Fault>>;
}

/// One fact to be recorded.
pub(in crate::edge) struct Fact<T> {
    pub(super) statements: Statements,
    pub(super) record: Record<T>,
    pub(super) publish: Box<dyn FnOnce(&T) + Send>,
}

pub(super) type Record<T> = Box<dyn for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Fault>> + Send>;

/// What a fact changes, and so what must stand around it.
#[derive(Copy, Clone, Eq, PartialEq)]
pub(super) enum Statements {
    /// One statement changes something: it is atomic by itself.
    One,
    /// A [`Linked`](crate::edge::store::statement::Linked) change, which undoes itself: it needs a transaction on SQLite, and no
    /// savepoint.
    Linked,
    /// Several, under a savepoint.
    Several,
}

impl<T> Fact<T> {
    /// A fact of a single statement.
    pub(in crate::edge) fn one<F>(record: F) -> Self
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        Self { statements: Statements::One, record: Box::new(record), publish: Box::new(|_| ()) }
    }

    /// A fact of several statements.
    pub(in crate::edge) fn several<F>(record: F) -> Self
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        Self { statements: Statements::Several, ..Self::one(record) }
    }

    /// Says that the first statement that changes something, a linked one perhaps, is also the last, so that no savepoint is
    /// needed after all.
    pub(in crate::edge) fn of_linked_change(self) -> Self {
        Self { statements: Statements::Linked, ..self }
    }

    /// `publish` brings the memory up to date: after the commit, before anyone hears of it, in the order of the facts.
    pub(in crate::edge) fn then(self, publish: impl FnOnce(&T) + Send + 'static) -> Self {
        Self { publish: Box::new(publish), ..self }
    }
}

impl Writer {
    /// Starts the task on `connection`, which must be the only one of this process that writes.
    pub(in crate::edge) fn start(connection: Connection, mirror: Arc<dyn Mirror>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let stop = Arc::new(Notify::new());
        let task = Task { connection, jobs, mirror, stop: Arc::clone(&stop), data_version: None };
        Self { queue, stop, task: Mutex::new(Some(tokio::spawn(task.run()))) }
    }

    /// Records `fact` and waits until it is durable.
    pub(in crate::edge) async fn record<T: Send + 'static>(&self, fact: Fact<T>) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(fact, Some(reply))?;
        answer.await.unwrap_or_else(|_| Err(Fault::unavailable("record a fact: the writer has stopped")))
    }

    /// Records `fact` in the background. It may be lost when the server is overloaded or dies.
    pub(in crate::edge) fn post<T: Send + 'static>(&self, fact: Fact<T>) -> Result<(), Fault> {
        self.enqueue(fact, None)
    }

    /// Commits what waits, then closes the connection.
    pub(in crate::edge) async fn close(&self) {
        self.stop.notify_one();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(failure) = task.await
        {
            tracing::error!(error = %failure, "the writer task ended badly");
        }
    }

    fn enqueue<T: Send + 'static>(&self, fact: Fact<T>, reply: Option<Reply<T>>) -> Result<(), Fault> {
        let queued = Queued {
            statements: fact.statements,
            record: Some(fact.record),
            publish: fact.publish,
            outcome: Err(Fault::internal("record a fact: the job panicked")),
            reply,
        };
        self.queue.try_send(Box::new(queued)).map_err(|refusal| match refusal {
            mpsc::error::TrySendError::Full(_) => Fault::unavailable("record a fact: the queue of the writer is full"),
            mpsc::error::TrySendError::Closed(_) => Fault::unavailable("record a fact: the store is closed"),
        })
    }
}

type Reply<T> = oneshot::Sender<Result<T, Fault>>;

/// A fact in the queue, its type forgotten.
trait Job: Send {
    fn statements(&self) -> Statements;

    /// Runs the statements; tells why they came to nothing.
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Fault>>;

    /// Hands over the value when `commit` succeeded, else its fault.
    fn settle(self: Box<Self>, commit: &Result<(), Fault>);
}

struct Queued<T> {
    statements: Statements,
    record: Option<Record<T>>,
    publish: Box<dyn FnOnce(&T) + Send>,
    outcome: Result<T, Fault>,
    reply: Option<Reply<T>>,
}

impl<T: Send> Job for Queued<T> {
    fn statements(&self) -> Statements {
        self.statements
    }

    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Fault>> {
        Box::pin(async move {
            if let Some(record) = self.record.take() {
                self.outcome = record(connection).await;
            }
            self.outcome.as_ref().map(|_| ()).map_err(Clone::clone)
        })
    }

    fn settle(self: Box<Self>, commit: &Result<(), Fault>) {
        // A fact whose turn never came fails for the reason its group did.
        let outcome = match (commit, self.record) {
            (Err(fault), Some(_)) => Err(fault.clone()),
            (commit, _) => self.outcome.and_then(|value| commit.clone().map(|()| value)),
        };
        if let Ok(value) = &outcome {
            (self.publish)(value);
        }
        if let Some(reply) = self.reply {
            // The asker may have gone away; the fact stands all the same.
            drop(reply.send(outcome));
        }
    }
}

struct Task {
    connection: Connection,
    jobs: mpsc::Receiver<Box<dyn Job>>,
    mirror: Arc<dyn Mirror>,
    stop: Arc<Notify>,
    data_version: Option<i64>,
}

const DATA_VERSION: &str = "PRAGMA data_version";

impl Task {
    async fn run(mut self) {
        let mut look = interval_at(Instant::now(), LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = Arc::clone(&self.stop);
        let mut group = Vec::with_capacity(GROUP);
        loop {
            tokio::select! {
                biased;
                () = stop.notified() => self.jobs.close(),
                _ = look.tick() => self.look_for_others().await,
                count = self.jobs.recv_many(&mut group, GROUP) => {
                    if count == 0 {
                        break;
                    }
                    // Who has their fact almost ready comes along: where nobody else has anything to do, this takes no time.
                    tokio::task::yield_now().await;
                    while group.len() < GROUP && let Ok(job) = self.jobs.try_recv() {
                        group.push(job);
                    }
                    self.write(&mut group).await;
                }
            }
        }
        if let Connection::Sqlite(connection) = self.connection
            && let Err(cause) = connection.close().await
        {
            tracing::warn!(error = %cause, "the database did not close cleanly");
        }
    }

    async fn write(&mut self, group: &mut Vec<Box<dyn Job>>) {
        let outcome = self.transact(group).await;
        if let Err(fault) = &outcome {
            tracing::error!(error = %fault, cause = ?std::error::Error::source(fault), facts = group.len(), "a group of facts was not recorded");
            // A commit that failed may yet have happened, and the connection may have lost its transaction.
            let _ended = self.connection.query("ROLLBACK").execute().await;
            self.renew_mirror().await;
        }
        for job in group.drain(..) {
            job.settle(&outcome);
        }
    }

    async fn transact(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        if let [alone] = group
            && alone.statements() == Statements::One
        {
            // A transaction by itself, in one exchange with the thread of the connection in place of three.
            return self.run_job(alone.as_mut()).await;
        }
        self.connection.query("BEGIN IMMEDIATE").execute().await.context("begin to record facts")?;
        for job in group.iter_mut() {
            self.run_job(job.as_mut()).await?;
        }
        self.connection.query("COMMIT").execute().await.context("commit recorded facts").map(|_| ())
    }

    /// Runs one job; an error here spoils the whole group.
    async fn run_job(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        let guarded = job.statements() == Statements::Several;
        if guarded {
            self.connection.query("SAVEPOINT fact").execute().await.context("begin a fact")?;
        }
        let ran = AssertUnwindSafe(job.run(&mut self.connection)).catch_unwind().await;
        let ran = ran.unwrap_or_else(|_| Err(Fault::internal("record a fact: the job panicked")));
        match ran {
            Ok(()) if guarded => {
                self.connection.query("RELEASE fact").execute().await.context("end a fact").map(|_| ())
            }
            // A full disk or a lost lock ends the transaction behind our back: nothing of this group may go on.
            Err(fault) if fault.kind() == FaultKind::Unavailable => Err(fault),
            Err(_) if guarded => {
                self.connection.query("ROLLBACK TO fact").execute().await.context("undo a fact")?;
                self.connection.query("RELEASE fact").execute().await.context("end a fact").map(|_| ())
            }
            // A single statement that failed changed nothing.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// `data_version` changes when, and only when, another connection wrote to the file.
    async fn look_for_others(&mut self) {
        match self.connection.query(DATA_VERSION).scalar_one::<i64>().await {
            Ok(version) => {
                if self.data_version.replace(version).is_none_or(|seen| seen != version) {
                    self.renew_mirror().await;
                }
            }
            Err(cause) => tracing::warn!(error = %cause, "the database does not tell whether another process wrote"),
        }
    }

    async fn renew_mirror(&mut self) {
        if let Err(fault) = self.mirror.renew(&mut self.connection).await {
            tracing::error!(error = %fault, "what is held in memory of the database could not be renewed");
            // Look again at the next tick.
            self.data_version = None;
        }
    }
}
