//! The refresh token grant: rotation in families.
//!
//! RFC 6749 §6, RFC 9700 §4.14.2, OIDC Core §12.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::edge::store::{Beside, Rotation};
use crate::model::client::Client;
use crate::model::event::{Actor, EventName, Provenance};
use crate::model::grant::Grant;
use crate::model::id::GrantId;
use crate::model::token::{RefreshRotation, RefreshToken};
use crate::oauth::allowed;
use crate::oauth::api::{self, Named, Target};
use crate::oauth::grant::machine::{self, PresentedRefresh};
use crate::oauth::grant::{Authorized, Party, person};
use crate::oauth::provider::Provider;
use crate::oauth::token::issue::{IdToken, Issued, Order, issue};
use crate::protocol::error::OAuthError;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;
use crate::protocol::secret::{Secret, TokenHash};
use crate::protocol::token_response::TokenResponse;

/// The parameters of RFC 6749 §6 and RFC 8707 §2.2.
#[derive(Copy, Clone, Debug)]
pub struct RefreshParameters<'a> {
    /// `refresh_token`.
    pub refresh_token: &'a Secret,
    /// `scope`.
    pub scope: Option<&'a Scope>,
    /// `resource`.
    pub resource: &'a [String],
}

impl<'a> RefreshParameters<'a> {
    /// All that it is good for.
    pub const fn all(refresh_token: &'a Secret) -> Self {
        Self { refresh_token, scope: None, resource: &[] }
    }
}

/// Exchanges a refresh token for new tokens and its successor.
///
/// The successor is `HMAC(key, predecessor ‖ family)`: only hashes are kept, and an honest retry within the grace, even
/// after a crash, gets the same one. Any other second use revokes the family.
///
/// # Errors
/// `invalid_grant` when the token is unknown, expired, used, or not for this client; `invalid_scope` when more is asked
/// than was granted, or than the person may still give (S-150); what is not asked for by name is left out.
pub async fn rotate(
    provider: &Provider,
    client: Arc<Client>,
    parameters: RefreshParameters<'_>,
    provenance: &Provenance,
) -> Result<TokenResponse, OAuthError> {
    rotate_setting(provider, client, (parameters, None), provenance).await
}

/// [`rotate`], with own claims that the app sets with it, from now on and in one fact (S-083); they are judged before.
///
/// # Errors
/// As there.
pub async fn rotate_setting(
    provider: &Provider,
    client: Arc<Client>,
    (parameters, set): (RefreshParameters<'_>, Option<Map<String, Value>>),
    provenance: &Provenance,
) -> Result<TokenResponse, OAuthError> {
    let RefreshParameters { refresh_token, scope: asked, resource } = parameters;
    let now = provider.now();
    let hash = TokenHash::of(refresh_token.expose());
    let Some(record) = provider.edges.store.refresh_token(&hash).await? else { return Err(unknown()) };
    let Some(grant) = provider.edges.store.grant(record.grant).await? else { return Err(unknown()) };
    let presented = PresentedRefresh { client: &client, refresh_token, scope: asked };
    let scope = machine::refresh(&presented, &grant)?;
    if is_reused(&record, provider, now) {
        provider.edges.store.revoke_grant(grant.id, now, reuse(provider, &grant, provenance)).await?;
        return Err(reused(&grant));
    }
    if record.expires_at.is_past(now) || record.family_expires_at.is_past(now) {
        return Err(OAuthError::invalid_grant("the refresh token has expired; the person signs in again"));
    }
    let user = person(provider, &client, &grant).await?;
    let is_set = set.is_some();
    let grant = match set {
        None => grant,
        Some(set) => {
            let mut changed = Grant::clone(&grant);
            changed.details.own_claims.extend(set);
            Arc::new(changed)
        }
    };
    let left = allowed::of(provider, (&client, Some(&user)), &scope).await?.into_owned();
    if left.is_empty() || asked.is_some() {
        allowed::settle(provider.policy.beyond_groups, &scope, &left)?;
    }
    let named = Named { granted: &grant.details.resource, asked: resource };
    let Target { audience, scope } = api::target(provider, (&client, &grant.details.audience), named, left).await?;

    let successor = successor(provider, grant.id, refresh_token);
    let record = follow((provider, &client), &record, &successor, now);
    let authorized = Authorized { client, audience, party: Party::Person { user, grant: Arc::clone(&grant) }, scope };
    let id_token = if grant.scope.contains(Scope::OPENID) { IdToken::WithoutNonce } else { IdToken::Omit };
    let Issued { response, opaque } =
        issue(provider, Order { authorized, id_token, refresh_token: Some(successor), now }).await?;
    let rotation = Rotation {
        presented: hash,
        successor: record,
        opaque,
        details: is_set.then(|| grant.details.clone()),
        now,
        grace: provider.policy.lifetimes.refresh_token_grace,
        reuse: reuse(provider, &grant, provenance),
    };
    match provider.edges.store.rotate_refresh_token(&rotation).await? {
        RefreshRotation::Rotated | RefreshRotation::Repeated => Ok(response),
        RefreshRotation::Reused => Err(reused(&grant)),
        RefreshRotation::Unknown => Err(unknown()),
    }
}

/// A second use that no lost answer explains. The store decides again, in its transaction.
fn is_reused(record: &RefreshToken, provider: &Provider, now: NumericDate) -> bool {
    record.used_at.is_some_and(|used_at| now.since(used_at) > provider.policy.lifetimes.refresh_token_grace)
}

fn successor(provider: &Provider, family: GrantId, predecessor: &Secret) -> Secret {
    let mac = provider.refresh_key.mac(&[predecessor.expose().as_bytes(), family.as_bytes()]);
    Secret::new(URL_SAFE_NO_PAD.encode(mac))
}

fn follow(
    (provider, client): (&Provider, &Client),
    record: &RefreshToken,
    successor: &Secret,
    now: NumericDate,
) -> RefreshToken {
    RefreshToken {
        hash: TokenHash::of(successor.expose()),
        grant: record.grant,
        scope: record.scope.clone(),
        issued_at: now,
        expires_at: now.plus(provider.policy.lifetimes.refresh_token_of(client)).min(record.family_expires_at),
        family_expires_at: record.family_expires_at,
        used_at: None,
    }
}

/// What is told of a reuse, with the revocation of its family.
fn reuse(provider: &Provider, grant: &Grant, provenance: &Provenance) -> Beside {
    let event = provider.edges.event(EventName::TokenReuseDetected).of(grant.user).failed();
    let event = event.by(Actor::Client(grant.client.clone())).through(&grant.client).within(grant.session);
    Beside::event(event.from(provenance.clone()))
}

fn unknown() -> OAuthError {
    OAuthError::invalid_grant("the refresh token is unknown, expired or revoked")
}

fn reused(grant: &Grant) -> OAuthError {
    tracing::warn!(client_id = %grant.client, grant = %grant.id, "a used refresh token came again; its family is revoked");
    OAuthError::invalid_grant("the refresh token was used before; all tokens of its family are revoked")
}
