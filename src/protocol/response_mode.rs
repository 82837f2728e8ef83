//! Response modes.
//!
//! OAuth 2.0 Multiple Response Type Encoding Practices §2.1; OAuth 2.0 Form Post Response Mode.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::protocol::error::OAuthError;
use crate::protocol::response_type::ResponseType;

/// How an authorization response travels.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment.
    Fragment,
    /// As a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Every one, for discovery.
    pub const ALL: &'static [Self] = &[Self::Query, Self::Fragment, Self::FormPost];

    /// The mode where the request names none (Multiple Response Types §2.1).
    pub const fn default_for(response_type: ResponseType) -> Self {
        match response_type {
            ResponseType::Code => Self::Query,
        }
    }

    /// The value as sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }
}

impl FromStr for ResponseMode {
    type Err = OAuthError;

    /// `invalid_request` for a mode we do not speak.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| {
            OAuthError::invalid_request("this response_mode is not supported; use query, fragment or form_post")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_written() {
        for mode in ResponseMode::ALL {
            assert_eq!(mode.as_str().parse::<ResponseMode>().expect("known"), *mode);
        }
        for other in ["", "QUERY", "form-post", "web_message", "jwt", "query "] {
            assert!(other.parse::<ResponseMode>().is_err(), "{other}");
        }
    }
}
