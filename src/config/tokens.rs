//! `[tokens]`: how long codes and tokens live, and how they are signed.
//!
//! DECISIONS.md (lifetimes); RFC 9700 §2.2, §4.14.

use std::time::Duration;

use serde::Deserialize;

use super::duration;
use crate::protocol::jose::algorithm::SigningAlgorithm;

/// `[tokens]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// An authorization code: at most 60 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub code_lifetime: Duration,
    /// An access token: from 1 min to 1 h.
    #[serde(deserialize_with = "duration::deserialize")]
    pub access_lifetime: Duration,
    /// An ID token.
    #[serde(deserialize_with = "duration::deserialize")]
    pub id_lifetime: Duration,
    /// A refresh token that is not used.
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh_idle_lifetime: Duration,
    /// A family of refresh tokens, whatever is used.
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh_lifetime: Duration,
    /// The algorithm for clients that name none: `RS256`, `ES256`, `EdDSA`, `PS256`, `ES384` or `ES512`.
    pub signing_alg: SigningAlgorithm,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            code_lifetime: Duration::from_mins(1),
            access_lifetime: Duration::from_mins(15),
            id_lifetime: Duration::from_hours(1),
            refresh_idle_lifetime: Duration::from_hours(7 * 24),
            refresh_lifetime: Duration::from_hours(30 * 24),
            signing_alg: SigningAlgorithm::RS256,
        }
    }
}
