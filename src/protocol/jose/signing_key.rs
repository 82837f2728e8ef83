//! Keys that sign our tokens: parsed once, with their headers ready.
//!
//! RFC 7515 §5.1 and §7.1, RFC 7518 §3.3 to §3.5, RFC 8037 §3.1.
//!
//! # Why not jsonwebtoken here
//! Its `encode` parses the private key for each token, which doubles the cost of a signature, and it has no ES512.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jwk::{Curve, Jwk, Material};
use crate::protocol::jose::verification_key::VerificationKey;
use crate::protocol::secret::Secret;

/// Kinds of tokens whose headers are made beforehand: ID tokens, access tokens (RFC 9068 §2.1), logout tokens.
const PREPARED_TYPES: &[&str] = &["JWT", "at+jwt", "logout+jwt"];

/// A private key with everything that a signature needs; it signs with one algorithm.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    kid: String,
    pair: Pair,
    public_jwk: Jwk,
    verification_key: VerificationKey,
    headers: Vec<(&'static str, String)>,
}

/// A new key and its PKCS#8 document, for the vault.
#[derive(Debug)]
pub struct GeneratedKey {
    /// Ready to sign.
    pub key: SigningKey,
    /// DER; [`SigningKey::from_pkcs8`] reads it back.
    pub pkcs8: Secret<Vec<u8>>,
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a key: RSA with 2048 bits, or one on the curve of `algorithm`. RSA takes about 100 ms.
    ///
    /// # Errors
    /// [`JoseError::Key`] when the cryptographic library has no randomness.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<GeneratedKey, JoseError> {
        let failed = |_| JoseError::Key("it could not be generated");
        let pkcs8 = match algorithm {
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?.as_ref().to_vec()
            }
            SigningAlgorithm::EdDSA => {
                Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map_err(failed)?.as_ref().to_vec()
            }
            SigningAlgorithm::ES256 | SigningAlgorithm::ES384 | SigningAlgorithm::ES512 => {
                EcdsaKeyPair::generate(curve(algorithm).signing)
                    .and_then(|pair| pair.to_pkcs8v1())
                    .map_err(failed)?
                    .as_ref()
                    .to_vec()
            }
        };
        let pkcs8 = Secret::new(pkcs8);
        Ok(GeneratedKey { key: Self::from_pkcs8(algorithm, pkcs8.expose())?, pkcs8 })
    }

    /// Reads a PKCS#8 document (DER) and prepares it for `algorithm`.
    ///
    /// # Errors
    /// [`JoseError::Key`] when it is damaged, of another kind, or RSA below 2048 or above 4096 bits.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, JoseError> {
        match algorithm {
            SigningAlgorithm::RS256 => {
                Self::from_rsa(algorithm, pkcs8, (&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256))
            }
            SigningAlgorithm::PS256 => Self::from_rsa(algorithm, pkcs8, (&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256)),
            SigningAlgorithm::ES256 | SigningAlgorithm::ES384 | SigningAlgorithm::ES512 => {
                Self::from_ec(algorithm, pkcs8)
            }
            SigningAlgorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| JoseError::Key("it is no Ed25519 key"))?;
                let x = pair.public_key().as_ref().to_vec();
                Self::assemble(algorithm, Pair::Ed25519(pair), Material::Ed25519 { x }, &ED25519)
            }
        }
    }

    fn from_rsa(
        algorithm: SigningAlgorithm,
        pkcs8: &[u8],
        (encoding, verification): (&'static dyn RsaEncoding, &'static dyn VerificationAlgorithm),
    ) -> Result<Self, JoseError> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| JoseError::Key("it is no RSA key"))?;
        if !(256..=512).contains(&pair.public_modulus_len()) {
            return Err(JoseError::Key("an RSA key needs 2048 to 4096 bits"));
        }
        let public = pair.public_key();
        let material = Material::Rsa {
            n: public.modulus().big_endian_without_leading_zero().to_vec(),
            e: public.exponent().big_endian_without_leading_zero().to_vec(),
        };
        Self::assemble(algorithm, Pair::Rsa(Box::new(pair), encoding), material, verification)
    }

    fn from_ec(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let curve = curve(algorithm);
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8)
            .map_err(|_| JoseError::Key("it is no key on the curve of its algorithm"))?;
        let material = Jwk::ec_material(curve.name, pair.public_key().as_ref())
            .expect("aws-lc gives the point uncompressed, at the length of its curve");
        Self::assemble(algorithm, Pair::Ec(pair), material, curve.verification)
    }

    fn assemble(
        algorithm: SigningAlgorithm,
        pair: Pair,
        material: Material,
        verification: &'static dyn VerificationAlgorithm,
    ) -> Result<Self, JoseError> {
        let parsed = match &pair {
            Pair::Rsa(pair, _) => ParsedPublicKey::new(verification, pair.public_key().as_ref()),
            Pair::Ec(pair) => ParsedPublicKey::new(verification, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => ParsedPublicKey::new(verification, pair.public_key().as_ref()),
        };
        let parsed = parsed.map_err(|_| JoseError::Key("its public half cannot be read"))?;
        let public_jwk = Jwk::of_pair(algorithm.to_jws(), material);
        let verification_key = VerificationKey::prepared(algorithm.to_jws(), parsed);
        let kid = public_jwk.thumbprint();
        let mut key = Self { algorithm, kid, pair, public_jwk, verification_key, headers: Vec::new() };
        key.headers = PREPARED_TYPES.iter().map(|typ| (*typ, key.encode_header(typ, &Map::new()))).collect();
        Ok(key)
    }

    /// The thumbprint of the public key (RFC 7638): 43 characters.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half for the JWKS, with `kid`, `use` and `alg`.
    pub const fn public_jwk(&self) -> &Jwk {
        &self.public_jwk
    }

    /// The public half, prepared.
    pub const fn verification_key(&self) -> &VerificationKey {
        &self.verification_key
    }

    /// Signs `claims` into a JWT of the kind `typ` (RFC 7519 §7.1).
    ///
    /// # Errors
    /// [`JoseError::Claims`] when the claims are no JSON, [`JoseError::Key`] when the library refuses to sign.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        self.sign_under(&self.header(typ), claims)
    }

    /// [`SigningKey::sign`] with more members in the header, which must be none of `alg`, `typ`, `kid`.
    ///
    /// # Errors
    /// As there.
    pub fn sign_with(
        &self,
        (typ, more): (&str, &Map<String, Value>),
        claims: &impl Serialize,
    ) -> Result<String, JoseError> {
        if more.is_empty() {
            return self.sign(typ, claims);
        }
        self.sign_under(&self.encode_header(typ, more), claims)
    }

    fn sign_under(&self, header: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        let claims = serde_json::to_vec(claims).map_err(|error| JoseError::Claims(error.to_string()))?;
        // 4 characters for 3 bytes; 684 hold the signature of an RSA key with 4096 bits.
        let mut token = String::with_capacity(header.len() + claims.len().div_ceil(3) * 4 + 684 + 2);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Signs `claims` under a name of the key that somebody else has given it, as servers want that know it by that.
    ///
    /// # Errors
    /// As [`SigningKey::sign`].
    pub fn sign_as(&self, kid: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        let claims = serde_json::to_vec(claims).map_err(|error| JoseError::Claims(error.to_string()))?;
        let header = serde_json::json!({"alg": self.algorithm.as_str(), "kid": kid, "typ": "JWT"});
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn header(&self, typ: &str) -> Cow<'_, str> {
        match self.headers.iter().find(|(prepared, _)| *prepared == typ) {
            Some((_, header)) => header.into(),
            None => self.encode_header(typ, &Map::new()).into(),
        }
    }

    fn encode_header(&self, typ: &str, more: &Map<String, Value>) -> String {
        #[derive(Serialize)]
        struct Header<'a> {
            alg: &'a str,
            typ: &'a str,
            kid: &'a str,
            #[serde(flatten)]
            more: &'a Map<String, Value>,
        }
        let header = Header { alg: self.algorithm.as_str(), typ, kid: self.kid(), more };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).expect("names and values are JSON"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

impl Pair {
    /// The signature in the form of JOSE: for ECDSA the two numbers at full length (RFC 7518 §3.4).
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let refused = |_| JoseError::Key("the cryptographic library refused to sign");
        // aws-lc draws what it needs itself and ignores the generator it is given.
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map_err(refused)?;
                Ok(signature)
            }
            Self::Ec(pair) => Ok(pair.sign(&random, message).map_err(refused)?.as_ref().to_vec()),
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// One curve in the words of JWK and of aws-lc.
struct EcCurve {
    name: Curve,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static dyn VerificationAlgorithm,
}

/// The curve of an ECDSA algorithm; others never get here.
fn curve(algorithm: SigningAlgorithm) -> EcCurve {
    match algorithm {
        SigningAlgorithm::ES384 => EcCurve {
            name: Curve::P384,
            signing: &ECDSA_P384_SHA384_FIXED_SIGNING,
            verification: &ECDSA_P384_SHA384_FIXED,
        },
        SigningAlgorithm::ES512 => EcCurve {
            name: Curve::P521,
            signing: &ECDSA_P521_SHA512_FIXED_SIGNING,
            verification: &ECDSA_P521_SHA512_FIXED,
        },
        _ => EcCurve {
            name: Curve::P256,
            signing: &ECDSA_P256_SHA256_FIXED_SIGNING,
            verification: &ECDSA_P256_SHA256_FIXED,
        },
    }
}
