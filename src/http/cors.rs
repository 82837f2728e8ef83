//! What scripts of other origins may call.
//!
//! Fetch §3.3 (CORS protocol); RFC 9700 §2.6. Discovery and keys are for everybody ([`crate::http::document`]). Token, userinfo,
//! revocation, introspection and registration answer the preflight for any registered origin, since it names no client, and the
//! request itself for the client's own. Never with credentials, never at the authorization endpoint.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use url::Url;

/// Whether an origin is that of some registered client.
pub type IsRegisteredOrigin<'a> = dyn Fn(&str) -> bool + Send + Sync + 'a;

/// The origin a script states; `None` without one, for `null`, or when stated twice.
pub fn stated_origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next()?.to_str().ok()?;
    if origins.next().is_some() || origin == "null" || origin.len() > 512 { None } else { Some(origin) }
}

/// The origin of a redirect URI, as a browser states it; `None` for schemes that have none (`com.example.app:/`).
pub fn origin_of(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.origin().ascii_serialization())
}

/// Whether `origin` is one of the client's: the origin of one of its redirect URIs.
pub fn is_own_origin<'a>(origin: &str, redirect_uris: impl IntoIterator<Item = &'a str>) -> bool {
    redirect_uris.into_iter().any(|uri| origin_of(uri).is_some_and(|own| own == origin))
}

/// Answers `OPTIONS`; `methods` is what the endpoint takes, such as `POST`.
pub fn preflight(
    headers: &HeaderMap,
    methods: &'static str,
    is_registered_origin: &IsRegisteredOrigin<'_>,
) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = stated_origin(headers).filter(|origin| is_registered_origin(origin)) else { return response };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, echo(origin));
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, DPoP"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

/// Lets a script of the client's own origin read the answer. `redirect_uris` are those of the client the request was for.
pub fn allow_own_origin<'a>(
    response: &mut Response,
    request: &HeaderMap,
    redirect_uris: impl IntoIterator<Item = &'a str>,
) {
    // No browser, no CORS: the answers of back-channel clients stay small.
    if !request.contains_key(ORIGIN) {
        return;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = stated_origin(request).filter(|origin| is_own_origin(origin, redirect_uris)) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, echo(origin));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate"));
    }
}

fn echo(origin: &str) -> HeaderValue {
    HeaderValue::from_str(origin).expect("it came in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPA: &str = "https://spa.example.com";

    fn from(origins: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn origins_come_from_redirect_uris() {
        for (uri, origin) in [
            ("https://spa.example.com/callback?x=1", Some(SPA)),
            ("https://SPA.example.com:443/", Some(SPA)),
            ("http://localhost:8090/cb", Some("http://localhost:8090")),
            ("http://[::1]:5000/cb", Some("http://[::1]:5000")),
            ("com.example.app:/cb", None),
            ("not a uri", None),
            ("data:text/html,x", None),
        ] {
            assert_eq!(origin_of(uri).as_deref(), origin, "{uri}");
        }
    }

    #[test]
    fn a_preflight_is_answered_for_registered_origins_only() {
        let registered = |origin: &str| origin == SPA;
        for (sent, allowed) in [
            (vec![SPA], true),
            (vec![], false),
            (vec!["null"], false),
            (vec!["https://evil.example"], false),
            (vec!["https://spa.example.com.evil.example"], false),
            (vec!["http://spa.example.com"], false),
            (vec![SPA, SPA], false),
        ] {
            let response = preflight(&from(&sent), "POST", &registered);
            let headers = response.headers();
            assert_eq!(response.status(), StatusCode::NO_CONTENT);
            assert_eq!(headers[VARY], "Origin");
            assert_eq!(
                headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin == SPA),
                allowed.then_some(true),
                "{sent:?}"
            );
            assert_eq!(headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS), allowed);
            assert!(!headers.contains_key("access-control-allow-credentials"));
        }
    }

    #[test]
    fn the_answer_is_for_the_origins_of_this_client() {
        let uris = ["https://spa.example.com/cb", "com.example.app:/cb"];
        for (sent, varies, allowed) in [
            (vec![SPA], true, true),
            (vec!["https://other-client.example"], true, false),
            (vec!["null"], true, false),
            (vec![], false, false),
        ] {
            let mut response = Response::new(Body::empty());
            allow_own_origin(&mut response, &from(&sent), uris);
            assert_eq!(response.headers().contains_key(VARY), varies, "{sent:?}");
            assert_eq!(response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), allowed, "{sent:?}");
            let exposed =
                response.headers().get(ACCESS_CONTROL_EXPOSE_HEADERS).map(|names| names == "WWW-Authenticate");
            assert_eq!(exposed, allowed.then_some(true));
        }
    }
}
