//! The faces of a refusal: for a client, for a person; that for a user of the API is `api/problem.rs`.
//!
//! RFC 6749 §5.2, RFC 6750 §3. Each is answered here and logged once, by the trace layer, with the id of its request:
//! a mistake of the caller at info, a fault of ours at error with the whole chain of causes.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use crate::authn::limit::Exceeded;
use crate::http::api::problem::Problem;
use crate::http::rate_limit;
use crate::http::trace::TraceId;
use crate::model::fault::{Fault, FaultKind};
use crate::protocol::error::{ErrorCode, OAuthError};

/// Seconds after which a caller should try again what the server could not do for the moment.
const RETRY_SECONDS: u64 = 2;
/// The most characters of a hint in the log.
const MAX_HINT: usize = 500;

/// A refusal in the answer's extensions, where the trace layer finds it and logs it.
#[derive(Clone, Debug)]
pub struct Refusal {
    code: Cow<'static, str>,
    description: String,
    hint: Option<String>,
    is_ours: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Refusal {
    /// Whether it is a fault of ours.
    pub const fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// What its request's line in the log tells of it: names and values, as far as there are any.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, String)> {
        let hint = beginning(self.hint.as_deref().unwrap_or_default()).to_owned();
        let cause = self.source.as_deref().map(|source| chain(source)).unwrap_or_default();
        let all = [
            ("code", self.code.clone().into_owned()),
            ("description", self.description.clone()),
            ("hint", hint),
            ("cause", cause),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty())
    }

    /// Writes it to the log, once, where requests have no line of their own.
    pub fn log(&self, id: TraceId, route: &str) {
        let (code, description) = (&*self.code, &*self.description);
        let hint = beginning(self.hint.as_deref().unwrap_or_default());
        if self.is_ours {
            let cause = self.source.as_deref().map(|source| chain(source)).unwrap_or_default();
            tracing::error!(trace_id = %id, route, code, description, hint, cause, "a request failed");
        } else {
            let cause = self.source.as_deref().map(|source| chain(source)).unwrap_or_default();
            tracing::info!(trace_id = %id, route, code, description, hint, cause, "a request was refused");
        }
    }
}

/// As much as a line of the log should hold: a hint may repeat what a stranger sent.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(MAX_HINT).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}

/// Every cause, from the outermost on: `record refresh token: database is locked`.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a String does not fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

impl Refusal {
    /// A refusal of the API; `title` is in the caller's language.
    pub(in crate::http) fn of_problem(problem: &Problem, title: String) -> Self {
        Self {
            code: problem.code.as_str().into(),
            description: title,
            hint: problem.hint.as_deref().map(str::to_owned),
            is_ours: problem.status.is_server_error(),
            source: problem.source.clone(),
        }
    }
}

impl From<&OAuthError> for Refusal {
    fn from(error: &OAuthError) -> Self {
        Self {
            code: error.code().as_str().into(),
            description: error.description().to_owned(),
            hint: error.developer_hint().map(str::to_owned),
            is_ours: matches!(error.code(), ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable),
            // The error itself stands for its cause: it is cheap to clone and leads to it.
            source: error.source().is_some().then(|| Arc::new(error.clone()) as Arc<dyn Error + Send + Sync>),
        }
    }
}

/// Notes an error that leaves by a way of its own, such as a redirect to the client, so that it is logged as well.
pub fn note(response: &mut Response, error: &OAuthError) {
    response.extensions_mut().insert(Refusal::from(error));
}

/// An answer of the back channel: JSON as RFC 6749 §5.2 has it.
#[derive(Clone, Debug)]
pub struct OAuthAnswer {
    error: OAuthError,
    status: Option<StatusCode>,
    challenge: Option<HeaderValue>,
    retry_after: Option<u64>,
    exceeded: Option<Exceeded>,
    error_uri: Option<String>,
}

impl OAuthAnswer {
    /// With `error_uri`, the page of `issuer` that explains the code.
    #[must_use]
    pub fn explained_by(mut self, issuer: &str) -> Self {
        self.error_uri = Some(self.error.code().uri(issuer));
        self
    }

    /// With a status other than the code's own: 413 for a body that is too large.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// With the challenge of a protected resource (RFC 6750 §3), as `protocol::bearer` writes it.
    #[must_use]
    pub fn with_challenge(mut self, challenge: &str) -> Self {
        self.challenge = HeaderValue::from_str(challenge).ok();
        self
    }

    /// With the seconds to wait.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// With the rule that allows no more, and the seconds after which it does.
    #[must_use]
    pub fn exceeding(mut self, exceeded: Exceeded) -> Self {
        self.exceeded = Some(exceeded);
        self
    }

    /// The error.
    pub const fn error(&self) -> &OAuthError {
        &self.error
    }
}

impl From<OAuthError> for OAuthAnswer {
    fn from(error: OAuthError) -> Self {
        Self { error, status: None, challenge: None, retry_after: None, exceeded: None, error_uri: None }
    }
}

impl From<Fault> for OAuthAnswer {
    fn from(fault: Fault) -> Self {
        OAuthError::from(fault).into()
    }
}

#[derive(Serialize)]
struct OAuthBody<'a> {
    error: &'a str,
    error_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<&'a str>,
}

impl IntoResponse for OAuthAnswer {
    fn into_response(self) -> Response {
        let code = self.error.code();
        let body = OAuthBody {
            error: code.as_str(),
            error_description: self.error.description(),
            error_uri: self.error_uri.as_deref(),
        };
        let mut response = json(&body, "application/json");
        let status = StatusCode::from_u16(code.status()).expect("codes have valid statuses");
        *response.status_mut() = self.status.unwrap_or(status);
        let retry_after = self.retry_after.or((code == ErrorCode::TemporarilyUnavailable).then_some(RETRY_SECONDS));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(exceeded) = self.exceeded {
            rate_limit::tell(exceeded, response.headers_mut());
        }
        // RFC 9110 §15.5.2: a 401 names a scheme. Basic is the one that RFC 6749 §2.3.1 makes every server know.
        let basic = || HeaderValue::from_static("Basic realm=\"symbolon\"");
        if let Some(challenge) = self.challenge.or_else(|| (code == ErrorCode::InvalidClient).then(basic)) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        note(&mut response, &self.error);
        response
    }
}

/// A JSON answer that nobody keeps (RFC 6749 §5.1).
///
/// # Panics
/// When `body` is a map whose keys are no text: none of our answers is.
pub fn json<T: Serialize>(body: &T, content_type: &'static str) -> Response {
    let bytes = serde_json::to_vec(body).expect("our own answers are maps with text keys");
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a person is told: a page with the texts `error-<key>`, `.cause` and `.cure`.
#[derive(Clone, Debug)]
pub struct PageError {
    key: &'static str,
    status: StatusCode,
    hint: Option<String>,
    back: Option<Back>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The way back to the app.
#[derive(Clone, Debug)]
pub struct Back {
    /// Where it leads.
    pub uri: String,
    /// The app's name.
    pub client_name: Option<String>,
}

impl PageError {
    /// A page error; `key` is the end of a text key `error-…`.
    pub const fn new(key: &'static str, status: StatusCode) -> Self {
        Self { key, status, hint: None, back: None, source: None }
    }

    /// Adds what helps a developer: shown by a development server, and logged.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the one way on.
    #[must_use]
    pub fn back(mut self, back: Back) -> Self {
        self.back = Some(back);
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The end of the text key.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What helps a developer.
    pub fn developer_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The way back.
    pub const fn way_back(&self) -> Option<&Back> {
        self.back.as_ref()
    }
}

impl From<&PageError> for Refusal {
    fn from(error: &PageError) -> Self {
        Self {
            code: error.key.into(),
            description: error.status.canonical_reason().unwrap_or_default().to_owned(),
            hint: error.hint.clone(),
            is_ours: error.status.is_server_error(),
            source: error.source.clone(),
        }
    }
}

impl From<Fault> for PageError {
    fn from(fault: Fault) -> Self {
        match fault.kind() {
            FaultKind::Unavailable => Self::new("unavailable", StatusCode::SERVICE_UNAVAILABLE),
            FaultKind::Internal => Self::new("server_error", StatusCode::INTERNAL_SERVER_ERROR),
        }
        .caused_by(fault)
    }
}

impl From<OAuthError> for PageError {
    /// For requests refused before there is a verified way back to the client.
    fn from(error: OAuthError) -> Self {
        let (key, status) = match error.code() {
            ErrorCode::TemporarilyUnavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
            ErrorCode::ServerError => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
            ErrorCode::InvalidRedirectUri => ("redirect_uri_mismatch", StatusCode::BAD_REQUEST),
            ErrorCode::InvalidClient => ("unknown_client", StatusCode::BAD_REQUEST),
            _ => ("invalid_request", StatusCode::BAD_REQUEST),
        };
        let hint = match error.developer_hint() {
            Some(hint) => format!("{}: {hint}", error.description()),
            None => error.description().to_owned(),
        };
        Self::new(key, status).hint(hint).caused_by(error)
    }
}

/// Whether a caller prefers a page: browsers name `text/html`, clients of an API do not.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(http::header::ACCEPT);
    accepted.iter().filter_map(|accept| accept.to_str().ok()).any(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_in_the_log_is_short() {
        assert_eq!(beginning("ü".repeat(2_000).as_str()), "ü".repeat(MAX_HINT));
        assert_eq!(beginning("ü"), "ü");
    }

    #[test]
    fn codes_become_statuses_and_challenges() {
        for (error, status, challenge) in [
            (OAuthError::invalid_request("x"), 400, None),
            (OAuthError::invalid_client("x"), 401, Some("Basic realm=\"symbolon\"")),
            (OAuthError::invalid_grant("x"), 400, None),
            (Fault::internal("record the grant").into(), 500, None),
            (Fault::unavailable("record the grant").into(), 503, None),
        ] {
            let response = OAuthAnswer::from(error.clone()).into_response();
            let headers = response.headers();
            assert_eq!(response.status().as_u16(), status, "{error}");
            assert_eq!(headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap()), challenge, "{error}");
            assert_eq!(headers[CACHE_CONTROL], "no-store");
            assert_eq!(headers.contains_key(RETRY_AFTER), status == 503);
        }
    }

    #[tokio::test]
    async fn neither_hint_nor_cause_reaches_a_client() {
        let fault = Fault::unavailable("read client").caused_by(std::io::Error::other("disk /secret/path"));
        for error in [OAuthError::invalid_grant("expired").hint("registered: https://a.example"), fault.into()] {
            let response = OAuthAnswer::from(error).into_response();
            let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(!text.contains("secret") && !text.contains("registered"), "{text}");
            let body: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(body.as_object().unwrap().len(), 2, "{text}");
        }
    }

    #[test]
    fn the_log_gets_the_whole_chain() {
        let fault = Fault::internal("record grant")
            .caused_by(Fault::unavailable("commit").caused_by(std::io::Error::other("disk full")));
        let refusal = Refusal::from(&OAuthError::from(fault));
        assert!(refusal.is_ours);
        let chain = chain(refusal.source.as_deref().unwrap());
        assert!(chain.ends_with("record grant: commit: disk full"), "{chain}");
        assert!(!Refusal::from(&OAuthError::invalid_grant("expired")).is_ours);
    }

    #[test]
    fn a_refusal_before_the_redirect_becomes_a_page() {
        for (error, key, status) in [
            (OAuthError::invalid_request("x"), "invalid_request", 400),
            (OAuthError::invalid_client("x"), "unknown_client", 400),
            (OAuthError::invalid_redirect_uri("x"), "redirect_uri_mismatch", 400),
            (Fault::unavailable("x").into(), "unavailable", 503),
            (Fault::internal("x").into(), "server_error", 500),
        ] {
            let page = PageError::from(error);
            assert_eq!((page.key(), page.status().as_u16()), (key, status));
        }
        let page = PageError::from(OAuthError::invalid_redirect_uri("not registered").hint("a slash at the end"));
        assert_eq!(page.developer_hint(), Some("not registered: a slash at the end"));
    }
}
