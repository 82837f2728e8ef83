//! Who calls: somebody, or a person that a session or an access token names.
//!
//! RFC 6750 §2.1 (bearer), OWASP ASVS 3.5.1-3.5.3 (forged requests), S-170, S-171. A browser's cookies are believed only with the
//! token that [`Guest::csrf_token`] gives out, and from our own pages or an origin of the allow-list; who presents an access
//! token in a header needs neither, and its cookies are not looked at. An access token in a cookie (S-076) is a cookie: it counts where no
//! session is, or where the app says `Prefer: cookies`, so that an app and a page of ours in one browser never speak for each other's person.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use subtle::ConstantTimeEq as _;

use crate::account::Asking;
use crate::edge::store::Here;
use crate::http::api::code::Code;
use crate::http::api::preference;
use crate::http::api::problem::Problem;
use crate::http::api::sign_in::refused;
use crate::http::cookie::FlowCookie;
use crate::http::extract::authorization::{Authorization, Endpoint, read};
use crate::http::extract::visitor::Visitor;
use crate::http::web::Web;
use crate::model::authentication::Authentication;
use crate::model::event::Provenance;
use crate::model::fault::Fault;
use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::model::user::User;
use crate::oauth::first_party;
use crate::oauth::token::access_token::{LiveAccessToken, inspect};
use crate::protocol::secret::Secret;

/// Where a browser sends the token of its session.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// What the tokens of the API are for.
const PURPOSE: &str = "api";

/// Whoever calls; what they send was not forged by another site.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The browser, its session among it; without cookies where an access token came.
    pub visitor: Visitor,
    /// The access token that was presented, if any.
    pub token: Option<LiveAccessToken>,
    /// How it came.
    pub carrier: Carrier,
    /// Where the request comes from.
    pub provenance: Provenance,
}

/// How an access token comes.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// In the header, put there by the app.
    Header,
    /// In a cookie, put there by the browser.
    Cookie,
}

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The request they sent.
    pub guest: Guest,
    /// Who.
    pub user: Arc<User>,
    /// By what we know.
    pub by: Means,
}

/// By what a person is known.
#[derive(Clone, Debug)]
pub enum Means {
    /// The session of a browser.
    Session(Arc<Session>),
    /// An access token, given to a first-party app, in a header or in a cookie.
    Token(Box<LiveAccessToken>),
}

impl Guest {
    async fn of(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let mut visitor = Visitor::of(parts, web).await?;
        let provenance = visitor.browser.provenance.clone();
        let token = presented(web, &parts.headers).await?;
        if token.is_some() {
            visitor.flow = None;
            visitor.browser.flow = None;
            visitor.browser.session = None;
            return Ok(Self { visitor, token, carrier: Carrier::Header, provenance });
        }
        if preference::wants_cookies(&parts.headers) {
            visitor.browser.session = None;
        }
        let token = match visitor.browser.session {
            Some(_) => None,
            None => in_cookie(web, &parts.headers).await?,
        };
        Ok(Self { visitor, token, carrier: Carrier::Cookie, provenance })
    }

    /// The access token as it was written.
    pub(super) fn written_token(&self, web: &Web) -> Option<Secret> {
        let headers = &self.visitor.headers;
        match self.carrier {
            Carrier::Header => headers.get(AUTHORIZATION)?.to_str().ok()?.rsplit(' ').next().map(Secret::from),
            Carrier::Cookie => web.token_cookies.access(headers),
        }
    }

    /// `Set-Cookie` for a caller whose tokens are over: none where they came in a header.
    pub(super) fn without_token_cookies(&self, web: &Web) -> Vec<HeaderValue> {
        match self.carrier {
            Carrier::Header => Vec::new(),
            Carrier::Cookie => web.token_cookies.clear().into(),
        }
    }

    /// As `account/` wants to know it, for the app of this id, or else the one whose access token came. Who presents an access token has no
    /// cookie: a handle is bound to nothing.
    ///
    /// # Errors
    /// `unauthorized_client`, when there is no first-party app of this id.
    pub async fn asking(&self, web: &Web, client_id: Option<&str>) -> Result<Asking, Problem> {
        let client = match client_id {
            Some(id) => Some(first_party::client(&web.provider, id).await.map_err(refused)?.id.clone()),
            None => self.token.as_ref().map(|token| token.client.id.clone()),
        };
        let person = self.token.as_ref().and_then(|token| token.person.as_ref());
        let given = person.map(|(_, grant)| Here { session: grant.session, grant: Some(grant.id) });
        let asking = self.visitor.asking();
        Ok(Asking { client, here: given.or(asking.here), ..asking })
    }

    /// Refuses what another site may have sent: every unsafe method of a caller that is known by cookies.
    fn check_forgery(&self, web: &Web, parts: &Parts) -> Result<(), Problem> {
        let is_by_app = self.token.is_some() && self.carrier == Carrier::Header;
        if is_by_app || parts.method.is_safe() {
            return Ok(());
        }
        let origins = &web.api.origins;
        web.csrf
            .check_origin_or(&parts.headers, &|origin| origins.allows(origin))
            .map_err(|error| Problem::new(Code::CsrfFailed).caused_by(error))?;
        let is_known = self.visitor.browser.session.is_some() || self.token.is_some();
        let brings_cookies = self.visitor.flow.is_some() || is_known;
        if brings_cookies { self.check_csrf_token(web) } else { Ok(()) }
    }

    /// Refuses a request without the token of its browser. For operations that give a browser something by cookie, which a
    /// caller without any cookie must not get: sign-in itself.
    ///
    /// # Errors
    /// `csrf_failed`.
    pub fn check_csrf_token(&self, web: &Web) -> Result<(), Problem> {
        let stated = self.visitor.headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        let expected = self.bound_to(web).map(|flow| web.csrf.token(&flow, PURPOSE));
        match expected {
            Some(expected) if bool::from(expected.as_bytes().ct_eq(stated)) => Ok(()),
            Some(_) => Err(Problem::new(Code::CsrfFailed).hint("X-CSRF-Token is not that of this session")),
            None => Err(Problem::new(Code::CsrfFailed).hint("no cookie; ask GET /api/v1/session first")),
        }
    }

    /// The token that requests of this browser must carry from now on, and the cookie that it may have to be bound to.
    pub fn csrf_token(&self, web: &Web) -> (String, Option<HeaderValue>) {
        let (bound_to, cookie) =
            self.bound_to(web).map_or_else(|| web.flow(&self.visitor), |bound_to| (bound_to, None));
        (web.csrf.token(&bound_to, PURPOSE), cookie)
    }

    /// What the token is bound to: the session, else the flow cookie that precedes it.
    fn bound_to(&self, web: &Web) -> Option<FlowCookie> {
        match &self.visitor.browser.session {
            Some(_) => web.cookies.session(&self.visitor.headers).map(|cookie| FlowCookie(cookie.0)),
            None => self.visitor.flow.clone(),
        }
    }
}

/// The token for a cookie that is set with this very answer.
pub fn csrf_token_of(web: &Web, cookie: &Secret) -> String {
    web.csrf.token(&FlowCookie(cookie.clone()), PURPOSE)
}

/// The access token that was presented, if it is good.
pub(super) async fn presented(web: &Web, headers: &HeaderMap) -> Result<Option<LiveAccessToken>, Problem> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let refuse = |hint: &'static str| Problem::new(Code::TokenInvalid).hint(hint);
    let token = match read(headers, Endpoint::Resource(&web.api.token_schemes)) {
        Ok(Some(Authorization::Bearer(token))) => token,
        Ok(_) => return Err(refuse("the API takes bearer tokens")),
        Err(error) => return Err(Problem::new(Code::TokenInvalid).caused_by(error)),
    };
    let live = inspect(&web.provider, token.expose()).await?;
    let live = live.ok_or_else(|| refuse("the token is unknown, revoked or over"))?;
    match live.first_missing() {
        Some(name) => {
            Err(Problem::new(Code::MissingClaims).hint(format!("every token of its client has the claim {name}")))
        }
        None => Ok(Some(live)),
    }
}

/// The access token in a browser's cookie, if it is good and its app keeps its tokens there. One that is not is no caller: it does not
/// stand in the way of the refresh that replaces it.
pub(super) async fn in_cookie(web: &Web, headers: &HeaderMap) -> Result<Option<LiveAccessToken>, Fault> {
    let Some(token) = web.token_cookies.access(headers) else { return Ok(None) };
    let live = inspect(&web.provider, token.expose()).await?;
    Ok(live.filter(|live| live.client.has_token_cookies() && live.first_missing().is_none()))
}

impl FromRequestParts<Web> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let guest = Self::of(parts, web).await?;
        guest.check_forgery(web, parts)?;
        Ok(guest)
    }
}

impl FromRequestParts<Web> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let guest = Guest::of(parts, web).await?;
        let (user, by) = match (&guest.token, &guest.visitor.browser.session) {
            (Some(token), _) => {
                let token = token.clone();
                let user = own_token(web, &token)?;
                (user, Means::Token(Box::new(token)))
            }
            (None, Some(session)) => {
                let session = Arc::clone(session);
                let user = web.provider.edges.store.user(session.authentication.user).await?;
                (user.ok_or_else(|| Problem::new(Code::SignInRequired))?, Means::Session(session))
            }
            (None, None) => return Err(Problem::new(Code::SignInRequired)),
        };
        guest.check_forgery(web, parts)?;
        Ok(Self { guest, user, by })
    }
}

/// The person behind a token that may act for them here: given to a first-party app, for this server.
///
/// *Why only those:* a token of any other app says what the person lets that app see; it must not change their password.
fn own_token(web: &Web, token: &LiveAccessToken) -> Result<Arc<User>, Problem> {
    let forbidden = |hint: &'static str| Problem::new(Code::Forbidden).hint(hint);
    let Some((user, _)) = &token.person else { return Err(forbidden("the token is a client's own")) };
    if !token.client.policy.first_party {
        return Err(forbidden("the token was given to an app that is not first-party"));
    }
    let is_for_us = token.token.audience.iter().any(|audience| audience == web.provider.issuer.as_str());
    if is_for_us { Ok(Arc::clone(user)) } else { Err(forbidden("the token is for another resource server")) }
}

impl Person {
    /// The session they act in; for a token the one it was given in.
    pub fn session_id(&self) -> Option<SessionId> {
        match &self.by {
            Means::Session(session) => Some(session.id),
            Means::Token(token) => token.person.as_ref().map(|(_, grant)| grant.session),
        }
    }

    /// When and how they proved who they are.
    pub fn authentication(&self) -> Option<&Authentication> {
        match &self.by {
            Means::Session(session) => Some(&session.authentication),
            Means::Token(token) => token.person.as_ref().map(|(_, grant)| &grant.details.authentication),
        }
    }
}
