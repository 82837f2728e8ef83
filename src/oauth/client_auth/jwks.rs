//! Public keys of clients, by value or fetched and remembered.
//!
//! OIDC Core §10.1.1: a signature under an unknown `kid` makes us ask `jwks_uri` again, at most once a minute.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use moka::sync::Cache;
use tokio::sync::Mutex;

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
/// How long nobody is asked again who could not be reached: strangers decide how often we are asked to ask.
const REST: Duration = Duration::from_secs(10);

/// Fetched key sets, by URL.
#[derive(Debug)]
pub struct ClientKeys {
    places: Cache<String, Arc<Place>>,
}

/// What is known of one URL.
#[derive(Debug, Default)]
struct Place {
    known: ArcSwapOption<Fetched>,
    /// One request at a time is under way to each URL; inside is when the last one failed.
    turn: Mutex<Option<NumericDate>>,
}

#[derive(Debug)]
struct Fetched {
    keys: Arc<JwkSet>,
    at: NumericDate,
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self { places: Cache::builder().max_capacity(1_000).build() }
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
        let place = self.places.get_with(uri.clone(), Arc::default);
        // A known key waits for nobody, also while another request asks for one that we do not know.
        if let Some(keys) = place.believed(kid, now) {
            return Ok(keys);
        }
        let mut failed_at = place.turn.lock().await;
        if let Some(keys) = place.believed(kid, now) {
            return Ok(keys);
        }
        if failed_at.is_some_and(|failed_at| now.since(failed_at) < REST) {
            return Err(unreachable());
        }
        match fetch(provider, uri).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                place.known.store(Some(Arc::new(Fetched { keys: Arc::clone(&keys), at: now })));
                *failed_at = None;
                Ok(keys)
            }
            Err(error) => {
                *failed_at = Some(now);
                Err(error)
            }
        }
    }
}

impl Place {
    /// The remembered keys, unless they are too old or a newer set may hold `kid`.
    fn believed(&self, kid: Option<&str>, now: NumericDate) -> Option<Arc<JwkSet>> {
        let known = self.known.load_full()?;
        let age = now.since(known.at);
        let has_key = kid.is_none_or(|kid| known.keys.keys().iter().any(|key| key.kid() == Some(kid)));
        (age < FLOOR || (has_key && age < KEEP)).then(|| Arc::clone(&known.keys))
    }
}

async fn fetch(provider: &Provider, uri: &str) -> Result<JwkSet, OAuthError> {
    let body = get_json(provider, uri).await.map_err(|error| unreachable().caused_by(error))?;
    JwkSet::from_json(&body).map_err(|error| unreachable().caused_by(error))
}

fn unreachable() -> OAuthError {
    OAuthError::invalid_client("the client's jwks_uri could not be read")
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
