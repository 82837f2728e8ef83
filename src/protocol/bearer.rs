//! Bearer tokens: how they arrive, and what is answered when they do not do.
//!
//! RFC 6750 §2.1, §2.2, §3.

use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// The longest access token we look at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The token that a request carries in its `Authorization` header or its form body; `None` when it carries none.
///
/// A token in the query is not looked for (RFC 9700 §4.3.2).
///
/// # Errors
/// As [`from_header`]; `invalid_request` when it comes both ways (RFC 6750 §2) or twice.
pub fn presented(authorization: Option<&str>, form: Option<&Params>) -> Result<Option<Secret>, OAuthError> {
    let in_form = form.map(|form| form.one("access_token")).transpose()?.flatten();
    match (authorization, in_form) {
        (None, None) => Ok(None),
        (Some(header), None) => from_header(header).map(Some),
        (None, Some(token)) => well_formed(token).map(Some),
        (Some(_), Some(_)) => {
            Err(OAuthError::invalid_request("the access token must come in one way only: in the header or in the form"))
        }
    }
}

/// The token of an `Authorization` header (RFC 6750 §2.1).
///
/// # Errors
/// `invalid_token` for another scheme; `invalid_request` when the token is missing or holds characters that no token has.
pub fn from_header(header: &str) -> Result<Secret, OAuthError> {
    let (scheme, token) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(OAuthError::invalid_token("the Authorization header must be Bearer and an access token"));
    }
    well_formed(token.trim_start())
}

/// `b64token` of RFC 6750 §2.1.
fn well_formed(token: &str) -> Result<Secret, OAuthError> {
    let body = token.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    if body.is_empty() || token.len() > MAX_LENGTH || !body.bytes().all(allowed) {
        return Err(OAuthError::invalid_request("the access token is missing or malformed (RFC 6750 section 2.1)"));
    }
    Ok(token.into())
}

/// The value of `WWW-Authenticate` (RFC 6750 §3), whose realm is the issuer; `None` for a request that carried no token at all (§3.1).
pub fn challenge(issuer: &str, error: Option<&OAuthError>) -> String {
    let realm = issuer.replace(['"', '\\'], "");
    match error {
        None => format!("Bearer realm=\"{realm}\""),
        // Descriptions hold neither quotes nor backslashes.
        Some(error) => format!(
            "Bearer realm=\"{realm}\", error=\"{}\", error_description=\"{}\", error_uri=\"{}\"",
            error.code(),
            error.description(),
            error.code().uri(&realm)
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::error::ErrorCode;

    #[test]
    fn headers_are_read() {
        for (header, token) in [
            ("Bearer abc", Ok("abc")),
            ("bearer  a.b-c_d~e+f/g==", Ok("a.b-c_d~e+f/g==")),
            ("BEARER abc ", Ok("abc")),
            ("Bearer", Err(ErrorCode::InvalidRequest)),
            ("Bearer ", Err(ErrorCode::InvalidRequest)),
            ("Bearer ==", Err(ErrorCode::InvalidRequest)),
            ("Bearer a b", Err(ErrorCode::InvalidRequest)),
            ("Bearer a,b", Err(ErrorCode::InvalidRequest)),
            ("Bearer \"abc\"", Err(ErrorCode::InvalidRequest)),
            ("Basic YTpi", Err(ErrorCode::InvalidToken)),
            ("abc", Err(ErrorCode::InvalidToken)),
            ("", Err(ErrorCode::InvalidToken)),
        ] {
            let read = from_header(header);
            assert_eq!(read.as_ref().map(|token| token.expose().as_str()).map_err(OAuthError::code), token, "{header}");
        }
    }

    /// RFC 6750 §2: one method in each request.
    #[test]
    fn tokens_come_one_way() {
        let form = Params::from_iter([("access_token", "abc")]);
        let twice = Params::from_iter([("access_token", "abc"), ("access_token", "abc")]);
        assert!(presented(None, None).expect("none").is_none());
        assert!(presented(None, Some(&Params::default())).expect("none").is_none());
        assert!(presented(None, Some(&form)).expect("one").is_some_and(|token| token.matches("abc")));
        assert!(presented(Some("Bearer abc"), Some(&form)).is_err());
        assert!(presented(None, Some(&twice)).is_err());
    }

    #[test]
    fn challenges_quote_nothing_dangerous() {
        assert_eq!(challenge("https://id.example", None), "Bearer realm=\"https://id.example\"");
        assert_eq!(
            challenge("a\"b", Some(&OAuthError::invalid_token("the token \"x\" has expired"))),
            "Bearer realm=\"ab\", error=\"invalid_token\", error_description=\"the token 'x' has expired\", \
             error_uri=\"ab/docs/errors/invalid_token\""
        );
    }

    proptest! {
        #[test]
        fn no_input_panics(header: String) {
            let _ = from_header(&header);
        }
    }
}
