//! Response types.
//!
//! OAuth 2.0 Multiple Response Type Encoding Practices; RFC 6749 §3.1.1.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::protocol::error::{ErrorCode, OAuthError};

/// What the authorization endpoint answers with.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
pub enum ResponseType {
    /// `code`: an authorization code.
    #[serde(rename = "code")]
    Code,
}

impl ResponseType {
    /// Every one, for discovery.
    pub const ALL: &'static [Self] = &[Self::Code];

    /// The value as sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }
}

impl FromStr for ResponseType {
    type Err = OAuthError;

    /// `unsupported_response_type` for all but `code` (RFC 9700 §2.1.2 advises against the others).
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| {
            OAuthError::new(
                ErrorCode::UnsupportedResponseType,
                "this response_type is not supported; use response_type=code with PKCE",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_supported() {
        assert_eq!("code".parse::<ResponseType>().expect("supported"), ResponseType::Code);
        for other in ["", "Code", "code ", "code code", "token", "id_token", "code id_token", "none"] {
            let error = other.parse::<ResponseType>().expect_err(other);
            assert_eq!(error.code(), ErrorCode::UnsupportedResponseType, "{other}");
        }
    }
}
