//! `[api]`: who may call the account API from a browser.
//!
//! S-169.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::api::origin::AllowedOrigins;

/// Whether something is there.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is not.
    #[default]
    Off,
    /// It is.
    On,
}

/// `[api]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSection {
    /// A list of origins such as `"https://app.example.com"` whose scripts may call the account API with cookies
    #[schemars(with = "Vec<String>")]
    pub allowed_origins: AllowedOrigins,
    /// `/oauth2/challenge`, where first-party apps sign people in on screens of their own: `off` or `on`
    pub challenge_endpoint: Switch,
}
