//! `[device]`: devices that wait for a person who decides elsewhere.
//!
//! S-055. The device grant itself (RFC 8628) needs no switch: it is there for clients that are registered for it, and for no other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoints::switch;

/// `[device]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    /// Whether people sign in by a picture that their signed-in phone reads
    #[serde(deserialize_with = "switch")]
    pub qr_sign_in: bool,
}

impl Default for Device {
    fn default() -> Self {
        Self { qr_sign_in: true }
    }
}
