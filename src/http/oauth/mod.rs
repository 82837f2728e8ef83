//! The protocol's endpoints: thin files that turn HTTP into a call of `oauth/endpoint` and its value into HTTP.

pub mod authorize;
pub mod challenge;
pub mod device_authorization;
pub mod introspect;
pub mod register;
pub mod revoke;
pub mod token;
mod token_exchange;
pub mod userinfo;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::HeaderMap;

use crate::authn::limit::Rule;
use crate::http::cors;
use crate::http::error::OAuthAnswer;
use crate::http::extract::authorization::{Authorization, Endpoint, read};
use crate::http::web::Web;
use crate::model::client::Client;
use crate::model::event::Provenance;
use crate::model::id::ClientId;
use crate::oauth::client_auth::{self, BasicCredentials};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// `OPTIONS` at an endpoint that scripts may call.
pub async fn preflight(State(web): State<Web>, headers: HeaderMap) -> Response {
    let is_registered = match cors::stated_origin(&headers) {
        None => false,
        Some(origin) => match web.origins.contains(&web.provider, origin).await {
            Ok(found) => found,
            Err(fault) => return explained(&web, OAuthAnswer::from(fault)).into_response(),
        },
    };
    cors::preflight(&headers, "GET, POST, PUT, DELETE", &|_| is_registered)
}

/// Counts one under `rule` for an address; what answers one more than that, in these words.
pub(in crate::http) async fn unheard(
    web: &Web,
    (rule, address): (Rule, &str),
    (code, words): (ErrorCode, &'static str),
) -> Option<OAuthAnswer> {
    match web.limits.count(&*web.provider.edges.ephemeral, (rule, address), web.provider.now()).await {
        Ok(Ok(())) => None,
        Ok(Err(exceeded)) => {
            let answer = OAuthAnswer::from(OAuthError::new(code, words)).with_status(StatusCode::TOO_MANY_REQUESTS);
            Some(answer.exceeding(exceeded))
        }
        Err(fault) => Some(fault.into()),
    }
}

/// HTTP Basic of a client, if the request has it.
///
/// # Errors
/// `invalid_client` when it cannot be read or is another scheme.
fn basic(headers: &HeaderMap) -> Result<Option<BasicCredentials>, OAuthError> {
    match read(headers, Endpoint::Client)? {
        None => Ok(None),
        Some(Authorization::Basic(basic)) => {
            Ok(Some(BasicCredentials { client_id: basic.client_id, client_secret: basic.client_secret }))
        }
        Some(Authorization::Bearer(_)) => {
            Err(OAuthError::invalid_client("a client authenticates here by HTTP Basic, not by a bearer token"))
        }
    }
}

/// What client authentication needs beside the form.
const fn called<'a>(basic: Option<&'a BasicCredentials>, from: &'a Provenance) -> client_auth::Caller<'a> {
    client_auth::Caller { basic, from }
}

/// A bearer token, if the request has one.
///
/// # Errors
/// `invalid_token` when it cannot be read or is another scheme.
fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, OAuthError> {
    match read(headers, Endpoint::Resource(&[]))? {
        None => Ok(None),
        Some(Authorization::Bearer(token)) => Ok(Some(token)),
        Some(Authorization::Basic(_)) => Err(OAuthError::invalid_token("this endpoint takes a bearer token")),
    }
}

/// Lets scripts of the client's own origins read the answer; a refusal is read by those of the client that was named.
async fn open_to_own_origins(
    web: &Web,
    headers: &HeaderMap,
    response: &mut Response,
    (client, params): (Option<&Client>, Option<&Params>),
) {
    if !headers.contains_key(http::header::ORIGIN) {
        return;
    }
    let named = params.and_then(|params| params.get("client_id")).and_then(|id| id.parse::<ClientId>().ok());
    let found = match (client, named) {
        (None, Some(id)) => web.provider.edges.store.client(&id).await.ok().flatten(),
        _ => None,
    };
    let redirect_uris = client.or(found.as_deref()).map(|client| client.metadata.redirect_uris.as_slice());
    cors::allow_own_origin(response, headers, redirect_uris.unwrap_or_default().iter().map(String::as_str));
}

/// Notes a refusal for operators and answers it.
fn refused(web: &Web, endpoint: &'static str, params: Option<&Params>, answer: OAuthAnswer) -> Response {
    let client_id = params.and_then(|params| params.get("client_id"));
    web.refusals.note(endpoint, client_id, answer.error(), web.provider.now());
    explained(web, answer).into_response()
}

/// With the page that explains its code.
fn explained(web: &Web, answer: OAuthAnswer) -> OAuthAnswer {
    answer.explained_by(web.provider.issuer.as_str())
}
