//! Headers that keep a page ours.
//!
//! RFC 9700 §4.2, §4.16; OAuth 2.1 §7.11; OWASP ASVS 3.4.1-3.4.8; RFC 6797 (HSTS). Every page carries them; whatever else we
//! answer carries [`Transport::harden`], which the trace layer applies.

use std::collections::BTreeSet;

use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Nothing inline and nothing foreign but pictures over https: clients register their logos. The template filter `src`
/// lets through the same addresses.
///
/// No `form-action`: browsers apply it to the redirect that follows a form, and that leads to the app.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; \
                      font-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same, with the pictures of apps on this machine: a development server has such clients.
const DEVELOPMENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                                  img-src 'self' https: data: http://localhost:* http://127.0.0.1:*; \
                                  font-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Features no page of ours uses.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), midi=(), serial=(), \
                           accelerometer=(), gyroscope=(), magnetometer=(), display-capture=(), browsing-topics=()";

/// Two years; beyond the year that ASVS 3.4.1 asks for.
const TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Whether this is a development server, which shows hints.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Stage {
    /// People use it.
    Production,
    /// `symbolon dev`.
    Development,
}

/// How browsers reach us, by the issuer's scheme.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Transport {
    /// `https`: browsers are told to stay with it.
    Https,
    /// `http`, on loopback, for development.
    Http,
}

impl Transport {
    /// The transport of an issuer.
    pub fn of(issuer: &str) -> Self {
        if issuer.starts_with("https:") { Self::Https } else { Self::Http }
    }

    /// Adds what belongs to every answer, page or not: no guessing of types, and https from now on.
    pub fn harden(self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self == Self::Https {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT_SECURITY));
        }
    }
}

/// Lets the scripts of a page ask this server something: a page that needs no answer while it is open may ask nobody.
pub fn admit_own_calls(response: &mut Response) {
    let headers = response.headers_mut();
    let Some(policy) = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok()) else { return };
    // The first directive of a name counts (CSP 3 §2.2.1).
    if !policy.contains("connect-src")
        && let Ok(policy) = HeaderValue::from_str(&format!("{policy}; connect-src 'self'"))
    {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Lets a page hold frames of the origins of these URLs, and of no other: the page that tells apps of a sign-out
/// (Front-Channel Logout §3).
pub fn admit_frames(response: &mut Response, urls: &[String]) {
    let origins = urls.iter().filter_map(|url| url::Url::parse(url).ok()).map(|url| url.origin().ascii_serialization());
    let origins: BTreeSet<String> = origins.collect();
    let headers = response.headers_mut();
    let Some(policy) = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok()) else { return };
    if origins.is_empty() || policy.contains("frame-src") {
        return;
    }
    let origins = origins.into_iter().collect::<Vec<_>>().join(" ");
    if let Ok(policy) = HeaderValue::from_str(&format!("{policy}; frame-src {origins}")) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Adds what belongs to a page; [`Transport::harden`] comes from the trace layer.
pub fn protect_page(headers: &mut HeaderMap, stage: Stage) {
    let policy = match stage {
        Stage::Production => POLICY,
        Stage::Development => DEVELOPMENT_POLICY,
    };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (PERMISSIONS_POLICY, PERMISSIONS),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_carry_the_whole_list() {
        let mut headers = HeaderMap::new();
        protect_page(&mut headers, Stage::Production);
        assert_eq!(
            headers[CONTENT_SECURITY_POLICY],
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(headers.contains_key("permissions-policy"));
    }

    #[test]
    fn a_page_frames_the_apps_it_tells_and_nobody_else() {
        let policy = |urls: &[&str]| {
            let mut response = Response::new(axum::body::Body::empty());
            protect_page(response.headers_mut(), Stage::Production);
            admit_frames(&mut response, &urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>());
            response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
        };
        assert_eq!(policy(&[]), POLICY);
        let urls = ["https://b.example:8443/out?sid=1", "https://a.example/out", "https://a.example/other"];
        assert_eq!(policy(&urls), format!("{POLICY}; frame-src https://a.example https://b.example:8443"));
    }

    #[test]
    fn only_development_shows_pictures_over_http() {
        let policy = |stage| {
            let mut headers = HeaderMap::new();
            protect_page(&mut headers, stage);
            headers[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
        };
        let development = policy(Stage::Development);
        assert!(development.contains(" http://localhost:*"), "{development}");
        assert_eq!(development.replace(" http://localhost:* http://127.0.0.1:*", ""), policy(Stage::Production));
    }

    #[test]
    fn https_stays_https_for_more_than_a_year_and_http_is_not_pinned() {
        let hardened = |issuer: &str| {
            let mut headers = HeaderMap::new();
            Transport::of(issuer).harden(&mut headers);
            headers
        };
        let https = hardened("https://login.example.com");
        let value = https[STRICT_TRANSPORT_SECURITY].to_str().unwrap();
        let seconds: u64 = value.split([';', '=']).nth(1).unwrap().parse().unwrap();
        assert!(seconds >= 31_536_000, "{value}");
        assert!(!hardened("http://localhost:8080").contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
