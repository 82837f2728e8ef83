//! Where an app of the house takes the links of mails (S-133).
//!
//! PROTOCOL A14. *Why so narrow:* what stands behind it gets a token that sets a password. Only what the operator wrote is taken, as an
//! address that no program on the way can read along: `https`, or this machine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// The address of an app, without a slash at its end.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrontendUrl(String);

/// What is no such address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot be taken; write an https URL without a query, like https://app.example.com")]
pub struct NotAFrontend;

impl FrontendUrl {
    /// As a link begins.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when nobody can read along: not of an app that is being developed.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for FrontendUrl {
    type Err = NotAFrontend;

    fn from_str(text: &str) -> Result<Self, NotAFrontend> {
        let url = Url::parse(text).map_err(|_| NotAFrontend)?;
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_safe = (url.scheme() == "https" || (url.scheme() == "http" && is_here))
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        // As the parser understood it: it leaves out line breaks and writes other letters as hosts have them.
        if is_safe { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(NotAFrontend) }
    }
}

impl TryFrom<String> for FrontendUrl {
    type Error = NotAFrontend;

    fn try_from(text: String) -> Result<Self, NotAFrontend> {
        text.parse()
    }
}

impl From<FrontendUrl> for String {
    fn from(url: FrontendUrl) -> Self {
        url.0
    }
}

impl fmt::Display for FrontendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lead_a_token_astray_is_refused() {
        for (text, read) in [
            ("https://app.example.com/", Some("https://app.example.com")),
            ("https://app.example.com/shop", Some("https://app.example.com/shop")),
            ("https://app.exam\nple.com", Some("https://app.example.com")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("http://app.example.com", None),
            ("http://localhost.example.com", None),
            ("https://app.example.com?next=", None),
            ("https://app.example.com/#", None),
            ("https://app.example.com@evil.example", None),
            ("javascript:alert(1)", None),
            ("//app.example.com", None),
            ("app.example.com", None),
            ("com.example.app:/", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<FrontendUrl>().ok().as_ref().map(FrontendUrl::as_str), read, "{text:?}");
        }
    }
}
