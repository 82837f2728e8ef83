//! The client credentials grant.
//!
//! RFC 6749 §4.4.

use std::sync::Arc;

use crate::model::client::Client;
use crate::oauth::allowed;
use crate::oauth::grant::{Authorized, Party, audience};
use crate::oauth::provider::Provider;
use crate::oauth::token::claims::personal_scopes;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::scope::Scope;

/// What the client may have for itself: what it asks for within what it is registered for.
///
/// # Errors
/// `unauthorized_client` for a public client; `invalid_scope` for scopes that speak of a person or are not registered.
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
    Ok(Authorized { audience: narrowed(audience(provider, &client), resource)?, client, scope, party: Party::Client })
}

/// RFC 8707 §2: `resource` picks among the client's audiences.
fn narrowed(own: Vec<String>, resource: &[String]) -> Result<Vec<String>, OAuthError> {
    if resource.is_empty() {
        return Ok(own);
    }
    match resource.iter().find(|asked| !own.contains(asked)) {
        None => Ok(resource.to_vec()),
        Some(foreign) => {
            Err(OAuthError::new(ErrorCode::InvalidTarget, "the client may not have tokens for this resource")
                .hint(format!("asked {foreign}, registered {own:?}")))
        }
    }
}
