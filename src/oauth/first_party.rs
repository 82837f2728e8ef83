//! First-party apps: they sign people in on screens of their own, and get a code, or tokens at once.
//!
//! OAuth 2.0 for First-Party Applications §5, `ACCOUNT_API.md` §3.2 and §3.3, S-164. Only a client that the operator flagged
//! `first_party` comes this way; consent is not asked of it. A code made here is bound by PKCE and is redeemed at the token
//! endpoint without a redirect URI; what it stands in for is the URL of the challenge endpoint, where no browser is ever sent.

use std::sync::Arc;

use crate::edge::ephemeral::CODE;
use crate::model::authorization_code::AuthorizationCode;
use crate::model::client::{Client, TokenDelivery};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, GrantId};
use crate::model::session::Session;
use crate::model::sign_in_flow::{Purpose, Wanted};
use crate::oauth::allowed;
use crate::oauth::grant::authorization_code;
use crate::oauth::provider::Provider;
use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::OAuthError;
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::scope::Scope;
use crate::protocol::secret::{Secret, TokenHash};
use crate::protocol::token_response::TokenResponse;

/// The path of the challenge endpoint.
pub const CHALLENGE_ENDPOINT: &str = "/oauth2/challenge";

/// The first-party client called `id`.
///
/// # Errors
/// `invalid_client` when there is none, `unauthorized_client` for one that is not first-party or not for people.
pub async fn client(provider: &Provider, id: &str) -> Result<Arc<Client>, OAuthError> {
    let unknown = || OAuthError::invalid_client("no such client");
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    let client = provider.edges.store.client(&id).await?.filter(|client| client.is_enabled()).ok_or_else(unknown)?;
    check(&client)?;
    Ok(client)
}

/// Whether a client may come this way.
///
/// # Errors
/// `unauthorized_client`.
pub fn check(client: &Client) -> Result<(), OAuthError> {
    if client.policy.first_party && client.allows(GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(OAuthError::unauthorized_client("the client may not sign people in on screens of its own")
        .hint(format!("symbolon client update {} --first-party", client.id)))
}

/// How a request wants its tokens (RFC 7240), where the client may have them in more than one way.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Preference {
    /// In the body.
    Token,
    /// In cookies.
    Cookies,
}

impl Preference {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Cookies => "cookies",
        }
    }

    /// Reads a preference, whose case says nothing (RFC 7240 §2).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Token, Self::Cookies].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text))
    }

    /// True when a sign-in with this purpose follows it.
    pub const fn is_of(self, purpose: &Purpose) -> bool {
        matches!((self, purpose), (Self::Token, Purpose::Tokens(_)) | (Self::Cookies, Purpose::Cookies(_)))
    }
}

/// What a first-party app gets of a sign-in.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// A session in the browser.
    Session,
    /// An authorization code.
    Code,
    /// Tokens in the body of the answer.
    Tokens,
    /// Tokens in cookies.
    Cookies,
}

/// What the client gets when a sign-in that it began by `client_id` is complete: what it is registered for, or what the request prefers
/// instead. `None` when it may not have that.
pub const fn delivery(client: &Client, preferred: Option<Preference>) -> Option<Delivery> {
    match (preferred, client.policy.token_delivery) {
        (None, TokenDelivery::Session) => Some(Delivery::Session),
        (None, TokenDelivery::Code) => Some(Delivery::Code),
        (None | Some(Preference::Cookies), TokenDelivery::Cookies) => Some(Delivery::Cookies),
        (Some(Preference::Token), _) if client.policy.direct_tokens => Some(Delivery::Tokens),
        (Some(_), _) => None,
    }
}

/// What an app asks for, as it stated it.
#[derive(Copy, Clone, Debug, Default)]
pub struct Stated<'a> {
    /// `scope`
    pub scope: Option<&'a str>,
    /// `code_challenge`
    pub code_challenge: Option<&'a str>,
    /// `code_challenge_method`
    pub code_challenge_method: Option<&'a str>,
    /// `nonce`
    pub nonce: Option<&'a str>,
}

/// Whether a challenge must be there.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Pkce {
    /// For a code.
    Required,
    /// Where no code is made.
    Unneeded,
}

/// [`wanted`] for tokens in cookies. A refresh token comes with them wherever the client may have one: a page that sees no token cannot
/// know that it has to ask for another.
///
/// # Errors
/// As there.
pub async fn wanted_in_cookies(provider: &Provider, client: &Client, stated: Stated<'_>) -> Result<Wanted, OAuthError> {
    let scope = format!("{} {}", stated.scope.unwrap_or(Scope::OPENID), Scope::OFFLINE_ACCESS);
    wanted(provider, client, (Stated { scope: Some(&scope), ..stated }, Pkce::Unneeded)).await
}

/// Reads what an app asks for.
///
/// # Errors
/// `invalid_scope`, and `invalid_request` for a challenge that is missing or malformed.
pub async fn wanted(
    provider: &Provider,
    client: &Client,
    (stated, pkce): (Stated<'_>, Pkce),
) -> Result<Wanted, OAuthError> {
    let asked: Scope = stated.scope.unwrap_or(Scope::OPENID).parse()?;
    let scope = asked.intersection(&*allowed::to_client(provider, client).await?);
    if scope.is_empty() {
        return Err(OAuthError::invalid_scope("none of the scope is known here and registered for the client"));
    }
    let code_challenge = stated
        .code_challenge
        .map(|challenge| CodeChallenge::parse(challenge, stated.code_challenge_method))
        .transpose()?;
    if code_challenge.is_none() && pkce == Pkce::Required {
        return Err(OAuthError::invalid_request("code_challenge is missing; a code of this endpoint is bound by PKCE"));
    }
    let nonce = stated.nonce.map(str::to_owned);
    if nonce.as_ref().is_some_and(|nonce| nonce.len() > 512) {
        return Err(OAuthError::invalid_request("nonce is longer than 512 characters"));
    }
    Ok(Wanted { scope, code_challenge, nonce })
}

/// Makes a code for a person who signed in on the app's own screen.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn code(
    provider: &Provider,
    (client, session): (&Client, &Session),
    wanted: Wanted,
) -> Result<Secret, Fault> {
    let (code, waiting) = make(provider, (client, session), wanted);
    let hash = TokenHash::of(code.expose());
    CODE.put(&*provider.edges.ephemeral, hash.as_bytes(), &waiting, waiting.expires_at).await?;
    Ok(code)
}

/// Gives tokens at once: a code that never leaves the server, redeemed where it is made.
///
/// # Errors
/// Those of the token endpoint.
pub async fn tokens(
    provider: &Provider,
    (client, session): (Arc<Client>, &Session),
    wanted: Wanted,
) -> Result<TokenResponse, OAuthError> {
    let (code, waiting) = make(provider, (&client, session), wanted);
    authorization_code::give(provider, client, (TokenHash::of(code.expose()), waiting), &[]).await
}

fn make(provider: &Provider, (client, session): (&Client, &Session), wanted: Wanted) -> (Secret, AuthorizationCode) {
    let now = provider.now();
    let waiting = AuthorizationCode {
        grant: GrantId::new(now, provider.edges.random.bytes()),
        client: client.id.clone(),
        session: session.id,
        authentication: session.authentication.clone(),
        redirect_uri: provider.issuer.at(CHALLENGE_ENDPOINT),
        redirect_uri_given: false,
        scope: wanted.scope,
        nonce: wanted.nonce,
        code_challenge: wanted.code_challenge,
        claims: ClaimsRequest::default(),
        claims_locales: Vec::new(),
        resource: Vec::new(),
        issued_at: now,
        expires_at: now.plus(provider.policy.lifetimes.authorization_code),
    };
    (provider.edges.random.token(), waiting)
}
