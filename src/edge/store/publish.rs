//! What a fact ended or changed, forgotten by the memory of this node once the fact is committed.
//!
//! To add one: the type that a fact hands over, with an `impl Publish`.

use std::sync::Arc;

use crate::edge::store::writer::Fact;
use crate::edge::store::{Held, Store};
use crate::model::fault::Fault;
use crate::model::id::UserId;

/// What a fact hands over, as far as the memory has to know.
pub(super) trait Publish {
    /// Brings the memory up to date.
    fn publish(&self, held: &Held);
}

/// Nothing happened, or what it says.
impl<T: Publish> Publish for Option<T> {
    fn publish(&self, held: &Held) {
        if let Some(done) = self {
            done.publish(held);
        }
    }
}

impl Store {
    /// Records a fact, and publishes what it did.
    pub(super) async fn record_and_publish<T: Publish + Send + 'static>(&self, fact: Fact<T>) -> Result<T, Fault> {
        let held = Arc::clone(&self.held);
        self.recorder.record(fact.then(move |done: &T| done.publish(&held))).await
    }

    /// Records a fact about a person, who is read anew after it.
    pub(super) async fn record_of<T: Send + 'static>(&self, user: UserId, fact: Fact<T>) -> Result<T, Fault> {
        let held = Arc::clone(&self.held);
        self.recorder.record(fact.then(move |_| held.users.forget(&user))).await
    }
}
