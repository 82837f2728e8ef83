//! `[theme]`: how pages look.
//!
//! ARCHITECTURE.md §6: a folder overrides templates, texts and files one by one.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[theme]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Theme {
    /// A folder with templates, texts and files in place of the built-in ones, one by one
    pub folder: Option<PathBuf>,
}
