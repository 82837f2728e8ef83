//! `[api]`: who may call the account API from a browser.
//!
//! S-169.

use serde::Deserialize;

use crate::http::api::origin::AllowedOrigins;

/// `[api]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSection {
    /// Origins of other apps of yours whose scripts may call the account API with cookies: `["https://app.example.com"]`.
    pub allowed_origins: AllowedOrigins,
}
