//! The client credentials grant.
//!
//! RFC 6749 §4.4.

use std::sync::Arc;

use crate::model::client::Client;
use crate::oauth::allowed;
use crate::oauth::api::{self, Named, Target};
use crate::oauth::grant::{Authorized, Party, audience};
use crate::oauth::provider::Provider;
use crate::oauth::token::claims::personal_scopes;
use crate::protocol::error::OAuthError;
use crate::protocol::scope::Scope;

/// What the client may have for itself: what it asks for within what it is registered for.
///
/// # Errors
/// `unauthorized_client` for a public client; `invalid_scope` for scopes that speak of a person or are not registered; `invalid_target`
/// for a resource that is not the client's.
pub async fn authorize(
    provider: &Provider,
    client: Arc<Client>,
    (asked, resource): (Option<&Scope>, &[String]),
) -> Result<Authorized, OAuthError> {
    if client.is_public() {
        return Err(OAuthError::unauthorized_client("a public client cannot use client_credentials (RFC 6749 4.4)"));
    }
    let registered = client.metadata.scope.clone().unwrap_or_default();
    let registered = allowed::of(provider, (&client, None), &registered).await?.without(&personal_scopes());
    let scope = match asked {
        None => registered,
        Some(asked) if asked.is_within(&registered) => asked.clone(),
        Some(asked) => {
            return Err(OAuthError::invalid_scope("the client may not have this scope for itself")
                .hint(format!("asked beyond its own: {}", asked.without(&registered))));
        }
    };
    let usual = audience(provider, &client);
    let named = Named { granted: &[], asked: resource };
    let Target { audience, scope } = api::target(provider, (&client, &usual), named, scope).await?;
    Ok(Authorized { audience, client, scope, party: Party::Client })
}
