//! `[backup_codes]`: codes for the day when every other factor is lost.
//!
//! S-110.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number;
use crate::authn::second_factor::SecondFactorPolicy;

/// `[backup_codes]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BackupCodes {
    /// How many a person gets; 1 to 50
    #[serde(deserialize_with = "number::positive")]
    pub count: u32,
}

impl Default for BackupCodes {
    fn default() -> Self {
        Self { count: SecondFactorPolicy::default().backup_codes }
    }
}
