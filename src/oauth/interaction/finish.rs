//! The answer: consent is written down, a code is made.
//!
//! RFC 6749 §4.1.2, RFC 9207.

use crate::edge::ephemeral::CODE;
use crate::edge::store::Beside;
use crate::model::authorization_code::AuthorizationCode;
use crate::model::client::Client;
use crate::model::event::{EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::grant::Consent;
use crate::model::id::{ConsentId, GrantId};
use crate::model::interaction::{ConsentGiven, Interaction};
use crate::model::session::Session;
use crate::oauth::interaction::Open;
use crate::oauth::interaction::next_step::wanted_acr;
use crate::oauth::provider::Provider;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::authorization_response::AuthorizationResponse;
use crate::protocol::error::OAuthError;
use crate::protocol::scope::Scope;
use crate::protocol::secret::{Secret, TokenHash};

/// Makes a code for what was allowed; the only thing written is that code, where it waits.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn answer(
    provider: &Provider,
    request: &AuthorizationRequest,
    (client, session): (&Client, &Session),
    allowed: ConsentGiven,
) -> Result<AuthorizationResponse, Fault> {
    let now = provider.now();
    let code: Secret = provider.edges.random.token();
    let waiting = AuthorizationCode {
        grant: GrantId::new(now, provider.edges.random.bytes()),
        client: client.id.clone(),
        session: session.id,
        authentication: session.authentication.clone().told_in(wanted_acr(client, request)),
        redirect_uri: request.return_path.redirect_uri().to_owned(),
        redirect_uri_given: request.redirect_uri.is_some(),
        scope: allowed.scope,
        nonce: request.nonce.clone(),
        code_challenge: request.code_challenge.clone(),
        claims: request.claims.clone(),
        claims_locales: request.claims_locales.clone(),
        resource: request.resource.clone(),
        issued_at: now,
        expires_at: now.plus(provider.policy.lifetimes.authorization_code),
    };
    let hash = TokenHash::of(code.expose());
    CODE.put(&*provider.edges.ephemeral, hash.as_bytes(), &waiting, waiting.expires_at).await?;
    Ok(request.return_path.code(code.expose()))
}

/// Remembers what a person agreed to, added to what they agreed to before.
///
/// # Errors
/// A fault of the store.
pub async fn remember(
    provider: &Provider,
    (client, session): (&Client, &Session),
    given: &ConsentGiven,
    provenance: &Provenance,
) -> Result<(), Fault> {
    let now = provider.now();
    let user = session.authentication.user;
    let before = provider.edges.store.consent(user, &client.id).await?;
    let (scope, mut claims) =
        before.map_or((Scope::empty(), Vec::new()), |before| (before.scope.clone(), before.claims.clone()));
    claims.extend(given.claims.iter().filter(|claim| !claims.contains(claim)).cloned().collect::<Vec<_>>());
    let consent = Consent {
        id: ConsentId::new(now, provider.edges.random.bytes()),
        user,
        client: client.id.clone(),
        scope: scope.union(&given.scope),
        claims,
        granted_at: now,
    };
    let event = provider.edges.event(EventName::ConsentGranted).of(user).through(&client.id).within(session.id);
    let event = event.from(provenance.clone()).telling("scope", given.scope.to_string());
    provider.edges.store.record_consent(&consent, Beside::event(event)).await
}

/// Marks a waiting request as answered; false when another tab was faster.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn close(provider: &Provider, open: &Open) -> Result<bool, Fault> {
    Ok(super::advance(provider, &open.id, Interaction::answered).await?.is_some())
}

/// Opens a request again that was [closed](close) here and whose answer could not be written, for another try.
pub async fn reopen(provider: &Provider, open: &Open) {
    if let Err(fault) = super::save(provider, &open.id, &open.interaction).await {
        tracing::warn!(error = %fault, "a request stays closed whose answer could not be written");
    }
}

/// The answer when the person says no.
pub fn denied(open: &Open) -> AuthorizationResponse {
    let refusal = OAuthError::access_denied("the person did not allow it");
    open.interaction.request.return_path.error(&refusal)
}
