//! Response types.
//!
//! OAuth 2.0 Multiple Response Type Encoding Practices; RFC 6749 §3.1.1.

use serde::{Deserialize, Serialize};

/// What the authorization endpoint answers with.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
pub enum ResponseType {
    /// `code`: an authorization code.
    #[serde(rename = "code")]
    Code,
}
