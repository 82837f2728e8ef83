//! `[endpoints]`: parts of the account API that are switched off.
//!
//! S-181: what is off answers 404 and is told of nowhere.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
            /// The groups that are off.
            pub fn off(&self) -> SwitchedOff {
                let switches = [$((self.$field, Group::$group),)*];
                switches.into_iter().filter(|(on, _)| !on).map(|(_, group)| group).collect()
            }
        }
    };
}

endpoints! {
    /// Signing in by the account API; `false` removes it, here and in the rows below
    login: Login,
    /// Signing out
    logout: Logout,
    /// Registering
    register: Register,
    /// Activating a new account by its link
    activate: Activate,
    /// Asking for a new password
    reset_mail: ResetMail,
    /// Setting a new password
    reset: Reset,
    /// Finding a forgotten address
    recovery: Recovery,
    /// Trying out a password against the policy
    validate: Validate,
    /// The person's own account
    me: Me,
    /// Second factors of the signed-in person
    mfa: Mfa,
    /// Signing in at other servers, and connecting accounts there
    social: Social,
    /// Signing in by a code or link that is sent
    otp: Otp,
    /// Asking others in, and accepting
    invitations: Invitations,
    /// Tokens of first-party apps
    tokens: Tokens,
    /// The administration, by API and on its page
    admin: Admin,
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
}
