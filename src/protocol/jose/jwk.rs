//! Public keys as JSON.
//!
//! RFC 7517 (JWK, JWK Set), RFC 7518 §6 (RSA, EC), RFC 8037 §2 (OKP), RFC 7638 (thumbprint).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::json;

/// Bytes of a JWK Set that we read.
pub const MAX_SET_BYTES: usize = 256 * 1024;
/// Keys in a set that we read.
pub const MAX_KEYS: usize = 64;
/// Members that only private or shared keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 9964 `priv`).
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key for signatures. A value of this type is usable: numbers are in range and points are on their curve.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Jwk {
    kid: Option<String>,
    algorithm: Option<JwsAlgorithm>,
    material: Material,
}

/// The numbers of a public key, decoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Material {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// Coordinates at the full length of the field.
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8> },
    /// The 32 bytes of RFC 8032.
    Ed25519 { x: Vec<u8> },
}

/// The curves of RFC 7518 §6.2.1.1.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Bytes of one coordinate.
    const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    const fn algorithm(self) -> JwsAlgorithm {
        match self {
            Self::P256 => JwsAlgorithm::ES256,
            Self::P384 => JwsAlgorithm::ES384,
            Self::P521 => JwsAlgorithm::ES512,
        }
    }
}

impl Jwk {
    /// Our own key: `material` comes from a key pair; the thumbprint becomes `kid`.
    pub(super) fn of_pair(algorithm: JwsAlgorithm, material: Material) -> Self {
        let mut jwk = Self { kid: None, algorithm: Some(algorithm), material };
        jwk.kid = Some(jwk.thumbprint());
        jwk
    }

    /// An EC key from its uncompressed point (SEC 1 §2.3.3); `None` when the length does not fit.
    pub(super) fn ec_material(curve: Curve, point: &[u8]) -> Option<Material> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(curve.coordinate_length())?;
        (y.len() == curve.coordinate_length()).then(|| Material::Ec { curve, x: x.to_vec(), y: y.to_vec() })
    }

    /// Reads one key.
    ///
    /// # Errors
    /// [`JoseError::Key`] when it is private, not for signatures, of an unknown kind, weak or inconsistent.
    pub fn parse(members: &Map<String, Value>) -> Result<Self, JoseError> {
        if holds_private_member(members) {
            return Err(JoseError::Key("it is a private or shared key; only public keys belong here"));
        }
        if members.get("use").is_some_and(|usage| usage != "sig") {
            return Err(JoseError::Key("its use is not sig"));
        }
        if members.get("key_ops").is_some_and(|operations| !contains_text(operations, "verify")) {
            return Err(JoseError::Key("its key_ops lack verify"));
        }
        let material = Material::parse(members)?;
        let algorithm = text(members, "alg")?
            .map(|name| name.parse().map_err(|_| JoseError::Key("its alg is not a signature algorithm we support")))
            .transpose()?;
        let kid = text(members, "kid")?.map(str::to_owned);
        let jwk = Self { kid, algorithm, material };
        if algorithm.is_some_and(|algorithm| !jwk.material.suits(algorithm)) {
            return Err(JoseError::Key("its alg does not fit its kty"));
        }
        Ok(jwk)
    }

    /// `kid`, when the key has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// True when the key may verify signatures made with `algorithm`.
    pub fn allows(&self, algorithm: JwsAlgorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.material.suits(algorithm)
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638 §3): 43 characters.
    pub fn thumbprint(&self) -> String {
        // Members in lexicographic order; base64url needs no escaping.
        let canonical = match &self.material {
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
            Material::Ec { curve, x, y } => {
                format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, curve.name(), encode(x), encode(y))
            }
            Material::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
        };
        encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    pub(super) const fn material(&self) -> &Material {
        &self.material
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members: Vec<(&str, String)> = match &self.material {
            Material::Rsa { n, e } => vec![("kty", "RSA".into()), ("n", encode(n)), ("e", encode(e))],
            Material::Ec { curve, x, y } => {
                vec![("kty", "EC".into()), ("crv", curve.name().into()), ("x", encode(x)), ("y", encode(y))]
            }
            Material::Ed25519 { x } => vec![("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", encode(x))],
        };
        members.push(("use", "sig".into()));
        members.extend(self.algorithm.map(|algorithm| ("alg", algorithm.as_str().into())));
        members.extend(self.kid.clone().map(|kid| ("kid", kid)));
        serializer.collect_map(members)
    }
}

impl Material {
    fn parse(members: &Map<String, Value>) -> Result<Self, JoseError> {
        match (text(members, "kty")?, text(members, "crv")?) {
            (Some("RSA"), _) => Self::rsa(number(members, "n")?, number(members, "e")?),
            (Some("EC"), Some("P-256")) => Self::ec(Curve::P256, members),
            (Some("EC"), Some("P-384")) => Self::ec(Curve::P384, members),
            (Some("EC"), Some("P-521")) => Self::ec(Curve::P521, members),
            (Some("OKP"), Some("Ed25519")) => {
                let x = number(members, "x")?;
                ParsedPublicKey::new(&ED25519, &x).map_err(|_| JoseError::Key("x is not an Ed25519 public key"))?;
                Ok(Self::Ed25519 { x })
            }
            (Some("EC" | "OKP"), _) => Err(JoseError::Key("its crv is not supported")),
            (Some(_), _) => Err(JoseError::Key("its kty is not supported")),
            (None, _) => Err(JoseError::Key("kty is missing")),
        }
    }

    fn rsa(mut n: Vec<u8>, mut e: Vec<u8>) -> Result<Self, JoseError> {
        // RFC 7518 §2 forbids leading zeros; some libraries send one all the same, and the number is what counts.
        strip_leading_zeros(&mut n);
        strip_leading_zeros(&mut e);
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if bits < 2048 {
            return Err(JoseError::Key("its RSA modulus has fewer than 2048 bits"));
        }
        if bits > 8192 {
            return Err(JoseError::Key("its RSA modulus has more than 8192 bits"));
        }
        // An even or tiny exponent verifies nothing; a huge one only costs us time (RFC 8017 §3.1).
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        if !odd(&n) || !odd(&e) || e == [1] || e.len() > 4 {
            return Err(JoseError::Key("its RSA modulus or exponent is out of range"));
        }
        Ok(Self::Rsa { n, e })
    }

    fn ec(curve: Curve, members: &Map<String, Value>) -> Result<Self, JoseError> {
        let (x, y) = (number(members, "x")?, number(members, "y")?);
        if x.len() != curve.coordinate_length() || y.len() != curve.coordinate_length() {
            return Err(JoseError::Key("a coordinate does not have the length of its curve"));
        }
        let key = Self::Ec { curve, x, y };
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_FIXED,
            Curve::P384 => &ECDSA_P384_SHA384_FIXED,
            Curve::P521 => &ECDSA_P521_SHA512_FIXED,
        };
        ParsedPublicKey::new(algorithm, key.point()).map_err(|_| JoseError::Key("its point is not on its curve"))?;
        Ok(key)
    }

    /// The uncompressed point of an EC key, the 32 bytes of an Ed25519 key; for RSA the modulus alone.
    pub(super) fn point(&self) -> Vec<u8> {
        match self {
            Self::Rsa { n, .. } => n.clone(),
            Self::Ec { x, y, .. } => [&[4], x.as_slice(), y.as_slice()].concat(),
            Self::Ed25519 { x } => x.clone(),
        }
    }

    fn suits(&self, algorithm: JwsAlgorithm) -> bool {
        use JwsAlgorithm::{EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa { .. } => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::Ec { curve, .. } => curve.algorithm() == algorithm,
            Self::Ed25519 { .. } => algorithm == EdDSA,
        }
    }
}

/// The public keys of a client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    skipped: Vec<String>,
}

impl JwkSet {
    /// Reads a set. Keys that we cannot use are skipped (RFC 7517 §5) and named in [`JwkSet::skipped`].
    ///
    /// # Errors
    /// [`JoseError::Json`] when it is no set or too large; [`JoseError::Key`] when it holds a private key.
    pub fn parse(set: &Value) -> Result<Self, JoseError> {
        let refuse = |reason: &str| JoseError::Json { part: "key set", reason: reason.to_owned() };
        let keys = set.get("keys").and_then(Value::as_array).ok_or_else(|| refuse("it has no list called keys"))?;
        if keys.len() > MAX_KEYS {
            return Err(refuse("it has more than 64 keys"));
        }
        let mut read = Self::default();
        for (index, key) in keys.iter().enumerate() {
            let members = key.as_object().ok_or_else(|| refuse("a key is not an object"))?;
            if holds_private_member(members) {
                return Err(JoseError::Key("the set holds a private or shared key; publish public keys only"));
            }
            match Jwk::parse(members) {
                Ok(jwk) => read.keys.push(jwk),
                Err(reason) => read.skipped.push(format!("key {index}: {reason}")),
            }
        }
        Ok(read)
    }

    /// [`JwkSet::parse`] from the body of an answer (`jwks_uri`); members may not repeat.
    pub fn from_json(bytes: &[u8]) -> Result<Self, JoseError> {
        if bytes.len() > MAX_SET_BYTES {
            return Err(JoseError::Json { part: "key set", reason: "it is longer than 262144 bytes".to_owned() });
        }
        Self::parse(&Value::Object(json::parse_object(bytes, "key set")?))
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// Why the others cannot be used, for developers: `key 1: the key cannot be used: its use is not sig`.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The keys that may have signed with `algorithm` under the name `kid`.
    ///
    /// A key without `kid` answers to every name: a client with one key need not name it (OIDC Core §10.1).
    pub fn keys_for<'a>(&'a self, algorithm: JwsAlgorithm, kid: Option<&'a str>) -> impl Iterator<Item = &'a Jwk> {
        self.keys.iter().filter(move |key| {
            let named = kid.is_none() || key.kid().is_none() || key.kid() == kid;
            named && key.allows(algorithm)
        })
    }
}

fn holds_private_member(members: &Map<String, Value>) -> bool {
    PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name))
}

fn contains_text(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|members| members.iter().any(|member| member == wanted))
}

fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, JoseError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JoseError::Key("a member that should be a string is not")),
    }
}

/// A number or point in base64url (RFC 7518 §2: `Base64urlUInt`).
fn number(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JoseError> {
    let text = text(members, name)?.ok_or(JoseError::Key("a number of the key is missing"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Key("a number of the key is not base64url without padding"))
}

fn strip_leading_zeros(number: &mut Vec<u8>) {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
#[path = "jwk_tests.rs"]
mod tests;
