//! Bodies, with their limits.
//!
//! PROTOCOL.md §3: at most 64 kB, within 30 s. RFC 9110 §15.5.14 (413), §15.5.9 (408).

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use crate::http::error::{OAuthAnswer, PageError};
use crate::protocol::error::OAuthError;

/// Largest body, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;
/// Longest time a body may take, from its first wish to its last byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A request that cannot be read; becomes JSON for clients and a page for people.
#[derive(Clone, Debug)]
pub struct Unreadable {
    status: StatusCode,
    error: OAuthError,
}

impl Unreadable {
    pub(super) fn new(status: StatusCode, description: &'static str) -> Self {
        Self { status, error: OAuthError::invalid_request(description) }
    }

    /// What is wrong.
    pub const fn error(&self) -> &OAuthError {
        &self.error
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<OAuthError> for Unreadable {
    fn from(error: OAuthError) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error }
    }
}

impl From<Unreadable> for OAuthAnswer {
    fn from(unreadable: Unreadable) -> Self {
        Self::from(unreadable.error).with_status(unreadable.status)
    }
}

impl From<Unreadable> for PageError {
    fn from(unreadable: Unreadable) -> Self {
        let key = match unreadable.status {
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => "payload_too_large",
            _ => "invalid_request",
        };
        Self::new(key, unreadable.status).hint(unreadable.error.description())
    }
}

/// Whether the body is said to be `media_type` (parameters such as a charset aside), as it is and not compressed.
pub(in crate::http) fn has_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let stated = types.next().and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    stated.is_some_and(|stated| stated.trim().eq_ignore_ascii_case(media_type))
        && types.next().is_none()
        && headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The whole body.
///
/// # Errors
/// 413 above 64 kB, 408 after 30 s, 400 when the sender breaks off.
pub(in crate::http) async fn read(body: Body) -> Result<Bytes, Unreadable> {
    read_up_to(body, MAX_BODY).await
}

/// [`read`], up to `most` bytes.
///
/// # Errors
/// As there.
pub(in crate::http) async fn read_up_to(body: Body, most: usize) -> Result<Bytes, Unreadable> {
    let too_large = || Unreadable::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than is read here");
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let reading = async {
        let mut chunks = body.into_data_stream();
        let broken = |_| Unreadable::new(StatusCode::BAD_REQUEST, "the body broke off");
        let first = chunks.next().await.transpose().map_err(broken)?.unwrap_or_default();
        let Some(second) = chunks.next().await.transpose().map_err(broken)? else {
            // Nearly every form arrives in one piece, and then is not copied.
            return if first.len() > most { Err(too_large()) } else { Ok(first) };
        };
        let mut whole = BytesMut::from(&first[..]);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > most {
                return Err(too_large());
            }
            whole.extend_from_slice(&chunk);
            next = chunks.next().await.transpose().map_err(broken)?;
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .unwrap_or_else(|_| Err(Unreadable::new(StatusCode::REQUEST_TIMEOUT, "the body took longer than 30 seconds")))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::header::HeaderValue;

    use super::*;

    fn pieces(count: usize, size: usize) -> Body {
        Body::from_stream(stream::iter((0..count).map(move |_| Ok::<_, Infallible>(Bytes::from(vec![b'a'; size])))))
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_64_kb() {
        for (body, expected) in [
            (Body::empty(), Ok(0)),
            (Body::from("a=b"), Ok(3)),
            (Body::from(vec![b'a'; MAX_BODY]), Ok(MAX_BODY)),
            (pieces(64, 1024), Ok(MAX_BODY)),
            (pieces(0, 0), Ok(0)),
            (Body::from(vec![b'a'; MAX_BODY + 1]), Err(413)),
            (Body::from(vec![b'a'; 1 << 20]), Err(413)),
            (pieces(1, MAX_BODY + 1), Err(413)),
            (pieces(65, 1024), Err(413)),
            (pieces(1 << 20, 1024), Err(413)),
        ] {
            let read = read(body).await;
            assert_eq!(read.map(|bytes| bytes.len()).map_err(|error| error.status().as_u16()), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up_after_30_seconds() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"a")), ()))
        });
        let started = tokio::time::Instant::now();
        assert_eq!(read(Body::from_stream(drip)).await.unwrap_err().status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(started.elapsed().as_secs(), 30);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_the_senders_mistake() {
        let body = Body::from_stream(stream::iter([Ok(Bytes::from_static(b"a")), Err(std::io::Error::other("reset"))]));
        assert_eq!(read(body).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn the_media_type_is_compared_without_its_parameters() {
        let form = "application/x-www-form-urlencoded";
        for (stated, expected) in [
            (vec![form], true),
            (vec!["application/x-www-form-urlencoded; charset=UTF-8"], true),
            (vec!["Application/X-WWW-Form-Urlencoded ;charset=utf-8"], true),
            (vec![], false),
            (vec![""], false),
            (vec!["application/json"], false),
            (vec!["application/x-www-form-urlencoded2"], false),
            (vec!["multipart/form-data; boundary=application/x-www-form-urlencoded"], false),
            (vec![form, "application/json"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &stated {
                headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            assert_eq!(has_type(&headers, form), expected, "{stated:?}");
        }
        let mut compressed = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        assert!(has_type(&compressed, "application/json"));
        compressed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!has_type(&compressed, "application/json"));
    }

    #[test]
    fn it_has_a_page_as_well() {
        let too_large = Unreadable::new(StatusCode::PAYLOAD_TOO_LARGE, "x");
        assert_eq!(PageError::from(too_large).key(), "payload_too_large");
        assert_eq!(PageError::from(Unreadable::from(OAuthError::invalid_request("x"))).key(), "invalid_request");
    }
}
