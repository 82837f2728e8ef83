//! Keys that verify signatures, each for one algorithm.
//!
//! RFC 7515 §5.2, RFC 7518 §3, RFC 8725 §3.1.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jwk::{Jwk, Material};

/// A key that verifies signatures of exactly one algorithm.
#[derive(Clone)]
pub struct VerificationKey {
    algorithm: JwsAlgorithm,
    verifier: Verifier,
}

#[derive(Clone)]
enum Verifier {
    /// Parsed once, for keys that verify many tokens: our own, and P-521, which jsonwebtoken does not know.
    Prepared(ParsedPublicKey),
    /// A key of a client, which verifies now and then.
    Peer(Box<DecodingKey>, Algorithm),
}

impl VerificationKey {
    /// The public half of one of our own keys.
    pub(super) const fn prepared(algorithm: JwsAlgorithm, key: ParsedPublicKey) -> Self {
        Self { algorithm, verifier: Verifier::Prepared(key) }
    }

    /// A key of a client, for tokens signed with `algorithm`.
    ///
    /// # Errors
    /// [`JoseError::Key`] when the key is not for that algorithm: an RSA key never becomes an HMAC secret.
    pub fn from_jwk(jwk: &Jwk, algorithm: JwsAlgorithm) -> Result<Self, JoseError> {
        if !jwk.allows(algorithm) {
            return Err(JoseError::Key("it is not for this algorithm"));
        }
        let broken = |_| JoseError::Key("its numbers do not form a public key");
        let Some(known) = known_to_jsonwebtoken(algorithm) else {
            let parsed = ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, jwk.material().point());
            return Ok(Self::prepared(algorithm, parsed.map_err(broken)?));
        };
        let key = match jwk.material() {
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
            Material::Ec { .. } => DecodingKey::from_ec_der(&jwk.material().point()),
            Material::Ed25519 { x } => DecodingKey::from_ed_der(x),
        };
        Ok(Self { algorithm, verifier: Verifier::Peer(Box::new(key), known) })
    }

    /// The octets of a client secret as a key for `client_secret_jwt` (OIDC Core §10.1).
    ///
    /// # Errors
    /// [`JoseError::Key`] when `algorithm` is not HMAC, or the secret is shorter than the hash (RFC 7518 §3.2).
    pub fn hmac(algorithm: JwsAlgorithm, secret: &[u8]) -> Result<Self, JoseError> {
        let (least, known) = match algorithm {
            JwsAlgorithm::HS256 => (32, Algorithm::HS256),
            JwsAlgorithm::HS384 => (48, Algorithm::HS384),
            JwsAlgorithm::HS512 => (64, Algorithm::HS512),
            _ => return Err(JoseError::Key("a secret verifies HMAC only")),
        };
        if secret.len() < least {
            return Err(JoseError::Key("the secret is shorter than the hash of the algorithm (RFC 7518 section 3.2)"));
        }
        Ok(Self { algorithm, verifier: Verifier::Peer(Box::new(DecodingKey::from_secret(secret)), known) })
    }

    /// The one algorithm.
    pub const fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    /// Verifies `signature`, which is base64url, over `signing_input`.
    pub(super) fn verify(&self, signing_input: &[u8], signature: &str) -> Result<(), JoseError> {
        let valid = match &self.verifier {
            Verifier::Prepared(key) => {
                URL_SAFE_NO_PAD.decode(signature).is_ok_and(|bytes| key.verify_sig(signing_input, &bytes).is_ok())
            }
            Verifier::Peer(key, algorithm) => {
                jsonwebtoken::crypto::verify(signature, signing_input, key, *algorithm).unwrap_or(false)
            }
        };
        if valid { Ok(()) } else { Err(JoseError::BadSignature) }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// How jsonwebtoken calls an algorithm for public keys; `None` for ES512, which it lacks.
const fn known_to_jsonwebtoken(algorithm: JwsAlgorithm) -> Option<Algorithm> {
    Some(match algorithm {
        JwsAlgorithm::RS256 => Algorithm::RS256,
        JwsAlgorithm::RS384 => Algorithm::RS384,
        JwsAlgorithm::RS512 => Algorithm::RS512,
        JwsAlgorithm::PS256 => Algorithm::PS256,
        JwsAlgorithm::PS384 => Algorithm::PS384,
        JwsAlgorithm::PS512 => Algorithm::PS512,
        JwsAlgorithm::ES256 => Algorithm::ES256,
        JwsAlgorithm::ES384 => Algorithm::ES384,
        JwsAlgorithm::EdDSA => Algorithm::EdDSA,
        JwsAlgorithm::ES512 | JwsAlgorithm::HS256 | JwsAlgorithm::HS384 | JwsAlgorithm::HS512 => return None,
    })
}
