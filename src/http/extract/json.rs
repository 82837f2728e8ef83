//! A JSON object as a body.
//!
//! RFC 8259, for client registration (RFC 7591 §3.1): an object, UTF-8, at most 64 kB, at most 128 levels deep.

use axum::body::Body;
use http::StatusCode;
use http::header::HeaderMap;
use serde_json::{Map, Value};

use super::body::{self, Unreadable};
use crate::protocol::error::OAuthError;

/// The members of the object.
///
/// # Errors
/// 400 for another content type, 413 above 64 kB, 408 after 30 s; `invalid_client_metadata` for what is no JSON object.
pub async fn object(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, Unreadable> {
    if !body::has_type(headers, "application/json") {
        return Err(Unreadable::new(
            StatusCode::BAD_REQUEST,
            "the body must be application/json, as its Content-Type says",
        ));
    }
    let bytes = body::read(body).await?;
    Ok(serde_json::from_slice(&bytes).map_err(|error| {
        // What serde says names the place, and nothing of what was sent.
        OAuthError::invalid_client_metadata("the body is not a JSON object").hint(format!(
            "line {}, column {}",
            error.line(),
            error.column()
        ))
    })?)
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    #[tokio::test]
    async fn only_objects_are_read() {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let read = |text: Vec<u8>| object(&headers, Body::from(text));
        assert_eq!(read(br#"{"client_name":"Shop"}"#.to_vec()).await.unwrap()["client_name"], "Shop");
        let deep = "[".repeat(50_000).into_bytes();
        for wrong in [&b""[..], b"[]", b"null", b"\"x\"", b"{", b"{\"a\":\"\xff\"}", b"{} {}", &deep] {
            let refused = read(wrong.to_vec()).await.unwrap_err();
            assert_eq!(refused.error().code().as_str(), "invalid_client_metadata");
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        }
        assert_eq!(object(&HeaderMap::new(), Body::from("{}")).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
