//! The requests of the demo as HTTP messages, and what its answers say.
//!
//! RFC 6749 §2.3.1 (HTTP Basic), §5.2 (errors); RFC 6750 §2.1.

use axum::http::{HeaderValue, Method, Request, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use super::client::ClientLogin;
use super::failure::Failure;
use crate::protocol::secret::Secret;

/// RFC 6749 §5.2.
#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    error_description: Option<String>,
}

/// A request for JSON.
pub(super) fn get(url: &str) -> Result<Request<Bytes>, Failure> {
    let request = Request::get(url).header(header::ACCEPT, "application/json").body(Bytes::new());
    request.map_err(|error| Failure::new("The server's URL cannot be used", format!("{url}: {error}")))
}

/// A form with the client's login: HTTP Basic over form-encoded parts (RFC 6749 §2.3.1).
pub(super) fn post(url: &Url, login: &ClientLogin, form: &[(&str, &str)]) -> Result<Request<Bytes>, Failure> {
    let encode = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(&login.client_id), encode(login.client_secret.expose()));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.as_str())
        .header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(body));
    request.map_err(|error| Failure::new("The server's URL cannot be used", format!("{url}: {error}")))
}

/// The value that presents an access token (RFC 6750 §2.1).
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, Failure> {
    let value = format!("Bearer {}", token.expose()).parse();
    value.map_err(|_| Failure::new("The access token cannot be sent", "it holds characters no header may carry"))
}

/// Fails with the server's own words unless the answer is a success.
pub(super) fn expect_success(answer: &Response<Bytes>) -> Result<(), Failure> {
    if answer.status().is_success() {
        return Ok(());
    }
    let title = format!("The server answered {}", answer.status());
    Err(match serde_json::from_slice::<ErrorAnswer>(answer.body()) {
        Ok(body) => Failure::answered(title, &body.error, body.error_description.as_deref()),
        Err(_) => match answer.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()) {
            Some(challenge) => Failure::new(title, challenge),
            None => Failure::new(title, "without an error code"),
        },
    })
}

/// The body of a success.
pub(super) fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, Failure> {
    expect_success(answer)?;
    serde_json::from_slice(answer.body())
        .map_err(|error| Failure::new("The answer cannot be read", format!("{error}; the exchange below shows it")))
}
