//! Public keys of clients, by value or fetched and remembered.
//!
//! OIDC Core §10.1.1: a signature under an unknown `kid` makes us ask `jwks_uri` again, at most once a minute.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;

use crate::edge::fetch::{Addresses, FetchPolicy};
use crate::model::client::Client;
use crate::oauth::policy::Mode;
use crate::oauth::provider::Provider;
use crate::protocol::error::OAuthError;
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::numeric_date::NumericDate;

/// How long a fetched set is believed.
const KEEP: Duration = Duration::from_hours(1);
/// How long a set is not fetched again, whatever `kid` comes.
const FLOOR: Duration = Duration::from_mins(1);

/// Fetched key sets, by URL.
#[derive(Debug)]
pub struct ClientKeys {
    fetched: Cache<String, Fetched>,
}

#[derive(Clone, Debug)]
struct Fetched {
    keys: Arc<JwkSet>,
    at: NumericDate,
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self { fetched: Cache::builder().max_capacity(1_000).build() }
    }
}

impl ClientKeys {
    /// The keys of `client`; fetched anew when `kid` is not among those remembered.
    ///
    /// # Errors
    /// `invalid_client` when the client has no keys or they cannot be fetched.
    pub async fn of(&self, provider: &Provider, client: &Client, kid: Option<&str>) -> Result<Arc<JwkSet>, OAuthError> {
        if let Some(jwks) = &client.metadata.jwks {
            return JwkSet::parse(jwks)
                .map(Arc::new)
                .map_err(|error| OAuthError::invalid_client(format!("the registered jwks cannot be read: {error}")));
        }
        let Some(uri) = &client.metadata.jwks_uri else {
            return Err(OAuthError::invalid_client("the client has registered no keys (jwks or jwks_uri)"));
        };
        let now = provider.now();
        if let Some(known) = self.fetched.get(uri) {
            let age = now.since(known.at);
            let has_key = kid.is_none_or(|kid| known.keys.keys().iter().any(|key| key.kid() == Some(kid)));
            if age < FLOOR || (has_key && age < KEEP) {
                return Ok(known.keys);
            }
        }
        let keys = Arc::new(fetch(provider, uri).await?);
        self.fetched.insert(uri.clone(), Fetched { keys: Arc::clone(&keys), at: now });
        Ok(keys)
    }
}

async fn fetch(provider: &Provider, uri: &str) -> Result<JwkSet, OAuthError> {
    let unreachable = || OAuthError::invalid_client("the client's jwks_uri could not be read");
    let body = get_json(provider, uri).await.map_err(|error| unreachable().caused_by(error))?;
    JwkSet::from_json(&body).map_err(|error| unreachable().caused_by(error))
}

/// Fetches a JSON document that a client named.
///
/// # Errors
/// `invalid_request` when it cannot be fetched or does not answer 200.
pub async fn get_json(provider: &Provider, uri: &str) -> Result<Bytes, OAuthError> {
    let refused = || OAuthError::invalid_request("a document that the client names could not be fetched");
    let request = http::Request::get(uri)
        .header(http::header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| refused().caused_by(error))?;
    let policy = match provider.policy.mode {
        Mode::Production => FetchPolicy::default(),
        Mode::Development => FetchPolicy { addresses: Addresses::PublicOrLoopback, ..FetchPolicy::default() },
    };
    let answer = provider.edges.fetch.send(request, policy).await.map_err(|error| refused().caused_by(error))?;
    if answer.status() == http::StatusCode::OK { Ok(answer.into_body()) } else { Err(refused()) }
}
