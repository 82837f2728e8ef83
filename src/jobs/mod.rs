//! What happens later: work that no request waits for.
//!
//! Each job is idempotent and may run on several nodes at once. To add one: a file with a function, a line in [`JOBS`].

mod cleanup;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::model::fault::Fault;
use crate::oauth::provider::Provider;

/// A piece of work that comes round.
#[derive(Copy, Clone)]
pub struct Job {
    /// Its name in the log.
    pub name: &'static str,
    /// The pause between two runs.
    pub every: Duration,
    /// One run.
    pub run: fn(Arc<Provider>) -> Run,
}

/// One run of a job.
pub type Run = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// Every job.
pub const JOBS: &[Job] = &[Job { name: "cleanup", every: Duration::from_mins(5), run: cleanup::run }];

/// Runs every job, each at its pace, until the process ends. A failure is logged and tried again at the next turn.
pub fn start(provider: &Arc<Provider>) {
    for job in JOBS {
        let provider = Arc::clone(provider);
        tokio::spawn(async move {
            let mut turns = tokio::time::interval(job.every);
            turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            turns.tick().await;
            loop {
                turns.tick().await;
                if let Err(fault) = (job.run)(Arc::clone(&provider)).await {
                    tracing::error!(job = job.name, error = &fault as &dyn std::error::Error, "a job failed");
                }
            }
        });
    }
}
