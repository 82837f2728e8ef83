//! `[token_cookies]`: how browsers keep the tokens of first-party apps whose `token_delivery` is `cookies`.
//!
//! S-076; RFC 6265bis §4.1.3. `Secure` is no setting: it is left out for a server on this machine without https, and only there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};
use crate::http::cookie::CookieScope;
use crate::http::token_cookie::{Place, TokenCookieSettings};

/// Where the refresh token has to be sent to, below the issuer.
const TOKENS: &str = "/api/v1/tokens";

/// Whether requests of other sites bring a cookie.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Only where a person follows a link.
    #[default]
    Lax,
    /// Never.
    Strict,
    /// Always.
    None,
}

/// `[token_cookies]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenCookies {
    /// The name of the cookie with the access token; `__Host-` is put in front of it, or `__Secure-` with a domain or another path
    pub access_name: String,
    /// The name of the cookie with the refresh token; `__Secure-` is put in front of it
    pub refresh_name: String,
    /// Whether requests of other sites bring them: `lax`, `strict` or `none`
    pub same_site: SameSite,
    /// Below which path the access token is sent
    pub path: String,
    /// Below which path the refresh token is sent; else below `/api/v1/tokens` of this server, where refreshing and signing out are
    pub refresh_path: Option<String>,
    /// A domain for them, when APIs on several of its hosts take the access token; else they belong to this host alone
    pub domain: Option<String>,
}

impl Default for TokenCookies {
    fn default() -> Self {
        Self {
            access_name: "access".to_owned(),
            refresh_name: "refresh".to_owned(),
            same_site: SameSite::default(),
            path: "/".to_owned(),
            refresh_path: None,
            domain: None,
        }
    }
}

impl Config {
    /// The cookies of tokens.
    pub fn token_cookies(&self) -> TokenCookieSettings {
        let set = &self.token_cookies;
        TokenCookieSettings {
            access: Place { name: set.access_name.clone(), path: set.path.clone() },
            refresh: Place {
                name: set.refresh_name.clone(),
                path: set.refresh_path.clone().unwrap_or_else(|| self.tokens_path()),
            },
            same_site: match set.same_site {
                SameSite::Lax => crate::http::token_cookie::SameSite::Lax,
                SameSite::Strict => crate::http::token_cookie::SameSite::Strict,
                SameSite::None => crate::http::token_cookie::SameSite::None,
            },
            scope: match (&set.domain, self.issuer.is_https()) {
                (_, false) => CookieScope::Development,
                (Some(domain), true) => CookieScope::Domain(domain.clone()),
                (None, true) => CookieScope::Host,
            },
        }
    }

    fn tokens_path(&self) -> String {
        format!("{}{TOKENS}", self.issuer.path())
    }

    /// What is wrong with `[token_cookies]`.
    pub(super) fn token_cookie_mistakes(&self) -> Vec<ConfigError> {
        let set = &self.token_cookies;
        let mut found = Vec::new();
        for (key, name) in
            [("token_cookies.access_name", &set.access_name), ("token_cookies.refresh_name", &set.refresh_name)]
        {
            let is_word = (1..=64).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
            if !is_word || name.starts_with("__") || name.starts_with("symbolon_") {
                let message =
                    "must be a word of letters, digits, - _ and . without a prefix such as __Host-, and not symbolon_…";
                found.push(ConfigError::new(key, message));
            }
        }
        if set.access_name == set.refresh_name {
            found.push(ConfigError::new("token_cookies.refresh_name", "is that of the access token; they must differ"));
        }
        let paths =
            [("token_cookies.path", Some(&set.path)), ("token_cookies.refresh_path", set.refresh_path.as_ref())];
        for (key, path) in paths.into_iter().filter_map(|(key, path)| Some((key, path?))) {
            let is_path = path.starts_with('/')
                && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'"' | b'\\'));
            if !is_path {
                found.push(ConfigError::new(key, "is no path; write one such as /api/v1/tokens"));
            }
        }
        if set.same_site == SameSite::None && !self.issuer.is_https() {
            let message = "is none, which browsers take over https alone; write lax or strict";
            found.push(ConfigError::new("token_cookies.same_site", message));
        }
        found
    }

    /// What of `[token_cookies]` weakens or hinders.
    pub(super) fn token_cookie_weaknesses(&self) -> Vec<(&'static str, String)> {
        let set = &self.token_cookies;
        let mut found = Vec::new();
        if set.domain.is_some() {
            let message = "sends access tokens to every host of that domain, and each can overwrite them; leave it out \
                           unless APIs there take them";
            found.push(("token_cookies.domain", message.to_owned()));
        }
        if set.same_site == SameSite::None {
            let message =
                "is none: requests of every other site bring the tokens, and X-CSRF-Token alone keeps them off";
            found.push(("token_cookies.same_site", message.to_owned()));
        }
        let needed = self.tokens_path();
        if let Some(path) = set.refresh_path.as_ref().filter(|path| **path != needed) {
            let message = if is_below(&needed, path) {
                format!("is {path}: the refresh token goes along with more requests than those that need it, {needed}")
            } else {
                format!(
                    "is {path}: browsers do not send the refresh token to {needed}; right only behind a proxy of your own"
                )
            };
            found.push(("token_cookies.refresh_path", message));
        }
        found
    }
}

/// RFC 6265bis §5.1.4: whether requests for `path` bring a cookie of `cookie_path`.
fn is_below(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::issuer::Issuer;

    fn config(change: impl FnOnce(&mut TokenCookies)) -> Config {
        let mut config =
            Config { issuer: Issuer::parse("https://login.example.com/a").expect("an issuer"), ..Config::default() };
        change(&mut config.token_cookies);
        config
    }

    #[test]
    fn what_browsers_would_not_keep_is_refused() {
        assert!(config(|_| ()).token_cookie_mistakes().is_empty());
        assert_eq!(config(|_| ()).token_cookies().refresh.path, "/a/api/v1/tokens");
        for (change, key) in [
            (
                (|set| set.access_name = "__Host-access".to_owned()) as fn(&mut TokenCookies),
                "token_cookies.access_name",
            ),
            (|set| set.access_name = String::new(), "token_cookies.access_name"),
            (|set| set.refresh_name = "symbolon_session".to_owned(), "token_cookies.refresh_name"),
            (|set| set.refresh_name = "a;b".to_owned(), "token_cookies.refresh_name"),
            (|set| set.refresh_name = "access".to_owned(), "token_cookies.refresh_name"),
            (|set| set.path = "app".to_owned(), "token_cookies.path"),
            (|set| set.refresh_path = Some("/a;b".to_owned()), "token_cookies.refresh_path"),
        ] {
            let keys: Vec<String> =
                config(change).token_cookie_mistakes().iter().map(|mistake| mistake.key().to_owned()).collect();
            assert_eq!(keys, [key]);
        }
    }

    #[test]
    fn what_weakens_is_named() {
        assert!(config(|_| ()).token_cookie_weaknesses().is_empty());
        for (change, key) in [
            ((|set| set.domain = Some("example.com".to_owned())) as fn(&mut TokenCookies), "token_cookies.domain"),
            (|set| set.same_site = SameSite::None, "token_cookies.same_site"),
            (|set| set.refresh_path = Some("/".to_owned()), "token_cookies.refresh_path"),
            (|set| set.refresh_path = Some("/auth".to_owned()), "token_cookies.refresh_path"),
        ] {
            let found = config(change).token_cookie_weaknesses();
            assert_eq!(found.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [key]);
        }
    }
}
