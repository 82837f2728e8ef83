//! The way back to the client.
//!
//! RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 (`iss`).

use serde::{Deserialize, Serialize};

use crate::protocol::response_mode::ResponseMode;

/// A verified redirect URI with everything needed to answer there: the only way to answer a client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReturnPath {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}
