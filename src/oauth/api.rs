//! APIs: for which of them a token is, and what it is like there.
//!
//! RFC 8707 §2, RFC 9068 §3. A client may name an API that one of its registered scopes belongs to, and what the operator wrote into its
//! `audience`. Without a name a token is for what it was always for, and for every API that one of its scopes belongs to; with one it is
//! for that API alone, and carries no scope of another.

use std::time::Duration;

use crate::model::api::{Api, ApiSettings};
use crate::model::client::{AccessTokenFormat, Client};
use crate::model::directory::Directory;
use crate::oauth::grant::{Authorized, audience};
use crate::oauth::provider::Provider;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::scope::Scope;

/// The longest that any access token lives: a grant without refresh tokens is remembered for so long.
pub const LONGEST: Duration = Duration::from_secs(*ApiSettings::LIFETIMES.end());

/// For whom a token is, and what it allows there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// `aud`; never empty.
    pub audience: Vec<String>,
    /// What of the scope makes sense there.
    pub scope: Scope,
}

/// What is named by `resource`.
#[derive(Copy, Clone, Debug, Default)]
pub struct Named<'a> {
    /// At the authorization endpoint.
    pub granted: &'a [String],
    /// At the token endpoint: some of those.
    pub asked: &'a [String],
}

/// Whether `client` may have tokens for each of `resources`.
///
/// # Errors
/// `invalid_target`.
pub async fn check(provider: &Provider, client: &Client, resources: &[String]) -> Result<(), OAuthError> {
    if resources.is_empty() {
        return Ok(());
    }
    let directory = provider.edges.store.directory().await?;
    match resources.iter().find(|resource| !is_open(provider, (client, &directory), resource)) {
        None => Ok(()),
        Some(foreign) => Err(foreign_to(client, foreign)),
    }
}

/// For whom a token with `scope` is; `usual` is what it is for when nothing is named.
///
/// # Errors
/// `invalid_target` when a resource is named that the client may not have tokens for, or that was not granted.
pub async fn target(
    provider: &Provider,
    (client, usual): (&Client, &[String]),
    named: Named<'_>,
    scope: Scope,
) -> Result<Target, OAuthError> {
    let directory = provider.edges.store.directory().await?;
    if let Some(foreign) = named.asked.iter().find(|asked| {
        !is_open(provider, (client, &directory), asked) || !(named.granted.is_empty() || named.granted.contains(asked))
    }) {
        return Err(foreign_to(client, foreign));
    }
    let chosen = if named.asked.is_empty() { named.granted } else { named.asked };
    if chosen.is_empty() {
        let of_scope = directory.apis().filter(|api| api.settings.scopes.iter().any(|token| scope.contains(token)));
        let more = of_scope.map(|api| api.audience.clone()).filter(|audience| !usual.contains(audience));
        let audience = usual.iter().cloned().chain(more).collect();
        return Ok(Target { audience, scope });
    }
    let belongs = |token: &&str| directory.api_of(token).is_none_or(|api| chosen.contains(&api.audience));
    let scope = if scope.iter().all(|token| belongs(&token)) { scope } else { scope.iter().filter(belongs).collect() };
    Ok(Target { audience: chosen.to_vec(), scope })
}

fn is_open(provider: &Provider, (client, directory): (&Client, &Directory), resource: &str) -> bool {
    let is_registered = |api: &Api| {
        let registered = client.metadata.scope.as_ref();
        registered.is_some_and(|registered| api.settings.scopes.iter().any(|token| registered.contains(token)))
    };
    audience(provider, client).iter().any(|own| own == resource) || directory.api(resource).is_some_and(is_registered)
}

fn foreign_to(client: &Client, resource: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, "the client may not have tokens for this resource")
        .hint(format!("{resource} is no API that a scope of {} belongs to, nor in its audience", client.id))
}

/// What an access token is like.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// How long it lives.
    pub lifetime: Duration,
    /// How it is signed.
    pub signing_alg: SigningAlgorithm,
    /// Whether it is a JWT.
    pub format: AccessTokenFormat,
}

/// What the access token of `authorized` is like: as its client and each API that it is for want it.
pub fn terms(provider: &Provider, directory: &Directory, authorized: &Authorized) -> Terms {
    let policy = &authorized.client.policy;
    let own = provider.policy.lifetimes.access_token_of(&authorized.client);
    let mut terms =
        Terms { lifetime: own, signing_alg: provider.policy.access_token_signing_alg, format: policy.access_token };
    let mut shortest: Option<Duration> = None;
    for api in authorized.audience.iter().filter_map(|audience| directory.api(audience)) {
        let settings = &api.settings;
        let lifetime = settings.access_token_lifetime.map(Duration::from_secs);
        shortest = [shortest, lifetime].into_iter().flatten().min();
        if settings.access_token == AccessTokenFormat::Opaque {
            terms.format = AccessTokenFormat::Opaque;
        }
        if let ([_], Some(alg)) = (authorized.audience.as_slice(), settings.signing_alg) {
            terms.signing_alg = alg;
        }
    }
    if let Some(shortest) = shortest {
        terms.lifetime = if policy.access_token_lifetime.is_some() { own.min(shortest) } else { shortest };
    }
    terms
}
