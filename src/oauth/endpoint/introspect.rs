//! Token introspection.
//!
//! RFC 7662.

use std::sync::Arc;

use crate::model::authentication::Authentication;
use crate::model::claim_mapper::Destination;
use crate::model::client::Client;
use crate::model::user::{IdentifierKind, User};
use crate::oauth::allowed;
use crate::oauth::client_auth::{self, Caller};
use crate::oauth::provider::Provider;
use crate::oauth::token::access_token::{LiveAccessToken, inspect};
use crate::oauth::token::issue::subject_of;
use crate::oauth::token::mapped::Mapped;
use crate::protocol::error::OAuthError;
use crate::protocol::introspection::{IntrospectionRequest, IntrospectionResponse};
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;
use crate::protocol::token_response::TokenType;

/// Says what a token is good for, to a client that may know; and which client that is.
///
/// # Errors
/// `invalid_client` when the caller does not prove who it is (§2.1); a public client cannot.
pub async fn introspect(
    provider: &Provider,
    params: &Params,
    caller: Caller<'_>,
) -> Result<(Arc<Client>, IntrospectionResponse), OAuthError> {
    let asking = client_auth::authenticate(provider, params, caller).await?;
    if asking.is_public() {
        return Err(OAuthError::invalid_client("introspection needs a client that authenticates (RFC 7662 2.1)"));
    }
    let request = IntrospectionRequest::parse(params)?;
    let token = request.token.expose();
    let answer = match inspect(provider, token).await? {
        Some(live) if may_know(&asking, &live) => describe(provider, &live).await?,
        Some(_) => IntrospectionResponse::inactive(),
        None => refresh_token(provider, &asking, token).await?,
    };
    Ok((asking, answer))
}

/// A resource server is a client that an operator registered; who registered itself sees only its own tokens (§4).
fn may_know(caller: &Client, live: &LiveAccessToken) -> bool {
    caller.id == live.token.client || !caller.is_self_registered()
}

async fn describe(provider: &Provider, live: &LiveAccessToken) -> Result<IntrospectionResponse, OAuthError> {
    let mapped = Mapped::load(provider, live.person.as_ref().map(|(user, _)| user)).await?;
    let mut own = mapped.claims((&live.client, live.scope()), Destination::Introspection);
    own.extend(live.own());
    let token = &live.token;
    let sub = match (&token.subject, &live.person) {
        (Some(subject), _) => subject.clone(),
        (None, Some((user, _))) => subject_of(provider, &live.client, user.id)?,
        (None, None) => live.client.id.to_string(),
    };
    let authentication = live.person.as_ref().map(|(_, grant)| &grant.details.authentication);
    Ok(IntrospectionResponse {
        active: true,
        scope: Some(live.scope().clone()),
        client_id: Some(token.client.to_string()),
        username: live.person.as_ref().and_then(|(user, _)| username(live.scope(), user)),
        token_type: Some(TokenType::Bearer),
        exp: Some(token.expires_at),
        iat: Some(token.issued_at),
        sub: Some(sub),
        aud: token.audience.clone(),
        iss: Some(provider.issuer.as_str().to_owned()),
        jti: token.jti.map(|jti| jti.to_string()),
        auth_time: authentication.map(|authentication| authentication.at),
        acr: authentication.map(|authentication| authentication.acr().as_str().to_owned()),
        amr: authentication.map(Authentication::amr_values).unwrap_or_default(),
        sid: live.person.as_ref().map(|(_, grant)| grant.session.to_string()),
        own,
    })
}

/// What a person types as their name says who they are, so it takes the scope that tells the same (§2.2 has it optional).
fn username(scope: &Scope, user: &User) -> Option<String> {
    let told = |(scoped, kind)| scope.contains(scoped).then(|| user.primary(kind)).flatten();
    [("profile", IdentifierKind::Username), ("email", IdentifierKind::Email)]
        .into_iter()
        .find_map(told)
        .map(|identifier| identifier.value.clone())
}

/// A refresh token is the affair of its own client only.
async fn refresh_token(
    provider: &Provider,
    caller: &Arc<Client>,
    token: &str,
) -> Result<IntrospectionResponse, OAuthError> {
    let now = provider.now();
    let store = &provider.edges.store;
    let Some(record) = store.refresh_token(&TokenHash::of(token)).await? else {
        return Ok(IntrospectionResponse::inactive());
    };
    let Some(grant) = store.grant(record.grant).await?.filter(|grant| grant.is_live()) else {
        return Ok(IntrospectionResponse::inactive());
    };
    let user = store.user(grant.user).await?.filter(|user| user.is_enabled());
    let user = user.filter(|user| grant.details.authentication.stands(user));
    let is_good = record.used_at.is_none() && !record.expires_at.is_past(now) && grant.client == caller.id;
    let Some(user) = user.filter(|_| is_good) else { return Ok(IntrospectionResponse::inactive()) };
    let scope = allowed::of(provider, (caller, Some(&user)), &record.scope).await?;
    Ok(IntrospectionResponse {
        active: true,
        scope: Some(scope.clone().into_owned()),
        client_id: Some(grant.client.to_string()),
        username: username(&scope, &user),
        exp: Some(record.expires_at),
        iat: Some(record.issued_at),
        sub: Some(subject_of(provider, caller, user.id)?),
        iss: Some(provider.issuer.as_str().to_owned()),
        auth_time: Some(grant.details.authentication.at),
        acr: Some(grant.details.authentication.acr().as_str().to_owned()),
        amr: grant.details.authentication.amr_values(),
        sid: Some(grant.session.to_string()),
        ..IntrospectionResponse::default()
    })
}
