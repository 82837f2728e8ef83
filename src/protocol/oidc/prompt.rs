//! What the person must be asked.
//!
//! OIDC Core §3.1.2.1 (`prompt`).

use serde::{Deserialize, Serialize};

/// The `prompt` parameter, already consistent: `none` stands alone.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person is asked for consent again.
    pub consent: bool,
    /// The person chooses an account.
    pub select_account: bool,
}
