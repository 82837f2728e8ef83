//! `[keys]`: what seals signing keys and secrets in the database.
//!
//! PROTOCOL.md O1.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;

/// `[keys]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The file of the master key, which seals signing keys and secrets in the database; mode 0600, made at the first start
    pub master_key_file: PathBuf,
    /// How long a key signs before the next one, published in advance, takes over
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub rotate_every: Duration,
}

impl Default for Keys {
    fn default() -> Self {
        Self { master_key_file: "symbolon.key".into(), rotate_every: Duration::from_hours(90 * 24) }
    }
}
