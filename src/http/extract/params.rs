//! The parameters of a request, from its query or its form.
//!
//! RFC 6749 §3.1, §3.2, appendix B. The one parser is [`Params`]; here are the limits and the content type around it.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::Response;
use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, StatusCode, Uri};

use super::body::{self, Unreadable};
use crate::http::trace::TraceId;
use crate::http::web::Web;
use crate::protocol::params::Params;

/// Largest query, in bytes.
const MAX_QUERY: usize = 16 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a query; none without one.
///
/// # Errors
/// 414 above 16 kB; `invalid_request` for what is not form-urlencoded UTF-8.
pub fn query(uri: &Uri) -> Result<Params, Unreadable> {
    let query = uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY {
        return Err(Unreadable::new(StatusCode::URI_TOO_LONG, "the query is larger than 16 kB"));
    }
    Ok(Params::parse(query.as_bytes())?)
}

/// The parameters of a form. What the query says is not read: secrets do not belong there (RFC 6749 §2.3.1).
///
/// # Errors
/// `invalid_request`: 400 for another content type (OAuth knows no 415) or malformed bytes, 413 above 64 kB, 408 after 30 s.
pub async fn form(headers: &HeaderMap, body: Body) -> Result<Params, Unreadable> {
    if !body::has_type(headers, FORM) {
        let description = "the body must be application/x-www-form-urlencoded, as its Content-Type says";
        return Err(Unreadable::new(StatusCode::BAD_REQUEST, description));
    }
    Ok(Params::parse(&body::read(body).await?)?)
}

/// The one variable segment of a path; empty when it is not UTF-8, which names nothing of ours.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(read.map(|Path(segment)| segment).unwrap_or_default()))
    }
}

/// The query of a page; what cannot be read is a page too.
pub struct Query(pub Params);

/// The form of a page.
pub struct Form(pub Params);

/// Query or form, by method: for endpoints that take both (OIDC Core §3.1.2.1, RP-Initiated Logout §2).
pub struct AnyParams(pub Params);

impl FromRequestParts<Web> for Query {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        query(&parts.uri).map(Self).map_err(|unreadable| page(web, parts, unreadable))
    }
}

impl FromRequest<Web> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        form(&parts.headers, body).await.map(Self).map_err(|unreadable| page(web, &parts, unreadable))
    }
}

impl FromRequest<Web> for AnyParams {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let params = if parts.method == Method::POST { form(&parts.headers, body).await } else { query(&parts.uri) };
        params.map(Self).map_err(|unreadable| page(web, &parts, unreadable))
    }
}

fn page(web: &Web, parts: &Parts, unreadable: Unreadable) -> Response {
    let id = parts.extensions.get::<TraceId>().copied().unwrap_or_default();
    web.pages.error(&web.pages.frame(id, &parts.headers, &[]), &unreadable.into())
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    fn headers(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    #[tokio::test]
    async fn forms_are_read() {
        let params = form(&headers(FORM), Body::from("grant_type=authorization_code&code=a%2Bb+c")).await.unwrap();
        assert_eq!(params.get("grant_type"), Some("authorization_code"));
        assert_eq!(params.get("code"), Some("a+b c"));
        assert_eq!(form(&headers(FORM), Body::empty()).await.unwrap().get("code"), None);
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused_in_oauths_words() {
        for (content_type, body, status) in [
            ("application/json", Body::from("{}"), 400),
            ("text/plain", Body::from("a=b"), 400),
            ("multipart/form-data; boundary=x", Body::from("--x--"), 400),
            (FORM, Body::from("code=%00"), 400),
            (FORM, Body::from("code=%ff"), 400),
            (FORM, Body::from("code=%zz"), 400),
            (FORM, Body::from(vec![0xff, 0xfe]), 400),
            (FORM, Body::from(format!("code={}", "a".repeat(1 << 20))), 413),
        ] {
            let refused = form(&headers(content_type), body).await.unwrap_err();
            assert_eq!(refused.status().as_u16(), status, "{content_type}: {}", refused.error());
            assert_eq!(refused.error().code().as_str(), "invalid_request");
        }
        assert_eq!(form(&HeaderMap::new(), Body::from("a=b")).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn queries_are_read_up_to_16_kb() {
        assert_eq!(query(&Uri::from_static("/authorize?state=x")).unwrap().get("state"), Some("x"));
        assert_eq!(query(&Uri::from_static("/authorize")).unwrap().get("state"), None);
        let long: Uri = format!("/authorize?state={}", "a".repeat(MAX_QUERY)).parse().unwrap();
        assert_eq!(query(&long).unwrap_err().status(), StatusCode::URI_TOO_LONG);
        assert_eq!(query(&Uri::from_static("/authorize?state=%ff")).unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
