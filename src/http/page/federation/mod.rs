//! `/federation/{slug}`: signing in at another server, there and back, and hearing of who left it; `/federation/connect`: connecting what
//! came from there.
//!
//! OIDC Core §3.1.2, RFC 9207, RFC 9700 §4.4 and §4.7; S-059, S-063, S-067. What was begun waits in the ephemeral store under the hash of
//! `state`, is good once, and for the browser that carries the same flow cookie. What a provider says is told to the log alone.
//!
//! *Why a form that a provider sends (Apple) is put aside:* it comes from another site, and brings no `SameSite=Lax` cookie. The same is
//! asked again as a `GET` of the whole window, under a handle that is good once: so the code stands in no URL, and no cookie has to be
//! `SameSite=None`.

mod arrival;
pub mod connect;
pub mod left;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::HeaderValue;
use serde::{Deserialize, Serialize};

pub use self::arrival::{arrive, connected, put_aside};
use crate::edge::ephemeral::Namespace;
use crate::edge::template::context;
use crate::edge::upstream::{Beginning, UpstreamError};
use crate::http::error::{Back, PageError};
use crate::http::extract::params::{Query, Segment};
use crate::http::extract::visitor::Visitor;
use crate::http::page::{Place, fault_page, find};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::event::{Actor, EventName};
use crate::model::fault::Fault;
use crate::model::id::{ProviderId, SessionId, UserId};
use crate::model::identifier::Email;
use crate::model::identity_provider::IdentityProvider;
use crate::oauth::interaction::Open;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long a person may take at a provider.
const LIFETIME: Duration = Duration::from_mins(15);
/// The route by which people leave.
const START: &str = "/federation/{slug}/start";
/// What was begun, by the hash of `state`.
const JOURNEY: Namespace<Journey> = Namespace::new("federation_journey");

/// A sign-in at a provider that was begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Journey {
    version: u8,
    /// Hash of the browser's flow cookie.
    browser: TokenHash,
    provider: ProviderId,
    slug: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    intent: Intent,
    /// When it was begun; `None` in what the previous release wrote.
    #[serde(default)]
    begun_at: Option<NumericDate>,
}

impl Journey {
    const VERSION: u8 = 1;
}

/// What it is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Intent {
    /// To sign in, for the request that waits, or to a page of ours.
    SignIn {
        /// The request that waits.
        flow: Option<String>,
        /// Its client.
        client_id: Option<String>,
        /// The page of ours, without a slash in front.
        to: Option<String>,
        /// Where it began.
        #[serde(default)]
        from: Origin,
        /// Who proves again that they are themselves, if it is for that (S-098).
        #[serde(default)]
        again: Option<UserId>,
    },
    /// To connect an identity with the account of who is signed in.
    Connect {
        /// Who.
        user: UserId,
        /// Where.
        session: SessionId,
    },
}

/// Where a sign-in elsewhere began.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// On a page of ours.
    #[default]
    Page,
    /// On a page of an app's own (S-060, S-067).
    App,
}

/// Whether whoever comes back from a provider must have been asked there anew.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Asks {
    /// They must: who is signed in proves themselves again (S-098), or the app wants a new sign-in (OIDC Core §3.1.2.1: `prompt=login`,
    /// `max_age`). Only what the provider says of when it asked them counts.
    Anew,
    /// A session there is enough.
    AtMostOnce,
}

impl Asks {
    /// For `request`, where one waits.
    pub fn of(request: Option<&AuthorizationRequest>) -> Self {
        let is_new = request.is_some_and(|request| request.prompt.login || request.max_age.is_some());
        if is_new { Self::Anew } else { Self::AtMostOnce }
    }

    /// Whether `provider` can show that it did.
    pub fn fits(self, provider: &IdentityProvider) -> bool {
        self == Self::AtMostOnce || provider.kind.tells_when_proven()
    }
}

/// Where people land who began on a page of an app's own.
#[derive(Clone, Debug, Default)]
pub struct Landings {
    /// After a sign-in.
    pub success: Option<String>,
    /// After none; `code` is added to its query.
    pub error: Option<String>,
}

/// What says in the query of a start that it began on a page of an app's own.
pub const FROM_APP: (&str, &str) = ("from", "app");
/// What says in the query of a start that somebody who is signed in proves themselves again.
pub const AGAIN: (&str, &str) = ("again", "yes");
/// Where a sign-in leads that began there.
pub const DONE: &str = "federation/done";

impl Intent {
    /// Whether it wants the person asked anew; `open` is the request that waits.
    fn asks(&self, open: Option<&Open>) -> Asks {
        match self {
            Self::SignIn { again: Some(_), .. } => Asks::Anew,
            Self::SignIn { .. } => Asks::of(open.map(|open| &open.interaction.request)),
            Self::Connect { .. } => Asks::AtMostOnce,
        }
    }

    /// Where an app of its own hears that nothing came of it, and why: a word of the catalogue, and no other.
    fn landing(&self, web: &Web, code: &str) -> Option<Response> {
        let Self::SignIn { from: Origin::App, flow: None, .. } = self else { return None };
        let mut url = url::Url::parse(web.landings.error.as_deref()?).ok()?;
        url.query_pairs_mut().append_pair("code", code);
        Some(redirect(url.as_str()))
    }

    /// Where a person goes on who comes back with nothing.
    fn back(&self, web: &Web) -> String {
        match self {
            Self::SignIn { flow, client_id, to, .. } => {
                let place = Place { flow: flow.clone(), client_id: client_id.clone() };
                let to: Vec<(&str, &str)> = to.as_deref().map(|to| ("to", to)).into_iter().collect();
                place.path_with(web, "/sign-in", &to)
            }
            Self::Connect { .. } => web.path("/account/identities", &[]),
        }
    }
}

/// `GET /federation/{slug}/start`
pub async fn start(State(web): State<Web>, visitor: Visitor, Segment(slug): Segment, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match place.flow {
        None => None,
        Some(_) => match find(&web, &visitor, &place).await {
            Ok(open) => Some(open),
            Err(response) => return *response,
        },
    };
    let provider = match offered(&web, &slug).await {
        Ok(Some(provider)) => provider,
        Ok(None) => return unknown(&web, &visitor),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (name, value) = FROM_APP;
    let from = if query.get(name) == Some(value) { Origin::App } else { Origin::Page };
    let own = visitor.browser.session.as_ref().filter(|_| query.get(AGAIN.0) == Some(AGAIN.1));
    let again = own.map(|session| session.authentication.user);
    let to = query.get("to").map(str::to_owned);
    let intent = Intent::SignIn { flow: place.flow, client_id: place.client_id, to, from, again };
    depart(&web, &visitor, &provider, (intent, open.as_ref(), None)).await
}

/// Sends a person to `provider`; `login` is what they typed here.
pub async fn depart(
    web: &Web,
    visitor: &Visitor,
    provider: &IdentityProvider,
    (intent, open, login): (Intent, Option<&Open>, Option<&str>),
) -> Response {
    match departure(web, visitor, provider, (intent.clone(), open, login)).await {
        Ok(departed) => with_cookies(redirect(&departed.url), departed.cookie),
        Err(Stranded::Provider(error)) => failed(web, visitor, (provider, &error), &intent),
        Err(Stranded::Fault(fault)) => fault_page(web, visitor, fault),
    }
}

/// Where a person goes who signs in at a provider, and the cookie that what comes back is bound to.
#[derive(Clone, Debug)]
pub struct Departed {
    /// The URL there.
    pub url: String,
    /// The flow cookie, where the browser had none.
    pub cookie: Option<HeaderValue>,
}

/// Why nobody goes there.
#[derive(Clone, Debug)]
pub enum Stranded {
    /// The provider.
    Provider(UpstreamError),
    /// Us.
    Fault(Fault),
}

/// Writes down that a person goes to `provider`.
///
/// # Errors
/// That the provider is not set up or does not answer, or a fault of the ephemeral store.
pub async fn departure(
    web: &Web,
    visitor: &Visitor,
    provider: &IdentityProvider,
    (intent, open, login): (Intent, Option<&Open>, Option<&str>),
) -> Result<Departed, Stranded> {
    let asks = intent.asks(open);
    if !asks.fits(provider) {
        return Err(Stranded::Provider(UpstreamError::Unsupported("it does not say when it asked the person")));
    }
    let (flow, cookie) = web.flow(visitor);
    let random = &*web.provider.edges.random;
    let (state, nonce, verifier): (Secret, Secret, Secret) = (random.token(), random.token(), random.token());
    let request = open.map(|open| &open.interaction.request);
    let beginning = Beginning {
        redirect_uri: callback(web, provider),
        state: state.clone(),
        nonce: nonce.clone(),
        verifier: verifier.clone(),
        login_hint: login
            .or_else(|| request.and_then(|request| request.login_hint.as_deref()))
            .filter(|hint| hint.contains('@'))
            .map(str::to_owned),
        // A sign-in that must be new has to be new there, too (OIDC Core §3.1.2.1).
        prompt: match request {
            _ if asks == Asks::Anew => Some("login"),
            Some(request) if request.prompt.select_account => Some("select_account"),
            _ => None,
        },
    };
    let url = web.upstreams.begin(provider, &beginning).await.map_err(Stranded::Provider)?;
    let journey = Journey {
        version: Journey::VERSION,
        browser: TokenHash::of(flow.0.expose()),
        provider: provider.id,
        slug: provider.slug.to_string(),
        nonce: nonce.expose().clone(),
        verifier: verifier.expose().clone(),
        redirect_uri: beginning.redirect_uri,
        intent,
        begun_at: Some(web.provider.now()),
    };
    let key = TokenHash::of(state.expose());
    let until = web.provider.now().plus(LIFETIME);
    JOURNEY.put(&*web.provider.edges.ephemeral, key.as_bytes(), &journey, until).await.map_err(Stranded::Fault)?;
    Ok(Departed { url, cookie })
}

/// The provider called `slug`, if it is offered.
///
/// # Errors
/// A fault of the store.
pub async fn offered(web: &Web, slug: &str) -> Result<Option<std::sync::Arc<IdentityProvider>>, Fault> {
    let provider = web.provider.edges.store.identity_provider(slug).await?;
    Ok(provider.filter(|provider| is_open(web, provider)))
}

/// Whether people sign in at `provider`: it is enabled, and signing in elsewhere is not switched off (S-181).
pub fn is_open(web: &Web, provider: &IdentityProvider) -> bool {
    provider.is_enabled() && web.has_page(START)
}

/// The provider at which people sign in whose login this is: an address of one of its domains.
///
/// # Errors
/// A fault of the store.
pub async fn home_of(web: &Web, login: &str) -> Result<Option<std::sync::Arc<IdentityProvider>>, Fault> {
    let Some(email) = Email::parse(login.trim()) else { return Ok(None) };
    let providers = web.provider.edges.store.identity_providers().await?;
    let is_open = |provider: &&std::sync::Arc<IdentityProvider>| {
        is_open(web, provider) && provider.is_home_of(&email) && web.upstreams.is_set_up(provider).is_ok()
    };
    Ok(providers.iter().find(is_open).cloned())
}

/// Where people come back from `provider`.
pub fn callback(web: &Web, provider: &IdentityProvider) -> String {
    let own = || web.provider.issuer.at(&format!("/federation/{}/callback", provider.slug));
    provider.settings.callback_url.clone().unwrap_or_else(own)
}

/// Where `provider` tells us who left it (OpenID Connect Back-Channel Logout §2.2).
pub fn logout_uri(web: &Web, provider: &IdentityProvider) -> String {
    web.provider.issuer.at(&format!("/federation/{}/backchannel-logout", provider.slug))
}

/// The buttons of the sign-in page: every provider that is offered and set up, and does what the request wants that `asks`.
///
/// # Errors
/// A fault of the store.
pub async fn buttons(
    web: &Web,
    visitor: &Visitor,
    (place, more): (&Place, &[(&str, &str)]),
    asks: Asks,
) -> Result<Vec<context::ProviderButton>, Fault> {
    let last = web.cookies.provider(&visitor.headers);
    let providers = web.provider.edges.store.identity_providers().await?;
    let is_shown = |provider: &&std::sync::Arc<IdentityProvider>| {
        is_open(web, provider) && asks.fits(provider) && web.upstreams.is_set_up(provider).is_ok()
    };
    let shown = providers.iter().filter(is_shown);
    let button = |provider: &std::sync::Arc<IdentityProvider>| context::ProviderButton {
        slug: provider.slug.to_string(),
        label: provider.label().to_owned(),
        url: place.path_with(web, &format!("/federation/{}/start", provider.slug), more),
        logo_uri: provider.settings.logo_uri.clone(),
        last_used: last.as_deref() == Some(provider.slug.as_str()),
    };
    Ok(shown.map(button).collect())
}

/// The buttons of providers by which a person proves again who they are: those that their account is connected to, and that say when they
/// asked.
///
/// # Errors
/// A fault of the store.
pub async fn buttons_of(web: &Web, user: UserId, to: &str) -> Result<Vec<context::ProviderButton>, Fault> {
    let store = &web.provider.edges.store;
    let (links, providers) = (store.upstream_links(user).await?, store.identity_providers().await?);
    let is_theirs = |provider: &&std::sync::Arc<IdentityProvider>| {
        is_open(web, provider)
            && Asks::Anew.fits(provider)
            && web.upstreams.is_set_up(provider).is_ok()
            && links.iter().any(|link| link.provider == provider.id)
    };
    let button = |provider: &std::sync::Arc<IdentityProvider>| context::ProviderButton {
        slug: provider.slug.to_string(),
        label: provider.label().to_owned(),
        url: web.path(&format!("/federation/{}/start", provider.slug), &[AGAIN, ("to", to)]),
        logo_uri: provider.settings.logo_uri.clone(),
        last_used: false,
    };
    Ok(providers.iter().filter(is_theirs).map(button).collect())
}

/// The same page for every reason that is a provider's; what it was is told to the log.
fn failed(
    web: &Web,
    visitor: &Visitor,
    (provider, error): (&IdentityProvider, &UpstreamError),
    intent: &Intent,
) -> Response {
    note_refusal(web, visitor, provider.slug.as_str(), error.as_str());
    tracing::warn!(provider = provider.slug.as_str(), error = %error, "nobody came of a sign-in elsewhere");
    if let Some(landing) = intent.landing(web, "federation_failed") {
        return landing;
    }
    let status = match error {
        UpstreamError::Unreachable(_) | UpstreamError::Resting | UpstreamError::Misconfigured(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        UpstreamError::Refused(_) | UpstreamError::Untrue(_) | UpstreamError::Unsupported(_) => StatusCode::BAD_REQUEST,
    };
    let page = PageError::new("federation_failed", status).hint(error.as_str()).caused_by(error.clone());
    web.refuse(visitor, &page.back(Back { uri: intent.back(web), client_name: None }))
}

/// Writes down that nobody came of a sign-in at a provider.
pub fn note_refusal(web: &Web, visitor: &Visitor, slug: &str, reason: &str) {
    let event = web.provider.edges.event(EventName::SignIn).by(Actor::Anonymous).failed();
    let event = event.from(visitor.browser.provenance.clone());
    let event = event.telling("method", crate::authn::upstream::NAME).telling("provider", slug);
    web.provider.edges.store.note_event(event.telling("reason", reason));
}

/// `GET /federation/done`: back at the app's own page that a sign-in began on.
pub async fn done(State(web): State<Web>) -> Response {
    match &web.landings.success {
        Some(url) => redirect(url),
        None => redirect(&web.path("/account", &[])),
    }
}

/// There is no such provider, or it is not offered.
fn unknown(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("provider_not_found", StatusCode::NOT_FOUND))
}
