//! The `UserInfo` endpoint.
//!
//! OIDC Core §5.3.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::model::claim_mapper::Destination;
use crate::model::client::Client;
use crate::model::grant::Grant;
use crate::model::user::User;
use crate::oauth::provider::Provider;
use crate::oauth::token::access_token::inspect;
use crate::oauth::token::claims;
use crate::oauth::token::issue::subject_of;
use crate::oauth::token::mapped::Mapped;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;

/// Claims about a person, as JSON or as a JWT of ours (§5.3.2).
#[derive(Debug)]
pub enum UserInfo {
    /// `application/json`.
    Json(Map<String, Value>),
    /// `application/jwt`.
    Jwt(String),
}

/// Answers with claims about the person behind `access_token`, and the client it was given to.
///
/// # Errors
/// `invalid_token` when it is not good, `insufficient_scope` when `openid` was not granted.
pub async fn userinfo(provider: &Provider, access_token: &Secret) -> Result<(Arc<Client>, UserInfo), OAuthError> {
    let Some(live) = inspect(provider, access_token.expose()).await? else {
        return Err(OAuthError::invalid_token("the access token is expired, revoked or not of this issuer"));
    };
    if live.first_missing().is_some() {
        return Err(OAuthError::invalid_token("the access token lacks a claim that every token of its client has"));
    }
    let Some((user, grant)) = live.person.clone() else {
        return Err(OAuthError::new(ErrorCode::InsufficientScope, "the access token speaks of no person"));
    };
    if !live.scope().contains(Scope::OPENID) {
        return Err(OAuthError::new(ErrorCode::InsufficientScope, "userinfo needs the scope openid"));
    }
    let client = Arc::clone(&live.client);
    let mapped = Mapped::load(provider, Some(&user)).await?;
    let mut claims = told(provider, (&client, &user, &grant), live.scope(), &mapped)?;
    let Some(algorithm) = client.metadata.userinfo_signed_response_alg else {
        return Ok((client, UserInfo::Json(claims)));
    };
    claims.insert("iss".into(), Value::String(provider.issuer.as_str().to_owned()));
    claims.insert("aud".into(), Value::String(client.id.to_string()));
    let keys = provider.keys.load();
    let key = keys
        .signer(algorithm)
        .ok_or_else(|| OAuthError::server_error("no key signs with the algorithm registered for userinfo"))?;
    let jwt = key
        .sign("JWT", &claims)
        .map_err(|error| OAuthError::server_error("the claims could not be signed").caused_by(error))?;
    Ok((client, UserInfo::Jwt(jwt)))
}

/// The claims themselves: those of the specifications stand above what operators add.
///
/// # Errors
/// `server_error` when a pairwise client has no sector.
pub fn told(
    provider: &Provider,
    (client, user, grant): (&Client, &User, &Grant),
    scope: &Scope,
    mapped: &Mapped,
) -> Result<Map<String, Value>, OAuthError> {
    let mut claims = mapped.claims((client, scope), Destination::Userinfo);
    claims.extend(claims::for_userinfo(user, grant, scope));
    if scope.contains("profile") {
        let own = provider.accounts.settings.attributes.claims(&user.attributes);
        claims.extend(own.map(|(claim, value)| (claim.to_owned(), value.clone())));
    }
    claims::keep_accepted(&mut claims, &grant.details.claims.userinfo);
    claims.insert("sub".into(), Value::String(subject_of(provider, client, user.id)?));
    Ok(claims)
}
