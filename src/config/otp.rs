//! `[otp]`: codes that are sent.
//!
//! S-018, S-043, S-045, S-046; NIST SP 800-63B-4 §3.1.3.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoints::switch;
use super::{Config, ConfigError, duration, number};
use crate::authn::otp_code::{Alphabet, CodeForm};
use crate::authn::sent_code::{CodeSettings, ReviewAccount as Review, ToAnonymous};
use crate::authn::start::PAUSE;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::Secret;

/// `[otp]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Otp {
    /// Whether the right code of an address without an account makes one, where registration is open
    #[serde(deserialize_with = "switch")]
    pub auto_create_account: bool,
    /// Whether a code is a way to sign in; `false` keeps codes for who has proven something else
    #[serde(deserialize_with = "switch")]
    pub send_to_anonymous: bool,
    /// A code to sign in with; no longer than `session.sign_in_lifetime`
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub lifetime: Duration,
    /// The time between two codes of one purpose to one address, whatever they are for; at least 1 min
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub resend_after: Duration,
    /// Characters of a code; 6 to 10
    #[serde(deserialize_with = "number::positive")]
    pub length: u32,
    /// What codes consist of: `digits`, or `base20`, which are consonants
    #[schemars(with = "String")]
    pub alphabet: Alphabet,
    /// Accounts that sign in with a fixed code, for who reviews an app, a list of tables: `address`, `code` (a PHC string), `until`
    /// (a day, `2027-01-31`), `from` (an address, if it must be that one)
    pub review_accounts: Vec<ReviewAccount>,
}

/// `[[otp.review_accounts]]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewAccount {
    /// Its address, exactly
    pub address: String,
    /// The code, as a PHC string
    pub code: String,
    /// The last day
    pub until: String,
    /// From where
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<IpAddr>,
}

impl Default for Otp {
    fn default() -> Self {
        let form = CodeForm::default();
        Self {
            auto_create_account: true,
            send_to_anonymous: true,
            lifetime: Duration::from_mins(5),
            resend_after: PAUSE,
            length: u32::from(form.length),
            alphabet: form.alphabet,
            review_accounts: Vec::new(),
        }
    }
}

impl Config {
    /// What codes look like.
    pub fn code_form(&self) -> CodeForm {
        CodeForm { length: u8::try_from(self.otp.length).unwrap_or(u8::MAX), alphabet: self.otp.alphabet }
    }

    /// What the operator decided about codes.
    ///
    /// # Errors
    /// What is wrong with a review account.
    pub fn code_settings(&self) -> Result<CodeSettings, ConfigError> {
        let review = self.otp.review_accounts.iter().map(|account| {
            let wrong = |what: &str| ConfigError::new("otp.review_accounts", what);
            let day = chrono::NaiveDate::parse_from_str(&account.until, "%Y-%m-%d")
                .map_err(|_| wrong("has an until that is no day: write it like 2027-01-31"))?;
            if !account.code.starts_with("$argon2id$") {
                return Err(wrong("has a code that is no PHC string of Argon2id"));
            }
            let end = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp().saturating_add(24 * 60 * 60);
            Ok(Review {
                address: account.address.clone(),
                code: Secret::from(account.code.as_str()),
                until: NumericDate::from_seconds(end),
                from: account.from,
            })
        });
        Ok(CodeSettings {
            to_anonymous: if self.otp.send_to_anonymous { ToAnonymous::Sent } else { ToAnonymous::Refused },
            review_accounts: review.collect::<Result<_, _>>()?,
            lifetime: self.otp.lifetime,
        })
    }

    pub(super) fn check_codes(&self) -> Result<(), ConfigError> {
        if !(6..=10).contains(&self.otp.length) {
            return Err(ConfigError::new("otp.length", format!("is {}; it must be from 6 to 10", self.otp.length)));
        }
        if self.otp.lifetime > self.session.sign_in_lifetime {
            let [set, most] = [self.otp.lifetime, self.session.sign_in_lifetime].map(duration::format);
            let message = format!("is {set}; a sign-in takes {most} at most (session.sign_in_lifetime)");
            return Err(ConfigError::new("otp.lifetime", message));
        }
        self.code_settings().map(|_| ())
    }
}
