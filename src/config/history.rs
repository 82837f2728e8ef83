//! `[history]`: how long it is remembered what happened.
//!
//! S-095: ninety days.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;

/// `[history]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// What happened to an account, for its person to see, and what happened at all, for operators
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub lifetime: Duration,
}

impl Default for History {
    fn default() -> Self {
        Self { lifetime: Duration::from_hours(90 * 24) }
    }
}
