//! How what waits in the table `job` is taken out and done: one worker for each queue, so that nobody who hangs holds up the others.
//!
//! PROTOCOL §4.8: each job is done at least once, also when a process dies in between. To add a queue: its name in
//! [`Queue`], and a [`Carrier`] that knows what to do with its jobs.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::edge::{Edges, meter};
use crate::model::fault::Fault;
use crate::model::job::{AttemptEnd, LeasedJob, MAX_ATTEMPTS, Queue, pause_after};

/// How long a job belongs to the worker that took it.
const LEASE: Duration = Duration::from_secs(90);
/// How long an attempt may take; well within the lease.
pub const ATTEMPT: Duration = Duration::from_mins(1);
/// The most jobs of one queue that are done at a time.
const CONCURRENCY: usize = 8;
/// The first pause before looking again: a fact commits a moment after its job rang.
const SOON: Duration = Duration::from_millis(4);
/// The longest pause: what other nodes wrote down is found by then.
const LATEST: Duration = Duration::from_secs(1);

/// Who does the jobs of some queues.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// Which queues.
    fn queues(&self) -> &'static [Queue];

    /// What it asks of the world.
    fn edges(&self) -> &Edges;

    /// One attempt, of at most [`ATTEMPT`].
    async fn carry(&self, job: &LeasedJob) -> AttemptEnd;

    /// Hears that a job is given up on, a moment before that is written down.
    async fn give_up(&self, _: &LeasedJob, _reason: &str) {}
}

/// Carries out what is due now, one after the other, and returns how many attempts that took.
///
/// # Errors
/// When the store fails.
pub async fn run_due(carrier: &dyn Carrier) -> Result<usize, Fault> {
    let mut attempts = 0;
    for queue in carrier.queues() {
        loop {
            let jobs = take(carrier, *queue, CONCURRENCY).await?;
            if jobs.is_empty() {
                break;
            }
            for job in jobs {
                attempts += 1;
                attempt(carrier, &job).await?;
            }
        }
    }
    Ok(attempts)
}

async fn take(carrier: &dyn Carrier, queue: Queue, limit: usize) -> Result<Vec<LeasedJob>, Fault> {
    let (store, now) = (&carrier.edges().store, carrier.edges().clock.now());
    if !store.has_due_job(queue, now).await? {
        return Ok(Vec::new());
    }
    store.lease_jobs(queue, (now, now.plus(LEASE)), u32::try_from(limit).unwrap_or(u32::MAX)).await
}

async fn attempt(carrier: &dyn Carrier, job: &LeasedJob) -> Result<(), Fault> {
    let end = if job.expires_at.is_past(carrier.edges().clock.now()) {
        AttemptEnd::Hopeless("its time was over before it could be sent".to_owned())
    } else if job.attempt > MAX_ATTEMPTS {
        AttemptEnd::Hopeless("each attempt ended before it could say how".to_owned())
    } else {
        carrier.carry(job).await
    };
    record(carrier, job, end).await
}

/// Records how an attempt ended and, where that helps, when the next one has its turn.
async fn record(carrier: &dyn Carrier, job: &LeasedJob, end: AttemptEnd) -> Result<(), Fault> {
    let (store, now) = (&carrier.edges().store, carrier.edges().clock.now());
    let this = (job.id, job.attempt);
    match end {
        AttemptEnd::Done => {
            meter::message(job.queue, "sent");
            tracing::info!(job = %job.id, queue = job.queue.as_str(), attempt = job.attempt, "a message went out");
            store.finish_job(job.id, job.attempt, now).await?;
        }
        AttemptEnd::Failed(error) => {
            let [chance] = carrier.edges().random.bytes();
            let next = now.plus(pause_after(job.attempt, chance).max(Duration::from_secs(1)));
            if job.attempt >= MAX_ATTEMPTS || job.expires_at.is_past(next) {
                give_up(carrier, job, error).await?;
            } else {
                meter::message(job.queue, "postponed");
                tracing::warn!(job = %job.id, attempt = job.attempt, error, next = next.seconds(), "a message did not go out yet");
                store.postpone_job(this, next, error).await?;
            }
        }
        AttemptEnd::Hopeless(error) => give_up(carrier, job, error).await?,
    }
    Ok(())
}

async fn give_up(carrier: &dyn Carrier, job: &LeasedJob, error: String) -> Result<(), Fault> {
    meter::message(job.queue, "given_up");
    tracing::error!(job = %job.id, attempt = job.attempt, error, "a message was given up on");
    carrier.give_up(job, &error).await;
    let edges = carrier.edges();
    edges.store.give_up_job((job.id, job.attempt), edges.clock.now(), error).await.map(|_| ())
}

/// The workers of a running server. They end when this goes.
pub struct Workers<C> {
    current: Arc<ArcSwap<C>>,
    end: watch::Sender<()>,
    tasks: Mutex<JoinSet<()>>,
}

impl<C: Carrier> Workers<C> {
    /// Carries out what comes, by a worker for each queue.
    pub fn start(carrier: Arc<C>) -> Self {
        let queues = carrier.queues();
        let current = Arc::new(ArcSwap::new(carrier));
        let end = watch::Sender::new(());
        let mut tasks = JoinSet::new();
        for queue in queues {
            tasks.spawn(serve(*queue, Arc::clone(&current), end.subscribe()));
        }
        Self { current, end, tasks: Mutex::new(tasks) }
    }

    /// From now on they carry as `carrier` does: the settings have changed.
    pub fn replace(&self, carrier: Arc<C>) {
        self.current.store(carrier);
    }

    /// Takes nothing new; returns when what is under way is handed over, or after `patience`. What is cut off then goes out when
    /// its lease has run out.
    pub async fn stop(&self, patience: Duration) {
        self.end.send_replace(());
        let mut tasks = self.tasks.lock().await;
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(patience, ended).await.is_err() {
            tracing::warn!("a message was still being handed over; it may go out twice");
        }
    }
}

async fn serve<C: Carrier>(queue: Queue, current: Arc<ArcSwap<C>>, mut end: watch::Receiver<()>) {
    let mut bell = current.load().edges().outbox.bell();
    let mut under_way = JoinSet::new();
    let mut pause = SOON;
    let mut failed = false;
    loop {
        let carrier = current.load_full();
        let room = CONCURRENCY.saturating_sub(under_way.len());
        let taken = if room == 0 { Ok(Vec::new()) } else { take(&*carrier, queue, room).await };
        tell(queue, &taken, &mut failed);
        let taken = taken.unwrap_or_default();
        pause = if taken.is_empty() { (pause * 2).min(LATEST) } else { SOON };
        for job in taken {
            let carrier = Arc::clone(&carrier);
            under_way.spawn(async move {
                if let Err(fault) = attempt(&*carrier, &job).await {
                    // The lease runs out, and the job has another turn.
                    let error = &fault as &dyn std::error::Error;
                    tracing::error!(job = %job.id, error, "how a message fared was not recorded");
                }
            });
        }
        tokio::select! {
            // Told, or nobody is left to tell.
            _ = end.changed() => break,
            // Its room is free again.
            Some(_ended) = under_way.join_next() => pause = SOON,
            () = rung(&mut bell) => pause = SOON,
            () = sleep(pause) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Waits for the bell; for good, when nobody can ring any more.
async fn rung(bell: &mut watch::Receiver<()>) {
    if bell.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Of failures that follow one another only the first is logged.
fn tell(queue: Queue, taken: &Result<Vec<LeasedJob>, Fault>, failed: &mut bool) {
    match taken {
        Err(fault) if !*failed => {
            tracing::error!(
                queue = queue.as_str(),
                error = fault as &dyn std::error::Error,
                "the outbox cannot be read"
            );
        }
        Ok(_) if *failed => tracing::info!(queue = queue.as_str(), "the outbox can be read again"),
        _ => {}
    }
    *failed = taken.is_err();
}
