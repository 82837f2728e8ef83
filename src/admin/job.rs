//! Work that waits, or was given up on: another turn for it, or an end (S-136, S-166).

use super::{AdminError, Administration, Changed};
use crate::edge::store::Beside;
use crate::model::event::EventName;
use crate::model::id::JobId;
use crate::model::job::Queue;

/// How many jobs are discarded at a time.
const BATCH: u32 = 500;

impl Administration {
    /// Gives a job its turn at once, or another one where it was given up on; `No` when there is no such job, somebody is at it, or it
    /// would come too late.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn retry_job(&self, id: JobId) -> Result<Changed, AdminError> {
        let (store, now) = (&self.edges.store, self.now());
        let done = store.revive_job(id, now).await? || store.hasten_job(id, now).await?;
        self.tell_of_job(done, (EventName::JobRetried, id)).await
    }

    /// Cancels a job that waits, or discards one that was given up on; `No` when there is no such job, or somebody is at it.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn discard_job(&self, id: JobId) -> Result<Changed, AdminError> {
        let (store, now) = (&self.edges.store, self.now());
        let done = store.discard_job(id).await? || store.cancel_job(id, now).await?;
        self.tell_of_job(done, (EventName::JobDiscarded, id)).await
    }

    /// Gives everything that was given up on another turn, of one queue or of all; returns how many jobs have one.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn retry_jobs(&self, queue: Option<Queue>) -> Result<u64, AdminError> {
        let count = self.edges.store.revive_jobs(queue, self.now()).await?;
        self.tell_of_jobs(EventName::JobRetried, count).await?;
        Ok(count)
    }

    /// Discards everything that was given up on; returns how many jobs that were.
    ///
    /// # Errors
    /// A fault of the store; what was done before it stands.
    pub async fn discard_jobs(&self) -> Result<u64, AdminError> {
        let mut count = 0;
        loop {
            let dead = self.edges.store.dead_jobs(BATCH).await?;
            if dead.is_empty() {
                self.tell_of_jobs(EventName::JobDiscarded, count).await?;
                return Ok(count);
            }
            for job in dead {
                count += u64::from(self.edges.store.discard_job(job.id).await?);
            }
        }
    }

    async fn tell_of_job(&self, done: bool, (name, id): (EventName, JobId)) -> Result<Changed, AdminError> {
        if !done {
            return Ok(Changed::No);
        }
        let event = self.event(name).telling("job", id.to_string());
        self.edges.store.record(Beside::event(event)).await?;
        Ok(Changed::Yes)
    }

    async fn tell_of_jobs(&self, name: EventName, count: u64) -> Result<(), AdminError> {
        if count > 0 {
            self.edges.store.record(Beside::event(self.event(name).telling("count", count))).await?;
        }
        Ok(())
    }
}
