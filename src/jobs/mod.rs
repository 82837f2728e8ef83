//! What happens later: work that no request waits for.
//!
//! Each job is idempotent and may run on several nodes at once. To add one: a file with a function, a line in [`JOBS`]. What facts
//! ask for stands in the table `job`; `queue` takes it from there, for `courier` (mails and text messages) and `backchannel_logout` (apps
//! that are to hear of the end of a session).

mod account;
mod audit;
pub mod backchannel_logout;
mod cleanup;
pub mod courier;
mod master_key;
pub mod queue;
mod rotate_keys;
mod rule;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::{Instant, MissedTickBehavior};

use crate::edge::meter;
use crate::jobs::backchannel_logout::Herald;
use crate::jobs::courier::{Courier, Couriers};
use crate::jobs::queue::Workers;
use crate::model::fault::Fault;
use crate::oauth::provider::Provider;

/// A piece of work that comes round.
#[derive(Copy, Clone)]
pub struct Job {
    /// Its name in the log.
    pub name: &'static str,
    /// The pause before the first run.
    pub first: Duration,
    /// The pause between two runs.
    pub every: Duration,
    /// What ends the pause early.
    pub call: Call,
    /// One run.
    pub run: fn(Arc<Provider>) -> Run,
}

/// What ends the pause of a job before its time.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Call {
    /// Nothing.
    None,
    /// Another node tells that it changed the signing keys.
    SigningKeys,
}

impl Call {
    async fn heard(self, provider: &Provider) {
        match self {
            Self::None => std::future::pending().await,
            Self::SigningKeys => provider.edges.store.signing_keys_told().await,
        }
    }
}

/// Takes over the signing keys of the store at once: somebody has just changed them on this node.
///
/// # Errors
/// A fault of the store; the next turn of the job tries again.
pub async fn follow_keys(provider: &Arc<Provider>) -> Result<(), Fault> {
    rotate_keys::follow(Arc::clone(provider)).await
}

/// The jobs that run.
pub struct Running {
    provider: Arc<ArcSwap<Provider>>,
    couriers: Couriers,
    heralds: Workers<Herald>,
}

impl Running {
    /// They work for `provider` from their next turn on: its settings have changed.
    pub fn work_for(&self, provider: Arc<Provider>, courier: Arc<Courier>) {
        self.provider.store(Arc::clone(&provider));
        self.couriers.replace(courier);
        self.heralds.replace(Arc::new(Herald { provider }));
    }

    /// Takes no more messages; returns when those under way are handed over, or after `patience`.
    pub async fn stop(&self, patience: Duration) {
        tokio::join!(self.couriers.stop(patience), self.heralds.stop(patience));
    }
}

/// One run of a job.
pub type Run = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// Every job.
pub const JOBS: &[Job] = &[
    Job { name: "cleanup", first: CLEAN_UP, every: CLEAN_UP, call: Call::None, run: cleanup::run },
    Job { name: "chain_events", first: CHAIN, every: CHAIN, call: Call::None, run: audit::chain },
    Job { name: "purge_accounts", first: PURGE, every: PURGE, call: Call::None, run: account::purge },
    Job { name: "make_exports", first: EXPORT, every: EXPORT, call: Call::None, run: account::export },
    Job { name: "make_searchable", first: SEARCH, every: SEARCH, call: Call::None, run: account::make_searchable },
    // After the first page: making RSA keys takes a moment.
    Job {
        name: "rotate_keys",
        first: Duration::from_secs(2),
        every: Duration::from_mins(1),
        call: Call::None,
        run: rotate_keys::keep_up,
    },
    Job { name: "follow_master_key", first: FOLLOW, every: FOLLOW, call: Call::None, run: master_key::follow },
    Job { name: "follow_rules", first: FOLLOW, every: FOLLOW, call: Call::None, run: rule::follow },
    Job { name: "follow_keys", first: FOLLOW, every: FOLLOW, call: Call::SigningKeys, run: rotate_keys::follow },
];

const CLEAN_UP: Duration = Duration::from_mins(5);

/// How soon what happened is chained.
const CHAIN: Duration = Duration::from_secs(1);

/// How often a node looks whether keys or rules were changed elsewhere, where nobody tells it.
const FOLLOW: Duration = Duration::from_millis(400);

/// How often accounts go whose time is over.
const PURGE: Duration = Duration::from_mins(1);

/// How often we look whether somebody wants their data.
const EXPORT: Duration = Duration::from_secs(5);

/// How often we look whether a release before this one wrote people down, whose names are not found yet.
const SEARCH: Duration = Duration::from_secs(10);

/// Runs every job, each at its pace, until the process ends. A failure is tried again at the next turn; of those that follow
/// one another only the first is logged, so that a database that is away does not fill the disk.
pub fn start(provider: &Arc<Provider>, courier: &Arc<Courier>) -> Running {
    let current = Arc::new(ArcSwap::new(Arc::clone(provider)));
    for job in JOBS {
        let current = Arc::clone(&current);
        tokio::spawn(async move {
            let mut turns = tokio::time::interval_at(Instant::now() + job.first, job.every);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut failed = false;
            loop {
                let provider = current.load_full();
                tokio::select! {
                    _ = turns.tick() => {}
                    () = job.call.heard(&provider) => {}
                }
                let started = Instant::now();
                let run = (job.run)(current.load_full()).await;
                meter::job(job.name, &run, started.elapsed());
                match &run {
                    Err(fault) if !failed => {
                        tracing::error!(job = job.name, error = fault as &dyn std::error::Error, "a job failed");
                    }
                    Ok(()) if failed => tracing::info!(job = job.name, "a job works again"),
                    _ => {}
                }
                failed = run.is_err();
            }
        });
    }
    Running {
        provider: current,
        couriers: Couriers::start(Arc::clone(courier)),
        heralds: Workers::start(Arc::new(Herald { provider: Arc::clone(provider) })),
    }
}
