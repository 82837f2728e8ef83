//! `[log]`: what is written of requests, and in which form.
//!
//! EXPERIENCE.md §2: one line a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Which requests get a line of their own: `all`, `failed` (status 400 and above) or `none`
    pub requests: Requests,
    /// `json`, `text`, or `auto`: text on a terminal, JSON elsewhere
    pub format: Format,
}

/// Which requests get a line.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requests {
    /// Every request.
    #[default]
    All,
    /// Those that were refused or failed.
    Failed,
    /// No request.
    None,
}

/// The form of a line.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people on a terminal, for programs elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// Words.
    Text,
}
