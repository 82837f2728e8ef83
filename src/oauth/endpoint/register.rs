//! Dynamic client registration and its management.
//!
//! RFC 7591 §3, RFC 7592 §2, OIDC Registration §3.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::edge::ephemeral::{Decision, EphemeralKey, Quota, limit};
use crate::model::client::{Client, ClientOrigin, ClientPolicy, ClientSecret};
use crate::model::fault::Fault;
use crate::model::id::ClientId;
use crate::oauth::allowed;
use crate::oauth::client_auth::{jwks, secret};
use crate::oauth::policy::{ClientRegistration, Mode};
use crate::oauth::provider::Provider;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::client_registration::{RegistrationRules, Unsupported};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::oidc::subject;
use crate::protocol::registration_management::parse_update;
use crate::protocol::scope::Scope;
use crate::protocol::secret::{Secret, TokenHash};

/// Clients that one caller may register at an open door: so many at once, then one in each period.
const PER_CALLER: Quota = Quota { burst: 20, period: Duration::from_mins(1) };

/// Registers a client (RFC 7591 §3.1); the answer is §3.2.1 with the management members of RFC 7592 §3.
///
/// # Errors
/// `invalid_token` without the initial access token where one is asked for; `invalid_redirect_uri` or
/// `invalid_client_metadata` for metadata.
pub async fn register(
    provider: &Provider,
    json: &Map<String, Value>,
    bearer: Option<&Secret>,
) -> Result<Map<String, Value>, OAuthError> {
    admit(provider, bearer)?;
    let metadata = Rules::of(provider).parse(json)?;
    check_sector(provider, &metadata).await?;
    let (now, random) = (provider.now(), &*provider.edges.random);
    let id = ClientId::generate(random.bytes());
    let method = metadata.token_endpoint_auth_method;
    let given = secret::give((&id, method), &provider.vault, random);
    let management = random.token();
    let client = Client {
        secret: given.kept,
        origin: ClientOrigin::Registered(TokenHash::of(management.expose())),
        // Certification clients send no challenge; a public client always needs one (`PROTOCOL.md` §1).
        policy: ClientPolicy { require_pkce: false, ..ClientPolicy::default() },
        id,
        metadata,
        created_at: now,
        disabled_at: None,
    };
    provider.edges.store.create_client(&client).await?;
    tracing::info!(client_id = %client.id, "a client registered itself");
    let mut answer = answer(provider, &client)?;
    answer.insert("registration_access_token".into(), json!(management.expose()));
    show_secret(&mut answer, given.shown.as_ref());
    Ok(answer)
}

/// What a client registered (RFC 7592 §2.1). The secret is not shown again: only its hash is kept.
///
/// # Errors
/// As [`owner`].
pub async fn read(provider: &Provider, id: &str, bearer: Option<&Secret>) -> Result<Map<String, Value>, OAuthError> {
    let client = owner(provider, id, bearer).await?;
    managed(answer(provider, &client)?, bearer)
}

/// Replaces what a client registered (RFC 7592 §2.2).
///
/// # Errors
/// As [`owner`] and [`register`].
pub async fn update(
    provider: &Provider,
    id: &str,
    json: &Map<String, Value>,
    bearer: Option<&Secret>,
) -> Result<Map<String, Value>, OAuthError> {
    let client = owner(provider, id, bearer).await?;
    let rules = Rules::of(provider);
    let metadata = parse_update(json, id, |presented| is_secret(provider, &client, presented), &rules.as_protocol())?;
    check_sector(provider, &metadata).await?;
    let method = metadata.token_endpoint_auth_method;
    let given = secret::give_again(&client, method, &provider.vault, &*provider.edges.random);
    let updated = Client { secret: given.kept, metadata, ..client.as_ref().clone() };
    if !provider.edges.store.register_again(&updated).await? {
        return Err(not_the_owner());
    }
    let mut answer = answer(provider, &updated)?;
    show_secret(&mut answer, given.shown.as_ref());
    managed(answer, bearer)
}

/// With the token that manages the client: the one that was presented (RFC 7592 §3).
fn managed(mut answer: Map<String, Value>, bearer: Option<&Secret>) -> Result<Map<String, Value>, OAuthError> {
    let bearer = bearer.ok_or_else(not_the_owner)?;
    answer.insert("registration_access_token".into(), json!(bearer.expose()));
    Ok(answer)
}

/// Removes a client; its grants and tokens die with it (RFC 7592 §2.3).
///
/// # Errors
/// As [`owner`].
pub async fn delete(provider: &Provider, id: &str, bearer: Option<&Secret>) -> Result<(), OAuthError> {
    let client = owner(provider, id, bearer).await?;
    provider.edges.store.delete_client(&client.id).await?;
    Ok(())
}

/// How long `caller` must wait before another client may be registered from there: an open door is no reason to let one
/// stranger fill the house.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn wait(provider: &Provider, caller: &str) -> Result<Option<Duration>, Fault> {
    let is_limited = matches!(provider.policy.client_registration, ClientRegistration::Open);
    if !is_limited || provider.policy.mode == Mode::Development {
        return Ok(None);
    }
    let key = EphemeralKey::new("registration", TokenHash::of(caller).as_bytes());
    Ok(match limit(&*provider.edges.ephemeral, &key, PER_CALLER, provider.now()).await? {
        Decision::Allowed => None,
        Decision::Refused { retry_after } => Some(retry_after),
    })
}

/// Who may register (RFC 7591 §3).
fn admit(provider: &Provider, bearer: Option<&Secret>) -> Result<(), OAuthError> {
    match &provider.policy.client_registration {
        ClientRegistration::Open => Ok(()),
        ClientRegistration::InitialAccessToken(hash)
            if bearer.is_some_and(|token| hash.matches(&TokenHash::of(token.expose()))) =>
        {
            Ok(())
        }
        ClientRegistration::InitialAccessToken(_) => {
            Err(OAuthError::invalid_token("registration needs the initial access token that the operator gives out"))
        }
        ClientRegistration::Off => {
            Err(OAuthError::new(ErrorCode::AccessDenied, "clients cannot register themselves at this server"))
        }
    }
}

/// The client that a registration access token belongs to. An unknown client and a wrong token are answered alike
/// (RFC 7592 §2).
async fn owner(provider: &Provider, id: &str, bearer: Option<&Secret>) -> Result<Arc<Client>, OAuthError> {
    let token = bearer.ok_or_else(not_the_owner)?;
    let id: ClientId = id.parse().map_err(|_| not_the_owner())?;
    let client = provider.edges.store.client(&id).await?.filter(|client| client.is_enabled());
    let client = client.ok_or_else(not_the_owner)?;
    match &client.origin {
        ClientOrigin::Registered(hash) if hash.matches(&TokenHash::of(token.expose())) => Ok(client),
        _ => Err(not_the_owner()),
    }
}

fn not_the_owner() -> OAuthError {
    OAuthError::invalid_token("the registration access token is not valid for this client")
}

fn is_secret(provider: &Provider, client: &Client, presented: &str) -> bool {
    match &client.secret {
        Some(ClientSecret::Hashed(hash)) => hash.matches(&TokenHash::of(presented)),
        Some(ClientSecret::Sealed(_)) => secret::read(client, &provider.vault)
            .ok()
            .flatten()
            .is_some_and(|kept| TokenHash::of_bytes(kept.expose()).matches(&TokenHash::of(presented))),
        None => false,
    }
}

/// OIDC Registration §5: the sector document lists every redirect URI.
///
/// # Errors
/// `invalid_client_metadata` when it cannot be read or does not.
pub async fn check_sector(provider: &Provider, metadata: &ClientMetadata) -> Result<(), OAuthError> {
    let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
    let document = jwks::get_json(provider, uri).await.map_err(|error| {
        OAuthError::invalid_client_metadata("sector_identifier_uri could not be read").caused_by(error)
    })?;
    subject::check_sector_document(&document, &metadata.redirect_uris)
}

/// The metadata with what we add (RFC 7591 §3.2.1).
fn answer(provider: &Provider, client: &Client) -> Result<Map<String, Value>, OAuthError> {
    let Ok(Value::Object(mut answer)) = serde_json::to_value(&client.metadata) else {
        return Err(OAuthError::server_error("the client's metadata cannot be written"));
    };
    answer.insert("client_id".into(), json!(client.id));
    answer.insert("client_id_issued_at".into(), json!(client.created_at));
    let path = format!("/oauth2/register/{}", client.id);
    answer.insert("registration_client_uri".into(), json!(provider.issuer.at(&path)));
    if client.secret.is_some() {
        answer.insert("client_secret_expires_at".into(), json!(0));
    }
    Ok(answer)
}

fn show_secret(answer: &mut Map<String, Value>, secret: Option<&Secret>) {
    if let Some(secret) = secret {
        answer.insert("client_secret".into(), json!(secret.expose()));
    }
}

/// What we offer to those who register.
struct Rules {
    scopes: Scope,
    algorithms: Vec<SigningAlgorithm>,
    mode: Mode,
}

impl Rules {
    fn of(provider: &Provider) -> Self {
        Self {
            scopes: allowed::to_strangers(provider),
            algorithms: provider.keys.load().algorithms(),
            mode: provider.policy.mode,
        }
    }

    fn as_protocol(&self) -> RegistrationRules<'_> {
        RegistrationRules {
            scopes_supported: &self.scopes,
            signing_algorithms: &self.algorithms,
            unsupported: Unsupported::LeaveOut,
            allows_http_loopback: self.mode == Mode::Development,
        }
    }

    fn parse(&self, json: &Map<String, Value>) -> Result<ClientMetadata, OAuthError> {
        ClientMetadata::parse(json, &self.as_protocol())
    }
}
