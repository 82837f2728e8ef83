//! ID tokens: what they say, and reading our own again as a hint.
//!
//! OIDC Core §2, §3.1.2.1 (`id_token_hint`), §3.1.3.6 (`at_hash`).

use aws_lc_rs::digest::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::audience;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jws::{Unverified, VerificationKey};
use crate::protocol::numeric_date::NumericDate;

/// `typ` of an ID token, so that no other kind of our tokens passes as one (RFC 8725 §3.11).
pub const TYPE: &str = "JWT";

/// Members that only this file writes; claims about the person cannot take their place.
const OWN_MEMBERS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "nbf",
    "jti",
    "cnf",
    "events",
];

/// What an ID token says.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct IdTokenClaims {
    /// Who made it: this server.
    pub iss: String,
    /// The person, as this client knows them.
    pub sub: String,
    /// The client.
    #[serde(with = "audience")]
    pub aud: Vec<String>,
    /// The end: at this moment it is no longer good.
    pub exp: NumericDate,
    /// When it was made.
    pub iat: NumericDate,
    /// When the person signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// From the authorization request, unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How strongly the person signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods (RFC 8176).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The client it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// Binds the access token ([`at_hash`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The session, for logout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Claims about the person; members with a name from above are left out.
    #[serde(flatten, serialize_with = "without_own_members")]
    pub person: Map<String, Value>,
}

fn without_own_members<S: Serializer>(person: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(person.iter().filter(|(name, _)| !OWN_MEMBERS.contains(&name.as_str())))
}

/// The left half of the hash of `token` in base64url: `at_hash` of an access token, `c_hash` of a code (§3.3.2.11).
///
/// `algorithm` is the one the ID token is signed with.
pub fn at_hash(algorithm: SigningAlgorithm, token: &str) -> String {
    let hash = digest(algorithm.digest(), token.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

/// What one of our ID tokens tells when it comes back as a hint.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
pub struct IdTokenHint {
    /// Who made it: this server.
    pub iss: String,
    /// The person, as the client knows them.
    pub sub: String,
    /// The client.
    #[serde(with = "audience")]
    pub aud: Vec<String>,
    /// Its end, which may have come: a hint tells who was signed in, not who is (RP-Initiated Logout §2).
    pub exp: NumericDate,
    /// When it was made.
    pub iat: NumericDate,
    /// The session it was made in.
    #[serde(default)]
    pub sid: Option<String>,
}

impl IdTokenHint {
    /// Reads one of our own ID tokens under `key`, which `kid` found. An expired one is good.
    ///
    /// # Errors
    /// Another kind of token, a signature that does not fit, claims of the wrong type, or another issuer.
    pub fn verify(token: &Unverified<'_>, key: &VerificationKey, issuer: &str) -> Result<Self, JoseError> {
        if !token.is_type(TYPE) {
            return Err(JoseError::WrongType(TYPE));
        }
        let hint: Self = token.verify(key)?.claims()?;
        if hint.iss != issuer {
            return Err(JoseError::Claims("the iss of the ID token is not this server".to_owned()));
        }
        Ok(hint)
    }

    /// True when it was made for `client_id`.
    pub fn is_for(&self, client_id: &str) -> bool {
        self.aud.iter().any(|audience| audience == client_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::jose::jws::SigningKey;

    const ISSUER: &str = "https://id.example";

    fn claims() -> IdTokenClaims {
        let person = json!({"email": "alice@example.com", "sub": "mallory", "exp": 1, "address": {"country": "CH"}});
        IdTokenClaims {
            iss: ISSUER.to_owned(),
            sub: "alice".to_owned(),
            aud: vec!["shop".to_owned()],
            exp: NumericDate::from_seconds(4_600),
            iat: NumericDate::from_seconds(1_000),
            auth_time: Some(NumericDate::from_seconds(990)),
            nonce: Some("n-0S6_WzA2Mj".to_owned()),
            acr: Some("urn:symbolon:acr:1".to_owned()),
            amr: vec!["pwd".to_owned()],
            azp: Some("shop".to_owned()),
            at_hash: None,
            sid: Some("s1".to_owned()),
            person: person.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn claims_about_the_person_never_replace_those_of_the_token() {
        let text = serde_json::to_string(&claims()).unwrap();
        assert_eq!((text.matches("\"sub\"").count(), text.matches("\"exp\"").count()), (1, 1), "{text}");
        let expected = json!({
            "iss": "https://id.example", "sub": "alice", "aud": "shop", "exp": 4600, "iat": 1000, "auth_time": 990,
            "nonce": "n-0S6_WzA2Mj", "acr": "urn:symbolon:acr:1", "amr": ["pwd"], "azp": "shop", "sid": "s1",
            "address": {"country": "CH"}, "email": "alice@example.com"
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected);
    }

    /// OIDC Core appendix A.3 gives the first value.
    #[test]
    fn at_hash_is_the_left_half_of_the_hash_of_the_algorithm() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        for (algorithm, expected) in [
            (SigningAlgorithm::RS256, "77QmUPtjPfzWtF2AnpK9RQ"),
            (SigningAlgorithm::PS256, "77QmUPtjPfzWtF2AnpK9RQ"),
            (SigningAlgorithm::ES256, "77QmUPtjPfzWtF2AnpK9RQ"),
        ] {
            assert_eq!(at_hash(algorithm, token), expected);
        }
        for (algorithm, length) in
            [(SigningAlgorithm::ES384, 32), (SigningAlgorithm::ES512, 43), (SigningAlgorithm::EdDSA, 43)]
        {
            assert_eq!(at_hash(algorithm, token).len(), length, "{algorithm}");
        }
        assert_eq!(at_hash(SigningAlgorithm::ES512, token), at_hash(SigningAlgorithm::EdDSA, token));
    }

    #[test]
    fn our_own_token_is_read_as_a_hint_whatever_the_time() {
        let key = SigningKey::generate(SigningAlgorithm::ES256).unwrap().key;
        let token = key.sign(TYPE, &claims()).unwrap();
        let hint = IdTokenHint::verify(&Unverified::parse(&token).unwrap(), key.verification_key(), ISSUER).unwrap();
        assert_eq!((hint.sub.as_str(), hint.sid.as_deref()), ("alice", Some("s1")));
        assert!(hint.is_for("shop") && !hint.is_for("shop2"));
    }

    #[test]
    fn other_tokens_are_no_hint() {
        let key = SigningKey::generate(SigningAlgorithm::ES256).unwrap().key;
        let other = SigningKey::generate(SigningAlgorithm::ES256).unwrap().key;
        let read = |token: &str, issuer: &str| {
            IdTokenHint::verify(&Unverified::parse(token).unwrap(), key.verification_key(), issuer)
        };
        let access_token = key.sign("at+jwt", &claims()).unwrap();
        assert_eq!(read(&access_token, ISSUER), Err(JoseError::WrongType(TYPE)));
        assert_eq!(read(&other.sign(TYPE, &claims()).unwrap(), ISSUER), Err(JoseError::BadSignature));
        let good = key.sign(TYPE, &claims()).unwrap();
        assert!(read(&good, "https://other.example").is_err());
        for (name, value) in [("exp", json!("4600")), ("sub", json!(7)), ("aud", json!([])), ("sid", json!(1))] {
            let mut object = serde_json::to_value(claims()).unwrap();
            object[name] = value;
            assert!(read(&key.sign(TYPE, &object).unwrap(), ISSUER).is_err(), "{name}");
        }
        for name in ["iss", "sub", "aud", "exp", "iat"] {
            let mut object = serde_json::to_value(claims()).unwrap();
            object.as_object_mut().unwrap().remove(name);
            assert!(read(&key.sign(TYPE, &object).unwrap(), ISSUER).is_err(), "{name}");
        }
    }
}
