//! The authorization request: strings as received, then the same, true.
//!
//! RFC 6749 §4.1.1, OIDC Core §3.1.2.1, RFC 7636 §4.3.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::protocol::authorization_response::ReturnPath;
use crate::protocol::error::OAuthError;
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::oidc::prompt::Prompt;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::response_type::ResponseType;
use crate::protocol::scope::Scope;

mod stages;

pub use self::stages::{Refused, RequestRules};

/// An authorization request that has been checked against its client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// What is asked for.
    pub response_type: ResponseType,
    /// Where the answer goes.
    pub return_path: ReturnPath,
    /// `redirect_uri` as the request gave it; the token request must then repeat it (RFC 6749 §4.1.3).
    pub redirect_uri: Option<String>,
    /// What the client asks for, already within what it may ask.
    pub scope: Scope,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// The PKCE challenge; `None` only for clients that need not send one.
    pub code_challenge: Option<CodeChallenge>,
    /// What the person must be asked.
    pub prompt: Prompt,
    /// The longest time, in seconds, since the person signed in.
    pub max_age: Option<u64>,
    /// What the person probably types as their name.
    pub login_hint: Option<String>,
    /// An ID token we issued: who should be signed in. Not verified yet.
    pub id_token_hint: Option<String>,
    /// Wished-for authentication context classes, best first.
    pub acr_values: Vec<String>,
    /// How the pages should be shown.
    pub display: Display,
    /// Languages for pages, best first.
    pub ui_locales: Vec<String>,
    /// Languages for claims, best first.
    pub claims_locales: Vec<String>,
    /// Claims asked for one by one.
    pub claims: ClaimsRequest,
    /// Which resource servers tokens shall be for (RFC 8707 §2.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
}

/// How pages are shown (OIDC Core §3.1.2.1).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Display {
    /// A full page.
    #[default]
    Page,
    /// A small window.
    Popup,
    /// A touch device.
    Touch,
    /// A feature phone.
    Wap,
}

impl Display {
    /// Every one, for discovery (`display_values_supported`).
    pub const ALL: &'static [Self] = &[Self::Page, Self::Popup, Self::Touch, Self::Wap];

    /// The value as sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Popup => "popup",
            Self::Touch => "touch",
            Self::Wap => "wap",
        }
    }
}

impl FromStr for Display {
    type Err = OAuthError;

    /// `invalid_request` for a value that OIDC Core does not define.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| OAuthError::invalid_request("this display is not known; use page, popup, touch or wap"))
    }
}
