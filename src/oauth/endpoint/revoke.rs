//! Token revocation.
//!
//! RFC 7009. Answers only when the store has confirmed it (PROTOCOL T19).

use std::sync::Arc;

use crate::edge::store::{Beside, Reach};
use crate::model::client::Client;
use crate::model::event::{EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::grant::{Grant, SessionHolder};
use crate::oauth::client_auth::{self, Caller};
use crate::oauth::provider::Provider;
use crate::oauth::token::access_token::inspect;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::revocation::RevocationRequest;
use crate::protocol::secret::TokenHash;

/// Takes a token back. An unknown token is no error (§2.2). Returns the client, which CORS needs to know.
///
/// # Errors
/// `invalid_client`, `invalid_request`; `invalid_grant` when the token was issued to another client (§2.1).
pub async fn revoke(provider: &Provider, params: &Params, caller: Caller<'_>) -> Result<Arc<Client>, OAuthError> {
    let client = client_auth::authenticate(provider, params, caller).await?;
    let request = RevocationRequest::parse(params)?;
    let token = request.token.expose();
    if !refresh_token(provider, (&client, token), caller.from).await? {
        access_token(provider, &client, token).await?;
    }
    Ok(client)
}

/// A refresh token takes its whole grant along, access tokens included (§2.1).
async fn refresh_token(
    provider: &Provider,
    (client, token): (&Client, &str),
    from: &Provenance,
) -> Result<bool, OAuthError> {
    let store = &provider.edges.store;
    let Some(record) = store.refresh_token(&TokenHash::of(token)).await? else { return Ok(false) };
    let Some(grant) = store.grant(record.grant).await? else { return Ok(false) };
    if grant.client != client.id {
        return Err(of_another());
    }
    give_back(provider, &grant, from).await?;
    Ok(true)
}

/// Takes back every token of a grant, at the wish of its app. A session that no browser holds ends with it.
///
/// # Errors
/// A fault of the store.
pub async fn give_back(provider: &Provider, grant: &Grant, from: &Provenance) -> Result<(), Fault> {
    let (store, now) = (&provider.edges.store, provider.now());
    match grant.details.session_holder {
        SessionHolder::Browser => store.revoke_grant(grant.id, now, Beside::default()).await?,
        SessionHolder::App => {
            let event = provider.edges.event(EventName::SessionEnded).of(grant.user).through(&grant.client);
            let event = event.within(grant.session).from(from.clone()).telling("reason", "signed_out");
            store.end_session(grant.session, Reach::All, now, Beside::event(event)).await?
        }
    };
    Ok(())
}

/// An access token goes alone: the refresh token can still fetch another.
async fn access_token(provider: &Provider, client: &Client, token: &str) -> Result<(), OAuthError> {
    let Some(live) = inspect(provider, token).await? else { return Ok(()) };
    if live.token.client != client.id {
        return Err(of_another());
    }
    let store = &provider.edges.store;
    if live.token.jti.is_some() {
        store.deny_access_token(&live.token.denial, live.token.expires_at).await?;
    } else {
        store.revoke_opaque(&live.token.denial).await?;
    }
    Ok(())
}

fn of_another() -> OAuthError {
    OAuthError::invalid_grant("the token was issued to another client")
}
