//! The device authorization endpoint: a device gets its two codes.
//!
//! RFC 8628 §3.1, §3.2.

use std::sync::Arc;
use std::time::Duration;

use crate::edge::device_authorization::Waiting;
use crate::model::client::Client;
use crate::model::device_authorization::Asks;
use crate::oauth::allowed;
use crate::oauth::client_auth::{self, Caller};
use crate::oauth::device::verification_uri;
use crate::oauth::provider::Provider;
use crate::protocol::client_metadata::GrantType;
use crate::protocol::device::{DeviceAuthorizationRequest, DeviceAuthorizationResponse};
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// The path of the endpoint.
pub const DEVICE_AUTHORIZATION_ENDPOINT: &str = "/oauth2/device_authorization";

/// Ten minutes (`DECISIONS.md`), asked about every five seconds (§3.2).
const WAITING: Waiting = Waiting { lifetime: Duration::from_mins(10), interval: 5 };

/// An answer of the endpoint and the client it is for, which CORS needs to know.
pub type Answer = (Option<Arc<Client>>, Result<DeviceAuthorizationResponse, OAuthError>);

/// Begins for a device; the client proves itself as at the token endpoint (§3.1).
///
/// # Errors
/// The codes of RFC 6749 §5.2.
pub async fn device_authorization(provider: &Provider, params: &Params, caller: Caller<'_>) -> Answer {
    match client_auth::authenticate(provider, params, caller).await {
        Ok(client) => (Some(Arc::clone(&client)), begin(provider, &client, params, caller).await),
        Err(refusal) => (None, Err(refusal)),
    }
}

async fn begin(
    provider: &Provider,
    client: &Client,
    params: &Params,
    caller: Caller<'_>,
) -> Result<DeviceAuthorizationResponse, OAuthError> {
    if !client.allows(GrantType::DeviceCode) {
        return Err(OAuthError::unauthorized_client("the client is not registered for the device code grant")
            .hint(format!("registered grant_types: {:?}", client.metadata.grant_types)));
    }
    let requested = DeviceAuthorizationRequest::parse(params)?.scope.unwrap_or_default();
    let scope = scope(provider, client, &requested).await?;
    let device_code = provider.edges.random.token();
    let asks = Asks::Tokens { client: client.id.clone(), scope };
    let key = TokenHash::of(device_code.expose());
    let asked = provider.edges.begin_device(&key, (asks, caller.from.clone()), WAITING).await?;
    Ok(DeviceAuthorizationResponse {
        device_code,
        verification_uri: verification_uri(&provider.issuer, None),
        verification_uri_complete: verification_uri(&provider.issuer, Some(&asked.user_code)),
        user_code: asked.user_code,
        expires_in: WAITING.lifetime.as_secs(),
        interval: asked.interval,
    })
}

/// The scope, within what the server knows and the client may ask, as at the authorization endpoint.
async fn scope(provider: &Provider, client: &Client, requested: &Scope) -> Result<Scope, OAuthError> {
    let mut scope = requested.intersection(&*allowed::to_client(provider, client).await?);
    if !client.allows(GrantType::RefreshToken) {
        scope = scope.without(&Scope::from_iter([Scope::OFFLINE_ACCESS]));
    }
    if scope.is_empty() && !requested.is_empty() {
        return Err(OAuthError::invalid_scope("the client may not ask for any of these scopes"));
    }
    Ok(scope)
}
