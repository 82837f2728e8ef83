//! Apps: registered, changed, let act, kept from acting, deleted.
//!
//! RFC 7591 §2: what an operator says of a client goes through the same door as a registration request.
//!
//! *Why some take an owner:* an app of the house gets tokens and links of mails without a question to anybody, and one with the scope
//! `admin` acts for whoever signs in to it; who could make such an app, or send its answers elsewhere, would act for those above them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{AdminError, Administration, Refusal, Thing, settle};
use crate::edge::store::{Beside, Creation};
use crate::edge::vault::Vault;
use crate::model::client::{Client, ClientOrigin, ClientPolicy};
use crate::model::event::EventName;
use crate::model::id::ClientId;
use crate::model::signing_key::KeyState;
use crate::model::user::Role;
use crate::oauth::allowed::{self, ADMIN, ADMIN_READ};
use crate::oauth::client_auth::secret;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::client_registration::{RegistrationRules, Unsupported};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::secret::Secret;

/// The usual kinds of app, each with its metadata.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum ClientKind {
    /// Runs on a server and keeps a secret.
    Web,
    /// Runs in a browser: no secret, PKCE.
    Spa,
    /// Runs on a phone or a desktop: no secret, PKCE.
    Native,
    /// Speaks for itself: the grant `client_credentials`.
    Service,
    /// Has no browser: people enter its code elsewhere (RFC 8628).
    Device,
}

impl ClientKind {
    /// Where its metadata begins.
    pub fn preset(self) -> Map<String, Value> {
        let (application_type, method, grant_types): (_, _, &[&str]) = match self {
            Self::Web => ("web", "client_secret_basic", &["authorization_code", "refresh_token"]),
            Self::Spa => ("web", "none", &["authorization_code", "refresh_token"]),
            Self::Native => ("native", "none", &["authorization_code", "refresh_token"]),
            Self::Service => ("web", "client_secret_basic", &["client_credentials"]),
            Self::Device => ("native", "none", &["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]),
        };
        let response_types: &[&str] = if matches!(self, Self::Service | Self::Device) { &[] } else { &["code"] };
        Map::from_iter([
            ("application_type".to_owned(), json!(application_type)),
            ("token_endpoint_auth_method".to_owned(), json!(method)),
            ("grant_types".to_owned(), json!(grant_types)),
            ("response_types".to_owned(), json!(response_types)),
        ])
    }
}

/// Whether a client may act.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum ClientState {
    /// It may.
    Active,
    /// It may not: none of its tokens is good.
    Disabled,
}

/// How a client shall be; all of it.
#[derive(Clone, Debug)]
pub struct ClientChange {
    /// Its metadata.
    pub metadata: ClientMetadata,
    /// What the operator decides about it.
    pub policy: ClientPolicy,
    /// Whether it may act.
    pub state: ClientState,
}

/// A client as it is now.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, if it is new: it is shown this once.
    pub secret: Option<Secret>,
}

impl ClientState {
    /// Where a client stands.
    pub const fn of(client: &Client) -> Self {
        if client.is_enabled() { Self::Active } else { Self::Disabled }
    }
}

impl Administration {
    /// The client called `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn client(&self, id: &str) -> Result<Arc<Client>, AdminError> {
        let found = match id.parse::<ClientId>() {
            Ok(id) => self.edges.store.client(&id).await?,
            Err(_) => None,
        };
        found.ok_or_else(|| Refusal::Unknown { what: Thing::Client, name: id.to_owned() }.into())
    }

    /// Metadata, by the rules of registration; an operator who typed something unknown wants to know.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] of `metadata`, or of what `policy` decides that it does not allow.
    pub async fn client_metadata(
        &self,
        members: &Map<String, Value>,
        policy: &ClientPolicy,
    ) -> Result<ClientMetadata, AdminError> {
        let keys = self.edges.store.signing_keys().await?;
        let has = |algorithm: &SigningAlgorithm| {
            keys.is_empty() || keys.iter().any(|key| key.algorithm == *algorithm && key.state == KeyState::Active)
        };
        let algorithms: Vec<_> = SigningAlgorithm::ALL.iter().copied().filter(has).collect();
        let scopes = allowed::known(&allowed::of_specifications(), &*self.edges.store.directory().await?);
        let rules = RegistrationRules {
            scopes_supported: &scopes,
            signing_algorithms: &algorithms,
            unsupported: Unsupported::Refuse,
            allows_http_loopback: policy.development,
        };
        let metadata = ClientMetadata::parse(members, &rules).map_err(|error| {
            let hint = error.developer_hint().filter(|hint| !hint.is_empty()).map(|hint| format!(" ({hint})"));
            Refusal::malformed("metadata", format_args!("{}{}", error.description(), hint.unwrap_or_default()))
        })?;
        policy
            .check_for(metadata.token_endpoint_auth_method)
            .map_err(|mistake| Refusal::malformed("policy.token_delivery", format_args!("token_delivery {mistake}")))?;
        Ok(metadata)
    }

    /// Registers a client.
    ///
    /// # Errors
    /// When its id is taken, or what it is trusted with takes an owner.
    pub async fn create_client(
        &self,
        id: ClientId,
        (metadata, policy): (ClientMetadata, ClientPolicy),
        vault: &Vault,
    ) -> Result<Registered, AdminError> {
        let given = secret::give((&id, metadata.token_endpoint_auth_method), vault, &*self.edges.random);
        let client = Client {
            id,
            metadata,
            secret: given.kept,
            origin: ClientOrigin::Operator,
            policy,
            created_at: self.now(),
            disabled_at: None,
        };
        self.check_trust(&client)?;
        let name = client.metadata.client_name.clone().unwrap_or_default();
        let event = self.event(EventName::ClientCreated).through(&client.id).telling("name", name);
        match self.edges.store.create_client_with(&client, Beside::event(event)).await? {
            Creation::Created => Ok(Registered { client, secret: given.shown }),
            Creation::AlreadyExists => Err(Refusal::Taken { what: Thing::Client }.into()),
        }
    }

    /// Changes a client that was read as `before`.
    ///
    /// # Errors
    /// When what it is or was trusted with takes an owner; when it was changed meanwhile.
    pub async fn change_client(
        &self,
        before: &Client,
        change: ClientChange,
        vault: &Vault,
    ) -> Result<Registered, AdminError> {
        let method = change.metadata.token_endpoint_auth_method;
        let given = secret::give_again(before, method, vault, &*self.edges.random);
        let disabled_at = match change.state {
            ClientState::Active => None,
            ClientState::Disabled => before.disabled_at.or(Some(self.now())),
        };
        let (metadata, policy) = (change.metadata, change.policy);
        let after = Client { metadata, policy, secret: given.kept, disabled_at, ..before.clone() };
        let mut beside = Beside::default();
        let fields = changed(before, &after);
        if !fields.is_empty() {
            self.check_trust(before)?;
            self.check_trust(&after)?;
            let event = self.event(EventName::ClientChanged).through(&after.id).telling("fields", fields);
            beside = beside.and_event(event);
        }
        if given.shown.is_some() {
            beside = beside.and_event(self.event(EventName::ClientSecretRotated).through(&after.id));
        }
        if disabled_at != before.disabled_at {
            let name = match change.state {
                ClientState::Active => EventName::ClientEnabled,
                ClientState::Disabled => EventName::ClientDisabled,
            };
            beside = beside.and_event(self.event(name).through(&after.id));
        }
        if !beside.events.is_empty() {
            self.record_client(before, &after, beside).await?;
        }
        Ok(Registered { client: after, secret: given.shown })
    }

    /// Gives a client a new secret; the old one is refused from then on.
    ///
    /// # Errors
    /// When it has none; when what it is trusted with takes an owner.
    pub async fn rotate_client_secret(&self, before: &Client, vault: &Vault) -> Result<Registered, AdminError> {
        self.check_trust(before)?;
        let method = before.metadata.token_endpoint_auth_method;
        let given = secret::give((&before.id, method), vault, &*self.edges.random);
        if given.shown.is_none() {
            return Err(Refusal::NoSecret(method).into());
        }
        let after = Client { secret: given.kept, ..before.clone() };
        let event = self.event(EventName::ClientSecretRotated).through(&after.id);
        self.record_client(before, &after, Beside::event(event)).await?;
        Ok(Registered { client: after, secret: given.shown })
    }

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
        self.record_client(client, &changed, Beside::event(self.event(name).through(&client.id))).await?;
        Ok(changed)
    }

    /// Deletes a client with its consents, grants and tokens.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_client(&self, client: &Client) -> Result<(), AdminError> {
        let event = self.event(EventName::ClientDeleted).through(&client.id);
        if !self.edges.store.delete_client_with(&client.id, Beside::event(event)).await? {
            return Err(Refusal::Unknown { what: Thing::Client, name: client.id.to_string() }.into());
        }
        Ok(())
    }

    async fn record_client(&self, before: &Client, after: &Client, beside: Beside) -> Result<(), AdminError> {
        let change = self.edges.store.change_client(before, after, beside).await?;
        settle(change, Thing::Client, (Thing::Client, before.id.as_str())).map(|_| ())
    }

    fn check_trust(&self, client: &Client) -> Result<(), Refusal> {
        let administers = client
            .metadata
            .scope
            .as_ref()
            .is_some_and(|scope| [ADMIN, ADMIN_READ].iter().any(|own| scope.contains(own)));
        if self.role == Role::Owner || !(administers || client.policy.first_party) {
            Ok(())
        } else {
            Err(Refusal::AboveRank)
        }
    }
}

/// The members that are others now.
fn changed(before: &Client, after: &Client) -> Vec<String> {
    let members = |client: &Client| {
        let mut members = Map::new();
        for part in [serde_json::to_value(&client.metadata), serde_json::to_value(&client.policy)] {
            members.extend(part.ok().and_then(|part| part.as_object().cloned()).unwrap_or_default());
        }
        members
    };
    let (before, after) = (members(before), members(after));
    let mut names: Vec<String> =
        before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}
