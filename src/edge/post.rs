//! Posting to a server that an operator named: a provider of messages, or a server of their own.
//!
//! Private addresses are refused as everywhere; `fetch.allow` names those that are meant.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use serde_json::Value;

use crate::edge::fetch::{Addresses, Fetch, FetchError, FetchPolicy};
use crate::edge::undelivered::Undelivered;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, hmac_sha256};

/// A request to be posted.
pub(super) struct Call {
    request: Result<Request<Bytes>, &'static str>,
}

impl Call {
    /// `body` as JSON.
    pub(super) fn json(url: &str, body: &Value) -> Self {
        Self::of(url, "application/json", body.to_string())
    }

    /// `fields` as a form.
    pub(super) fn form(url: &str, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::of(url, "application/x-www-form-urlencoded", body)
    }

    fn of(url: &str, content_type: &'static str, body: String) -> Self {
        let request = Request::post(url).header(CONTENT_TYPE, content_type).body(Bytes::from(body));
        Self { request: request.map_err(|_| "the URL cannot be used") }
    }

    /// With one more header.
    pub(super) fn with(self, name: &'static str, value: &str) -> Self {
        self.header(name, HeaderValue::from_str(value))
    }

    /// With one more header whose value is never shown.
    pub(super) fn with_secret(self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self.header(name, value)
    }

    /// Signed so that the other end knows it is from us (Standard Webhooks, <https://www.standardwebhooks.com>): over id, moment
    /// and body.
    pub(super) fn signed(self, secret: Option<&Secret>, id: &str, now: NumericDate) -> Self {
        let moment = now.seconds().to_string();
        let signature = match (&self.request, secret) {
            (Ok(request), Some(secret)) => {
                let tag = hmac_sha256(
                    secret.expose().as_bytes(),
                    &[id.as_bytes(), b".", moment.as_bytes(), b".", request.body()],
                );
                Some(format!("v1,{}", STANDARD.encode(tag)))
            }
            _ => None,
        };
        let call = self.with("webhook-id", id).with("webhook-timestamp", &moment);
        match signature {
            Some(signature) => call.with("webhook-signature", &signature),
            None => call,
        }
    }

    fn header<E>(mut self, name: &'static str, value: Result<HeaderValue, E>) -> Self {
        self.request = match (self.request, value) {
            (Ok(mut request), Ok(value)) => {
                request.headers_mut().insert(HeaderName::from_static(name), value);
                Ok(request)
            }
            (Ok(_), Err(_)) => Err("a header holds what headers cannot"),
            (refused, _) => refused,
        };
        self
    }
}

/// Posts `call`; a success is any status from 200 to 299.
///
/// # Errors
/// Lasting, when the server says that the message itself is wrong (400, 422); passing for everything else: a wrong token, a limit, a
/// server that is away can be mended while the message waits.
pub(super) async fn answered(fetch: &dyn Fetch, call: Call, timeout: Duration) -> Result<(), Undelivered> {
    let request = call.request.map_err(Undelivered::passing)?;
    let policy = FetchPolicy { max_bytes: 64 * 1024, timeout, addresses: Addresses::Public };
    let answer = fetch.send(request, policy).await.map_err(|error| {
        let hint = if matches!(error, FetchError::Refused(_)) { " (fetch.allow can name it)" } else { "" };
        Undelivered::passing(format!("{error}{hint}"))
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let reason = format!("it answered {}", status.as_u16());
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Err(Undelivered::lasting(reason)),
        _ => Err(Undelivered::passing(reason)),
    }
}
