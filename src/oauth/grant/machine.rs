//! The code grant's state machines: the only file that names `oxide_auth`.
//!
//! RFC 6749 §4.1 and §6. Parameters reach this file parsed, single-valued and with the client already authenticated; what
//! leaves it is our own. The machines decide the order and the completeness of the checks; we answer their questions.
//!
//! # Why the answers differ from `oxide_auth`'s own runners
//! - An unknown code or a failed PKCE check is `invalid_grant` (RFC 6749 §5.2, RFC 7636 §4.6), not `invalid_request`.
//! - The client was authenticated before, by any of our methods, and is compared with the grant also when it is public:
//!   the machine asks who it is and is told that very client.
//! - Redirect URIs are compared as they were written, before the machine parses them into normalised URLs.
//! - Time is ours: the machines read the system clock, so they are given a moment that never comes.
//! - Their scope is a set without order; it decides, but the ordered one that we hold is answered.
//! - A machine is left at `Issue`: its token type can hold neither an ID token nor a scope in order, and the code is
//!   consumed in the transaction that records the tokens, not before.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::code_grant::{accesstoken, authorization, refresh};
use oxide_auth::primitives::grant::{Extensions, Grant as MachineGrant, Value};
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};
use oxide_auth::primitives::scope::Scope as MachineScope;

use crate::model::authorization_code::AuthorizationCode;
use crate::model::client::Client;
use crate::model::grant::Grant;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;

/// A code as presented at the token endpoint (RFC 6749 §4.1.3).
#[derive(Debug)]
pub struct PresentedCode<'a> {
    /// The authenticated client.
    pub client: &'a Client,
    /// The code.
    pub code: &'a Secret,
    /// `redirect_uri` of the token request.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`.
    pub code_verifier: Option<&'a CodeVerifier>,
}

/// A refresh token as presented at the token endpoint (RFC 6749 §6).
#[derive(Debug)]
pub struct PresentedRefresh<'a> {
    /// The authenticated client.
    pub client: &'a Client,
    /// The token.
    pub refresh_token: &'a Secret,
    /// `scope`: may narrow.
    pub scope: Option<&'a Scope>,
}

/// The name of the PKCE value in a machine's grant.
const PKCE: &str = "pkce";

/// Runs the authorization request through its machine (RFC 6749 §4.1.1).
///
/// # Errors
/// `unsupported_response_type`, `invalid_scope` or `server_error` when the machine disagrees with our own parsing.
pub fn authorization(request: &AuthorizationRequest, client: &Client) -> Result<(), OAuthError> {
    let asked = AskedAuthorization { request, client };
    let mut machine = authorization::Authorization::new(&asked);
    let mut input = authorization::Input::None;
    loop {
        input = match machine.advance(input) {
            authorization::Output::Bind { redirect_uri, .. } => {
                authorization::Input::Bound { request: &asked, bound_client: bound(client, redirect_uri)? }
            }
            authorization::Output::Extend => authorization::Input::Extended(challenge(request)),
            authorization::Output::Negotiate { bound_client, scope } => authorization::Input::Negotiated {
                pre_grant: PreGrant {
                    client_id: bound_client.client_id.to_string(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: scope.map_or_else(|| machine_scope(&request.scope), Ok)?,
                },
                state: request.return_path.state().map(str::to_owned),
            },
            authorization::Output::Ok { .. } => return Ok(()),
            authorization::Output::Err(authorization::Error::Redirect(_)) => {
                return Err(OAuthError::new(
                    ErrorCode::UnsupportedResponseType,
                    "the authorization request does not describe a code flow",
                ));
            }
            authorization::Output::Err(_) => return Err(disagreement()),
        };
    }
}

/// Runs a presented code through its machine, up to the point where tokens may be issued (RFC 6749 §4.1.3).
///
/// `recovered` is what the code stands for: `None` when it is unknown, expired or used.
///
/// # Errors
/// `invalid_grant` when the code is unknown or was issued to another client or redirect URI, or when the verifier does
/// not match (RFC 7636 §4.6).
pub fn access_token(
    presented: &PresentedCode<'_>,
    recovered: Option<AuthorizationCode>,
) -> Result<AuthorizationCode, OAuthError> {
    let Some(code) = recovered else {
        return Err(OAuthError::invalid_grant("the authorization code is unknown, expired or already used"));
    };
    same_redirect_uri(presented, &code)?;
    let asked = AskedToken { presented, redirect_uri: &code.redirect_uri };
    let mut machine = accesstoken::AccessToken::new(&asked);
    let mut input = accesstoken::Input::None;
    loop {
        input = match machine.advance(input) {
            accesstoken::Output::Authenticate { client, .. } => {
                if client != presented.client.id.as_str() {
                    return Err(disagreement());
                }
                accesstoken::Input::Authenticated
            }
            accesstoken::Output::Recover { .. } => accesstoken::Input::Recovered(Some(Box::new(code_as_grant(&code)?))),
            accesstoken::Output::Extend { extensions } => {
                prove(&code, extensions, presented.code_verifier)?;
                accesstoken::Input::Extended { access_extensions: Extensions::new() }
            }
            accesstoken::Output::Issue { .. } => return Ok(code),
            accesstoken::Output::Ok(_) => return Err(disagreement()),
            accesstoken::Output::Err(_) => {
                return Err(OAuthError::invalid_grant("the authorization code was issued to another client")
                    .hint(format!("code of {}, presented by {}", code.client, presented.client.id)));
            }
        };
    }
}

/// Runs a presented refresh token through its machine, up to the point where tokens may be issued (RFC 6749 §6).
///
/// Returns the scope of the new access token, in order.
///
/// # Errors
/// `invalid_grant` when the token was issued to another client, `invalid_scope` when more is asked than was granted.
pub fn refresh(presented: &PresentedRefresh<'_>, grant: &Grant) -> Result<Scope, OAuthError> {
    let asked = AskedRefresh { presented };
    let asked_scope = || presented.scope.map(|scope| Cow::Owned(scope.to_string()));
    let mut machine = refresh::Refresh::new(&asked);
    let mut input = refresh::Input::None;
    loop {
        input = match machine.advance(input) {
            refresh::Output::Unauthenticated { client, .. } => {
                if client != presented.client.id.as_str() {
                    return Err(disagreement());
                }
                refresh::Input::Authenticated { scope: asked_scope() }
            }
            refresh::Output::RecoverRefresh { .. } => refresh::Input::Recovered {
                scope: asked_scope(),
                grant: Some(Box::new(MachineGrant {
                    owner_id: grant.user.to_string(),
                    client_id: grant.client.to_string(),
                    scope: machine_scope(&grant.scope)?,
                    redirect_uri: never_followed()?,
                    until: never(),
                    extensions: Extensions::new(),
                })),
            },
            refresh::Output::Refresh { .. } => {
                return Ok(presented.scope.filter(|scope| !scope.is_empty()).unwrap_or(&grant.scope).clone());
            }
            refresh::Output::Ok(_) => return Err(disagreement()),
            refresh::Output::Err(_) if grant.client != presented.client.id => {
                return Err(OAuthError::invalid_grant("the refresh token was issued to another client"));
            }
            refresh::Output::Err(_) => {
                return Err(OAuthError::invalid_scope(
                    "the scope holds more than was granted; a refresh may narrow it, never widen it",
                ));
            }
        };
    }
}

/// RFC 6749 §4.1.3: required and identical when the authorization request named it; compared as written.
fn same_redirect_uri(presented: &PresentedCode<'_>, code: &AuthorizationCode) -> Result<(), OAuthError> {
    match presented.redirect_uri {
        Some(given) if given == code.redirect_uri => Ok(()),
        Some(_) => Err(OAuthError::invalid_grant("the redirect_uri differs from the one of the authorization request")),
        // OAuth 2.1 §4.1.3 drops the parameter: a PKCE challenge binds the code better than it does.
        None if !code.redirect_uri_given || code.code_challenge.is_some() => Ok(()),
        None => Err(OAuthError::invalid_request(
            "redirect_uri is missing: it was in the authorization request, so the token request must repeat it",
        )),
    }
}

/// RFC 7636 §4.6, and the downgrade of RFC 9700 §4.8.2: a verifier without a challenge is refused.
fn prove(
    code: &AuthorizationCode,
    extensions: &mut Extensions,
    verifier: Option<&CodeVerifier>,
) -> Result<(), OAuthError> {
    let Some(challenge) = &code.code_challenge else {
        return match verifier {
            None => Ok(()),
            Some(_) => Err(OAuthError::invalid_grant(
                "a code_verifier came, but the authorization request had no code_challenge",
            )),
        };
    };
    let Some(verifier) = verifier else {
        return Err(OAuthError::invalid_grant("the code_verifier is missing: the request had a code_challenge"));
    };
    let kept = Value::private(Some(format!("{}S", challenge.as_str())));
    extensions.set_raw(PKCE.to_owned(), kept.clone());
    Pkce::required()
        .verify(Some(kept), Some(Cow::Borrowed(verifier.as_str())))
        .map_err(|()| OAuthError::invalid_grant("the code_verifier does not match the code_challenge"))
}

fn challenge(request: &AuthorizationRequest) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(challenge) = &request.code_challenge {
        extensions.set_raw(PKCE.to_owned(), Value::private(Some(format!("{}S", challenge.as_str()))));
    }
    extensions
}

fn bound(client: &Client, redirect_uri: Option<ExactUrl>) -> Result<BoundClient<'static>, OAuthError> {
    let redirect_uri = redirect_uri.ok_or_else(disagreement)?;
    Ok(BoundClient {
        client_id: Cow::Owned(client.id.to_string()),
        redirect_uri: Cow::Owned(RegisteredUrl::Exact(redirect_uri)),
    })
}

fn code_as_grant(code: &AuthorizationCode) -> Result<MachineGrant, OAuthError> {
    Ok(MachineGrant {
        owner_id: code.authentication.user.to_string(),
        client_id: code.client.to_string(),
        scope: machine_scope(&code.scope)?,
        redirect_uri: code.redirect_uri.parse().map_err(|_| disagreement())?,
        until: never(),
        extensions: Extensions::new(),
    })
}

fn machine_scope(scope: &Scope) -> Result<MachineScope, OAuthError> {
    scope.to_string().parse().map_err(|_| disagreement())
}

fn never() -> DateTime<Utc> {
    DateTime::<Utc>::MAX_UTC
}

/// A refresh has no redirect URI; the machine's grant must hold one.
fn never_followed() -> Result<url::Url, OAuthError> {
    "about:blank".parse().map_err(|_| disagreement())
}

/// The machine saw something that our own parsing excludes.
fn disagreement() -> OAuthError {
    OAuthError::server_error("the grant could not be evaluated")
}

struct AskedAuthorization<'a> {
    request: &'a AuthorizationRequest,
    client: &'a Client,
}

impl authorization::Request for AskedAuthorization<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.client.id.as_str()))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(self.request.scope.to_string()))
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.request.return_path.redirect_uri()))
    }

    fn state(&self) -> Option<Cow<'_, str>> {
        self.request.return_path.state().map(Cow::Borrowed)
    }

    fn response_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.request.response_type.as_str()))
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

struct AskedToken<'a> {
    presented: &'a PresentedCode<'a>,
    redirect_uri: &'a str,
}

impl accesstoken::Request for AskedToken<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.presented.code.expose()))
    }

    fn authorization(&self) -> accesstoken::Authorization<'_> {
        accesstoken::Authorization::Username(Cow::Borrowed(self.presented.client.id.as_str()))
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        // The machine counts a client named twice as an error, and `authorization` names it already.
        None
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.redirect_uri))
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed("authorization_code"))
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

struct AskedRefresh<'a> {
    presented: &'a PresentedRefresh<'a>,
}

impl refresh::Request for AskedRefresh<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.presented.refresh_token.expose()))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.presented.scope.map(|scope| Cow::Owned(scope.to_string()))
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed("refresh_token"))
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.presented.client.id.as_str()), Cow::Borrowed(b"")))
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}
