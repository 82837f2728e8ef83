//! What the person must be asked.
//!
//! OIDC Core §3.1.2.1 (`prompt`), Initiating User Registration via OpenID Connect 1.0 (`create`).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::protocol::error::OAuthError;

/// The `prompt` parameter, already consistent: `none` stands alone.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the values of prompt are a set, each there or not")]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person is asked for consent again.
    pub consent: bool,
    /// The person chooses an account.
    pub select_account: bool,
    /// The person makes an account.
    #[serde(default)]
    pub create: bool,
}

impl Prompt {
    /// The values we act on, for discovery (`prompt_values_supported`).
    pub const VALUES: &'static [&'static str] = &["none", "login", "consent", "select_account", "create"];
}

impl FromStr for Prompt {
    type Err = OAuthError;

    /// `invalid_request` for a value we do not know and for `none` beside another.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                "create" => prompt.create = true,
                _ => {
                    return Err(OAuthError::invalid_request(
                        "prompt holds a value that is not supported; use none, login, consent, select_account or create",
                    ));
                }
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account || prompt.create) {
            return Err(OAuthError::invalid_request("prompt=none cannot be combined with other values"));
        }
        Ok(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_set() {
        let prompt = "consent login login".parse::<Prompt>().expect("consistent");
        assert_eq!(prompt, Prompt { login: true, consent: true, ..Prompt::default() });
        assert!("none".parse::<Prompt>().expect("consistent").none);
        assert_eq!(" ".parse::<Prompt>().expect("nothing asked"), Prompt::default());
        for value in Prompt::VALUES {
            assert_ne!(value.parse::<Prompt>().expect("supported"), Prompt::default(), "{value}");
        }
    }

    /// OIDC Core §3.1.2.1: "If this parameter contains none with any other value, an error is returned."
    #[test]
    fn contradictions_and_unknown_values_are_refused() {
        for text in ["none login", "consent none", "None", "create none", "created", "login,consent", "login\tconsent"]
        {
            assert!(text.parse::<Prompt>().is_err(), "{text}");
        }
    }
}
