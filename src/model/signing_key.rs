//! A signing key as it is kept.

use serde::{Deserialize, Serialize};

use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jwk::Jwk;
use crate::protocol::numeric_date::NumericDate;

/// A signing key; the private part is sealed by the vault.
#[derive(Clone, Debug)]
pub struct StoredSigningKey {
    /// Its name in tokens and in the JWKS.
    pub kid: String,
    /// The one algorithm it signs with.
    pub algorithm: SigningAlgorithm,
    /// PKCS#8 DER, sealed.
    pub sealed_private_key: Vec<u8>,
    /// Where it stands in its life.
    pub state: KeyState,
    /// When it was made and published.
    pub created_at: NumericDate,
    /// Since when it signs, or did; `None` for a next key and for keys of earlier releases.
    pub activated_at: Option<NumericDate>,
    /// When a retiring key may go.
    pub expires_at: Option<NumericDate>,
}

/// What is left of a signing key whose last token has expired: it reads ID tokens that come back as hints, and nothing else.
#[derive(Clone, Debug)]
pub struct RetiredSigningKey {
    /// Its name in tokens.
    pub kid: String,
    /// The one algorithm it signed with.
    pub algorithm: SigningAlgorithm,
    /// The public half, as it was published.
    pub public_jwk: Jwk,
    /// Its end.
    pub expires_at: NumericDate,
}

/// The life of a key.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published, not yet signing.
    Next,
    /// Signing.
    Active,
    /// Published for verification only.
    Retiring,
}

impl KeyState {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
        }
    }

    /// The state stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retiring].into_iter().find(|state| state.as_str() == text)
    }
}
