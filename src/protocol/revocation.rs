//! Token revocation.
//!
//! RFC 7009.

use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// A token that its client no longer wants (§2.1).
#[derive(Clone, Debug)]
pub struct RevocationRequest {
    /// The token, of either kind.
    pub token: Secret,
    /// Which kind to look for first.
    pub token_type_hint: Option<TokenTypeHint>,
}

impl RevocationRequest {
    /// Reads the body of a revocation request.
    ///
    /// # Errors
    /// `invalid_request` for a missing or repeated parameter.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.refuse_repeated(&[])?;
        Ok(Self {
            token: params.required("token")?.into(),
            token_type_hint: params.get("token_type_hint").and_then(TokenTypeHint::parse),
        })
    }
}

/// Which kind of token the sender thinks it has (§2.1). Only a hint: the other kind is looked for too.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

impl TokenTypeHint {
    /// The hint named `text`; a kind we do not know is no hint.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "access_token" => Some(Self::AccessToken),
            "refresh_token" => Some(Self::RefreshToken),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_only_a_hint() {
        for (text, hint) in [
            ("token=t", None),
            ("token=t&token_type_hint=access_token", Some(TokenTypeHint::AccessToken)),
            ("token=t&token_type_hint=refresh_token", Some(TokenTypeHint::RefreshToken)),
            ("token=t&token_type_hint=id_token", None),
        ] {
            let request = RevocationRequest::parse(&Params::parse(text.as_bytes()).expect("well formed")).expect(text);
            assert!(request.token.matches("t"));
            assert_eq!(request.token_type_hint, hint, "{text}");
        }
    }

    #[test]
    fn malformed_requests_are_refused() {
        for text in ["", "token=", "token=a&token=b", "token=a&x=1&x=2"] {
            assert!(RevocationRequest::parse(&Params::parse(text.as_bytes()).expect("well formed")).is_err(), "{text}");
        }
    }
}
