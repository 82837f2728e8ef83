//! `[tokens]`: how long codes and tokens live, and how they are signed.
//!
//! DECISIONS.md (lifetimes); RFC 9700 §2.2, §4.14.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use crate::oauth::policy::Lifetimes;
use crate::protocol::jose::algorithm::SigningAlgorithm;

/// `[tokens]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// An authorization code; at most 60 s
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub code_lifetime: Duration,
    /// An access token; 1 min to 1 h
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub access_lifetime: Duration,
    /// An ID token
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub id_lifetime: Duration,
    /// A refresh token that is not used
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub refresh_idle_lifetime: Duration,
    /// A family of refresh tokens, however it is used
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub refresh_lifetime: Duration,
    /// For clients that ask for none: `RS256`, `PS256`, `ES256`, `ES384`, `ES512`, `EdDSA`
    #[schemars(with = "String")]
    pub signing_alg: SigningAlgorithm,
}

impl Default for Tokens {
    fn default() -> Self {
        let lifetimes = Lifetimes::default();
        Self {
            code_lifetime: lifetimes.authorization_code,
            access_lifetime: lifetimes.access_token,
            id_lifetime: lifetimes.id_token,
            refresh_idle_lifetime: lifetimes.refresh_token_idle,
            refresh_lifetime: lifetimes.refresh_token_absolute,
            signing_alg: SigningAlgorithm::RS256,
        }
    }
}
