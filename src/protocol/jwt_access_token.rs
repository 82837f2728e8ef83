//! Access tokens as JWTs.
//!
//! RFC 9068 §2.2 (claims) and §4 (validation), RFC 7519 §4.1.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::protocol::jose::audience;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jws::{SigningKey, Unverified, VerificationKey};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

/// `typ` of an access token (RFC 9068 §2.1).
pub const TYPE: &str = "at+jwt";

/// What an access token says. Reading is strict: each member must be there once and of its type.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Who made it: this server.
    pub iss: String,
    /// The person, or the client itself when no person is involved.
    pub sub: String,
    /// The resource servers it is for.
    #[serde(with = "audience")]
    pub aud: Vec<String>,
    /// The client it was given to (RFC 8693 §4.3).
    pub client_id: String,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// When it was made.
    pub iat: NumericDate,
    /// The end: at this moment it is no longer good.
    pub exp: NumericDate,
    /// Before this moment it is not good yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// Its name, which also tells its grant.
    pub jti: TokenId,
    /// When the person signed in (RFC 9068 §2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// How strongly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The session, as in the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The operator's own (§2.2.3.1), under names that none of the others has.
    #[serde(skip)]
    pub own: Map<String, Value>,
}

/// The names above.
const NAMES: &[&str] =
    &["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "nbf", "jti", "auth_time", "acr", "amr", "sid"];

impl AccessTokenClaims {
    /// Signs them into an access token whose header has `more` members.
    ///
    /// # Errors
    /// As [`SigningKey::sign_with`].
    pub fn sign(&self, key: &SigningKey, more: &Map<String, Value>) -> Result<String, JoseError> {
        #[derive(Serialize)]
        struct All<'a> {
            #[serde(flatten)]
            known: &'a AccessTokenClaims,
            #[serde(flatten)]
            own: &'a Map<String, Value>,
        }
        if self.own.is_empty() {
            return key.sign_with((TYPE, more), self);
        }
        key.sign_with((TYPE, more), &All { known: self, own: &self.own })
    }

    /// Verifies one of our own access tokens under `key`, which `kid` found; clocks may differ by `leeway`, in whole seconds.
    ///
    /// Revocation, and for resource servers `aud`, are the caller's to check.
    ///
    /// # Errors
    /// Another `typ`, a signature that does not fit, claims of the wrong type, another issuer, the end has come, or it is not good
    /// yet.
    pub fn verify(
        token: &Unverified<'_>,
        key: &VerificationKey,
        issuer: &str,
        (now, leeway): (NumericDate, Duration),
    ) -> Result<Self, JoseError> {
        if !token.is_type(TYPE) {
            return Err(JoseError::WrongType(TYPE));
        }
        let payload = token.verify(key)?;
        let mut claims: Self = payload.claims()?;
        if claims.iss != issuer {
            return Err(JoseError::Claims("the iss of the access token is not this server".to_owned()));
        }
        if claims.exp.plus(leeway).is_past(now) {
            return Err(JoseError::Claims("the access token has expired".to_owned()));
        }
        if claims.nbf.is_some_and(|nbf| nbf > now.plus(leeway)) {
            return Err(JoseError::Claims("the access token is not good yet".to_owned()));
        }
        claims.own = payload.object()?.into_iter().filter(|(name, _)| !NAMES.contains(&name.as_str())).collect();
        Ok(claims)
    }
}

/// The name of an access token. It begins with the grant, so that a revoked grant is seen without a table of tokens.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub struct TokenId {
    /// The grant; `None` for a client's own token.
    pub grant: Option<Uuid>,
    /// 128 random bits.
    pub unique: [u8; 16],
}

impl TokenId {
    /// `jti` in base64url: 43 characters with a grant, 22 without.
    fn encode_into(self, text: &mut [u8; 43]) -> &str {
        let mut bytes = [0; 32];
        let (first, second) = bytes.split_at_mut(16);
        let used = if let Some(grant) = self.grant {
            first.copy_from_slice(grant.as_bytes());
            second.copy_from_slice(&self.unique);
            bytes.as_slice()
        } else {
            first.copy_from_slice(&self.unique);
            first
        };
        let length = URL_SAFE_NO_PAD.encode_slice(used, text).expect("32 bytes become 43 characters");
        let encoded = text.get(..length).expect("the encoder stays within its buffer");
        std::str::from_utf8(encoded).expect("base64url is ASCII")
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode_into(&mut [0; 43]))
    }
}

impl FromStr for TokenId {
    type Err = JoseError;

    fn from_str(text: &str) -> Result<Self, JoseError> {
        let refused = || JoseError::Claims("the jti is not one of ours".to_owned());
        // The decoder asks for room by the length of the text: 44 characters round up to 33 bytes.
        let mut buffer = [0; 33];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).map_err(|_| refused())?;
        let bytes = buffer.get(..length).unwrap_or_default();
        match (<[u8; 16]>::try_from(bytes), bytes.split_first_chunk::<16>()) {
            (Ok(unique), _) => Ok(Self { grant: None, unique }),
            (Err(_), Some((grant, unique))) => {
                let unique = unique.try_into().map_err(|_| refused())?;
                Ok(Self { grant: Some(Uuid::from_bytes(*grant)), unique })
            }
            _ => Err(refused()),
        }
    }
}

impl Serialize for TokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode_into(&mut [0; 43]))
    }
}

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TokenIdVisitor;

        impl serde::de::Visitor<'_> for TokenIdVisitor {
            type Value = TokenId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a jti")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TokenId, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(TokenIdVisitor)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::jose::algorithm::SigningAlgorithm;
    use crate::protocol::jose::jws::SigningKey;

    const ISSUER: &str = "https://id.example";
    const NOW: NumericDate = NumericDate::from_seconds(1_000);

    fn claims() -> AccessTokenClaims {
        AccessTokenClaims {
            iss: ISSUER.to_owned(),
            sub: "alice".to_owned(),
            aud: vec!["https://api.example".to_owned()],
            client_id: "shop".to_owned(),
            scope: "openid email".parse().unwrap(),
            iat: NOW,
            exp: NumericDate::from_seconds(1_900),
            jti: TokenId { grant: Some(Uuid::from_u128(7)), unique: [9; 16] },
            auth_time: Some(NumericDate::from_seconds(990)),
            acr: None,
            amr: vec!["pwd".to_owned()],
            sid: None,
            nbf: None,
            own: Map::new(),
        }
    }

    fn key() -> SigningKey {
        SigningKey::generate(SigningAlgorithm::EdDSA).unwrap().key
    }

    fn read(key: &SigningKey, token: &str, now: NumericDate) -> Result<AccessTokenClaims, JoseError> {
        AccessTokenClaims::verify(&Unverified::parse(token)?, key.verification_key(), ISSUER, (now, Duration::ZERO))
    }

    #[test]
    fn claims_are_written_in_the_words_of_the_specification() {
        assert_eq!(
            serde_json::to_value(claims()).unwrap(),
            json!({
                "iss": ISSUER, "sub": "alice", "aud": "https://api.example", "client_id": "shop", "scope": "openid email",
                "iat": 1000, "exp": 1900, "jti": "AAAAAAAAAAAAAAAAAAAABwkJCQkJCQkJCQkJCQkJCQk",
                "auth_time": 990, "amr": ["pwd"],
            })
        );
        let two = AccessTokenClaims { aud: vec!["a".to_owned(), "b".to_owned()], scope: Scope::empty(), ..claims() };
        let written = serde_json::to_value(two).unwrap();
        assert_eq!(written["aud"], json!(["a", "b"]));
        assert_eq!(written.get("scope"), None);
    }

    #[test]
    fn our_own_token_is_read_until_its_end() {
        let key = key();
        let token = key.sign(TYPE, &claims()).unwrap();
        assert_eq!(read(&key, &token, NOW), Ok(claims()));
        assert_eq!(read(&key, &token, NumericDate::from_seconds(1_899)), Ok(claims()));
        for later in [1_900, 1_901, i64::MAX] {
            let error = read(&key, &token, NumericDate::from_seconds(later)).unwrap_err();
            assert_eq!(error.to_string(), "the access token has expired");
        }
    }

    #[test]
    fn other_kinds_and_other_issuers_are_refused() {
        let key = key();
        for typ in ["JWT", "logout+jwt", "at+jwt+x", ""] {
            let token = key.sign(typ, &claims()).unwrap();
            assert_eq!(read(&key, &token, NOW), Err(JoseError::WrongType(TYPE)), "{typ}");
        }
        let foreign = AccessTokenClaims { iss: format!("{ISSUER}/"), ..claims() };
        assert!(read(&key, &key.sign(TYPE, &foreign).unwrap(), NOW).is_err());
    }

    #[test]
    fn every_claim_is_required_and_typed() {
        let key = key();
        let changed = |name: &str, value: Value| {
            let mut object = serde_json::to_value(claims()).unwrap();
            match value {
                Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
                value => object[name] = value,
            }
            read(&key, &key.sign(TYPE, &object).unwrap(), NOW)
        };
        for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
            assert!(changed(name, Value::Null).is_err(), "{name} missing");
        }
        for (name, value) in [
            ("exp", json!("1900")),
            ("exp", json!(1900.5)),
            ("exp", json!(9_999_999_999_999_999_999_u64)),
            ("exp", json!([1900])),
            ("iat", json!("1000")),
            ("auth_time", json!("990")),
            ("iss", json!([ISSUER])),
            ("sub", json!(7)),
            ("aud", json!([])),
            ("aud", json!([7])),
            ("aud", json!({"a": 1})),
            ("aud", json!(vec!["a"; 65])),
            ("client_id", json!(["shop"])),
            ("scope", json!(["openid"])),
            ("scope", json!("a\"b")),
            ("amr", json!("pwd")),
            ("jti", json!("AAAA")),
            ("jti", json!("not base64url at all")),
            ("jti", json!(7)),
        ] {
            assert!(changed(name, value.clone()).is_err(), "{name}: {value}");
        }
        assert!(changed("unknown", json!({"a": [1]})).is_ok(), "a later release may add a claim");
    }

    #[test]
    fn a_repeated_claim_is_refused() {
        let key = key();
        let text = serde_json::to_string(&claims()).unwrap();
        let doubled: Box<serde_json::value::RawValue> =
            serde_json::from_str(&text.replacen('{', "{\"sub\":\"mallory\",", 1)).unwrap();
        let error = read(&key, &key.sign(TYPE, &doubled).unwrap(), NOW).unwrap_err();
        assert!(error.to_string().contains("repeated"), "{error}");
    }

    #[test]
    fn token_ids_round_trip() {
        for id in [claims().jti, TokenId { grant: None, unique: [0xFF; 16] }] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in ["", "AA", &"A".repeat(21), &"A".repeat(23), &"A".repeat(42), &"A".repeat(44), &"A".repeat(400)] {
            assert!(text.parse::<TokenId>().is_err(), "{text}");
        }
    }
}
