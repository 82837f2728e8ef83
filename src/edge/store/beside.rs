//! What is written down beside a fact, in its transaction: jobs that follow from it, events that tell of it.
//!
//! So nothing is announced that did not happen, and nothing happens that is not announced (PROTOCOL §4.8, S-023).

use crate::edge::store::statement::Connection;
use crate::edge::store::{event, job};
use crate::model::event::Event;
use crate::model::fault::Fault;
use crate::model::job::NewJob;

/// Jobs and events that go with a fact; none by default.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What is to be done.
    pub jobs: Vec<NewJob>,
    /// What is to be remembered.
    pub events: Vec<Event>,
}

impl Beside {
    /// Only this event.
    pub fn event(event: Event) -> Self {
        Self { jobs: Vec::new(), events: vec![event] }
    }

    /// With one more job.
    #[must_use]
    pub fn and_job(mut self, job: NewJob) -> Self {
        self.jobs.push(job);
        self
    }

    /// With one more event.
    #[must_use]
    pub fn and_event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Writes both within the transaction of `connection`.
    pub(super) async fn write(&self, connection: &mut Connection) -> Result<(), Fault> {
        for new in &self.jobs {
            job::insert(connection, new).await?;
        }
        for happened in &self.events {
            event::insert(connection, happened).await?;
        }
        Ok(())
    }
}
