//! Claims of the operator's own in access tokens: what each client's tokens carry beside those of the specifications.
//!
//! RFC 9068 §2.2.3, RFC 7519 §4.3; S-083, S-084. They are listed and typed, client by client, and never say what their bearer
//! may do: names that the specifications gave a meaning cannot be listed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names that a specification has given a meaning for whoever reads an access token.
const TAKEN: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "typ",
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "cnf",
    "act",
    "may_act",
    "events",
    "toe",
    "txn",
    "authorization_details",
    "groups",
    "roles",
    "entitlements",
    "active",
    "username",
    "token_type",
];
/// Bytes of a name.
const MAX_NAME: usize = 64;
/// Bytes of a text.
const MAX_TEXT: usize = 512;

/// One claim of a client's access tokens.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnClaim {
    /// What its value is.
    pub kind: ClaimKind,
    /// The claim about the person (OIDC Core §5.1) that gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its value, where nothing else gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The app may change it without a new sign-in.
    pub updatable: bool,
    /// No token is given without it, and none without it is taken.
    pub required: bool,
}

/// What the value of a claim is.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// A text of at most 512 bytes.
    #[default]
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

impl ClaimKind {
    /// True when `value` is one.
    pub fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::String, Value::String(text)) => text.len() <= MAX_TEXT,
            (Self::Number, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => true,
            _ => false,
        }
    }

    /// Its JSON type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// Whether a claim may be listed under this name: letters, digits and `_ - . : /`, at most 64 bytes, and with no meaning of its
/// own elsewhere.
pub fn is_free(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(allowed) && !TAKEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_with_a_meaning_are_not_free() {
        for (name, free) in [
            ("tenant", true),
            ("https://example.com/tenant", true),
            ("sub", false),
            ("scope", false),
            ("roles", false),
            ("cnf", false),
            ("", false),
            ("a b", false),
            ("ünï", false),
        ] {
            assert_eq!(is_free(name), free, "{name}");
        }
        assert!(!is_free(&"x".repeat(65)));
    }

    #[test]
    fn values_are_of_their_kind() {
        for (kind, value, fits) in [
            (ClaimKind::String, json!("x"), true),
            (ClaimKind::String, json!("x".repeat(513)), false),
            (ClaimKind::String, json!(1), false),
            (ClaimKind::Number, json!(1.5), true),
            (ClaimKind::Boolean, json!(true), true),
            (ClaimKind::Boolean, json!({}), false),
            (ClaimKind::String, json!(null), false),
        ] {
            assert_eq!(kind.fits(&value), fits, "{kind:?} {value}");
        }
    }
}
