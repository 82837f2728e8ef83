//! The browser behind a request: its cookie, its visit, and the headers every answer carries.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use cookie::{Cookie, SameSite};

use super::Demo;
use super::exchange::Journal;
use super::failure::Failure;
use super::visit::{Notice, Visit};
use crate::protocol::secret::{Secret, TokenHash};

/// Browsers send cookies to every port of a host, so the name must not meet one of the server's.
const COOKIE: &str = "symbolon_demo";

/// A browser, known by its cookie or about to get one.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    cookie: Option<TokenHash>,
}

impl FromRequestParts<Demo> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, demo: &Demo) -> Result<Self, Self::Rejection> {
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let known = |value: &str| Some(TokenHash::of(value)).filter(|hash| demo.0.visits.get(hash).is_some());
        let cookie = cookies
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(|cookie| cookie.name() == COOKIE)
            .find_map(|cookie| known(cookie.value()));
        Ok(Self { cookie })
    }
}

impl Visitor {
    /// The visit as it stands.
    pub(super) fn visit(&self, demo: &Demo) -> Option<Visit> {
        demo.0.visits.get(self.cookie.as_ref()?)
    }

    /// Changes the visit, if there is one.
    pub(super) fn known<T>(&self, demo: &Demo, change: impl FnOnce(&mut Visit) -> T) -> Option<T> {
        demo.0.visits.update(self.cookie.as_ref()?, change)
    }

    /// Changes the visit, which begins here when there was none; the answer then carries a cookie.
    pub(super) fn update(&mut self, demo: &Demo, change: impl FnOnce(&mut Visit)) -> Option<HeaderValue> {
        if let Some(cookie) = &self.cookie {
            demo.0.visits.update(cookie, change);
            return None;
        }
        let token = demo.0.random.token();
        let mut visit = Visit::new(demo.0.random.token());
        change(&mut visit);
        let hash = TokenHash::of(token.expose());
        demo.0.visits.insert(hash, visit);
        self.cookie = Some(hash);
        Some(set_cookie(&token))
    }

    /// Gives the visit a new cookie: who planted the old one is not signed in with it.
    pub(super) fn renew(&mut self, demo: &Demo) -> Option<HeaderValue> {
        let old = self.cookie.as_ref()?;
        let token = demo.0.random.token();
        let hash = TokenHash::of(token.expose());
        demo.0.visits.rename(old, hash);
        self.cookie = Some(hash);
        Some(set_cookie(&token))
    }

    /// Keeps what went over the wire and what came of it.
    pub(super) fn record(&mut self, demo: &Demo, journal: Journal, notice: Notice) -> Option<HeaderValue> {
        self.update(demo, |visit| {
            visit.record(journal);
            visit.notice = Some(notice);
        })
    }

    /// The visit, when the form was made for it.
    pub(super) fn prove(&self, demo: &Demo, csrf: &str) -> Result<Visit, Failure> {
        let visit = self.visit(demo).filter(|visit| visit.csrf.matches(csrf));
        visit.ok_or_else(|| Failure::new("This form is not from here", "Reload the page and press the button again."))
    }
}

/// Adds a cookie to an answer.
pub(super) fn with_cookie(mut answer: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

fn set_cookie(token: &Secret) -> HeaderValue {
    let cookie = Cookie::build((COOKIE, token.expose().as_str()))
        .path("/")
        .http_only(true)
        // Lax: the way back from the server is a navigation from another origin.
        .same_site(SameSite::Lax)
        .build();
    HeaderValue::from_str(&cookie.to_string()).expect("a base64url token makes a header value")
}

/// Leads people to the one origin whose cookie and redirect URI are right, and hardens every answer.
pub(super) async fn guard(State(demo): State<Demo>, request: Request, next: Next) -> Response {
    let origin = &demo.0.settings.origin;
    let mut answer = if is_for(origin, request.headers()) {
        next.run(request).await
    } else {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Redirect::temporary(&format!("{origin}{path}")).into_response()
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&demo.0.settings.issuer)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

fn is_for(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let own = origin.split_once("://").map_or(origin, |(_, host)| host);
    host.is_some_and(|host| host.eq_ignore_ascii_case(own))
}

/// Files of our own only; the single-page app speaks to the server, and sign-out leads there.
fn content_security_policy(issuer: &str) -> String {
    let server = url::Url::parse(issuer).map_or_else(|_| "'none'".to_owned(), |url| url.origin().ascii_serialization());
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self' {server}; \
         form-action 'self' {server}; base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_name_is_answered() {
        for (host, own) in [
            (Some("localhost:8090"), true),
            (Some("LOCALHOST:8090"), true),
            (Some("127.0.0.1:8090"), false),
            (Some("localhost:8080"), false),
            (Some("evil.example"), false),
            (None, false),
        ] {
            let headers = host.map(|host| (header::HOST, HeaderValue::from_static(host))).into_iter().collect();
            assert_eq!(is_for("http://localhost:8090", &headers), own, "{host:?}");
        }
    }

    #[test]
    fn the_policy_names_the_server_by_its_origin() {
        let policy = content_security_policy("http://localhost:8080/tenant");
        assert!(policy.contains("connect-src 'self' http://localhost:8080;"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
