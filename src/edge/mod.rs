//! What we ask of the world: store, cache, clock, chance, other servers, templates, mail and text messages.
//!
//! A trait stands where two implementations exist; the rest are structs. Only `app.rs` knows which edges are real.

use std::sync::Arc;

use crate::model::event::{Event, EventName};
use crate::model::fault::Fault;
use crate::model::id::{EventId, UserId};

pub mod clock;
pub mod device_authorization;
pub mod ephemeral;
pub mod fetch;
pub mod mail;
mod message_file;
pub mod meter;
pub mod outbox;
mod post;
pub mod random;
pub mod sealing;
pub mod sms;
pub mod store;
pub mod tally;
pub mod telemetry;
pub mod template;
mod turns;
pub mod undelivered;
pub mod upstream;
pub mod vault;
pub mod webhook;

/// The edges of one running server, cheap to clone.
#[derive(Clone)]
pub struct Edges {
    /// What lasts.
    pub store: store::Store,
    /// What waits and is counted.
    pub ephemeral: Arc<dyn ephemeral::EphemeralStore>,
    /// The way out to other servers.
    pub fetch: Arc<dyn fetch::Fetch>,
    /// Time.
    pub clock: Arc<dyn clock::Clock>,
    /// Chance.
    pub random: Arc<dyn random::Random>,
    /// Messages on their way.
    pub outbox: outbox::Outbox,
}

impl Edges {
    /// Something that happens now: a success of the server's own, until it is said whom it concerns and who did it.
    pub fn event(&self, name: EventName) -> Event {
        let now = self.clock.now();
        Event::new(EventId::new(now, self.random.bytes()), now, name)
    }

    /// What goes with the end of an account: `told`, and for each app that keeps a profile of the person, that it is to go (S-163).
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn farewell(&self, user: UserId, told: Event) -> Result<store::Beside, Fault> {
        let mut beside = store::Beside::default();
        for client in self.store.profiles_of(user).await? {
            let event = self.event(EventName::ProfileDelete).concerning(user).by(told.actor.clone()).through(&client);
            beside = beside.and_event(event);
        }
        Ok(beside.and_event(told))
    }
}
