//! Signature algorithms.
//!
//! RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.

use std::fmt;

use serde::{Deserialize, Serialize};

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
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
