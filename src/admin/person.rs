//! People, as operators name them.

use std::sync::Arc;

use super::{AdminError, Administration, Refusal, Thing};
use crate::edge::store::Beside;
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::user::{LookupName, User};

impl Administration {
    /// Ends every session and every token of a person, at once.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn sign_out(&self, user: &User) -> Result<(), Fault> {
        let event = self.event(EventName::SessionEnded).concerning(user.id).telling("reason", "revoked");
        self.edges.store.sign_out_everywhere(user.id, None, self.now(), Beside::event(event)).await.map(|_| ())
    }

    /// The person who is called `name`, by any of their names or by their id.
    ///
    /// # Errors
    /// When nobody is.
    pub async fn person(&self, name: &str) -> Result<Arc<User>, AdminError> {
        let store = &self.edges.store;
        let by_id = match name.parse() {
            Ok(id) => store.user(id).await?,
            Err(_) => None,
        };
        let found = match (by_id, LookupName::parse(name)) {
            (None, Some(name)) => store.user_by_name(&name).await?,
            (found, _) => found,
        };
        found.ok_or_else(|| Refusal::Unknown { what: Thing::Person, name: name.to_owned() }.into())
    }
}
