//! Proof Key for Code Exchange.
//!
//! RFC 7636; only `S256`, as RFC 9700 §2.1.1 recommends.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::protocol::error::OAuthError;
use crate::protocol::secret::Secret;

/// The method names for discovery (§6.2.2).
pub const METHODS: &[&str] = &["S256"];

/// The challenge a client sends with its authorization request (§4.3): base64url of a SHA-256 digest, 43 characters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// `invalid_request` for another method than `S256` (none means `plain`, §4.3) and for a value that is no S256 digest.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, OAuthError> {
        match method {
            Some("S256") => {}
            None => {
                return Err(OAuthError::invalid_request(
                    "code_challenge_method is missing, which means plain; send code_challenge_method=S256",
                ));
            }
            Some("plain") => {
                return Err(OAuthError::invalid_request(
                    "code_challenge_method plain gives no protection; send the SHA-256 of the verifier with S256",
                ));
            }
            Some(_) => {
                return Err(OAuthError::invalid_request("this code_challenge_method is not known; send S256"));
            }
        }
        // Lengths first: a decoder would also take padding or stray bits for another spelling of the same digest.
        let is_digest = challenge.len() == 43
            && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_digest {
            return Err(OAuthError::invalid_request(
                "code_challenge must be 43 characters: base64url without padding of the SHA-256 of code_verifier",
            ));
        }
        Ok(Self(challenge.to_owned()))
    }

    /// The S256 challenge of `verifier` (§4.2).
    pub fn of(verifier: &CodeVerifier) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_str().as_bytes())))
    }

    /// True when `verifier` hashes to this challenge (§4.6); takes constant time.
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        self.0.as_bytes().ct_eq(Self::of(verifier).0.as_bytes()).into()
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The secret a client sends with its token request (§4.1): 43 to 128 unreserved characters.
#[derive(Clone, Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Reads `code_verifier`.
    ///
    /// # Errors
    /// `invalid_grant` for another length or character: such a verifier fits no challenge (§4.6).
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
            return Err(OAuthError::invalid_grant(
                "code_verifier must be 43 to 128 characters out of A-Z a-z 0-9 - . _ ~ and match code_challenge",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The verifier itself.
    pub fn as_str(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_matches() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).expect("well formed");
        assert!(challenge.matches(&CodeVerifier::parse(VERIFIER).expect("well formed")));
        assert!(!challenge.matches(&CodeVerifier::parse(CHALLENGE).expect("well formed")));
    }

    #[test]
    fn other_methods_and_lengths_are_refused() {
        for (challenge, method) in [
            (CHALLENGE, None),
            (CHALLENGE, Some("plain")),
            (CHALLENGE, Some("s256")),
            (CHALLENGE, Some("S512")),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", Some("S256")),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", Some("S256")),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", Some("S256")),
            ("", Some("S256")),
        ] {
            assert!(CodeChallenge::parse(challenge, method).is_err(), "{challenge} {method:?}");
        }
    }

    #[test]
    fn verifiers_keep_to_their_alphabet() {
        for (text, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~.-_".repeat(32), true),
            ("a".repeat(129), false),
            ("a ".repeat(30), false),
            ("é".repeat(30), false),
        ] {
            assert_eq!(CodeVerifier::parse(&text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn verifiers_do_not_print() {
        assert!(!format!("{:?}", CodeVerifier::parse(VERIFIER).expect("well formed")).contains("dBjf"));
    }

    proptest! {
        #[test]
        fn every_verifier_fits_its_own_challenge(text in "[A-Za-z0-9._~-]{43,128}") {
            let verifier = CodeVerifier::parse(&text).expect("in the alphabet");
            let challenge = CodeChallenge::of(&verifier);
            prop_assert_eq!(&CodeChallenge::parse(challenge.as_str(), Some("S256")).expect("a digest"), &challenge);
            prop_assert!(challenge.matches(&verifier));
        }

        #[test]
        fn no_input_panics(challenge: String, method: Option<String>) {
            let _ = CodeChallenge::parse(&challenge, method.as_deref());
            let _ = CodeVerifier::parse(&challenge);
        }
    }
}
