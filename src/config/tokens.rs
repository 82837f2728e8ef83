//! `[tokens]`: how long codes and tokens live, and how they are signed.
//!
//! DECISIONS.md (lifetimes); RFC 9700 §2.2, §4.14.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use super::list::List;
use super::token_header::TokenHeader;
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
    /// Whom access tokens are for, `aud`, where the client has no list of its own; without it this server
    pub audience: List,
    /// From when on an access token is good, `nbf`, counted from its making; without it the token does not say so
    pub not_before: Option<duration::Given>,
    /// By how much clocks may differ when access tokens are judged; at most 5 min
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub leeway: Duration,
    /// A list of more members in the headers of access tokens, such as `"x-region=eu"`
    pub header: TokenHeader,
    /// What becomes of a scope that only members of other groups may have: `drop` leaves it out, `refuse` answers `invalid_scope`
    pub scopes_beyond_groups: ScopesBeyondGroups,
}

impl Tokens {
    /// `aud` of access tokens of clients without a list of their own: at least `issuer`.
    pub fn audience_or(&self, issuer: &str) -> Vec<String> {
        if self.audience.0.is_empty() { vec![issuer.to_owned()] } else { self.audience.0.clone() }
    }
}

/// What becomes of a scope that the person's groups do not have.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopesBeyondGroups {
    /// It is left out.
    #[default]
    Drop,
    /// The request is refused.
    Refuse,
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
            audience: List::default(),
            not_before: None,
            leeway: Duration::ZERO,
            header: TokenHeader::default(),
            scopes_beyond_groups: ScopesBeyondGroups::default(),
        }
    }
}
