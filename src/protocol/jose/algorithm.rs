//! Signature algorithms.
//!
//! RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::protocol::jose::error::JoseError;

/// An asymmetric JWS algorithm that we sign with.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// ECDSA with P-521 and SHA-512.
    ES512,
    /// Ed25519 under its first name.
    EdDSA,
}

impl SigningAlgorithm {
    /// Every one, the default first.
    pub const ALL: &'static [Self] = &[Self::RS256, Self::ES256, Self::EdDSA, Self::PS256, Self::ES384, Self::ES512];

    /// The `alg` value.
    pub const fn as_str(self) -> &'static str {
        self.to_jws().as_str()
    }

    /// The same algorithm among all that we verify.
    pub const fn to_jws(self) -> JwsAlgorithm {
        match self {
            Self::RS256 => JwsAlgorithm::RS256,
            Self::PS256 => JwsAlgorithm::PS256,
            Self::ES256 => JwsAlgorithm::ES256,
            Self::ES384 => JwsAlgorithm::ES384,
            Self::ES512 => JwsAlgorithm::ES512,
            Self::EdDSA => JwsAlgorithm::EdDSA,
        }
    }

    /// The hash behind the signature, which `at_hash` and `c_hash` use too (OIDC Core §3.1.3.6; SHA-512 for Ed25519).
    pub fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::RS256 | Self::PS256 | Self::ES256 => &digest::SHA256,
            Self::ES384 => &digest::SHA384,
            Self::ES512 | Self::EdDSA => &digest::SHA512,
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SigningAlgorithm {
    type Err = JoseError;

    /// [`JoseError::UnsupportedAlgorithm`] for any other name; `Ed25519` (RFC 9864) is read as `EdDSA`.
    fn from_str(text: &str) -> Result<Self, JoseError> {
        let wanted: JwsAlgorithm = text.parse()?;
        Self::ALL.iter().copied().find(|own| own.to_jws() == wanted).ok_or(JoseError::UnsupportedAlgorithm)
    }
}

/// A JWS algorithm that we verify, in tokens of clients as well. `none` is not among them.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum JwsAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// ECDSA with P-521 and SHA-512.
    ES512,
    /// Ed25519; also read from its fully specified name `Ed25519` (RFC 9864 §2.2).
    EdDSA,
}

impl JwsAlgorithm {
    /// Those that need a shared secret (`client_secret_jwt`).
    pub const SYMMETRIC: &'static [Self] = &[Self::HS256, Self::HS384, Self::HS512];

    /// Those that need a public key (`private_key_jwt`).
    pub const ASYMMETRIC: &'static [Self] = &[
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// The `alg` value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// True when the key is a shared secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

impl fmt::Display for JwsAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JwsAlgorithm {
    type Err = JoseError;

    /// [`JoseError::UnsupportedAlgorithm`] for any other name. Names are case-sensitive (RFC 7515 §4.1.1).
    fn from_str(text: &str) -> Result<Self, JoseError> {
        if text == "Ed25519" {
            return Ok(Self::EdDSA);
        }
        Self::SYMMETRIC
            .iter()
            .chain(Self::ASYMMETRIC)
            .copied()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(JoseError::UnsupportedAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for algorithm in JwsAlgorithm::SYMMETRIC.iter().chain(JwsAlgorithm::ASYMMETRIC) {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
            assert_eq!(algorithm.is_symmetric(), JwsAlgorithm::SYMMETRIC.contains(algorithm));
        }
        assert_eq!("Ed25519".parse(), Ok(SigningAlgorithm::EdDSA));
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["none", "None", "NONE", "", "rs256", "RS1", "Ed448", "RSA1_5", "HS256 ", "ES256K"] {
            assert_eq!(name.parse::<JwsAlgorithm>(), Err(JoseError::UnsupportedAlgorithm), "{name}");
        }
        assert!("HS256".parse::<SigningAlgorithm>().is_err());
    }
}
