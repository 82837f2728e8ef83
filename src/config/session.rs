//! `[session]`: how long people stay signed in.
//!
//! NIST SP 800-63B-4 §2.2.3; DECISIONS.md (lifetimes, cookies).

use std::time::Duration;

use serde::Deserialize;

use super::{count, duration};

/// `[session]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// A session that is not used.
    #[serde(deserialize_with = "duration::deserialize")]
    pub idle_lifetime: Duration,
    /// A session with "keep me signed in", whatever is used.
    #[serde(deserialize_with = "duration::deserialize")]
    pub lifetime: Duration,
    /// How long a proof counts for something sensitive; after that the person proves again who they are.
    #[serde(deserialize_with = "duration::deserialize")]
    pub step_up_lifetime: Duration,
    /// The most sessions of one person; one more ends the oldest.
    #[serde(deserialize_with = "count::deserialize")]
    pub at_most: u32,
    /// A sign-in under way, from the app's request to the answer.
    #[serde(deserialize_with = "duration::deserialize")]
    pub interaction_lifetime: Duration,
    /// A domain for the cookies, when several hosts share them; else they belong to this host alone.
    pub cookie_domain: Option<String>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            idle_lifetime: Duration::from_hours(12),
            lifetime: Duration::from_hours(30 * 24),
            step_up_lifetime: Duration::from_mins(10),
            at_most: 50,
            interaction_lifetime: Duration::from_mins(30),
            cookie_domain: None,
        }
    }
}
