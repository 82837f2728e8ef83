//! Signed tokens in compact serialization, as they arrive.
//!
//! RFC 7515 §4, §5.2 and §7.1, RFC 7519 §7.2, RFC 8725 §3.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::json;

pub use crate::protocol::jose::signing_key::{GeneratedKey, SigningKey};
pub use crate::protocol::jose::verification_key::VerificationKey;

/// Bytes of a token that we read.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Bytes of `kid` and of `typ` that we read.
const MAX_NAME_BYTES: usize = 256;
/// Unknown header members that we ignore.
const MAX_UNKNOWN_MEMBERS: usize = 16;

/// A JWS whose shape and header are acceptable and whose signature nobody has looked at.
pub struct Unverified<'a> {
    header: Header,
    signing_input: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Unverified<'a> {
    /// Reads the shape and the header.
    ///
    /// # Errors
    /// Above 16 KiB, not three parts of base64url, a header that is no plain object, `alg` not one we verify, or one of
    /// `crit`, `b64`, `jwk`, `jku`, `x5u`, `x5c`, `zip`, `enc` present.
    pub fn parse(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLong(MAX_TOKEN_BYTES));
        }
        let shape = JoseError::Malformed("it does not have three parts separated by dots");
        let (signing_input, signature) = token.rsplit_once('.').ok_or(shape.clone())?;
        let (header, claims) = signing_input.split_once('.').ok_or(shape.clone())?;
        if claims.contains('.') {
            return Err(shape);
        }
        if header.is_empty() || claims.is_empty() || signature.is_empty() {
            return Err(JoseError::Malformed("one of its three parts is empty"));
        }
        Ok(Self { header: Header::decode(header)?, signing_input, claims, signature })
    }

    /// `alg`.
    pub const fn algorithm(&self) -> JwsAlgorithm {
        self.header.algorithm
    }

    /// `kid`: which key its maker says it used.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// `typ` as it stands.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// True when `typ` names `expected`: media types compare without case, `application/` is implied (RFC 7515 §4.1.9).
    pub fn is_type(&self, expected: &str) -> bool {
        self.typ().is_some_and(|typ| {
            let implied = match typ.split_at_checked("application/".len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
                _ => typ,
            };
            implied.eq_ignore_ascii_case(expected)
        })
    }

    /// Verifies the signature and hands out the claims; the key decides about the algorithm.
    ///
    /// # Errors
    /// [`JoseError::WrongAlgorithm`], [`JoseError::BadSignature`], or [`JoseError::Malformed`] claims.
    pub fn verify(&self, key: &VerificationKey) -> Result<Payload, JoseError> {
        if self.header.algorithm != key.algorithm() {
            return Err(JoseError::WrongAlgorithm { expected: key.algorithm(), found: self.header.algorithm });
        }
        key.verify(self.signing_input.as_bytes(), self.signature)?;
        self.decode_claims()
    }

    /// The claims before verification: good for finding the key (`iss`, `sub`), for nothing else.
    pub fn unverified_claims(&self) -> Result<Map<String, Value>, JoseError> {
        self.decode_claims()?.object()
    }

    fn decode_claims(&self) -> Result<Payload, JoseError> {
        URL_SAFE_NO_PAD
            .decode(self.claims)
            .map(Payload)
            .map_err(|_| JoseError::Malformed("its claims are not base64url without padding"))
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Verified claims, as bytes.
pub struct Payload(Vec<u8>);

impl Payload {
    /// The bytes that were signed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads our own claims: members we know must be there once and of their type; others are ignored.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        serde_json::from_slice(&self.0)
            .map_err(|error| JoseError::Json { part: "claims", reason: json::reason(&error) })
    }

    /// Reads the claims of others: one object, bounded in depth, no member twice.
    pub fn object(&self) -> Result<Map<String, Value>, JoseError> {
        json::parse_object(&self.0, "claims")
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("bytes", &self.0.len()).finish()
    }
}

/// What we read of a JOSE header (RFC 7515 §4.1).
#[derive(Debug)]
struct Header {
    algorithm: JwsAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
}

/// A header in strings, before its values are judged.
#[derive(Default)]
struct RawHeader {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    refused: Option<&'static str>,
}

impl Header {
    fn decode(encoded: &str) -> Result<Self, JoseError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| JoseError::Malformed("its header is not base64url without padding"))?;
        let raw: RawHeader = serde_json::from_slice(&bytes)
            .map_err(|error| JoseError::Json { part: "header", reason: json::reason(&error) })?;
        if let Some(member) = raw.refused {
            return Err(JoseError::RefusedHeaderMember(member));
        }
        if [&raw.kid, &raw.typ].into_iter().flatten().any(|name| name.len() > MAX_NAME_BYTES) {
            return Err(JoseError::Malformed("its kid or typ is longer than 256 bytes"));
        }
        let algorithm = raw.alg.ok_or(JoseError::UnsupportedAlgorithm)?.parse()?;
        Ok(Self { algorithm, kid: raw.kid, typ: raw.typ })
    }
}

/// Names of header members; those that could move trust or meaning are refused, the rest does not concern us.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Alg,
    Kid,
    Typ,
    Crit,
    B64,
    Jwk,
    Jku,
    X5u,
    X5c,
    Zip,
    Enc,
    Unknown(String),
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = RawHeader;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JOSE header")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<RawHeader, A::Error> {
                let mut header = RawHeader::default();
                let mut unknown: Vec<String> = Vec::new();
                while let Some(member) = members.next_key::<Member>()? {
                    match member {
                        Member::Alg => once::<A>(&mut header.alg, members.next_value()?)?,
                        Member::Kid => once::<A>(&mut header.kid, members.next_value()?)?,
                        Member::Typ => once::<A>(&mut header.typ, members.next_value()?)?,
                        Member::Unknown(name) => {
                            if unknown.contains(&name) {
                                return Err(A::Error::custom("strict: a member is repeated"));
                            }
                            if unknown.len() == MAX_UNKNOWN_MEMBERS {
                                return Err(A::Error::custom("strict: it has too many members"));
                            }
                            unknown.push(name);
                            members.next_value::<IgnoredAny>()?;
                        }
                        refused => {
                            header.refused = Some(refused.name());
                            members.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(header)
            }
        }

        deserializer.deserialize_map(HeaderVisitor)
    }
}

fn once<'de, A: MapAccess<'de>>(slot: &mut Option<String>, value: String) -> Result<(), A::Error> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("strict: a member is repeated")),
    }
}

impl Member {
    fn name(&self) -> &'static str {
        match self {
            Self::Alg => "alg",
            Self::Kid => "kid",
            Self::Typ => "typ",
            Self::Crit => "crit",
            Self::B64 => "b64",
            Self::Jwk => "jwk",
            Self::Jku => "jku",
            Self::X5u => "x5u",
            Self::X5c => "x5c",
            Self::Zip => "zip",
            Self::Enc => "enc",
            Self::Unknown(_) => "of an unknown name",
        }
    }
}

#[cfg(test)]
#[path = "jws_tests.rs"]
mod tests;
