//! What is written down beside a fact, in its transaction: jobs that follow from it, the links in their messages, identities that are
//! connected by it, events that tell of it.
//!
//! So nothing is announced that did not happen, and nothing happens that is not announced (PROTOCOL §4.8, S-023).

use crate::edge::store::statement::Connection;
use crate::edge::store::{Creation, event, job, mailed_link, upstream_link};
use crate::model::event::Event;
use crate::model::fault::Fault;
use crate::model::job::NewJob;
use crate::model::mailed_link::MailedLink;
use crate::model::upstream_link::UpstreamLink;

/// Jobs, links and events that go with a fact; none by default.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What is to be done.
    pub jobs: Vec<NewJob>,
    /// What is to be remembered.
    pub events: Vec<Event>,
    /// Links that messages of these jobs hold.
    pub links: Vec<MailedLink>,
    /// Identities elsewhere that are connected by it.
    pub identities: Vec<UpstreamLink>,
}

impl Beside {
    /// Only this event.
    pub fn event(event: Event) -> Self {
        Self { events: vec![event], ..Self::default() }
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

    /// With one more link.
    #[must_use]
    pub fn and_link(mut self, link: MailedLink) -> Self {
        self.links.push(link);
        self
    }

    /// With an identity that is connected by it.
    #[must_use]
    pub fn and_identity(mut self, link: UpstreamLink) -> Self {
        self.identities.push(link);
        self
    }

    /// With all of another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.jobs.extend(other.jobs);
        self.events.extend(other.events);
        self.links.extend(other.links);
        self.identities.extend(other.identities);
        self
    }

    /// Writes all of it within the transaction of `connection`.
    pub(super) async fn write(&self, connection: &mut Connection) -> Result<(), Fault> {
        for new in &self.jobs {
            job::insert(connection, new).await?;
        }
        for link in &self.links {
            mailed_link::insert(connection, link).await?;
        }
        for link in &self.identities {
            // Whoever was faster has it: then the whole fact did not happen.
            if upstream_link::insert(connection, link).await? == Creation::AlreadyExists {
                return Err(Fault::internal("connect an identity: it was connected a moment ago"));
            }
        }
        for happened in &self.events {
            event::insert(connection, happened).await?;
        }
        Ok(())
    }
}
