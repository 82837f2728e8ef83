//! `[limits]`: how often something may be asked for, and when who fails is not heard any more.
//!
//! S-122, S-123. What is not set has its default in `authn::limit`; on a development server a thousand times as much.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{duration, number};
use crate::authn::limit::{Limit, Limits as Rules, Rate, Rule};

/// A hundred wrong answers in a row are the end of all (NIST SP 800-63B-4 §3.2.2).
const MOST_PLACES: u32 = 100;

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $field:ident: $rule:ident,)*) => {
        /// `[limits]`
        #[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Limits {
            $(
                $(#[doc = $doc])*
                #[serde(deserialize_with = "limit")]
                #[schemars(with = "Option<String>")]
                pub $field: Option<Limit>,
            )*
            /// Wrong codes of one account in sign-ins, first and second factors each: `10/h` if nothing is said, not counted on a development server; some are kept for browsers that it knows
            #[serde(deserialize_with = "places")]
            #[schemars(with = "Option<String>")]
            pub factor_confirm: Option<Limit>,
            /// So many failed sign-ins and wrong codes from an address, 10 if nothing is said, and nothing is heard from there
            #[serde(deserialize_with = "number::optional")]
            pub block_after: Option<usize>,
            /// Within which time they are counted, and how long nothing is heard
            #[serde(with = "duration")]
            #[schemars(with = "duration::Written")]
            pub block_for: Duration,
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: None,)* factor_confirm: None, block_after: None, block_for: Duration::from_mins(5) }
            }
        }

        impl Limits {
            /// The paths of the limits that count nothing.
            pub fn off(&self) -> Vec<&'static str> {
                let set = [$((concat!("limits.", stringify!($field)), self.$field),)* ("limits.factor_confirm", self.factor_confirm)];
                set.into_iter().filter(|(_, limit)| *limit == Some(Limit::Off)).map(|(key, _)| key).collect()
            }

            /// `rules` with what is set here.
            pub fn over(&self, rules: Rules) -> Rules {
                let set = [$((Rule::$rule, self.$field),)*];
                set.into_iter().fold(rules, |rules, (rule, limit)| match limit {
                    Some(limit) => rules.with(rule, limit),
                    None => rules,
                })
            }
        }
    };
}

limits! {
    /// Sign-ins begun from an address; `10/min` if nothing is said, as all of these a thousand times as much on a development server; `off` counts nothing
    sign_in: SignIn,
    /// Registrations from an address: `5/min`
    registration: Registration,
    /// Password resets asked for from an address: `5/min`
    password_reset: PasswordReset,
    /// Password resets for one account: `3/h`
    password_reset_account: PasswordResetAccount,
    /// Answers to a challenge of a sign-in, from an address: `10/min`
    challenge: Challenge,
    /// Codes and links sent to one address or number: `5/h`
    code_start: CodeStart,
    /// Codes typed for one address or account, for a new account, a new password, a forgotten or a further address: `10/h`
    code_confirm: CodeConfirm,
    /// Invitations of one person: `50/d`
    invitation: Invitation,
    /// Everything about codes, from an address: `100/h`
    otp: Otp,
    /// Passwords tried against the policy, from an address: `30/min`
    password_check: PasswordCheck,
    /// Forgotten addresses looked up by one number: `3/h`
    recovery: Recovery,
    /// Requests of apps, and departures to other servers, that wait for a person, from an address: `120/min`
    waiting: Waiting,
    /// Devices that begin, from an address: `60/min`
    device_start: DeviceStart,
    /// Logout tokens of servers elsewhere that are not believed, from an address: `60/min`
    logout_token: LogoutToken,
    /// Wrong codes of devices, by person, browser and address: `5/min`
    user_code: UserCode,
    /// Wrong codes of devices altogether: `600/min`
    user_code_total: UserCodeTotal,
    /// Text messages to one number: `5/d`
    sms_number: SmsNumber,
    /// Text messages to numbers that begin alike: `100/d`
    sms_prefix: SmsPrefix,
    /// Text messages altogether: `1000/d`
    sms_total: SmsTotal,
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Limit>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

/// What takes its place before it is judged: each is looked at, so that there are not many.
fn places<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Limit>, D::Error> {
    match limit(deserializer)? {
        Some(Limit::At(Rate { most, .. })) if most > MOST_PLACES => {
            Err(serde::de::Error::custom("must be a rate such as 10/h, from 1 to 100 in that time, or off"))
        }
        limit => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_a_setting_of_its_own() {
        for rule in Rule::ALL {
            let limits: Limits = serde_json::from_str(&format!("{{\"{}\": \"off\"}}", rule.as_str())).unwrap();
            let rules = limits.over(Rules::default());
            for other in Rule::ALL {
                assert_eq!(rules.rate(*other).is_none(), other == rule, "{rule:?} {other:?}");
            }
        }
        for (text, is_good) in [("10/h", true), ("100/d", true), ("off", true), ("101/h", false), ("ten", false)] {
            let limits = serde_json::from_str::<Limits>(&format!("{{\"factor_confirm\": \"{text}\"}}"));
            assert_eq!(limits.is_ok_and(|limits| limits.factor_confirm.is_some()), is_good, "{text}");
        }
        assert!(serde_json::from_str::<Limits>("{\"otp\": \"often\"}").is_err());
        assert!(serde_json::from_str::<Limits>("{\"otp\": 10}").is_err());
    }
}
