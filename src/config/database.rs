//! `[database]`: where it remembers.
//!
//! ARCHITECTURE.md §9.

use std::path::PathBuf;

use serde::Deserialize;

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// The SQLite file; what expires stands in a second one beside it.
    pub path: PathBuf,
}

impl Default for Database {
    fn default() -> Self {
        Self { path: "symbolon.db".into() }
    }
}
