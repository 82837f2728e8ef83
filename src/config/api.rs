//! `[api]`: who may call the account API from a browser.
//!
//! S-080, S-169.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::list::List;
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

/// Authentication schemes (RFC 9110 §11.1) after which an access token is read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TokenSchemes(List);

impl TokenSchemes {
    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.0.0.clone()
    }
}

impl<'de> Deserialize<'de> for TokenSchemes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = List::deserialize(deserializer)?;
        for scheme in &list.0 {
            let is_word = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            // What these mean is known, and it is something else.
            let is_known = ["basic", "digest", "dpop", "negotiate"].contains(&&*scheme.to_ascii_lowercase());
            if !is_word || is_known {
                let wrong = format!("\"{scheme}\" cannot stand before an access token; write a word such as JWT");
                return Err(serde::de::Error::custom(wrong));
            }
        }
        Ok(Self(list))
    }
}

/// `[api]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSection {
    /// A list of origins such as `"https://app.example.com"` whose scripts may call the account API with cookies
    #[schemars(with = "Vec<String>")]
    pub allowed_origins: AllowedOrigins,
    /// Words that may stand before an access token of the account API, beside `Bearer`, for apps of old: `JWT`, `Token`
    #[schemars(with = "Vec<String>")]
    pub token_schemes: TokenSchemes,
    /// `/oauth2/challenge`, where first-party apps sign people in on screens of their own: `off` or `on`
    pub challenge_endpoint: Switch,
}
