//! Apps: let act, kept from acting, deleted.

use super::{AdminError, Administration, Refusal, Thing};
use crate::model::client::Client;
use crate::model::event::EventName;

/// Whether a client may act.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum ClientState {
    /// It may.
    Active,
    /// It may not: none of its tokens is good.
    Disabled,
}

impl Administration {
    /// Takes all rights of a client away, or gives them back.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn set_client_state(&self, client: &Client, state: ClientState) -> Result<Client, AdminError> {
        let (disabled_at, name) = match state {
            ClientState::Active => (None, EventName::ClientEnabled),
            ClientState::Disabled => (client.disabled_at.or(Some(self.now())), EventName::ClientDisabled),
        };
        let changed = Client { disabled_at, ..client.clone() };
        if client.disabled_at == disabled_at {
            return Ok(changed);
        }
        if !self.edges.store.update_client(&changed).await? {
            return Err(Refusal::Unknown { what: Thing::Client, name: client.id.to_string() }.into());
        }
        self.edges.store.note_event(self.event(name).through(&client.id));
        Ok(changed)
    }

    /// Deletes a client with its consents, grants and tokens.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_client(&self, client: &Client) -> Result<(), AdminError> {
        if !self.edges.store.delete_client(&client.id).await? {
            return Err(Refusal::Unknown { what: Thing::Client, name: client.id.to_string() }.into());
        }
        self.edges.store.note_event(self.event(EventName::ClientDeleted).through(&client.id));
        Ok(())
    }
}
