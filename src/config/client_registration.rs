//! `[client_registration]`: who may register clients.
//!
//! RFC 7591 §3; PROTOCOL.md B4: off unless it is switched on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::SecretSource;

/// `[client_registration]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientRegistration {
    /// Who may register clients: `off`, `initial_access_token`, `open`
    pub mode: ClientRegistrationMode,
    /// The initial access token, for the mode of that name; at least 22 random characters
    pub token: Option<SecretSource>,
}

/// Who may register clients.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientRegistrationMode {
    /// Nobody.
    #[default]
    Off,
    /// Who presents the token (RFC 7591 §1.2).
    InitialAccessToken,
    /// Everybody.
    Open,
}
