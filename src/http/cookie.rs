//! The cookies of a browser: its session, its flow, and the mark by which it is known.
//!
//! RFC 6265bis §4.1.3 (name prefixes), OWASP ASVS 3.3.1-3.3.4. The flow cookie names a browser before anybody is signed in:
//! pending requests and form tokens are bound to it. *Why a third:* the mark of `authn::device` keeps a stranger who guesses from
//! shutting the person out of their own browser; it opens nothing. A sign-in that waits for its second proof has a cookie of its own, so
//! that no other page takes it for a session; and a browser in which none is asked for has the mark of `authn::second_factor`.
//! Another remembers the name of the provider that was last used, for the sign-in page alone.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::model::identity_provider::ProviderSlug;
use crate::protocol::secret::Secret;

/// The value of the session cookie as a browser sent it.
#[derive(Clone, Debug)]
pub struct SessionCookie(pub Secret);

/// The value of the flow cookie as a browser sent it.
#[derive(Clone, Debug)]
pub struct FlowCookie(pub Secret);

/// How long a browser keeps a cookie.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Keep {
    /// Until it is closed.
    WhileOpen,
    /// For so long (whole seconds), through a restart of the browser.
    For(Duration),
}

/// Where the cookies go, which decides their names (RFC 6265bis §4.1.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CookieScope {
    /// This host only, over https: `__Host-`.
    Host,
    /// A domain with its hosts, over https: `__Secure-`.
    Domain(String),
    /// A development server without https: no prefix, no `Secure`.
    Development,
}

/// Writes and reads the cookies under the names of one scope.
#[derive(Clone, Debug)]
pub struct Cookies {
    scope: CookieScope,
    session: String,
    flow: String,
    device: String,
    half: String,
    remembered: String,
    provider: String,
    no_passkey: String,
}

/// How long nobody is offered a passkey who wanted none.
const NOT_NOW: Duration = Duration::from_hours(90 * 24);
/// How long a browser is known after a sign-in.
const KNOWN: Duration = Duration::from_hours(365 * 24);

impl Cookies {
    /// The cookies of `scope`.
    pub fn new(scope: CookieScope) -> Self {
        let prefix = match scope {
            CookieScope::Host => "__Host-",
            CookieScope::Domain(_) => "__Secure-",
            CookieScope::Development => "",
        };
        Self {
            session: format!("{prefix}symbolon_session"),
            flow: format!("{prefix}symbolon_flow"),
            device: format!("{prefix}symbolon_device"),
            half: format!("{prefix}symbolon_half"),
            remembered: format!("{prefix}symbolon_remembered"),
            provider: format!("{prefix}symbolon_provider"),
            no_passkey: format!("{prefix}symbolon_no_passkey"),
            scope,
        }
    }

    /// The name of the session's cookie.
    pub fn session_name(&self) -> &str {
        &self.session
    }

    /// `Set-Cookie` for a session.
    pub fn set_session(&self, value: &Secret, keep: Keep) -> HeaderValue {
        self.set(&self.session, value.expose(), Some(keep))
    }

    /// `Set-Cookie` for a flow; kept while the browser is open.
    pub fn set_flow(&self, value: &Secret) -> HeaderValue {
        self.set(&self.flow, value.expose(), Some(Keep::WhileOpen))
    }

    /// `Set-Cookie` for the mark of a known browser; signing out leaves it.
    pub fn set_device(&self, mark: &Secret) -> HeaderValue {
        self.set(&self.device, mark.expose(), Some(Keep::For(KNOWN)))
    }

    /// The mark a browser carries, if its value has the form of ours.
    pub fn device(&self, headers: &HeaderMap) -> Option<Secret> {
        read(headers, &self.device)
    }

    /// `Set-Cookie` for a sign-in that waits for its second proof.
    pub fn set_half(&self, handle: &Secret) -> HeaderValue {
        self.set(&self.half, handle.expose(), Some(Keep::WhileOpen))
    }

    /// `Set-Cookie` that ends such a sign-in in the browser.
    pub fn clear_half(&self) -> HeaderValue {
        self.set(&self.half, "", None)
    }

    /// The sign-in that a browser is in the middle of, if its value has the form of ours.
    pub fn half(&self, headers: &HeaderMap) -> Option<Secret> {
        read(headers, &self.half)
    }

    /// `Set-Cookie` for the mark of a browser in which no second factor is asked for.
    pub fn set_remembered(&self, mark: &Secret, keep: Keep) -> HeaderValue {
        self.set(&self.remembered, mark.expose(), Some(keep))
    }

    /// That mark, if its value has the form of ours.
    pub fn remembered(&self, headers: &HeaderMap) -> Option<Secret> {
        read(headers, &self.remembered)
    }

    /// `Set-Cookie` for "not now", said to a passkey.
    pub fn set_no_passkey(&self) -> HeaderValue {
        self.set(&self.no_passkey, "1", Some(Keep::For(NOT_NOW)))
    }

    /// Whether somebody said "not now" here a while ago.
    pub fn wants_no_passkey(&self, headers: &HeaderMap) -> bool {
        found(headers, &self.no_passkey, |value| value == "1").is_some()
    }

    /// `Set-Cookie` for the provider that somebody signed in by last: a word on its button, and nothing else.
    pub fn set_provider(&self, slug: &str) -> HeaderValue {
        self.set(&self.provider, slug, Some(Keep::For(KNOWN)))
    }

    /// The provider that somebody signed in by last, if its value has the form of a name.
    pub fn provider(&self, headers: &HeaderMap) -> Option<String> {
        let found = found(headers, &self.provider, |value| value.parse::<ProviderSlug>().is_ok());
        found.map(|cookie| cookie.value().to_owned())
    }

    /// `Set-Cookie` that ends the session in the browser.
    pub fn clear_session(&self) -> HeaderValue {
        self.set(&self.session, "", None)
    }

    /// `Set-Cookie` that ends the flow in the browser.
    pub fn clear_flow(&self) -> HeaderValue {
        self.set(&self.flow, "", None)
    }

    /// The session a browser names, if its value has the form of ours.
    pub fn session(&self, headers: &HeaderMap) -> Option<SessionCookie> {
        read(headers, &self.session).map(SessionCookie)
    }

    /// The flow a browser names, if its value has the form of ours.
    pub fn flow(&self, headers: &HeaderMap) -> Option<FlowCookie> {
        read(headers, &self.flow).map(FlowCookie)
    }

    /// `keep` is `None` to clear: the same name, path and domain, already over.
    fn set(&self, name: &str, value: &str, keep: Option<Keep>) -> HeaderValue {
        let mut cookie = Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax);
        if self.scope != CookieScope::Development {
            cookie = cookie.secure(true);
        }
        if let CookieScope::Domain(domain) = &self.scope {
            cookie = cookie.domain(domain.as_str());
        }
        let seconds = match keep {
            Some(Keep::WhileOpen) => None,
            Some(Keep::For(duration)) => Some(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)),
            None => Some(0),
        };
        if let Some(seconds) = seconds {
            cookie = cookie.max_age(cookie::time::Duration::seconds(seconds));
        }
        let mut header = HeaderValue::try_from(cookie.build().to_string())
            .expect("names are ours, values base64url, domains checked by the configuration");
        header.set_sensitive(true);
        header
    }
}

/// The first cookie of that name whose value is a token of ours: 256 bits in base64url, 43 characters.
///
/// Anything else cannot be in the store; refusing it here keeps strange bytes out of everything below.
fn read(headers: &HeaderMap, name: &str) -> Option<Secret> {
    found(headers, name, is_token).map(|cookie| Secret::from(cookie.value()))
}

/// The first cookie of that name with a value of this form.
pub(super) fn found<'h>(headers: &'h HeaderMap, name: &str, is_form: impl Fn(&str) -> bool) -> Option<Cookie<'h>> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        // Most are of another name, and each request looks for several.
        .filter(|pair| pair.trim_start().starts_with(name))
        .filter_map(|pair| Cookie::parse(pair).ok())
        .find(|cookie| cookie.name() == name && is_form(cookie.value()))
}

/// 32 bytes in base64url, or the 48 of a mark.
pub(super) fn is_token(value: &str) -> bool {
    matches!(value.len(), 43 | 64)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0";

    fn browser(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|cookie| (COOKIE, HeaderValue::from_str(cookie).unwrap())).collect()
    }

    #[test]
    fn names_and_attributes_follow_the_scope() {
        let token = Secret::from(TOKEN);
        for (scope, expected) in [
            (CookieScope::Host, format!("__Host-symbolon_session={TOKEN}; HttpOnly; SameSite=Lax; Secure; Path=/")),
            (
                CookieScope::Domain("example.com".into()),
                format!(
                    "__Secure-symbolon_session={TOKEN}; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com"
                ),
            ),
            (CookieScope::Development, format!("symbolon_session={TOKEN}; HttpOnly; SameSite=Lax; Path=/")),
        ] {
            assert_eq!(Cookies::new(scope).set_session(&token, Keep::WhileOpen), expected);
        }
    }

    #[test]
    fn a_kept_session_says_for_how_long_and_a_cleared_one_is_over() {
        let cookies = Cookies::new(CookieScope::Development);
        let kept = cookies.set_session(&Secret::from(TOKEN), Keep::For(Duration::from_hours(720)));
        assert!(kept.to_str().unwrap().ends_with("; Max-Age=2592000"), "{}", kept.to_str().unwrap());
        assert!(kept.is_sensitive());
        for cleared in [cookies.clear_session(), cookies.clear_flow()] {
            let cleared = cleared.to_str().unwrap().to_owned();
            assert!(cleared.contains("=; ") && cleared.ends_with("; Max-Age=0"), "{cleared}");
        }
        assert_eq!(
            cookies.set_flow(&Secret::from(TOKEN)),
            format!("symbolon_flow={TOKEN}; HttpOnly; SameSite=Lax; Path=/")
        );
    }

    #[test]
    fn only_tokens_of_ours_are_read() {
        let cookies = Cookies::new(CookieScope::Development);
        let own = format!("symbolon_session={TOKEN}");
        let longer = format!("symbolon_session={TOKEN}0");
        let other = format!("__Host-symbolon_session={TOKEN}");
        let escaped = format!("symbolon_session=%61{}", &TOKEN[1..]);
        let beside = format!("a=b; ; =; x; theme=dark;symbolon_session={TOKEN} ; symbolon_flow={TOKEN}");
        let after = format!("symbolon_session=tossed; symbolon_session={TOKEN}");
        for (sent, found) in [
            (vec![own.as_str()], true),
            (vec!["other=1", own.as_str()], true),
            (vec![beside.as_str()], true),
            (vec![after.as_str()], true),
            (vec![], false),
            (vec!["symbolon_session="], false),
            (vec!["symbolon_session"], false),
            (vec![longer.as_str()], false),
            (vec![other.as_str()], false),
            (vec![escaped.as_str()], false),
        ] {
            let session = cookies.session(&browser(&sent));
            assert_eq!(session.is_some(), found, "{sent:?}");
            assert!(session.is_none_or(|session| session.0.expose() == TOKEN));
        }
        assert!(cookies.flow(&browser(&[&beside])).is_some());
        assert_eq!(format!("{:?}", cookies.session(&browser(&[&own]))), "Some(SessionCookie(…))");
    }

    #[test]
    fn bytes_that_are_no_text_are_no_cookie() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(b"symbolon_session=\xff\xfe").unwrap());
        assert!(Cookies::new(CookieScope::Development).session(&headers).is_none());
    }
}
