//! `ETag` and `If-Match`: what was changed since it was read is not changed blindly.
//!
//! RFC 9110 §8.8.3, §13.1.1. A tag is made of what is shown, so that no row needs a number for it.

use axum::extract::FromRequestParts;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ETAG, HeaderValue, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::http::api::answer::answer;
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::protocol::secret::TokenHash;

/// What a caller has seen, if they say so.
#[derive(Clone, Debug)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// Refuses when what stands is not what the caller has seen. Who says nothing is not asked.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn check<T: Serialize>(&self, stands: &T) -> Result<(), Problem> {
        let Some(seen) = &self.0 else { return Ok(()) };
        let own = tag(stands);
        let fits = seen.split(',').map(str::trim).any(|one| one == "*" || one == own);
        if fits { Ok(()) } else { Err(Problem::new(Code::PreconditionFailed)) }
    }
}

impl FromRequestParts<Web> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        Ok(Self(read(&parts.headers)))
    }
}

/// A header that is no text fits nothing.
fn read(headers: &HeaderMap) -> Option<String> {
    headers.get(IF_MATCH).map(|value| value.to_str().unwrap_or_default().to_owned())
}

/// The tag of a representation.
fn tag<T: Serialize>(shown: &T) -> String {
    let json = serde_json::to_vec(shown).unwrap_or_default();
    let hash = TokenHash::of_bytes(&json);
    let short = hash.as_bytes().get(..16).unwrap_or_default();
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(short))
}

/// `status` with `body` and its tag.
pub fn tagged<T: Serialize>(status: StatusCode, body: &T) -> Response {
    tagged_as(status, body, body)
}

/// `status` with `body`, which shows more than will be shown again: the tag is that of `shown`.
pub fn tagged_as<B: Serialize, T: Serialize>(status: StatusCode, body: &B, shown: &T) -> Response {
    let mut response = answer(status, body);
    if let Ok(value) = HeaderValue::from_str(&tag(shown)) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_has_to_stand() {
        let own = tag(&"shown");
        for (seen, fits) in [
            (None, true),
            (Some("*".to_owned()), true),
            (Some(own.clone()), true),
            (Some(format!("\"other\", {own}")), true),
            (Some("\"other\"".to_owned()), false),
            (Some(format!("W/{own}")), false),
            (Some(String::new()), false),
        ] {
            assert_eq!(IfMatch(seen.clone()).check(&"shown").is_ok(), fits, "{seen:?}");
        }
    }
}
