//! `[endpoints]`: parts of the account API, and pages, that are switched off.
//!
//! S-181: what is off answers 404 and is told of nowhere. Which page goes with which switch: `http::routes`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Config;
use crate::account::settings::SignUp;
use crate::http::api::operation::{Group, SwitchedOff};

/// A switch: a boolean, which the environment writes as a text.
pub(super) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Switch(bool),
        Text(String),
    }
    match Written::deserialize(deserializer) {
        Ok(Written::Switch(on)) => Ok(on),
        Ok(Written::Text(text)) if text == "true" => Ok(true),
        Ok(Written::Text(text)) if text == "false" => Ok(false),
        _ => Err(serde::de::Error::custom("must be true or false")),
    }
}

macro_rules! endpoints {
    ($($(#[doc = $doc:literal])* $field:ident: $group:ident,)*) => {
        /// `[endpoints]`
        #[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Endpoints {
            $($(#[doc = $doc])* #[serde(deserialize_with = "switch")] pub $field: bool,)*
        }

        impl Default for Endpoints {
            fn default() -> Self {
                Self { $($field: true,)* }
            }
        }

        impl Endpoints {
            /// The groups that are said to be off; [`Config::switched_off`] are those that are.
            pub fn off(&self) -> SwitchedOff {
                let switches = [$((self.$field, Group::$group),)*];
                switches.into_iter().filter(|(on, _)| !on).map(|(_, group)| group).collect()
            }
        }
    };
}

endpoints! {
    /// Signing in by the account API; `false` removes it, here and, with its pages, in the rows below. The sign-in page stays: apps lead people there
    login: Login,
    /// Signing out
    logout: Logout,
    /// Registering by oneself
    register: Register,
    /// Activating a new account by its link; with `registration.mode = "link"` nobody registers without it
    activate: Activate,
    /// Asking for a new password
    reset_mail: ResetMail,
    /// Setting a new password that was asked for; without it none is asked for
    reset: Reset,
    /// Finding a forgotten address
    recovery: Recovery,
    /// Trying out a password against the policy
    validate: Validate,
    /// The person's own account; `/account` stays, where one signs out
    me: Me,
    /// Second factors of the signed-in person
    mfa: Mfa,
    /// Signing in at other servers, and connecting accounts there
    social: Social,
    /// Signing in by a code that is sent
    otp: Otp,
    /// Signing in by a link that is sent
    magic: Magic,
    /// Signing in by a picture that a signed-in phone reads
    qr: Qr,
    /// Asking others in, and accepting
    invitations: Invitations,
    /// Tokens of first-party apps
    tokens: Tokens,
    /// The administration, by API and on its page
    admin: Admin,
}

impl Config {
    /// What is switched off, and with it what would only send people to where nothing is: no mail has a link that leads nowhere.
    pub fn switched_off(&self) -> SwitchedOff {
        let mut off = self.endpoints.off();
        if !off.allows(Group::Reset) {
            off = off.and(Group::ResetMail);
        }
        if !off.allows(Group::Activate) && self.registration.mode == SignUp::Link {
            off = off.and(Group::Register);
        }
        off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_but_the_core_has_a_switch() {
        assert_eq!(Endpoints::default().off(), SwitchedOff::default());
        let every: Vec<String> = Group::ALL[1..].iter().map(|group| format!("\"{}\": false", group.as_str())).collect();
        let endpoints: Endpoints = serde_json::from_str(&format!("{{{}}}", every.join(", "))).unwrap();
        assert!(Group::ALL[1..].iter().all(|group| !endpoints.off().allows(*group)));
        assert!(serde_json::from_str::<Endpoints>("{\"me\": \"false\"}").is_ok_and(|endpoints| !endpoints.me));
        assert!(serde_json::from_str::<Endpoints>("{\"me\": 0}").is_err());
    }

    #[test]
    fn nobody_is_sent_to_where_nothing_is() {
        let mut config = Config::default();
        config.endpoints.reset = false;
        config.endpoints.activate = false;
        assert!(!config.switched_off().allows(Group::ResetMail) && config.switched_off().allows(Group::Register));
        config.registration.mode = SignUp::Link;
        assert!(!config.switched_off().allows(Group::Register));
    }
}
