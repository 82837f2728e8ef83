//! Grant types: what a client may exchange for tokens.
//!
//! One file for each; [`GRANT_TYPES`] is what the token endpoint accepts and discovery announces. To add one: a variant of
//! `TokenRequest`, a file with `authorize`, a line here.
//!
//! *Why the token exchange has no file here:* it is a sign-in, and the methods of signing in are known to `http/` (`http::oauth::token_exchange`).

pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod machine;
pub mod refresh_token;

use std::sync::Arc;

use crate::model::client::Client;
use crate::model::grant::Grant;
use crate::model::user::User;
use crate::oauth::provider::Provider;
use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::OAuthError;
use crate::protocol::scope::Scope;

/// Every grant type, the commonest first.
pub const GRANT_TYPES: &[GrantType] = &[
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
    GrantType::TokenExchange,
];

/// A grant type's answer: for whom tokens may be issued, and what they allow.
#[derive(Clone, Debug)]
pub struct Authorized {
    /// The authenticated client.
    pub client: Arc<Client>,
    /// What the tokens allow.
    pub scope: Scope,
    /// `aud` of the access token; never empty.
    pub audience: Vec<String>,
    /// A person's grant, or the client's own right.
    pub party: Party,
}

/// Who stands behind a token.
#[derive(Clone, Debug)]
pub enum Party {
    /// A person allowed it.
    Person {
        /// Who.
        user: Arc<User>,
        /// What they allowed.
        grant: Arc<Grant>,
    },
    /// The client acts for itself (RFC 6749 §4.4).
    Client,
}

impl Authorized {
    /// Who stands behind it, if it is a person.
    pub const fn person(&self) -> Option<&Arc<User>> {
        match &self.party {
            Party::Person { user, .. } => Some(user),
            Party::Client => None,
        }
    }
}

/// The person behind a grant, checked again: account, epoch, client, grant (PROTOCOL T6).
///
/// # Errors
/// `invalid_grant` when any of them no longer stands.
pub async fn person(provider: &Provider, client: &Client, grant: &Grant) -> Result<Arc<User>, OAuthError> {
    if grant.client != client.id {
        return Err(OAuthError::invalid_grant("the grant was given to another client"));
    }
    let user = provider.edges.store.user(grant.user).await?.filter(|user| user.is_enabled());
    match user {
        Some(user) if grant.is_live() && grant.details.authentication.stands(&user) => Ok(user),
        _ => Err(OAuthError::invalid_grant("the grant was taken back, or the account can no longer be used")),
    }
}

/// `aud` of the client's access tokens: its own list, else the server's default; never empty.
pub fn audience(provider: &Provider, client: &Client) -> Vec<String> {
    if client.policy.audience.is_empty() {
        provider.policy.default_audience.clone()
    } else {
        client.policy.audience.clone()
    }
}
