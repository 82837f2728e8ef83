//! `[keys]`: what seals signing keys and secrets in the database.
//!
//! PROTOCOL.md O1.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration;

/// `[keys]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The file of the master key, mode 0600; made at the first start. Keep a copy away from the database.
    pub master_key_file: PathBuf,
    /// How long a key signs before the next one takes over.
    #[serde(deserialize_with = "duration::deserialize")]
    pub rotate_every: Duration,
}

impl Default for Keys {
    fn default() -> Self {
        Self { master_key_file: "symbolon.key".into(), rotate_every: Duration::from_hours(90 * 24) }
    }
}
