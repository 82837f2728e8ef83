//! Encrypted tokens: a signed JWT within a JWE, in compact serialization.
//!
//! RFC 7516 §7.1, RFC 7519 §11.2 (signed first, then encrypted), RFC 7518 §4.3 (RSA-OAEP-256), §4.5 (dir), §5.3 (A256GCM).
//!
//! What is read again was made here, so only these algorithms are read, there is no compression, and the token chooses nothing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwe::{self, Dir, JweEncrypter, JweHeader, RSA_OAEP_256};
use serde_json::{Map, Value};

use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::json;
use crate::protocol::jose::jws::MAX_TOKEN_BYTES;
use crate::protocol::secret::Secret;

/// `enc`, the only one.
const CONTENT_ENCRYPTION: &str = "A256GCM";
/// Header members that choose a key, compress, or change the meaning of the rest.
const REFUSED: &[&str] = &["crit", "zip", "jwk", "jku", "x5c", "x5u", "p2s", "p2c", "epk"];

/// How the content key comes to the reader (RFC 7518 §4.1).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum KeyManagement {
    /// `dir`: both have it.
    Direct,
    /// `RSA-OAEP-256`: it is encrypted to the reader's public key.
    RsaOaep256,
}

impl KeyManagement {
    /// `alg`
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }
}

/// A key that encrypts content directly: 256 bits.
pub struct ContentKey {
    kid: String,
    key: Secret<Vec<u8>>,
}

impl ContentKey {
    /// The key called `kid`.
    pub fn new(kid: impl Into<String>, key: &[u8; 32]) -> Self {
        Self { kid: kid.into(), key: Secret::new(key.to_vec()) }
    }

    /// Encrypts a signed JWT; `typ` is that of the whole.
    ///
    /// # Errors
    /// [`JoseError::Key`] when the library refuses.
    pub fn encrypt(&self, typ: &str, jwt: &str) -> Result<String, JoseError> {
        let encrypter = Dir.encrypter_from_bytes(self.key.expose()).map_err(|_| refused())?;
        serialize((typ, Some(&self.kid)), jwt, &encrypter)
    }

    /// The signed JWT within `token`.
    ///
    /// # Errors
    /// [`JoseError::BadSignature`] when it was encrypted with another key, or altered.
    pub fn decrypt(&self, token: &Encrypted<'_>) -> Result<Secret, JoseError> {
        if token.key_management != KeyManagement::Direct {
            return Err(JoseError::UnsupportedAlgorithm);
        }
        let decrypter = Dir.decrypter_from_bytes(self.key.expose()).map_err(|_| refused())?;
        let (payload, _) = jwe::deserialize_compact(token.token, &decrypter).map_err(|_| JoseError::BadSignature)?;
        String::from_utf8(payload).map(Secret::new).map_err(|_| JoseError::Malformed("what it holds is no JWT"))
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The public key of a reader, for `RSA-OAEP-256`.
#[derive(Debug)]
pub struct Recipient {
    kid: Option<String>,
    jwk: josekit::jwk::Jwk,
}

impl Recipient {
    /// Reads a public JWK (RFC 7517 §4): RSA, 2048 to 4096 bits, for encryption where it says what it is for.
    ///
    /// # Errors
    /// [`JoseError::Key`] says what it is not.
    pub fn parse(members: &Map<String, Value>) -> Result<Self, JoseError> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if text("kty") != Some("RSA") {
            return Err(JoseError::Key("its kty is not RSA"));
        }
        if members.contains_key("d") {
            return Err(JoseError::Key("it is a private key; only the public half belongs here"));
        }
        if text("use").is_some_and(|purpose| purpose != "enc") {
            return Err(JoseError::Key("its use is not enc"));
        }
        if text("alg").is_some_and(|alg| alg != KeyManagement::RsaOaep256.as_str()) {
            return Err(JoseError::Key("its alg is not RSA-OAEP-256"));
        }
        let modulus = text("n").and_then(|n| URL_SAFE_NO_PAD.decode(n).ok()).unwrap_or_default();
        if !(256..=512).contains(&modulus.len()) {
            return Err(JoseError::Key("an RSA key needs 2048 to 4096 bits"));
        }
        let only =
            ["kty", "n", "e", "kid"].into_iter().filter_map(|name| Some((name.to_owned(), members.get(name)?.clone())));
        let jwk =
            josekit::jwk::Jwk::from_map(only.collect::<Map<_, _>>()).map_err(|_| JoseError::Key("it is no JWK"))?;
        RSA_OAEP_256.encrypter_from_jwk(&jwk).map_err(|_| JoseError::Key("its numbers are no RSA key"))?;
        Ok(Self { kid: text("kid").map(str::to_owned), jwk })
    }

    /// Encrypts a signed JWT to the reader; `typ` is that of the whole.
    ///
    /// # Errors
    /// [`JoseError::Key`] when the library refuses.
    pub fn encrypt(&self, typ: &str, jwt: &str) -> Result<String, JoseError> {
        let encrypter = RSA_OAEP_256.encrypter_from_jwk(&self.jwk).map_err(|_| refused())?;
        serialize((typ, self.kid.as_deref()), jwt, &encrypter)
    }
}

/// A JWE whose shape and header are acceptable, and that nobody has opened.
#[derive(Debug)]
pub struct Encrypted<'a> {
    token: &'a str,
    /// `alg`
    pub key_management: KeyManagement,
    /// `kid`
    pub kid: Option<String>,
}

impl<'a> Encrypted<'a> {
    /// Reads the shape and the header; `None` for what does not have five parts.
    ///
    /// # Errors
    /// Above 16 KiB, a header that is no plain object, another `alg` or `enc`, or one of `crit`, `zip`, `jwk`, `jku`, `x5c`,
    /// `x5u`, `p2s`, `p2c`, `epk` present.
    pub fn parse(token: &'a str) -> Result<Option<Self>, JoseError> {
        if token.bytes().filter(|byte| *byte == b'.').count() != 4 {
            return Ok(None);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLong(MAX_TOKEN_BYTES));
        }
        let header = token.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| JoseError::Malformed("its header is not base64url"))?;
        let header = json::parse_object(&header, "header")?;
        if let Some(name) = REFUSED.iter().find(|name| header.contains_key(**name)) {
            return Err(JoseError::RefusedHeaderMember(name));
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let known = [KeyManagement::Direct, KeyManagement::RsaOaep256];
        let key_management = known.into_iter().find(|known| text("alg") == Some(known.as_str()));
        let key_management = key_management.filter(|_| text("enc") == Some(CONTENT_ENCRYPTION));
        let key_management = key_management.ok_or(JoseError::UnsupportedAlgorithm)?;
        Ok(Some(Self { token, key_management, kid: text("kid").map(str::to_owned) }))
    }
}

fn serialize((typ, kid): (&str, Option<&str>), jwt: &str, encrypter: &dyn JweEncrypter) -> Result<String, JoseError> {
    let mut header = JweHeader::new();
    header.set_content_encryption(CONTENT_ENCRYPTION);
    header.set_token_type(typ);
    // RFC 7519 §5.2: what it holds is a JWT again.
    header.set_content_type("JWT");
    if let Some(kid) = kid {
        header.set_key_id(kid);
    }
    jwe::serialize_compact(jwt.as_bytes(), &header, encrypter).map_err(|_| refused())
}

const fn refused() -> JoseError {
    JoseError::Key("the cryptographic library refused to encrypt")
}

#[cfg(test)]
mod tests {
    use josekit::jwk::KeyPair as _;
    use josekit::jwk::alg::rsa::RsaKeyPair;
    use serde_json::json;

    use super::*;

    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

    fn parsed(token: &str) -> Encrypted<'_> {
        Encrypted::parse(token).expect("acceptable").expect("five parts")
    }

    #[test]
    fn what_was_encrypted_is_read_with_the_same_key_alone() {
        let key = ContentKey::new("one", &[7; 32]);
        let token = key.encrypt("at+jwt", JWT).unwrap();
        let encrypted = parsed(&token);
        assert_eq!((encrypted.key_management, encrypted.kid.as_deref()), (KeyManagement::Direct, Some("one")));
        assert_eq!(key.decrypt(&encrypted).unwrap().expose(), JWT);
        assert_eq!(ContentKey::new("one", &[8; 32]).decrypt(&encrypted).unwrap_err(), JoseError::BadSignature);
        assert_ne!(key.encrypt("at+jwt", JWT).unwrap(), token, "each has a nonce of its own");
        for part in token.split('.') {
            assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(part).unwrap()).contains("alice"));
        }
        let (rest, tag) = token.rsplit_once('.').unwrap();
        let altered = format!("{rest}.{}", tag.chars().rev().collect::<String>());
        assert!(
            Encrypted::parse(&altered).map(|altered| key.decrypt(&altered.unwrap())).map_or(true, |read| read.is_err())
        );
    }

    #[test]
    fn a_recipient_reads_it_with_the_private_key() {
        let pair = RsaKeyPair::generate(2048).unwrap();
        let mut public: Map<String, Value> = pair.to_jwk_public_key().into();
        public.insert("kid".to_owned(), json!("api"));
        let token = Recipient::parse(&public).unwrap().encrypt("at+jwt", JWT).unwrap();
        let encrypted = parsed(&token);
        assert_eq!((encrypted.key_management, encrypted.kid.as_deref()), (KeyManagement::RsaOaep256, Some("api")));
        let decrypter = RSA_OAEP_256.decrypter_from_jwk(&pair.to_jwk_private_key()).unwrap();
        let (payload, header) = jwe::deserialize_compact(&token, &decrypter).unwrap();
        assert_eq!((payload.as_slice(), header.content_type()), (JWT.as_bytes(), Some("JWT")));
        assert!(ContentKey::new("api", &[7; 32]).decrypt(&encrypted).is_err());

        let private: Map<String, Value> = pair.to_jwk_private_key().into();
        let weak: Map<String, Value> = RsaKeyPair::generate(1024).unwrap().to_jwk_public_key().into();
        let mut signing = public.clone();
        signing.insert("use".to_owned(), json!("sig"));
        for wrong in [private, weak, signing, Map::new()] {
            assert!(matches!(Recipient::parse(&wrong), Err(JoseError::Key(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_token_chooses_nothing() {
        let with = |header: Value| format!("{}..a.b.c", URL_SAFE_NO_PAD.encode(header.to_string()));
        assert!(Encrypted::parse("a.b.c").unwrap().is_none(), "a JWS is none");
        for header in [
            json!({"alg": "dir", "enc": "A128GCM"}),
            json!({"alg": "dir"}),
            json!({"alg": "A256KW", "enc": "A256GCM"}),
            json!({"alg": "RSA1_5", "enc": "A256GCM"}),
            json!({"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"}),
            json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}),
            json!({"alg": "dir", "enc": "A256GCM", "crit": ["exp"]}),
            json!({"alg": "dir", "enc": "A256GCM", "jwk": {}}),
            json!([]),
        ] {
            assert!(Encrypted::parse(&with(header.clone())).is_err(), "{header}");
        }
        let endless = format!("{}{}", with(json!({"alg": "dir", "enc": "A256GCM"})), "x".repeat(MAX_TOKEN_BYTES));
        assert_eq!(Encrypted::parse(&endless).unwrap_err(), JoseError::TooLong(MAX_TOKEN_BYTES));
    }
}
