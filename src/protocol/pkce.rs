//! Proof Key for Code Exchange.
//!
//! RFC 7636; only `S256`, as RFC 9700 §2.1.1 recommends.

use serde::{Deserialize, Serialize};

/// The challenge a client sends with its authorization request (§4.3): base64url of a SHA-256 digest, 43 characters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);
