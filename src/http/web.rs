//! What every handler holds.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, LOCATION, SET_COOKIE};

use crate::account::password_change::PasswordChange;
use crate::account::step_up::StepUp;
use crate::authn::Method;
use crate::authn::device::Devices;
use crate::authn::flow::SignIn;
use crate::authn::limit::Limits;
use crate::authn::magic_link::MagicLink;
use crate::authn::password::policy::PasswordPolicy;
use crate::authn::policy::SignInPolicy;
use crate::authn::throttle::Throttle;
use crate::edge::template::context::{self, DevelopmentUser};
use crate::edge::upstream::Upstreams;
use crate::http::api::Api;
use crate::http::api::admin::settings::Settings;
use crate::http::captcha::Captcha;
use crate::http::cookie::{Cookies, FlowCookie};
use crate::http::csrf::Csrf;
use crate::http::document::Document;
use crate::http::error::{Back, PageError, note};
use crate::http::extract::visitor::Visitor;
use crate::http::origins::Origins;
use crate::http::page::account::menu::Menus;
use crate::http::page::again::life;
use crate::http::page::federation::Landings;
use crate::http::proxy::Proxies;
use crate::http::refusals::Refusals;
use crate::http::render::Pages;
use crate::http::routes;
use crate::http::token_cookie::TokenCookies;
use crate::model::client::Client;
use crate::model::id::UserId;
use crate::oauth::interaction::sign_in::SignedIn;
use crate::oauth::provider::Provider;
use crate::protocol::authorization_response::AuthorizationResponse;
use crate::protocol::client_metadata::ApplicationType;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// The longest URL that a form is turned into; below what queries are read up to.
const MAX_TARGET: usize = 16 * 1024;

/// The server as its handlers see it. Clones share everything.
#[derive(Clone)]
pub struct Web(Arc<Parts>);

/// The parts of [`Web`].
pub struct Parts {
    /// The protocol.
    pub provider: Arc<Provider>,
    /// How people sign in.
    pub methods: Vec<Box<dyn Method>>,
    /// How long that may take.
    pub sign_in_lifetime: std::time::Duration,
    /// Browsers that are known.
    pub devices: Devices,
    /// Servers elsewhere by which people sign in.
    pub upstreams: Upstreams,
    /// Where people land who began at an app's own page.
    pub landings: Landings,
    /// Links that were asked for.
    pub magic_link: MagicLink,
    /// Whether a code is a way to sign in.
    pub sends_to_anonymous: bool,
    /// Fresh proofs before something sensitive.
    pub step_up: StepUp,
    /// The pages.
    pub pages: Pages,
    /// What the console leads to.
    pub menus: Menus,
    /// The cookies.
    pub cookies: Cookies,
    /// The cookies with tokens of first-party apps.
    pub token_cookies: TokenCookies,
    /// Tokens of forms.
    pub csrf: Csrf,
    /// Discovery, ready to be sent.
    pub discovery: Document,
    /// Our public keys, ready to be sent.
    pub jwks: Document,
    /// Accounts that a development server offers with one click.
    pub development_users: Vec<DevelopmentUser>,
    /// More links on the start page.
    pub start_links: Vec<context::Link>,
    /// Proxies that say who calls.
    pub proxies: Proxies,
    /// What was refused lately.
    pub refusals: Refusals,
    /// Origins of registered clients.
    pub origins: Origins,
    /// The account API.
    pub api: Api,
    /// The settings in force.
    pub settings: Settings,
    /// How often guesses are heard.
    pub throttle: Throttle,
    /// How often something may be asked for.
    pub limits: Limits,
    /// What keeps programs from trying.
    pub captcha: Captcha,
    /// What a new password has to hold.
    pub passwords: PasswordPolicy,
    /// How people change theirs.
    pub password_change: PasswordChange,
}

impl std::ops::Deref for Web {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Web {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The path of one of our own pages, issuer path included; `query` is appended percent-encoded.
    pub fn path(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut target = format!("{}{path}", self.provider.issuer.path());
        if !query.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            target.push('?');
            target.push_str(&query);
        }
        target
    }

    /// Whether there is a page at `path`, as [`routes`] has it: false where it is switched off, so that nothing leads there (S-181).
    pub fn has_page(&self, path: &str) -> bool {
        routes::group(path).is_none_or(|group| self.api.off().allows(group))
    }

    /// The cookie of a session that begins, and the mark by which the browser is known again, where it has none of the person.
    pub fn session_cookies(&self, visitor: &Visitor, signed_in: &SignedIn) -> Vec<HeaderValue> {
        let SignedIn { session, token } = signed_in;
        let person = session.authentication.user;
        let session = self.cookies.set_session(token, life(self, session));
        std::iter::once(session).chain(self.mark(visitor, person)).collect()
    }

    /// The mark by which a browser is known again, where it has none of the person who signed in.
    pub fn mark(&self, visitor: &Visitor, person: UserId) -> Option<HeaderValue> {
        let is_known = self.cookies.device(&visitor.headers).is_some_and(|mark| self.devices.recognises(person, &mark));
        (!is_known).then(|| self.cookies.set_device(&self.devices.mark(person, &*self.provider.edges.random)))
    }

    /// Takes the cookie of a session away that ended with everything of `user`; a session of somebody else stays.
    pub fn clear_session_of(&self, visitor: &Visitor, user: UserId) -> Option<HeaderValue> {
        let session = visitor.browser.session.as_ref();
        session.filter(|session| session.authentication.user == user).map(|_| self.cookies.clear_session())
    }

    /// The browser's flow cookie, or a new one with the header that sets it.
    pub fn flow(&self, visitor: &Visitor) -> (FlowCookie, Option<HeaderValue>) {
        if let Some(flow) = &visitor.flow {
            return (flow.clone(), None);
        }
        let value: Secret = self.provider.edges.random.token();
        let header = self.cookies.set_flow(&value);
        (FlowCookie(value), Some(header))
    }

    /// A form that another site sends brings no `SameSite=Lax` cookie. The same request is asked again as a `GET` of the whole
    /// window, which does; else a signed-in person looks like a stranger, and a new flow cookie voids their other tabs.
    ///
    /// `None` for every other request, and for one that is too long for a URL.
    pub fn ask_with_cookies(
        &self,
        visitor: &Visitor,
        method: &http::Method,
        (path, params): (&str, &Params),
    ) -> Option<Response> {
        let brings_none = visitor.flow.is_none() && self.cookies.session(&visitor.headers).is_none();
        if method != http::Method::POST || !brings_none || !self.csrf.is_foreign(&visitor.headers) {
            return None;
        }
        let query: Vec<(&str, &str)> = params.iter().collect();
        Some(self.path(path, &query)).filter(|target| target.len() <= MAX_TARGET).map(|target| redirect(&target))
    }

    /// The engine of every sign-in.
    pub fn sign_in(&self) -> SignIn<'_> {
        let factors = &self.provider.factors;
        let policy = SignInPolicy { least: factors.policy.least };
        SignIn { edges: &self.provider.edges, methods: &self.methods, policy, factors, lifetime: self.sign_in_lifetime }
    }

    /// The method called `name`.
    pub fn method(&self, name: &str) -> Option<&dyn Method> {
        self.methods.iter().find(|method| method.name() == name).map(Box::as_ref)
    }

    /// Sends an authorization response on its way (RFC 6749 §4.1.2; 303 after a POST, RFC 9700 §4.12).
    pub fn deliver(&self, visitor: &Visitor, answer: AuthorizationResponse) -> Response {
        match answer {
            AuthorizationResponse::Redirect(url) => redirect(&url),
            AuthorizationResponse::FormPost { action, fields } => {
                let fields = fields.into_iter().map(|(name, value)| context::FormField { name, value }).collect();
                let frame = self.pages.frame(visitor.id, &visitor.headers, &[]);
                self.pages.page("page/form_post.html", &frame, &context::FormPost { action, fields })
            }
        }
    }

    /// [`Web::deliver`] for a refusal, which is also logged.
    pub fn deliver_refusal(&self, visitor: &Visitor, answer: AuthorizationResponse, error: &OAuthError) -> Response {
        let mut response = self.deliver(visitor, answer);
        note(&mut response, error);
        response
    }

    /// A page that says what went wrong.
    pub fn refuse(&self, visitor: &Visitor, error: &PageError) -> Response {
        self.pages.error(&self.pages.frame(visitor.id, &visitor.headers, &[]), error)
    }
}

/// `303 See Other`, kept by nobody.
pub fn redirect(target: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    match HeaderValue::from_str(target) {
        Ok(location) => {
            headers.insert(LOCATION, location);
            headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

/// Adds `Set-Cookie` headers to a response.
pub fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// An error that a person sees because no verified redirect URI exists yet.
pub fn page_error(key: &'static str, error: &OAuthError) -> PageError {
    let (key, status) = match error.code() {
        ErrorCode::ServerError => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
        ErrorCode::TemporarilyUnavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        _ => (key, StatusCode::BAD_REQUEST),
    };
    let hint = match error.developer_hint() {
        Some(hint) => format!("{}: {hint}", error.description()),
        None => error.description().to_owned(),
    };
    PageError::new(key, status).hint(hint).caused_by(error.clone())
}

/// The way back to an app: where it begins a login, else its [`home`]. Each is registered, so this is no open redirect.
pub fn way_back(client: &Client, issuer: &str) -> Option<Back> {
    let uri = match &client.metadata.initiate_login_uri {
        Some(uri) => {
            let mut url = url::Url::parse(uri).ok()?;
            url.query_pairs_mut().append_pair("iss", issuer);
            url.into()
        }
        None => home(client)?,
    };
    Some(Back { uri, client_name: Some(client.display_name().to_owned()) })
}

/// Where an app is at home: the page it names, else the root of its first redirect URI on the web. An app that listens on its person's
/// own machine (RFC 8252 §7.3) does so for a moment, so nobody is sent there.
pub fn home(client: &Client) -> Option<String> {
    let metadata = &client.metadata;
    metadata.client_uri.clone().or_else(|| {
        let urls = metadata.redirect_uris.iter().filter_map(|uri| url::Url::parse(uri).ok());
        let is_passing =
            |url: &url::Url| metadata.application_type == ApplicationType::Native && url.scheme() == "http";
        let mut pages = urls.filter(|url| matches!(url.scheme(), "http" | "https") && !is_passing(url));
        pages.next().map(|url| format!("{}/", url.origin().ascii_serialization()))
    })
}

/// The client as pages show it; `redirect_uri` tells where its answer goes.
pub fn shown(client: &Client, redirect_uri: &str) -> context::Client {
    let host = host(redirect_uri).unwrap_or_else(|| redirect_uri.split(':').next().unwrap_or_default().to_owned());
    let metadata = &client.metadata;
    context::Client {
        name: client.display_name().to_owned(),
        host,
        client_uri: metadata.client_uri.clone(),
        logo_uri: metadata.logo_uri.clone(),
        policy_uri: metadata.policy_uri.clone(),
        tos_uri: metadata.tos_uri.clone(),
        self_registered: client.is_self_registered(),
    }
}

/// The host of a URL, with a port that is not the default one: on one machine, ports tell apps apart.
fn host(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// `User-Agent` as it is written down: at most 256 characters, no control characters; empty when there is none.
pub fn user_agent(headers: &HeaderMap) -> String {
    let stated = headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    stated.chars().filter(|letter| !letter.is_control()).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_where_the_answer_goes() {
        for (url, expected) in [
            ("https://app.example/callback", Some("app.example")),
            ("https://app.example:443/callback", Some("app.example")),
            ("http://localhost:8090/callback", Some("localhost:8090")),
            ("http://127.0.0.1:5123/", Some("127.0.0.1:5123")),
            ("com.example.app:/back", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }
}
