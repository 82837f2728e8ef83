//! Documents that are ready before anybody asks: discovery and keys.
//!
//! RFC 8414 §3, OIDC Discovery §4, RFC 7517 §5; caching by RFC 9110 §13.1.2 and RFC 9111. Bytes and headers are made once;
//! answering clones references. Every origin may read them, without credentials.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
};
use http::{Method, StatusCode};

use crate::http::security_header::Transport;
use crate::oauth::keys::SigningKeys;
use crate::oauth::provider::Provider;

/// One state of a document, with the headers of its answer.
#[derive(Clone, Debug)]
pub struct Prepared {
    body: Bytes,
    headers: HeaderMap,
    etag: HeaderValue,
}

impl Prepared {
    /// Prepares `body`; caches may keep it for `max_age` (whole seconds).
    pub fn new(body: impl Into<Bytes>, content_type: &'static str, max_age: Duration) -> Self {
        let body = body.into();
        let tag = URL_SAFE_NO_PAD.encode(digest(&SHA256, &body).as_ref().get(..12).unwrap_or_default());
        let etag = header(format!("\"{tag}\""));
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, header(format!("public, max-age={}", max_age.as_secs())));
        headers.insert(ETAG, etag.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        Self { body, headers, etag }
    }

    /// With what belongs to every answer (ASVS 3.4.1, 3.4.4); no layer stands around a ready document.
    #[must_use]
    pub fn harden(mut self, transport: Transport) -> Self {
        transport.harden(&mut self.headers);
        self
    }
}

fn header(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("digits and base64url are valid in a header")
}

/// A document under one URL, made again when the signing keys have changed. Clones share it.
///
/// *Why it looks at the keys and is not told:* no token is then ever signed by a key that the next answer lacks.
#[derive(Clone)]
pub struct Document(Arc<Source>);

struct Source {
    provider: Arc<Provider>,
    prepare: Prepare,
    ready: ArcSwap<Ready>,
}

type Prepare = fn(&Provider, &SigningKeys) -> Prepared;

struct Ready {
    keys: Arc<SigningKeys>,
    prepared: Prepared,
}

impl Document {
    /// A document that `prepare` makes.
    pub fn new(provider: Arc<Provider>, prepare: Prepare) -> Self {
        let ready = ArcSwap::from_pointee(Ready::new(&provider, prepare));
        Self(Arc::new(Source { provider, prepare, ready }))
    }

    /// The answer to a request with `method` and `headers`.
    pub fn answer(&self, method: &Method, headers: &HeaderMap) -> Response {
        let source = &self.0;
        if !Arc::ptr_eq(&source.provider.keys.load(), &source.ready.load().keys) {
            source.ready.store(Arc::new(Ready::new(&source.provider, source.prepare)));
        }
        source.ready.load().prepared.answer(method, headers)
    }
}

impl Ready {
    fn new(provider: &Provider, prepare: Prepare) -> Self {
        let keys = provider.keys.load_full();
        Self { prepared: prepare(provider, &keys), keys }
    }
}

impl Prepared {
    /// The answer to a request with `method` and `headers`.
    pub fn answer(&self, method: &Method, headers: &HeaderMap) -> Response {
        let prepared = self;
        if method == Method::GET || method == Method::HEAD {
            let unchanged = headers.get(IF_NONE_MATCH).is_some_and(|known| is_known(known, &prepared.etag));
            let body = if unchanged || method == Method::HEAD { Body::empty() } else { prepared.body.clone().into() };
            let mut response = Response::new(body);
            *response.headers_mut() = prepared.headers.clone();
            if unchanged {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
            } else if method == Method::HEAD {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(prepared.body.len()));
            }
            return response;
        }
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        answer.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
        if method == Method::OPTIONS {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
            *response.status_mut() = StatusCode::NO_CONTENT;
        } else {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        response
    }
}

/// RFC 9110 §13.1.2: `*`, or a list with our tag, weak or not.
pub(in crate::http) fn is_known(if_none_match: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(list), Ok(etag)) = (if_none_match.to_str(), etag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Prepared {
        Prepared::new(r#"{"keys":[]}"#, "application/json", Duration::from_hours(1))
    }

    fn knowing(tag: &str) -> HeaderMap {
        HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(tag).unwrap())])
    }

    async fn body(response: Response) -> Bytes {
        axum::body::to_bytes(response.into_body(), 1024).await.unwrap()
    }

    #[tokio::test]
    async fn everybody_may_read_and_keep_it() {
        let response = document().answer(&Method::GET, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers();
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=3600");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
        assert_eq!(body(response).await, r#"{"keys":[]}"#);

        let head = document().answer(&Method::HEAD, &HeaderMap::new());
        assert_eq!(head.headers()[CONTENT_LENGTH], "11");
        assert_eq!(body(head).await, "");
    }

    #[tokio::test]
    async fn who_has_it_already_is_not_sent_it_again() {
        let document = document();
        let tag = document.answer(&Method::GET, &HeaderMap::new()).headers()[ETAG].to_str().unwrap().to_owned();
        for known in [tag.clone(), "*".into(), format!("W/{tag}"), format!("\"other\", {tag}")] {
            let response = document.answer(&Method::GET, &knowing(&known));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(response.headers()[ETAG], tag);
            assert_eq!(body(response).await, "");
        }
        for other in ["\"other\"", "", tag.trim_matches('"')] {
            assert_eq!(document.answer(&Method::GET, &knowing(other)).status(), StatusCode::OK, "{other}");
        }
        let changed = Prepared::new("{}", "application/json", Duration::from_mins(1));
        assert_eq!(changed.answer(&Method::GET, &knowing(&tag)).status(), StatusCode::OK);
    }

    #[test]
    fn other_methods_are_refused_and_a_preflight_is_answered() {
        let preflight = document().answer(&Method::OPTIONS, &HeaderMap::new());
        assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
        assert_eq!(preflight.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD");
        let refused = document().answer(&Method::POST, &HeaderMap::new());
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.headers()[ALLOW], "GET, HEAD, OPTIONS");
    }
}
