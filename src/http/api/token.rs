//! `/tokens`: tokens of first-party apps without the detour of a code, and what a token says (S-071 to S-074, S-080 to S-084).
//!
//! `ACCOUNT_API.md` §3.2, §3.3; RFC 6749 §5.1, RFC 7009. A token pair in one call is for clients that the operator flagged
//! `first_party` and `direct_tokens`, and that have no secret they would have to prove. Tokens that the browser keeps in cookies
//! (S-076 to S-078) are refreshed and given back here by these.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::authn::Answer;
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Choice as _, Json, body, choices};
use crate::http::api::caller::{Carrier, Guest, in_cookie};
use crate::http::api::code::Code;
use crate::http::api::delivery::{Destination, finish, in_cookies};
use crate::http::api::operation::{Group, Operation, get, patch, post};
use crate::http::api::preference::{self, applied};
use crate::http::api::problem::{FieldError, Problem};
use crate::http::api::sign_in::{REFUSED, attempt, check_public, opening, refused};
use crate::http::web::{Web, with_cookies};
use crate::model::client::Client;
use crate::model::own_claim::is_free;
use crate::model::sign_in_flow::Purpose;
use crate::oauth::endpoint::revoke::give_back;
use crate::oauth::first_party::{self, Pkce, Preference, Stated};
use crate::oauth::grant::refresh_token::{self, RefreshParameters};
use crate::oauth::interaction::sign_in::Persistence;
use crate::oauth::provider::Provider;
use crate::oauth::token::access_token::{LiveAccessToken, inspect, payload};
use crate::oauth::token::issue::subject_of;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::secret::{Secret, TokenHash};
use crate::protocol::token_response::TokenResponse;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/tokens", Group::Tokens), "Sign in and get tokens at once", direct)
            .takes::<DirectTokens>()
            .gives::<TokenPair>(StatusCode::OK, "The tokens.")
            .prefers()
            .refuses(REFUSED),
        post(("/tokens/refresh", Group::Tokens), "Exchange a refresh token for new tokens", refresh)
            .takes::<RefreshTokens>()
            .by_refresh_cookie()
            .gives::<TokenPair>(StatusCode::OK, "New tokens; the refresh token that was sent is used up.")
            .gives_nothing(StatusCode::NO_CONTENT, "New tokens in cookies, where the refresh token came in one.")
            .prefers()
            .refuses(&[Code::InvalidRefreshToken, Code::UnauthorizedClient]),
        post(("/tokens/sign-out", Group::Tokens), "Give tokens back", sign_out)
            .takes::<SignOutTokens>()
            .by_refresh_cookie()
            .gives_nothing(StatusCode::NO_CONTENT, "The tokens, if they were good, no longer are."),
        post(("/tokens/verify", Group::Tokens), "Ask whether an access token is good", verify)
            .takes::<VerifyToken>()
            .gives::<Verified>(StatusCode::OK, "It is.")
            .refuses(&[Code::MissingClaims]),
        get(("/tokens/claims", Group::Tokens), "What the caller's access token says", claims)
            .by_bearer()
            .gives::<Claims>(StatusCode::OK, "Its claims."),
        patch(("/tokens/claims", Group::Tokens), "Change claims of the app's tokens without a new sign-in", update)
            .takes::<UpdateClaims>()
            .gives::<TokenPair>(StatusCode::OK, "New tokens; the refresh token that was sent is used up.")
            .refuses(&[Code::UnexpectedClaim, Code::ClaimNotUpdatable])
            .refuses(&[Code::InvalidRefreshToken, Code::UnauthorizedClient]),
    ]
}

choices! {
    /// A way to have tokens in one call.
    enum DirectBeginning {
        /// A name and a password.
        Password = "password",
    }
}

body! {
    /// A sign-in that gives tokens.
    struct DirectTokens {
        /// The app.
        client_id: String,
        /// The way.
        method: DirectBeginning,
        /// An e-mail address, username or phone number.
        identifier: String,
        /// The password.
        password: Secret,
        /// What the tokens shall allow.
        scope: Option<String>,
        /// For the ID token.
        nonce: Option<String>,
    }
}

body! {
    /// A refresh token.
    struct RefreshTokens {
        /// The token; without it that of the browser's cookie is meant.
        refresh_token: Option<Secret>,
        /// The app that it was given to.
        client_id: Option<String>,
    }
}

body! {
    /// Claims that shall be otherwise.
    struct UpdateClaims {
        /// The refresh token of the app.
        refresh_token: Secret,
        /// Their new values, by name.
        data: Map<String, Value>,
        /// The app that the token was given to.
        client_id: Option<String>,
    }
}

body! {
    /// Tokens that are no longer needed.
    struct SignOutTokens {
        /// The refresh token; its access tokens go with it. The access token in the header, or the cookies of both, are enough.
        refresh_token: Option<Secret>,
    }
}

body! {
    /// An access token.
    struct VerifyToken {
        /// The token.
        token: Secret,
    }
}

/// Tokens (RFC 6749 §5.1).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenPair {
    /// `complete`
    status: &'static str,
    /// The access token.
    access_token: String,
    /// `Bearer`
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: u64,
    /// What it allows.
    scope: String,
    /// The refresh token, where the app gets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The ID token, where `openid` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    /// Codes for the day when a second factor is lost that was taken up in this sign-in; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes: Option<Vec<String>>,
}

impl TokenPair {
    /// With backup codes that were made in the sign-in.
    pub(super) fn with(self, backup_codes: Option<Vec<String>>) -> Self {
        Self { backup_codes, ..self }
    }
}

/// A token that is good.
#[derive(Debug, Serialize, ToSchema)]
struct Verified {
    /// `true`
    active: bool,
    /// Its end, in seconds since 1970.
    exp: i64,
    /// `at+jwt`, or `opaque`.
    typ: &'static str,
}

/// The claims of an access token (RFC 9068 §2.2); there may be more.
#[derive(Debug, Serialize, ToSchema)]
struct Claims {
    /// The issuer.
    iss: String,
    /// Whose it is.
    sub: String,
    /// Whom it is for.
    aud: Value,
    /// Its end, in seconds since 1970.
    exp: i64,
    /// When it was made.
    iat: i64,
    /// The app that it was given to.
    client_id: String,
    /// What it allows.
    scope: String,
    /// `at+jwt`, or `opaque`.
    typ: String,
}

/// The tokens as the API answers them.
pub(super) fn pair(tokens: &TokenResponse) -> TokenPair {
    TokenPair {
        status: "complete",
        access_token: tokens.access_token.expose().clone(),
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        scope: tokens.scope.to_string(),
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose().clone()),
        id_token: tokens.id_token.clone(),
        backup_codes: None,
    }
}

async fn direct(State(web): State<Web>, guest: Guest, Json(body): Json<DirectTokens>) -> Result<Response, Problem> {
    let preferred = preference::stated(&guest.visitor.headers)?;
    preference::only(preferred, Preference::Token)?;
    let client = first_party::client(&web.provider, &body.client_id).await.map_err(refused)?;
    if !client.policy.direct_tokens {
        return Err(Problem::new(Code::DeliveryNotAllowed).hint("the client is not flagged direct_tokens"));
    }
    check_public(&client)?;
    let stated = Stated { scope: body.scope.as_deref(), nonce: body.nonce.as_deref(), ..Stated::default() };
    let wanted = first_party::wanted(&web.provider, &client, (stated, Pkce::Unneeded)).await.map_err(refused)?;
    let purpose = Purpose::Tokens(wanted);
    let attempt = attempt(&web, &guest, Some(&client));
    let destination = Destination { client: Some(client), purpose, persistence: Persistence::Kept };
    let proof = Answer::Password { login: body.identifier, password: body.password };
    let step = web.sign_in().prove(&attempt, (body.method.as_str(), &proof), opening(&guest, &destination)).await?;
    Ok(applied(preferred, finish(&web, &guest, destination, step).await?))
}

/// A refresh token goes on in the way in which it came. *Why `Prefer` changes nothing here:* else any script in a page could have the
/// tokens that its browser keeps from it.
async fn refresh(State(web): State<Web>, guest: Guest, Json(body): Json<RefreshTokens>) -> Result<Response, Problem> {
    let preferred = preference::stated(&guest.visitor.headers)?;
    let named = body.client_id.as_deref();
    let answer = if let Some(token) = &body.refresh_token {
        preference::only(preferred, Preference::Token)?;
        let client = refreshing(&web.provider, token, named).await?;
        let parameters = RefreshParameters::all(token);
        let tokens = refresh_token::rotate(&web.provider, client, parameters, &guest.provenance).await;
        ok(&pair(&tokens.map_err(not_refreshed)?))
    } else {
        preference::only(preferred, Preference::Cookies)?;
        refresh_by_cookie(&web, &guest, named).await?
    };
    Ok(applied(preferred, answer))
}

/// [`refresh`] of the token that the browser keeps (S-077): the same grant. A cookie that is good for nothing is taken away; one of another
/// app than the one that asks stays with its own.
async fn refresh_by_cookie(web: &Web, guest: &Guest, named: Option<&str>) -> Result<Response, Problem> {
    let headers = &guest.visitor.headers;
    let invalid = |hint: &'static str| Problem::new(Code::InvalidRefreshToken).hint(hint);
    if !web.token_cookies.is_refresh_sent(headers) {
        return Err(invalid("neither the body nor a cookie has a refresh token"));
    }
    guest.check_csrf_token(web)?;
    let bad = |problem: Problem| Ok(with_cookies(problem.into_response(), web.token_cookies.clear()));
    let Some(token) = web.token_cookies.refresh(headers) else { return bad(invalid("the cookie holds no token")) };
    let client = client_of(&web.provider, &token).await?.filter(|client| client.has_token_cookies());
    let Some(client) = client else { return bad(invalid("no app that keeps its tokens in cookies was given it")) };
    if named.is_some_and(|named| named != client.id.as_str()) {
        return Err(invalid("the token was given to another client"));
    }
    let parameters = RefreshParameters::all(&token);
    match refresh_token::rotate(&web.provider, client, parameters, &guest.provenance).await.map_err(not_refreshed) {
        Ok(tokens) => Ok(with_cookies(nothing(), in_cookies(web, &tokens).await?)),
        Err(problem) if problem.code == Code::InvalidRefreshToken => bad(problem),
        Err(problem) => Err(problem),
    }
}

/// The client that refreshes here by this token: first-party, and without a secret that it would have to prove.
async fn refreshing(provider: &Provider, token: &Secret, named: Option<&str>) -> Result<Arc<Client>, Problem> {
    let invalid = || Problem::new(Code::InvalidRefreshToken);
    let client = client_of(provider, token).await?.ok_or_else(invalid)?;
    if named.is_some_and(|named| named != client.id.as_str()) {
        return Err(invalid().hint("the token was given to another client"));
    }
    if first_party::check(&client).is_err() || !client.is_public() {
        return Err(Problem::new(Code::UnauthorizedClient).hint("this client refreshes at the token endpoint"));
    }
    Ok(client)
}

fn not_refreshed(error: OAuthError) -> Problem {
    match error.code() {
        ErrorCode::InvalidGrant | ErrorCode::InvalidScope => Problem::new(Code::InvalidRefreshToken).caused_by(error),
        _ => refused(error),
    }
}

/// Values are data of the app's own, which it may change; what they may do is nobody's to change here.
async fn update(State(web): State<Web>, guest: Guest, Json(body): Json<UpdateClaims>) -> Result<Response, Problem> {
    let client = refreshing(&web.provider, &body.refresh_token, body.client_id.as_deref()).await?;
    let mut errors = Vec::new();
    let mut is_fixed = false;
    for (name, value) in &body.data {
        let field = format!("data.{name}");
        match client.policy.own_claims.get(name).filter(|_| is_free(name)) {
            None => errors.push(FieldError::new(field, Code::UnexpectedClaim)),
            Some(rule) if !rule.updatable => is_fixed = true,
            Some(rule) if !rule.kind.fits(value) => {
                errors.push(FieldError::new(field, Code::WrongType).with("expected", rule.kind.as_str()));
            }
            Some(_) => {}
        }
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    if is_fixed {
        return Err(Problem::new(Code::ClaimNotUpdatable));
    }
    let setting = (RefreshParameters::all(&body.refresh_token), Some(body.data));
    let tokens = refresh_token::rotate_setting(&web.provider, client, setting, &guest.provenance).await;
    Ok(ok(&pair(&tokens.map_err(not_refreshed)?)))
}

/// The client that a refresh token was given to, if it may still act.
async fn client_of(provider: &Provider, token: &Secret) -> Result<Option<Arc<Client>>, Problem> {
    let store = &provider.edges.store;
    let Some(record) = store.refresh_token(&TokenHash::of(token.expose())).await? else { return Ok(None) };
    let Some(grant) = store.grant(record.grant).await? else { return Ok(None) };
    Ok(store.client(&grant.client).await?.filter(|client| client.is_enabled()))
}

/// What is not ours is not told apart from what is: nothing is learned here.
async fn sign_out(State(web): State<Web>, guest: Guest, Json(body): Json<SignOutTokens>) -> Result<Response, Problem> {
    let (provider, headers) = (&web.provider, &guest.visitor.headers);
    let by_cookies = guest.carrier == Carrier::Cookie && web.token_cookies.are_sent(headers);
    let (mut access, mut refresh) = (guest.token.clone(), body.refresh_token.into_iter().collect::<Vec<_>>());
    if by_cookies {
        guest.check_csrf_token(&web)?;
        access = in_cookie(&web, headers).await?;
        refresh.extend(web.token_cookies.refresh(headers));
    }
    let mut grants: Vec<_> = access.and_then(|token| token.person).map(|(_, grant)| grant).into_iter().collect();
    for token in &refresh {
        if client_of(provider, token).await?.is_some_and(|client| client.policy.first_party)
            && let Some(record) = provider.edges.store.refresh_token(&TokenHash::of(token.expose())).await?
            && let Some(grant) = provider.edges.store.grant(record.grant).await?
            && grants.iter().all(|known| known.id != grant.id)
        {
            grants.push(grant);
        }
    }
    for grant in &grants {
        give_back(provider, grant, &guest.provenance).await?;
    }
    Ok(with_cookies(nothing(), by_cookies.then(|| web.token_cookies.clear()).into_iter().flatten()))
}

async fn verify(State(web): State<Web>, _: Guest, Json(body): Json<VerifyToken>) -> Result<Response, Problem> {
    let live = inspect(&web.provider, body.token.expose()).await?;
    let live = live.ok_or_else(|| Problem::new(Code::TokenInvalid))?;
    if live.first_missing().is_some() {
        return Err(Problem::new(Code::MissingClaims));
    }
    Ok(ok(&Verified { active: true, exp: live.token.expires_at.seconds(), typ: kind(&live) }))
}

fn kind(live: &LiveAccessToken) -> &'static str {
    if live.token.jti.is_some() { "at+jwt" } else { "opaque" }
}

async fn claims(State(web): State<Web>, guest: Guest) -> Result<Response, Problem> {
    let live = guest.token.as_ref().ok_or_else(|| Problem::new(Code::SignInRequired))?;
    // What a JWT says, whose signature was verified when the caller was recognised; nothing of an opaque token.
    let written = guest.written_token(&web).and_then(|token| payload(&web.provider, token.expose()));
    let mut claims = written.unwrap_or_default();
    claims.extend(live.own());
    let token = &live.token;
    let sub = match (&token.subject, &live.person) {
        (Some(subject), _) => subject.clone(),
        (None, Some((user, _))) => subject_of(&web.provider, &live.client, user.id).map_err(refused)?,
        (None, None) => live.client.id.to_string(),
    };
    for (name, value) in [
        ("iss", json!(web.provider.issuer.as_str())),
        ("sub", json!(sub)),
        ("aud", json!(token.audience)),
        ("exp", json!(token.expires_at)),
        ("iat", json!(token.issued_at)),
        ("client_id", json!(token.client)),
        ("scope", json!(live.scope())),
    ] {
        claims.entry(name).or_insert(value);
    }
    claims.insert("typ".to_owned(), json!(kind(live)));
    Ok(ok(&claims))
}
