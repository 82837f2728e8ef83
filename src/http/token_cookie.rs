//! The cookies in which a browser keeps the tokens of a first-party app, out of reach of scripts (S-076 to S-078).
//!
//! RFC 6265bis §4.1.2, §4.1.3 (name prefixes), §5.6 (4096 bytes); `ACCOUNT_API.md` §3.3. The access token goes wherever the app asks; the
//! refresh token only below `/api/v1/tokens`, where refreshing *and* signing out are, so that signing out can take it back.

use std::time::Duration;

use cookie::Cookie;
pub use cookie::SameSite;
use http::header::{HeaderMap, HeaderValue};

use crate::http::cookie::{CookieScope, found, is_token};
use crate::protocol::secret::Secret;

/// The longest name and value that browsers keep, in bytes (RFC 6265bis §5.6).
const LONGEST: usize = 4096;

/// How the operator wants them.
#[derive(Clone, Debug)]
pub struct TokenCookieSettings {
    /// The access token.
    pub access: Place,
    /// The refresh token.
    pub refresh: Place,
    /// Whether requests of other sites bring them.
    pub same_site: SameSite,
    /// Where they go, which decides their prefixes.
    pub scope: CookieScope,
}

/// Under which name and path a cookie is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The name, with its prefix once it is that of a cookie.
    pub name: String,
    /// The path below which it is sent.
    pub path: String,
}

/// Writes and reads them.
#[derive(Clone, Debug)]
pub struct TokenCookies {
    access: Place,
    refresh: Place,
    same_site: SameSite,
    scope: CookieScope,
}

impl TokenCookies {
    /// The cookies of these settings.
    pub fn new(settings: TokenCookieSettings) -> Self {
        let TokenCookieSettings { access, refresh, same_site, scope } = settings;
        // `__Host-` is for cookies of one host at `/` alone.
        let prefixed = |Place { name, path }: Place| {
            let prefix = match &scope {
                CookieScope::Development => "",
                CookieScope::Host if path == "/" => "__Host-",
                CookieScope::Host | CookieScope::Domain(_) => "__Secure-",
            };
            Place { name: format!("{prefix}{name}"), path }
        };
        Self { access: prefixed(access), refresh: prefixed(refresh), same_site, scope }
    }

    /// The name of the access token's cookie.
    pub fn access_name(&self) -> &str {
        &self.access.name
    }

    /// The name of the refresh token's cookie.
    pub fn refresh_name(&self) -> &str {
        &self.refresh.name
    }

    /// `Set-Cookie` for an access token that is good for `lifetime`; `None` when it is longer than browsers keep.
    pub fn set_access(&self, token: &Secret, lifetime: Duration) -> Option<HeaderValue> {
        let fits = self.access.name.len() + token.expose().len() <= LONGEST;
        fits.then(|| self.set(&self.access, token.expose(), lifetime))
    }

    /// `Set-Cookie` for a refresh token that is good for `lifetime`.
    pub fn set_refresh(&self, token: &Secret, lifetime: Duration) -> HeaderValue {
        self.set(&self.refresh, token.expose(), lifetime)
    }

    /// `Set-Cookie` that takes the refresh token away.
    pub fn clear_refresh(&self) -> HeaderValue {
        self.set(&self.refresh, "", Duration::ZERO)
    }

    /// `Set-Cookie` that takes both away.
    pub fn clear(&self) -> [HeaderValue; 2] {
        [self.set(&self.access, "", Duration::ZERO), self.clear_refresh()]
    }

    /// Whether a browser sent one of them, whatever its value.
    pub fn are_sent(&self, headers: &HeaderMap) -> bool {
        found(headers, &self.access.name, |_| true).is_some() || self.is_refresh_sent(headers)
    }

    /// Whether a browser sent the refresh token's, whatever its value.
    pub fn is_refresh_sent(&self, headers: &HeaderMap) -> bool {
        found(headers, &self.refresh.name, |_| true).is_some()
    }

    /// The access token that a browser sent, if its value may be one.
    pub fn access(&self, headers: &HeaderMap) -> Option<Secret> {
        found(headers, &self.access.name, may_be_access_token).map(|cookie| Secret::from(cookie.value()))
    }

    /// The refresh token that a browser sent, if its value may be one.
    pub fn refresh(&self, headers: &HeaderMap) -> Option<Secret> {
        found(headers, &self.refresh.name, is_token).map(|cookie| Secret::from(cookie.value()))
    }

    fn set(&self, place: &Place, value: &str, lifetime: Duration) -> HeaderValue {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let mut cookie = Cookie::build((place.name.as_str(), value))
            .path(place.path.as_str())
            .http_only(true)
            .same_site(self.same_site)
            .max_age(cookie::time::Duration::seconds(seconds));
        if self.scope != CookieScope::Development {
            cookie = cookie.secure(true);
        }
        if let CookieScope::Domain(domain) = &self.scope {
            cookie = cookie.domain(domain.as_str());
        }
        let mut header = HeaderValue::try_from(cookie.build().to_string())
            .expect("names, paths and domains are checked by the configuration, tokens are base64url");
        header.set_sensitive(true);
        header
    }
}

/// Opaque, or a JWT, which has dots between its parts.
fn may_be_access_token(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    const TOKEN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0";

    fn cookies(scope: CookieScope, path: &str) -> TokenCookies {
        let place = |name: &str, path: &str| Place { name: name.to_owned(), path: path.to_owned() };
        TokenCookies::new(TokenCookieSettings {
            access: place("access", path),
            refresh: place("refresh", "/api/v1/tokens"),
            same_site: SameSite::Lax,
            scope,
        })
    }

    #[test]
    fn names_and_attributes_follow_the_scope() {
        let token = Secret::from(TOKEN);
        let domain = CookieScope::Domain("example.com".to_owned());
        for (scope, path, access, refresh) in [
            (
                CookieScope::Host,
                "/",
                "__Host-access=*; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=900",
                "__Secure-refresh=*; HttpOnly; SameSite=Lax; Secure; Path=/api/v1/tokens; Max-Age=60",
            ),
            (
                CookieScope::Host,
                "/app",
                "__Secure-access=*; HttpOnly; SameSite=Lax; Secure; Path=/app; Max-Age=900",
                "__Secure-refresh=*; HttpOnly; SameSite=Lax; Secure; Path=/api/v1/tokens; Max-Age=60",
            ),
            (
                domain,
                "/",
                "__Secure-access=*; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=900",
                "__Secure-refresh=*; HttpOnly; SameSite=Lax; Secure; Path=/api/v1/tokens; Domain=example.com; Max-Age=60",
            ),
            (
                CookieScope::Development,
                "/",
                "access=*; HttpOnly; SameSite=Lax; Path=/; Max-Age=900",
                "refresh=*; HttpOnly; SameSite=Lax; Path=/api/v1/tokens; Max-Age=60",
            ),
        ] {
            let cookies = cookies(scope, path);
            let set = cookies.set_access(&token, Duration::from_mins(15)).unwrap();
            assert_eq!(set, access.replace('*', TOKEN));
            assert!(set.is_sensitive());
            assert_eq!(cookies.set_refresh(&token, Duration::from_mins(1)), refresh.replace('*', TOKEN));
            for cleared in cookies.clear() {
                let cleared = cleared.to_str().unwrap().to_owned();
                assert!(cleared.contains("=; ") && cleared.ends_with("; Max-Age=0"), "{cleared}");
            }
        }
    }

    #[test]
    fn only_what_may_be_a_token_is_read() {
        let cookies = cookies(CookieScope::Development, "/");
        let sent = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_bytes(value).unwrap());
            headers
        };
        let both = sent(format!("access=a.b.c; refresh={TOKEN}").as_bytes());
        assert!(cookies.access(&both).is_some() && cookies.refresh(&both).is_some() && cookies.are_sent(&both));
        let odd = sent(b"access=<script>; refresh=short");
        assert!(cookies.access(&odd).is_none() && cookies.refresh(&odd).is_none() && cookies.is_refresh_sent(&odd));
        let huge = sent(format!("access={}; refresh={}", "a".repeat(5000), "b".repeat(5000)).as_bytes());
        assert!(cookies.access(&huge).is_none() && cookies.refresh(&huge).is_none());
        assert!(!cookies.are_sent(&sent(b"\xff\xfe=1; other=2")));
        let long = Secret::from("a".repeat(4091).as_str());
        assert!(cookies.set_access(&long, Duration::from_mins(15)).is_none());
    }
}
