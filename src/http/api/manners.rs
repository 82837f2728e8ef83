//! What every answer of the API has: a refusal written down, the headers of an answer that nobody keeps or frames, CORS.
//!
//! RFC 9457, RFC 6750 §3, Fetch §3.3 (CORS protocol with credentials, S-169), S-172.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    ACCEPT_LANGUAGE, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE, X_FRAME_OPTIONS,
};
use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::edge::template::Language;
use crate::http::api::code::Code;
use crate::http::api::problem::{FieldError, Problem};
use crate::http::cors::stated_origin;
use crate::http::error::{Refusal, json};
use crate::http::extract::params;
use crate::http::rate_limit;
use crate::http::trace::TraceId;
use crate::http::web::Web;
use crate::protocol::bearer::challenge;
use crate::protocol::error::OAuthError;

/// Headers that scripts of other origins may send.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, DPoP, If-None-Match, Prefer, X-CSRF-Token";
/// Headers that they may read.
const EXPOSED_HEADERS: &str =
    "ETag, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/// The layer around every route of the API.
pub(super) async fn manners(State(web): State<Web>, id: TraceId, request: Request, next: Next) -> Response {
    let language = language(&web, &request);
    let origin = stated_origin(request.headers()).filter(|origin| web.api.origins.allows(origin)).map(str::to_owned);
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        response = written(&web, (id, &language), &problem, &response);
    }
    protect(response.headers_mut());
    share(response.headers_mut(), origin.as_deref(), is_preflight);
    response
}

/// The language of titles: `ui_locales` before `Accept-Language` (S-175).
pub(super) fn language(web: &Web, request: &Request) -> Language {
    let query = params::query(request.uri()).ok();
    let wished = query.as_ref().and_then(|query| query.get("ui_locales")).unwrap_or_default();
    let wished: Vec<String> = wished.split(' ').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    let accepted = request.headers().get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    web.pages.templates().negotiate(&wished, accepted)
}

#[derive(Serialize)]
struct Written<'a> {
    r#type: String,
    title: String,
    status: u16,
    code: Code,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

/// The answer of a refusal; it keeps the headers of `before`, such as `Allow` and `Set-Cookie`.
fn written(web: &Web, (id, language): (TraceId, &Language), problem: &Problem, before: &Response) -> Response {
    let code = problem.code;
    let title = title(web, language, code);
    let body = Written {
        r#type: type_of(web, code),
        title: title.clone(),
        status: problem.status.as_u16(),
        code,
        errors: &problem.errors,
        request_id: id.to_string(),
        retry_after: problem.retry_after,
        members: problem.own.as_ref().map(|own| &own.members),
    };
    let mut response = json(&body, "application/problem+json");
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    for (name, value) in before.headers() {
        if name != http::header::CONTENT_LENGTH && name != http::header::CONTENT_TYPE {
            headers.append(name, value.clone());
        }
    }
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(exceeded) = problem.own.as_ref().and_then(|own| own.exceeded) {
        rate_limit::tell(exceeded, headers);
    }
    if let Ok(tag) = HeaderValue::from_str(language.tag()) {
        headers.insert(CONTENT_LANGUAGE, tag);
    }
    let challenged = problem.own.as_ref().and_then(|own| own.challenge.as_deref());
    if let Some(value) = challenged.and_then(|challenge| HeaderValue::from_str(challenge).ok()) {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    if problem.status == StatusCode::UNAUTHORIZED && !headers.contains_key(WWW_AUTHENTICATE) {
        // RFC 9110 §15.5.2: a 401 names a scheme; RFC 6750 §3.1: an error only where a token came.
        let error = (code == Code::TokenInvalid || code == Code::MissingClaims)
            .then(|| OAuthError::invalid_token("the access token is not good here"));
        if let Ok(value) = HeaderValue::from_str(&challenge(web.provider.issuer.as_str(), error.as_ref())) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
    }
    response.extensions_mut().insert(Refusal::of_problem(problem, title));
    response
}

/// The URL that explains a code.
pub(super) fn type_of(web: &Web, code: Code) -> String {
    web.provider.issuer.at(&format!("{}/errors#{code}", super::BASE))
}

/// The title of a code.
pub(super) fn title(web: &Web, language: &Language, code: Code) -> String {
    web.pages.templates().text(language, &format!("problem-{code}"))
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.append(VARY, HeaderValue::from_static("Origin, Accept-Language"));
}

/// CORS for an origin of the allow-list, with credentials; nothing for others.
fn share(headers: &mut HeaderMap, origin: Option<&str>, is_preflight: bool) {
    let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(origin).ok()) else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    if is_preflight && let Some(methods) = headers.get(ALLOW).cloned() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}
