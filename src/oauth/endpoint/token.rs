//! The token endpoint: authenticate the client, find the grant type, authorize, issue, commit.
//!
//! RFC 6749 §3.2.

use std::sync::Arc;

use crate::edge::meter;
use crate::model::client::Client;
use crate::model::event::Provenance;
use crate::oauth::client_auth::{self, Caller};
use crate::oauth::grant::authorization_code::{self, CodeParameters};
use crate::oauth::grant::refresh_token::{self, RefreshParameters};
use crate::oauth::grant::{client_credentials, device_code};
use crate::oauth::provider::Provider;
use crate::oauth::token::issue::{IdToken, Order, issue};
use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::token_exchange::TokenExchange;
use crate::protocol::token_request::TokenRequest;
use crate::protocol::token_response::TokenResponse;

/// An answer of the token endpoint and the client it is for, which CORS needs to know.
pub type Answer = (Option<Arc<Client>>, Result<TokenResponse, OAuthError>);

/// Answers a token request; `sign_in` makes tokens of ours from that of another server (RFC 8693): people sign in elsewhere.
///
/// # Errors
/// The codes of RFC 6749 §5.2.
pub async fn token<F>(
    provider: &Provider,
    params: &Params,
    caller: Caller<'_>,
    sign_in: impl FnOnce(Arc<Client>, TokenExchange) -> F,
) -> Answer
where
    F: Future<Output = Result<TokenResponse, OAuthError>>,
{
    let (client, answer) = match client_auth::authenticate(provider, params, caller).await {
        Ok(client) => (Some(Arc::clone(&client)), exchange(provider, client, (params, caller.from), sign_in).await),
        Err(refusal) => (None, Err(refusal)),
    };
    // What a stranger calls a grant type is no label.
    let grant = params.get("grant_type").and_then(|name| name.parse::<GrantType>().ok());
    let outcome = answer.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
    meter::token_request(grant.map_or("unknown", GrantType::as_str), outcome);
    (client, answer)
}

async fn exchange<F>(
    provider: &Provider,
    client: Arc<Client>,
    (params, from): (&Params, &Provenance),
    sign_in: impl FnOnce(Arc<Client>, TokenExchange) -> F,
) -> Result<TokenResponse, OAuthError>
where
    F: Future<Output = Result<TokenResponse, OAuthError>>,
{
    let request = TokenRequest::parse(params)?;
    let grant_type = request.grant_type();
    if !client.allows(grant_type) {
        return Err(OAuthError::unauthorized_client("the client is not registered for this grant_type").hint(format!(
            "grant_type {}, registered: {:?}",
            grant_type.as_str(),
            client.metadata.grant_types
        )));
    }
    match request {
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, resource } => {
            let parameters = CodeParameters {
                code: &code,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_ref(),
                resource: &resource,
            };
            authorization_code::redeem(provider, client, parameters).await
        }
        TokenRequest::RefreshToken { refresh_token, scope, resource } => {
            let scope = scope.as_ref();
            let parameters = RefreshParameters { refresh_token: &refresh_token, scope, resource: &resource };
            refresh_token::rotate(provider, client, parameters, from).await
        }
        TokenRequest::DeviceCode { device_code } => device_code::redeem(provider, client, &device_code).await,
        TokenRequest::ClientCredentials { scope, resource } => {
            own_token(provider, client, (scope.as_ref(), &resource)).await
        }
        TokenRequest::TokenExchange(asked) => sign_in(client, asked).await,
    }
}

/// A client's own token: a JWT leaves no row, an opaque one is recorded.
async fn own_token(
    provider: &Provider,
    client: Arc<Client>,
    asked: (Option<&Scope>, &[String]),
) -> Result<TokenResponse, OAuthError> {
    debug_assert!(client.allows(GrantType::ClientCredentials), "checked by the caller");
    let authorized = client_credentials::authorize(provider, client, asked).await?;
    let order = Order { authorized, id_token: IdToken::Omit, refresh_token: None, now: provider.now() };
    let issued = issue(provider, order).await?;
    if let Some(opaque) = &issued.opaque {
        provider.edges.store.record_opaque(opaque).await?;
    }
    Ok(issued.response)
}
