//! The way back to the client.
//!
//! RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 (`iss`); OAuth 2.0 Form Post Response Mode §2.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::error::OAuthError;
use crate::protocol::response_mode::ResponseMode;

/// A verified redirect URI with everything needed to answer there: the only way to answer a client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReturnPath {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}

impl ReturnPath {
    /// A way back to `redirect_uri`, which the caller has compared with the registered ones.
    pub(in crate::protocol) fn new(redirect_uri: &str, mode: ResponseMode, state: Option<&str>, issuer: &str) -> Self {
        Self { redirect_uri: redirect_uri.to_owned(), mode, state: state.map(str::to_owned), issuer: issuer.to_owned() }
    }

    /// Where the answer goes.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// How it travels.
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// The client's own mark on its request.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The successful answer (RFC 6749 §4.1.2).
    pub fn code(&self, code: &str) -> AuthorizationResponse {
        self.respond(&[("code", code)])
    }

    /// The refusal (RFC 6749 §4.1.2.1).
    pub fn error(&self, error: &OAuthError) -> AuthorizationResponse {
        let (code, uri) = (error.code(), error.code().uri(&self.issuer));
        self.respond(&[("error", code.as_str()), ("error_description", error.description()), ("error_uri", &uri)])
    }

    /// `fields`, then `state` as it came, then `iss` (RFC 9207 §2).
    fn respond(&self, fields: &[(&str, &str)]) -> AuthorizationResponse {
        let state = self.state.as_deref().map(|state| ("state", state));
        let fields = fields.iter().copied().chain(state).chain([("iss", self.issuer.as_str())]);
        match self.mode {
            ResponseMode::Query => AuthorizationResponse::Redirect(with_query(&self.redirect_uri, fields)),
            ResponseMode::Fragment => {
                AuthorizationResponse::Redirect(format!("{}#{}", self.redirect_uri, encoded(fields)))
            }
            ResponseMode::FormPost => AuthorizationResponse::FormPost {
                action: self.redirect_uri.clone(),
                fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            },
        }
    }
}

/// An answer, ready to be sent. It carries a code, so it does not print.
#[derive(Clone, Eq, PartialEq)]
pub enum AuthorizationResponse {
    /// The complete URL that the browser is sent to with 303.
    Redirect(String),
    /// A page whose form the browser posts.
    FormPost {
        /// Where the form goes.
        action: String,
        /// Its hidden fields, in order; not escaped for HTML.
        fields: Vec<(String, String)>,
    },
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(_) => f.write_str("Redirect(…)"),
            Self::FormPost { action, .. } => f.debug_struct("FormPost").field("action", action).finish_non_exhaustive(),
        }
    }
}

/// `uri` with `fields` in its query; what is there already is retained (RFC 6749 §3.1.2).
pub(in crate::protocol) fn with_query<'a>(uri: &str, fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = encoded(fields);
    if query.is_empty() {
        return uri.to_owned();
    }
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, present)) if present.is_empty() || present.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{query}")
}

/// `application/x-www-form-urlencoded` with `%20` for the space: decoders of fragments often leave `+` alone.
fn encoded<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        percent_encode(value, &mut text);
    }
    text
}

/// Appends `value` with all but unreserved characters (RFC 3986 §2.3) percent-encoded.
fn percent_encode(value: &str, text: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 0xF)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::params::Params;

    const ISSUER: &str = "https://id.example";

    fn path(redirect_uri: &str, mode: ResponseMode) -> ReturnPath {
        ReturnPath::new(redirect_uri, mode, Some("a b&c"), ISSUER)
    }

    fn redirect(response: AuthorizationResponse) -> String {
        match response {
            AuthorizationResponse::Redirect(url) => url,
            AuthorizationResponse::FormPost { .. } => panic!("a redirect was expected"),
        }
    }

    /// RFC 6749 §3.1.2: the query of the redirect URI stays. RFC 9207 §2: `iss` is always there.
    #[test]
    fn answers_are_added_to_the_redirect_uri() {
        const ANSWER: &str = "code=c1&state=a%20b%26c&iss=https%3A%2F%2Fid.example";
        for (redirect_uri, mode, expected) in [
            ("https://app.example/cb", ResponseMode::Query, "https://app.example/cb?"),
            ("https://app.example/cb?a=1", ResponseMode::Query, "https://app.example/cb?a=1&"),
            ("https://app.example/cb?", ResponseMode::Query, "https://app.example/cb?"),
            ("https://app.example/cb?a=1&", ResponseMode::Query, "https://app.example/cb?a=1&"),
            ("com.example.app:/cb", ResponseMode::Query, "com.example.app:/cb?"),
            ("https://app.example/cb?a=1", ResponseMode::Fragment, "https://app.example/cb?a=1#"),
        ] {
            assert_eq!(redirect(path(redirect_uri, mode).code("c1")), format!("{expected}{ANSWER}"));
        }
    }

    #[test]
    fn errors_carry_state_and_issuer_too() {
        let error = OAuthError::access_denied("the person said no");
        assert_eq!(
            redirect(path("https://app.example/cb", ResponseMode::Query).error(&error)),
            "https://app.example/cb?error=access_denied&error_description=the%20person%20said%20no\
             &error_uri=https%3A%2F%2Fid.example%2Fdocs%2Ferrors%2Faccess_denied&state=a%20b%26c&iss=https%3A%2F%2Fid.example"
        );
    }

    #[test]
    fn forms_carry_plain_fields() {
        let without_state = ReturnPath::new("https://app.example/cb?a=1", ResponseMode::FormPost, None, ISSUER);
        assert_eq!(
            without_state.code("c1"),
            AuthorizationResponse::FormPost {
                action: "https://app.example/cb?a=1".to_owned(),
                fields: vec![("code".to_owned(), "c1".to_owned()), ("iss".to_owned(), ISSUER.to_owned())],
            }
        );
    }

    #[test]
    fn codes_do_not_print() {
        for mode in ResponseMode::ALL {
            let response = path("https://app.example/cb", *mode).code("sEcReT");
            assert!(!format!("{response:?}").contains("sEcReT"));
        }
    }

    proptest! {
        #[test]
        fn state_comes_back_as_it_was(state in "[^\\x00-\\x1F\\x7F-\\x9F]{1,40}") {
            let path = ReturnPath::new("https://app.example/cb", ResponseMode::Query, Some(&state), ISSUER);
            let url = redirect(path.code("c"));
            let params = Params::parse(url.split_once('?').expect("has a query").1.as_bytes()).expect("well formed");
            prop_assert_eq!(params.get("state"), Some(state.as_str()));
        }
    }
}
