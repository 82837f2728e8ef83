//! `[frontend]`: an app of the operator's own that takes the links of mails.
//!
//! S-133, PROTOCOL A14. *Why one URL and paths below it:* tokens leave for one place, which the operator names and no request can.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Config, ConfigError};
use crate::model::mailed_link::LinkPurpose;

/// `[frontend]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Frontend {
    /// Your own app, where links of mails lead for which there is a path below: `https://app.example.com`
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
    /// Pages of the operator's own for links, by what these are for.
    ///
    /// # Errors
    /// When a path has no URL to stand at, or either is none.
    pub fn frontend_pages(&self) -> Result<Vec<(LinkPurpose, String)>, ConfigError> {
        let Frontend { url, activation, reset_password, email_change, invitation, magic_link } = &self.frontend;
        let routes = [
            ("frontend.activation", activation, &[LinkPurpose::Activation][..]),
            ("frontend.reset_password", reset_password, &[LinkPurpose::PasswordReset, LinkPurpose::SetPassword]),
            ("frontend.email_change", email_change, &[LinkPurpose::EmailChange]),
            ("frontend.invitation", invitation, &[LinkPurpose::Invitation]),
            ("frontend.magic_link", magic_link, &[LinkPurpose::MagicLink]),
        ];
        let base = url.as_deref().map(base).transpose()?;
        let mut pages = Vec::new();
        for (key, route, purposes) in routes {
            let Some(route) = route else { continue };
            let Some(base) = &base else {
                return Err(ConfigError::new("frontend.url", format!("is missing; {key} needs it")));
            };
            if !is_path(route) {
                let message = format!("{route:?} is not a path; write one like /activate or /#/activate");
                return Err(ConfigError::new(key, message));
            }
            pages.extend(purposes.iter().map(|purpose| (*purpose, format!("{base}{route}"))));
        }
        if base.is_some() && pages.is_empty() {
            let message = "has no effect; set a path below it, such as frontend.activation or frontend.reset_password";
            return Err(ConfigError::new("frontend.url", message));
        }
        Ok(pages)
    }
}

/// The URL without a slash at its end.
fn base(text: &str) -> Result<String, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        (url.scheme() == "https" || (url.scheme() == "http" && is_local))
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    match url {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err(ConfigError::new(
            "frontend.url",
            format!("{text:?} cannot be taken; write an https URL without a query, like https://app.example.com"),
        )),
    }
}

/// Beginning with a slash, of characters that a URL holds as they are.
fn is_path(route: &str) -> bool {
    route.starts_with('/')
        && !route.starts_with("//")
        && route.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%?#".contains(&byte))
}
