//! `[history]`: how long it is remembered what happened.

use std::time::Duration;

use serde::Deserialize;

use super::duration;

/// `[history]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// How long people see what happened to their account, and operators what happened at all.
    #[serde(deserialize_with = "duration::deserialize")]
    pub lifetime: Duration,
}

impl Default for History {
    fn default() -> Self {
        Self { lifetime: Duration::from_hours(90 * 24) }
    }
}
