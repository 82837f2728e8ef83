//! Where a captcha is asked for, and the pages and apps that are told of it.
//!
//! S-127. A layer takes the answer out of the body (`captcha`; in a form also the field of the provider's widget) before a handler sees
//! it, so that API and pages are asked alike. *Why it is no part of the handlers:* whether somebody is asked depends on where the
//! request comes from and not on what it says. Without JavaScript the built-in one cannot be solved; where it is adaptive, who waits a few
//! minutes after failures is not asked. To have a route ask: a line in [`ROUTES`], and the widget in its page.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue};
use serde_json::Value;

use crate::authn::captcha::{Demand, Provider, Verdict};
use crate::edge::template::context;
use crate::http::api;
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::http::error::{Back, PageError};
use crate::http::extract::body;
use crate::http::extract::visitor::Caller;
use crate::http::trace::TraceId;
use crate::http::web::Web;
use crate::model::fault::Fault;
use crate::protocol::jose::json::parse_object;
use crate::protocol::params::Params;

/// Its name in bodies and forms.
pub const FIELD: &str = "captcha";

/// The captcha as it is set.
#[derive(Clone, Debug)]
pub struct Captcha {
    /// Who judges.
    pub provider: Provider,
    /// At sign-in.
    pub sign_in: Demand,
    /// At registration.
    pub registration: Demand,
    /// Where a new password or a forgotten address is asked for.
    pub recovery: Demand,
}

/// Where one is asked for.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// At sign-in.
    SignIn,
    /// At registration.
    Registration,
    /// Where a new password or a forgotten address is asked for.
    Recovery,
}

/// Routes that ask, below the path of the issuer.
pub const ROUTES: &[(&str, Place)] = &[
    ("/sign-in", Place::SignIn),
    ("/sign-in/email_code", Place::SignIn),
    ("/sign-in/sms_code", Place::SignIn),
    ("/sign-in/magic_link", Place::SignIn),
    ("/api/v1/sign-in", Place::SignIn),
    ("/api/v1/tokens", Place::SignIn),
    ("/oauth2/challenge", Place::SignIn),
    ("/register", Place::Registration),
    ("/api/v1/registrations", Place::Registration),
    ("/recover", Place::Recovery),
    ("/api/v1/password-resets", Place::Recovery),
    ("/recover/email", Place::Recovery),
    ("/api/v1/recovery/emails", Place::Recovery),
];

/// Routes at which a sign-in, a registration or a recovery begins without one, each with its reason.
pub const EXEMPT: &[(&str, &str)] = &[
    ("/sign-in/link", "what its link holds cannot be guessed, and nothing is sent"),
    ("/sign-in/passkey", "a signature cannot be guessed, and nothing is sent"),
    ("/sign-in/qr", "it shows a picture: nothing is typed, and nothing is sent"),
];

impl Captcha {
    /// When it is asked for there.
    pub const fn demand(&self, place: Place) -> Demand {
        match place {
            Place::SignIn => self.sign_in,
            Place::Registration => self.registration,
            Place::Recovery => self.recovery,
        }
    }
}

/// Lets a page load the widget of a service: its content security policy names nobody else.
pub fn admit_widget(web: &Web, response: &mut Response) {
    let Provider::Remote(remote) = &web.captcha.provider else { return };
    let origins = remote.service().origins();
    let headers = response.headers_mut();
    let Some(policy) = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok()) else { return };
    let policy = policy
        .replace("script-src 'self'", &format!("script-src 'self' {origins}"))
        .replace("style-src 'self'", &format!("style-src 'self' {origins}"));
    let policy = format!("{policy}; frame-src {origins}; connect-src 'self' {origins}");
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

impl Web {
    /// What a form shows of the captcha; `None` where none is asked for. A challenge is a new one each time.
    pub fn captcha_widget(&self, place: Place) -> Option<context::Captcha> {
        if self.captcha.demand(place) == Demand::Off {
            return None;
        }
        Some(match &self.captcha.provider {
            Provider::ProofOfWork(work) => {
                let challenge = work.challenge(&self.provider.edges);
                context::Captcha { challenge: serde_json::to_string(&challenge).ok(), ..context::Captcha::default() }
            }
            Provider::Remote(remote) => context::Captcha {
                script: Some(remote.service().script().to_owned()),
                class: Some(remote.service().class().to_owned()),
                site_key: Some(remote.site_key().to_owned()),
                ..context::Captcha::default()
            },
        })
    }
}

/// Where a route asks, by its path below that of the issuer.
pub fn place(path: &str) -> Option<Place> {
    ROUTES.iter().find(|(route, _)| *route == path).map(|(_, place)| *place)
}

/// The layer; it stands where that of `rate_limit` does.
pub async fn ask(State(web): State<Web>, id: TraceId, request: Request, next: Next) -> Response {
    let Some(place) = place_of(&web, &request) else { return next.run(request).await };
    let demand = web.captcha.demand(place);
    let is_api = api::is_below(&web, request.uri().path());
    if demand == Demand::Off {
        let mut request = request;
        request.extensions_mut().insert(Unasked);
        return next.run(request).await;
    }
    let Caller(address) = Caller::of(request.extensions(), request.headers(), &web);
    let (parts, stream) = request.into_parts();
    let refuse = |refused: Refused| refused.answer(&web, (id, is_api), (&parts.headers, &parts.uri));
    let bytes = match body::read(stream).await {
        Ok(bytes) => bytes,
        Err(unreadable) if is_api => return Problem::from(unreadable).into_response(),
        Err(unreadable) => return web.pages.refuse(id, &parts.headers, &unreadable.into()),
    };
    let (answer, rest) = take_answer(&web, &parts.headers, bytes);
    match judged(&web, demand, (answer.as_deref(), &address)).await {
        Ok(()) => {}
        Err(refused) => return refuse(refused),
    }
    let response = next.run(Request::from_parts(parts, Body::from(rest))).await;
    if failed(place, response.status())
        && let Err(fault) = demand.failed(&web.provider.edges, &address).await
    {
        tracing::error!(trace_id = %id, error = &fault as &dyn std::error::Error, "a failure was not counted");
    }
    response
}

/// Nothing is asked for here: an answer in the body, of an app that does not know it, is nobody's.
#[derive(Copy, Clone, Debug)]
pub struct Unasked;

/// Why somebody is asked again.
enum Refused {
    Missing,
    Wrong,
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn judged(web: &Web, demand: Demand, (answer, address): (Option<&str>, &str)) -> Result<(), Refused> {
    let edges = &web.provider.edges;
    if !demand.asks(edges, address).await? {
        return Ok(());
    }
    let Some(answer) = answer.filter(|answer| !answer.is_empty()) else { return Err(Refused::Missing) };
    match web.captcha.provider.judge(edges, answer, address).await? {
        Verdict::Solved => Ok(()),
        Verdict::Invalid => Err(Refused::Wrong),
    }
}

impl Refused {
    fn answer(self, web: &Web, (id, is_api): (TraceId, bool), (headers, uri): (&HeaderMap, &http::Uri)) -> Response {
        let (code, key) = match self {
            Self::Missing => (Code::CaptchaRequired, "captcha_required"),
            Self::Wrong => (Code::CaptchaInvalid, "captcha_invalid"),
            Self::Fault(fault) if is_api => return Problem::from(fault).into_response(),
            Self::Fault(fault) => return web.pages.refuse(id, headers, &fault.into()),
        };
        if is_api {
            return Problem::field(FIELD, code).into_response();
        }
        // Back to a fresh form, which brings a challenge of its own.
        let again = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
        let back = Back { uri: again, client_name: None };
        web.pages.refuse(id, headers, &PageError::new(key, StatusCode::UNPROCESSABLE_ENTITY).back(back))
    }
}

fn place_of(web: &Web, request: &Request) -> Option<Place> {
    if request.method().is_safe() {
        return None;
    }
    let path = request.extensions().get::<MatchedPath>()?;
    place(path.as_str().strip_prefix(web.provider.issuer.path())?)
}

/// Whether an answer counts as a failure of whoever asked. Where answers are the same for everybody each question counts.
fn failed(place: Place, status: StatusCode) -> bool {
    match place {
        Place::SignIn => status == StatusCode::UNAUTHORIZED || status == StatusCode::UNPROCESSABLE_ENTITY,
        Place::Registration | Place::Recovery => !status.is_server_error(),
    }
}

/// The answer in a body, and the body as its handler gets it.
fn take_answer(web: &Web, headers: &HeaderMap, bytes: Bytes) -> (Option<String>, Bytes) {
    if body::has_type(headers, "application/json") {
        // What cannot be read is the handler's to refuse.
        let Ok(mut members) = parse_object(&bytes, "body") else { return (None, bytes) };
        return match members.remove(FIELD) {
            Some(Value::String(answer)) => (Some(answer), serde_json::to_vec(&members).map_or(bytes, Bytes::from)),
            _ => (None, bytes),
        };
    }
    let own = match &web.captcha.provider {
        Provider::Remote(remote) => remote.service().field(),
        Provider::ProofOfWork(_) => FIELD,
    };
    let params = Params::parse(&bytes).unwrap_or_default();
    let answer = params.get(FIELD).or_else(|| params.get(own)).map(str::to_owned);
    (answer, bytes)
}
