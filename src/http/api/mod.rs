//! The account API: JSON for first-party apps, below `/api/v1`.
//!
//! RFC 9457 (refusals), OpenAPI 3.1. `operation` is one operation as a value, and [`operations`] the list from which routes, `Allow`,
//! the index and the OpenAPI document are made; a group that is switched off (`[endpoints]`) is in none of them. `caller` says
//! who calls, and that no other site sent the request; `recent` that a person proved who they are a short while ago, for what is
//! sensitive: its `RecentPerson` stands in place of `Person`. `body` reads JSON and tells every mistake at once; `code` is the
//! catalogue of refusals, `problem` one of them; `manners` is the layer that writes it down and adds CORS and headers; `paging`
//! cuts lists. `delivery` is what a completed sign-in gives, `preference` how a request wants it.
//!
//! To add an operation: a file named for its noun with the struct of its body, a handler, and a line in the list of its
//! `operations`, which stands in the list below. That is all of a small one:
//!
//! ```ignore
//! pub(super) fn operations() -> Vec<Operation> {
//!     vec![
//!         post(("/me/email-changes", Group::Me), "Change the e-mail address", begin)
//!             .by_person()                                             // the handler takes `Person`; else `Guest`
//!             .takes::<BeginEmailChange>()                             // the handler takes `Json<BeginEmailChange>`
//!             .gives::<EmailChange>(StatusCode::ACCEPTED, "A message was sent.") // #[derive(Serialize, ToSchema)]
//!             .refuses(&[Code::InvalidEmail, Code::CodeRecentlySent]), // every code of its own; tests hold it to that
//!     ]
//! }
//!
//! body! {
//!     /// The address that shall be.
//!     pub struct BeginEmailChange {
//!         /// The address.
//!         email: String,          // missing: `required`, empty: `blank`, a number: `wrong_type`, all at once, always 422
//!         /// The password.
//!         password: Option<Secret>, // may be left out; `Patch<T>` tells `null` from left out; `choices!` for words
//!     }
//! }
//!
//! async fn begin(State(web): State<Web>, person: Person, Json(body): Json<BeginEmailChange>) -> Result<Response, Problem> {
//!     let Some(email) = Email::parse(&body.email) else { return Err(Problem::field("email", Code::InvalidEmail)) };
//!     let change = web.accounts.begin_email_change(&person.user, email, &person.guest.provenance).await?; // Fault → 503/500
//!     Ok(answer(StatusCode::ACCEPTED, &EmailChange::from(change)))
//! }
//! ```

pub mod admin;
pub mod answer;
pub mod app;
mod applications;
mod authenticators;
mod avatar;
pub mod body;
pub mod caller;
pub mod code;
mod contact;
mod delivery;
mod device;
pub mod event_types;
pub mod federation;
mod grants;
mod history;
mod index;
mod invitations;
mod manners;
mod me;
mod mfa;
mod openapi;
pub mod operation;
mod options;
pub mod origin;
pub mod paging;
mod password;
pub mod patch;
mod preference;
pub mod problem;
mod qr;
mod reauth;
pub mod recent;
mod recovery;
mod registration;
mod remembered;
mod session;
mod sessions;
mod sign_in;
mod token;
pub mod user;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any};
use bytes::Bytes;
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};

use self::code::Code;
use self::index::{Index, Link};
use self::operation::{Operation, SwitchedOff};
use self::origin::AllowedOrigins;
use self::problem::Problem;
use crate::http::web::Web;
use crate::http::{captcha, rate_limit};

/// Where the API begins, below the issuer.
pub const BASE: &str = "/api/v1";

/// Every operation, whether it is switched on or not.
fn operations() -> Vec<Operation> {
    let every: [fn() -> Vec<Operation>; 25] = [
        index::operations,
        event_types::operations,
        session::operations,
        options::operations,
        sign_in::operations,
        qr::operations,
        device::operations,
        token::operations,
        password::operations,
        sessions::operations,
        history::operations,
        grants::operations,
        reauth::operations,
        registration::operations,
        invitations::operations,
        recovery::operations,
        me::operations,
        avatar::operations,
        contact::operations,
        authenticators::operations,
        mfa::operations,
        remembered::operations,
        federation::operations,
        applications::operations,
        admin::operations,
    ];
    every.iter().flat_map(|operations| operations()).map(guarded).collect()
}

/// With what the layers before its handler refuse.
fn guarded(operation: Operation) -> Operation {
    if operation.method.is_safe() {
        return operation;
    }
    let path = format!("{BASE}{}", operation.path);
    let limited: &[Code] = match rate_limit::rules(&path) {
        [] => &[],
        _ => &[Code::RateLimited, Code::TooManyAttempts],
    };
    let operation = operation.refuses(limited);
    match captcha::place(&path) {
        None => operation,
        Some(_) => operation.asks_for_captcha(),
    }
}

/// True for a path of the API.
pub fn is_below(web: &Web, path: &str) -> bool {
    let below = path.strip_prefix(web.provider.issuer.path()).and_then(|path| path.strip_prefix(BASE));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How the operator wants the API.
#[derive(Clone, Debug, Default)]
pub struct ApiSettings {
    /// Whose scripts may call it with cookies.
    pub origins: AllowedOrigins,
    /// What is not there.
    pub off: SwitchedOff,
    /// Words that may stand before an access token, beside `Bearer` (S-080).
    pub token_schemes: Vec<String>,
}

/// The names of the cookies by which a caller is known.
#[derive(Clone, Debug)]
pub struct CookieNames {
    /// The session.
    pub session: String,
    /// The access token of an app.
    pub access: String,
    /// Its refresh token.
    pub refresh: String,
}

/// What the API knows of itself.
pub struct Api {
    pub(super) origins: AllowedOrigins,
    pub(super) off: SwitchedOff,
    pub(super) token_schemes: Vec<String>,
    index: Index,
    cookies: CookieNames,
    openapi: OnceLock<Bytes>,
}

impl Api {
    /// The API of the server at `issuer`, whose cookies have these names.
    pub fn new(settings: ApiSettings, issuer: &str, cookies: CookieNames) -> Self {
        let ApiSettings { origins, off, token_schemes } = settings;
        let operations = enabled(&off);
        let at = |path: &str| format!("{issuer}{BASE}{path}");
        let link = |operation: &Operation| Link {
            method: operation.method.to_string(),
            href: at(operation.path),
            summary: operation.summary.to_owned(),
        };
        let index = Index {
            issuer: issuer.to_owned(),
            openapi: at("/openapi.json"),
            errors: at("/errors"),
            operations: operations.iter().map(link).collect(),
        };
        Self { origins, off, token_schemes, index, cookies, openapi: OnceLock::new() }
    }

    /// The OpenAPI document. *Why it is made when it is first asked for:* most servers never are, and its making takes more time and
    /// memory than the rest of the start.
    fn openapi(&self) -> Bytes {
        let make = || openapi::document(&enabled(&self.off), &self.off, &self.index.issuer, &self.cookies);
        self.openapi.get_or_init(|| make().to_json().expect("strings and lists").into()).clone()
    }

    /// What is switched off.
    pub const fn off(&self) -> &SwitchedOff {
        &self.off
    }
}

fn enabled(off: &SwitchedOff) -> Vec<Operation> {
    operations().into_iter().filter(|operation| off.allows(operation.group)).collect()
}

/// The routes.
pub fn router(web: &Web) -> Router<Web> {
    let (there, off): (Vec<_>, Vec<_>) = operations().into_iter().partition(|one| web.api.off.allows(one.group));
    let mut paths: BTreeMap<&str, (MethodRouter<Web>, Vec<Method>)> = BTreeMap::new();
    for operation in there {
        let (route, methods) = paths.entry(operation.path).or_default();
        *route = std::mem::take(route).merge(operation.route);
        methods.push(operation.method);
    }
    let mut router = Router::new();
    for (path, (route, methods)) in paths {
        let allow = allow(&methods);
        let gone: Vec<Method> = off.iter().filter(|one| one.path == path).map(|one| one.method.clone()).collect();
        // A method that is switched off is not there (404); one that never was is not allowed (405).
        let refuse = async move |method: Method| {
            let code = if gone.contains(&method) { Code::NotFound } else { Code::MethodNotAllowed };
            Problem::new(code).into_response()
        };
        let route = route.options(async move || options(allow)).fallback(refuse);
        router = router.route(&format!("{BASE}{path}"), route);
    }
    router
        .route(&format!("{BASE}/{{*rest}}"), any(async || Problem::new(Code::NotFound).into_response()))
        .layer(from_fn_with_state(web.clone(), captcha::ask))
        .layer(from_fn_with_state(web.clone(), rate_limit::limit))
        .layer(from_fn_with_state(web.clone(), manners::manners))
}

/// `Allow` for these methods.
fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if methods.contains(&Method::GET) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    HeaderValue::from_str(&names.join(", ")).expect("methods are tokens")
}

/// `OPTIONS` (S-178): what may be done here, told to everybody; `manners` adds CORS.
fn options(allow: HeaderValue) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(ALLOW, allow);
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::operation::Group;
    use super::*;

    #[test]
    fn each_operation_stands_once_and_says_what_it_gives() {
        let mut seen = BTreeSet::new();
        for operation in operations() {
            let name = format!("{} {}", operation.method, operation.path);
            assert!(!operation.gives.is_empty(), "{name} gives nothing");
            assert!(!operation.path.ends_with('/') && !operation.summary.is_empty(), "{name}");
            assert!(seen.insert(name.clone()), "{name} stands twice");
        }
    }

    #[test]
    fn what_is_switched_off_is_not_there() {
        for group in Group::ALL.iter().filter(|group| **group != Group::Core) {
            let off: SwitchedOff = [*group].into_iter().collect();
            assert!(enabled(&off).iter().all(|operation| operation.group != *group));
        }
        let off: SwitchedOff = [Group::Core].into_iter().collect();
        assert!(enabled(&off).iter().any(|operation| operation.group == Group::Core), "the API always tells of itself");
    }
}
