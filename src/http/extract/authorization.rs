//! The `Authorization` header: what a client or a bearer presents.
//!
//! RFC 6749 §2.3.1 and RFC 7617 (Basic, with both parts form-urlencoded), RFC 6750 §2.1 (Bearer). At most one header.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::{AUTHORIZATION, HeaderMap};
use zeroize::Zeroizing;

use crate::protocol::error::OAuthError;
use crate::protocol::secret::Secret;

/// Standard base64, padded or not: both are seen in the wild.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the header says.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// A client's id and secret.
    Basic(BasicCredentials),
    /// An access token.
    Bearer(Secret),
}

/// What a client presents by `client_secret_basic`, decoded.
#[derive(Clone, Debug)]
pub struct BasicCredentials {
    /// Its id.
    pub client_id: String,
    /// Its secret; may be empty (RFC 6749 §2.3.1).
    pub client_secret: Secret,
}

/// How a header that cannot be read is refused.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Endpoint<'a> {
    /// A client authenticates here: `invalid_client`.
    Client,
    /// A token opens something here, after `Bearer` or one of these words: `invalid_token`, or `invalid_request` for a malformed one.
    Resource(&'a [String]),
}

impl Endpoint<'_> {
    /// Whether an access token follows this scheme.
    fn takes_tokens_after(self, scheme: &str) -> bool {
        let more: &[String] = if let Self::Resource(more) = self { more } else { &[] };
        scheme.eq_ignore_ascii_case("bearer") || more.iter().any(|more| scheme.eq_ignore_ascii_case(more))
    }
}

/// What the request presents; `None` without a header.
///
/// # Errors
/// By endpoint: `invalid_client` or `invalid_token` for another scheme and for what cannot be decoded; `invalid_request` for two headers.
pub fn read(headers: &HeaderMap, endpoint: Endpoint<'_>) -> Result<Option<Authorization>, OAuthError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(OAuthError::invalid_request("more than one Authorization header"));
    }
    let refuse = |description: &'static str| match endpoint {
        Endpoint::Client => OAuthError::invalid_client(description),
        Endpoint::Resource(_) => OAuthError::invalid_token(description),
    };
    let (scheme, credentials) = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(|| refuse("the Authorization header has no scheme and credentials"))?;
    let credentials = credentials.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("basic") {
        let basic = basic(credentials).ok_or_else(|| {
            refuse("the Basic credentials are not base64 of client_id:client_secret, each form-urlencoded (RFC 6749 section 2.3.1)")
        })?;
        return Ok(Some(Authorization::Basic(basic)));
    }
    if endpoint.takes_tokens_after(scheme) {
        if !is_b64token(credentials) {
            return Err(refuse("the Bearer token has characters that no token has (RFC 6750 section 2.1)"));
        }
        return Ok(Some(Authorization::Bearer(Secret::from(credentials))));
    }
    Err(refuse("the scheme of the Authorization header is not known here"))
}

/// RFC 7617 §2: everything up to the first colon is the id.
fn basic(credentials: &str) -> Option<BasicCredentials> {
    let decoded = Zeroizing::new(BASE64.decode(credentials).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (client_id, secret) = decoded.split_at_checked(colon)?;
    let client_id = form_decode(client_id).filter(|id| !id.is_empty())?;
    Some(BasicCredentials { client_id, client_secret: Secret::new(form_decode(secret.get(1..)?)?) })
}

/// RFC 6749 appendix B; `None` for broken escapes, what is not UTF-8, and control characters.
fn form_decode(encoded: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|text| !text.chars().any(char::is_control))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 6750 §2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(token: &str) -> bool {
    let unpadded = token.trim_end_matches('=');
    !unpadded.is_empty() && unpadded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use http::header::HeaderValue;

    use super::*;

    fn presented(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    fn decoded(raw: &str) -> Option<(String, String)> {
        let read = |header: String| match read(&presented(&header), Endpoint::Client) {
            Ok(Some(Authorization::Basic(basic))) => Some((basic.client_id, basic.client_secret.expose().clone())),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.code().as_str(), "invalid_client");
                None
            }
        };
        let padded = read(format!("Basic {}", STANDARD.encode(raw)));
        assert_eq!(padded, read(format!("bAsIc {}", STANDARD_NO_PAD.encode(raw))));
        padded
    }

    #[test]
    fn basic_credentials_are_decoded_twice() {
        for (raw, expected) in [
            ("shop:secret", Some(("shop", "secret"))),
            ("shop:", Some(("shop", ""))),
            ("shop:a:b", Some(("shop", "a:b"))),
            ("shop%3Aeu:p%25+q%2B", Some(("shop:eu", "p% q+"))),
            ("https%3A%2F%2Fapp.example%2Fid:x", Some(("https://app.example/id", "x"))),
            ("sh%C3%B6p:s", Some(("shöp", "s"))),
            (":secret", None),
            ("no colon", None),
            ("", None),
            ("shop:%", None),
            ("shop:%4", None),
            ("shop:%zz", None),
            ("shop:%+1", None),
            ("shop:%ff", None),
            ("shop:%00", None),
            ("shop:a\nb", None),
        ] {
            let expected = expected.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
            assert_eq!(decoded(raw), expected, "{raw}");
        }
    }

    #[test]
    fn bearer_tokens_are_taken_as_they_are() {
        for (value, token) in [
            ("Bearer abc.DEF-_~+/==", Some("abc.DEF-_~+/==")),
            ("bearer  x ", Some("x")),
            ("Bearer ", None),
            ("Bearer", None),
            ("Bearer a b", None),
            ("Bearer =", None),
            ("Bearer a=b", None),
            ("Bearer a,b", None),
            ("DPoP abc", None),
        ] {
            let read = read(&presented(value), Endpoint::Resource(&[]));
            match (read, token) {
                (Ok(Some(Authorization::Bearer(read))), Some(token)) => assert_eq!(read.expose(), token),
                (Err(error), None) => assert_eq!(error.code().as_str(), "invalid_token", "{value}"),
                (other, _) => panic!("{value}: {other:?}"),
            }
        }
    }

    #[test]
    fn apis_of_old_have_words_of_their_own() {
        let more = ["JWT".to_owned()];
        for (value, is_taken) in [("JWT abc", true), ("jwt abc", true), ("Bearer abc", true), ("Token abc", false)] {
            let read = read(&presented(value), Endpoint::Resource(&more));
            assert_eq!(matches!(read, Ok(Some(Authorization::Bearer(_)))), is_taken, "{value}");
        }
        assert!(read(&presented("JWT abc"), Endpoint::Client).is_err());
    }

    #[test]
    fn one_header_at_most_and_no_other_scheme() {
        assert!(read(&HeaderMap::new(), Endpoint::Client).unwrap().is_none());
        let mut two = presented("Basic eDp5");
        two.append(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        assert_eq!(read(&two, Endpoint::Client).unwrap_err().code().as_str(), "invalid_request");
        for other in ["Negotiate abc", "Basic", "Basic !!!!", "Basic\teDp5", ""] {
            let refused = read(&presented(other), Endpoint::Client).unwrap_err();
            assert_eq!(refused.code().as_str(), "invalid_client", "{other}");
        }
        let bytes = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Basic \xff").unwrap())]);
        assert_eq!(read(&bytes, Endpoint::Client).unwrap_err().code().as_str(), "invalid_client");
    }

    #[test]
    fn secrets_do_not_print() {
        let read = read(&presented(&format!("Basic {}", STANDARD.encode("shop:hunter2"))), Endpoint::Client);
        let printed = format!("{read:?}");
        assert!(printed.contains("shop") && !printed.contains("hunter2"), "{printed}");
    }
}
