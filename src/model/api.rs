//! APIs: resource servers that access tokens are for.
//!
//! RFC 8707, RFC 9068 §3. An API is known by its `audience`; scopes that it owns make sense there alone.

use serde::{Deserialize, Serialize};

use crate::model::client::AccessTokenFormat;
use crate::model::id::ApiId;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

/// An API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Api {
    /// The row.
    pub id: ApiId,
    /// `aud` of its tokens, and what a client names by `resource`: an absolute URI without a fragment.
    pub audience: String,
    /// The rest.
    pub settings: ApiSettings,
    /// When it was made.
    pub created_at: NumericDate,
    /// When it was last changed.
    pub updated_at: NumericDate,
}

/// What is set of an API; stored as JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiSettings {
    /// What operators call it.
    pub name: String,
    /// The scopes that make sense there.
    pub scopes: Scope,
    /// Seconds that a token for it lives, between a minute and an hour; where its client has a limit too, the shorter one counts.
    pub access_token_lifetime: Option<u64>,
    /// How a token for it alone is signed; `None`: as the server does.
    pub signing_alg: Option<SigningAlgorithm>,
    /// Whether its tokens are JWTs; a client that has opaque ones has them everywhere.
    pub access_token: AccessTokenFormat,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            scopes: Scope::empty(),
            access_token_lifetime: None,
            signing_alg: None,
            access_token: AccessTokenFormat::Jwt,
        }
    }
}

impl ApiSettings {
    /// The shortest and the longest life of a token for it, in seconds.
    pub const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=3600;
}
