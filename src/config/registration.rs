//! `[registration]`: who may register clients.
//!
//! RFC 7591 §3; PROTOCOL.md B4: off unless it is switched on.

use serde::Deserialize;

use super::secret::SecretSource;

/// `[registration]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Registration {
    /// Who may: `off`, `initial_access_token` or `open`.
    pub mode: RegistrationMode,
    /// The initial access token, for the mode of that name: a text, `{ file = "…" }` or `{ env = "…" }`.
    pub token: Option<SecretSource>,
}

/// Who may register clients.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    /// Nobody.
    #[default]
    Off,
    /// Who presents the token (RFC 7591 §1.2).
    InitialAccessToken,
    /// Everybody.
    Open,
}
