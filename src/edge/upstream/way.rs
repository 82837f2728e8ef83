//! The way to a provider: over the one way out, small answers, no redirects, and nothing believed of an answer that failed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::edge::clock::Clock;
use crate::edge::fetch::{Addresses, Fetch, FetchError, FetchPolicy};
use crate::edge::upstream::UpstreamError;
use crate::protocol::jose::json::parse_object;
use crate::protocol::numeric_date::NumericDate;

/// The largest answer, in bytes: metadata, keys, tokens and what is told of one person are smaller.
const MAX_BYTES: usize = 256 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);

/// The way out, for providers.
#[derive(Clone)]
pub(in crate::edge::upstream) struct Way {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    policy: FetchPolicy,
}

impl Way {
    pub(super) fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>, addresses: Addresses) -> Self {
        Self { fetch, clock, policy: FetchPolicy { max_bytes: MAX_BYTES, timeout: TIMEOUT, addresses } }
    }

    pub(super) fn now(&self) -> NumericDate {
        self.clock.now()
    }

    /// Sends `request`; an answer of the server's failures, and one that leads elsewhere, is none.
    pub(super) async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, UpstreamError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.fetch.send(request, self.policy).await.map_err(|error| match error {
            FetchError::TooLarge(_) | FetchError::Refused(_) => UpstreamError::Untrue(format!("{host}: {error}")),
            error => UpstreamError::Unreachable(format!("{host}: {error}")),
        })?;
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(UpstreamError::Unreachable(format!("{host} answers {status}")));
        }
        if status.is_redirection() {
            return Err(UpstreamError::Untrue(format!("{host} leads elsewhere ({status})")));
        }
        Ok(answer)
    }

    /// The JSON object at `url`.
    pub(super) async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Map<String, Value>, UpstreamError> {
        let answer = self.ask(url, bearer).await?;
        object(&answer, url)
    }

    /// Whatever JSON is at `url`.
    pub(super) async fn get_any(&self, url: &str, bearer: Option<&str>) -> Result<Value, UpstreamError> {
        let answer = self.ask(url, bearer).await?;
        serde_json::from_slice(answer.body()).map_err(|_| UpstreamError::Untrue(format!("{} tells no JSON", host(url))))
    }

    async fn ask(&self, url: &str, bearer: Option<&str>) -> Result<http::Response<Bytes>, UpstreamError> {
        let mut request = http::Request::get(url).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(AUTHORIZATION, secret_header(format!("Bearer {token}"))?);
        }
        let answer = self.send(built(request, Bytes::new())?).await?;
        let status = answer.status();
        if status == StatusCode::OK {
            return Ok(answer);
        }
        Err(UpstreamError::Refused(format!("{} answers {status}", host(url))))
    }

    /// The JSON object that comes back for a form, with its status.
    pub(super) async fn post(
        &self,
        url: &str,
        fields: &[(&str, &str)],
        authorization: Option<String>,
    ) -> Result<(StatusCode, Map<String, Value>), UpstreamError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = http::Request::post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, secret_header(authorization)?);
        }
        let answer = self.send(built(request, Bytes::from(body))?).await?;
        Ok((answer.status(), object(&answer, url)?))
    }

    /// The JSON object that comes back for JSON, with its status.
    pub(super) async fn post_json(
        &self,
        url: &str,
        body: &Value,
        authorization: String,
    ) -> Result<(StatusCode, Map<String, Value>), UpstreamError> {
        let request = http::Request::post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, secret_header(authorization)?);
        let answer = self.send(built(request, Bytes::from(body.to_string()))?).await?;
        Ok((answer.status(), object(&answer, url)?))
    }
}

fn secret_header(text: String) -> Result<HeaderValue, UpstreamError> {
    let mut header =
        HeaderValue::try_from(text).map_err(|_| UpstreamError::Untrue("a token of strange letters".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

fn built(request: http::request::Builder, body: Bytes) -> Result<http::Request<Bytes>, UpstreamError> {
    request.body(body).map_err(|_| UpstreamError::Misconfigured("an endpoint is no URL".to_owned()))
}

fn object(answer: &http::Response<Bytes>, url: &str) -> Result<Map<String, Value>, UpstreamError> {
    parse_object(answer.body(), "answer").map_err(|error| UpstreamError::Untrue(format!("{}: {error}", host(url))))
}

/// The host of `url`, for the log: a query may hold a secret.
fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
