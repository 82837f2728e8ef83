//! `[frontend]`: an app of the operator's own that takes the links of mails.
//!
//! S-133, PROTOCOL A14. *Why one URL and paths below it:* tokens leave for one place, which the operator names and no request can.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};
use crate::account::site;
use crate::model::frontend_url::FrontendUrl;
use crate::model::mailed_link::LinkPurpose;

/// `[frontend]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Frontend {
    /// Your own app, where links of mails lead for which there is a path below: `https://app.example.com`; a client may have another (`symbolon client update --frontend-url`)
    pub url: Option<String>,
    /// Its path for the link of a new account, such as `/activate`; without it a page of this server takes the link
    pub activation: Option<String>,
    /// Its path for the link that sets a new password
    pub reset_password: Option<String>,
    /// Its path for the link that confirms a new address
    pub email_change: Option<String>,
    /// Its path for the link of an invitation
    pub invitation: Option<String>,
    /// Its path for the link that signs in; your app answers the sign-in that it began with the token (`POST /sign-in/challenge`)
    pub magic_link: Option<String>,
}

impl Config {
    /// The operator's own app, and what of it takes links; `None`: pages of ours take them all.
    ///
    /// # Errors
    /// When a path has no URL to stand at, or either is none.
    pub fn frontend_pages(&self) -> Result<Option<site::Frontend>, ConfigError> {
        let Frontend { url, activation, reset_password, email_change, invitation, magic_link } = &self.frontend;
        let routes = [
            ("frontend.activation", activation, &[LinkPurpose::Activation][..]),
            ("frontend.reset_password", reset_password, &[LinkPurpose::PasswordReset, LinkPurpose::SetPassword]),
            ("frontend.email_change", email_change, &[LinkPurpose::EmailChange]),
            ("frontend.invitation", invitation, &[LinkPurpose::Invitation]),
            ("frontend.magic_link", magic_link, &[LinkPurpose::MagicLink]),
        ];
        let url = url.as_deref().map(read).transpose()?;
        let mut pages = Vec::new();
        for (key, route, purposes) in routes {
            let Some(route) = route else { continue };
            if url.is_none() {
                return Err(ConfigError::new("frontend.url", format!("is missing; {key} needs it")));
            }
            if !is_path(route) {
                let message = format!("{route:?} is not a path; write one like /activate or /#/activate");
                return Err(ConfigError::new(key, message));
            }
            pages.extend(purposes.iter().map(|purpose| (*purpose, route.clone())));
        }
        if url.is_some() && pages.is_empty() {
            let message = "has no effect; set a path below it, such as frontend.activation or frontend.reset_password";
            return Err(ConfigError::new("frontend.url", message));
        }
        Ok(url.map(|url| site::Frontend { url, routes: pages }))
    }
}

fn read(text: &str) -> Result<FrontendUrl, ConfigError> {
    text.parse().map_err(|error| ConfigError::new("frontend.url", format!("{text:?} {error}")))
}

/// Beginning with a slash, of characters that a URL holds as they are.
fn is_path(route: &str) -> bool {
    route.starts_with('/')
        && !route.starts_with("//")
        && route.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%?#".contains(&byte))
}
