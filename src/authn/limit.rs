//! How often something may be asked for, whoever asks and whether or not it succeeds.
//!
//! S-122, PROTOCOL A8: the generic cell rate algorithm of the ephemeral store, which all nodes share. Every rule is here, with its
//! default; `[limits]` changes it. Which route counts by which rule is the table in `http/rate_limit.rs`; what is counted by the
//! address that a message goes to is counted where the message is made, by [`Limits::count`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::edge::ephemeral::{self, Decision, EphemeralKey, EphemeralStore, Quota};
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const COUNTED: &str = "limit";
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal $most:literal in $seconds:expr;)*) => {
        /// What is counted.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])* $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the settings and in `RateLimit-Policy`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The rate of a server for real people.
            pub const fn default_rate(self) -> Rate {
                match self {
                    $(Self::$name => Rate { most: $most, seconds: $seconds },)*
                }
            }
        }
    };
}

rules! {
    /// Sign-ins begun from an address.
    SignIn = "sign_in" 10 in MINUTE;
    /// Registrations from an address.
    Registration = "registration" 5 in MINUTE;
    /// Password resets asked for from an address.
    PasswordReset = "password_reset" 5 in MINUTE;
    /// Password resets for one account.
    PasswordResetAccount = "password_reset_account" 3 in HOUR;
    /// Answers to a challenge of a sign-in, from an address.
    Challenge = "challenge" 10 in MINUTE;
    /// Codes and links sent to one address or number.
    CodeStart = "code_start" 5 in HOUR;
    /// Codes typed for one address or account, a code that is typed again aside.
    CodeConfirm = "code_confirm" 10 in HOUR;
    /// Invitations of one person.
    Invitation = "invitation" 50 in DAY;
    /// Everything about codes, from an address.
    Otp = "otp" 100 in HOUR;
    /// Text messages to one number.
    SmsNumber = "sms_number" 5 in DAY;
    /// Text messages to numbers that begin alike.
    SmsPrefix = "sms_prefix" 100 in DAY;
    /// Text messages in all.
    SmsTotal = "sms_total" 1000 in DAY;
    /// Passwords tried against the policy, from an address.
    PasswordCheck = "password_check" 30 in MINUTE;
    /// Forgotten addresses looked up by one number.
    Recovery = "recovery" 3 in HOUR;
    /// What is put aside for people who are not signed in, when a page is opened, from an address.
    Waiting = "waiting" 120 in MINUTE;
    /// Devices that begin, from an address.
    DeviceStart = "device_start" 60 in MINUTE;
    /// Logout tokens of servers elsewhere that are not believed, from an address.
    LogoutToken = "logout_token" 60 in MINUTE;
    /// Wrong codes of devices, by person, browser and address.
    UserCode = "user_code" 5 in MINUTE;
    /// Wrong codes of devices in all.
    UserCodeTotal = "user_code_total" 600 in MINUTE;
}

/// So many in a time.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Rate {
    /// How many, at once if need be.
    pub most: u32,
    /// In how many seconds.
    pub seconds: u64,
}

/// A rule's setting.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Limit {
    /// Not counted.
    Off,
    /// Counted.
    At(Rate),
}

/// A text is no rate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a rate such as 10/min, 5/h or 100/d, from 1 to 1000000 in that time, or off")]
pub struct NotALimit;

impl FromStr for Limit {
    type Err = NotALimit;

    fn from_str(text: &str) -> Result<Self, NotALimit> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let (most, unit) = text.split_once('/').ok_or(NotALimit)?;
        let most: u32 = most.trim().parse().map_err(|_| NotALimit)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "min" | "m" => MINUTE,
            "h" => HOUR,
            "d" => 24 * HOUR,
            _ => return Err(NotALimit),
        };
        if (1..=1_000_000).contains(&most) { Ok(Self::At(Rate { most, seconds })) } else { Err(NotALimit) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(Rate { most, seconds: 1 }) => write!(f, "{most}/s"),
            Self::At(Rate { most, seconds: MINUTE }) => write!(f, "{most}/min"),
            Self::At(Rate { most, seconds: HOUR }) => write!(f, "{most}/h"),
            Self::At(Rate { most, .. }) => write!(f, "{most}/d"),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Rate {
    /// For the ephemeral store: all at once, then one by one.
    pub fn quota(self) -> Quota {
        let period = Duration::from_millis(self.seconds.saturating_mul(1_000) / u64::from(self.most.max(1)));
        Quota { burst: self.most, period: period.max(Duration::from_millis(1)) }
    }
}

/// One more than a rule allows.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Exceeded {
    /// Which rule.
    pub rule: Rule,
    /// Its rate.
    pub rate: Rate,
    /// Seconds until the next is allowed.
    pub retry_after: u64,
}

/// The rules as they are set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits(Vec<(Rule, Limit)>);

impl Limits {
    /// A thousand times as much as people get: for a server that is developed against.
    pub fn wide() -> Self {
        let wide = |rule: Rule| {
            let Rate { most, seconds } = rule.default_rate();
            (rule, Limit::At(Rate { most: most * 1_000, seconds }))
        };
        Self(Rule::ALL.iter().copied().map(wide).collect())
    }

    /// With another setting for `rule`.
    #[must_use]
    pub fn with(mut self, rule: Rule, limit: Limit) -> Self {
        self.0.retain(|(other, _)| *other != rule);
        self.0.push((rule, limit));
        self
    }

    /// The rate of `rule`; `None` when it is off.
    pub fn rate(&self, rule: Rule) -> Option<Rate> {
        match self.0.iter().find(|(other, _)| *other == rule) {
            Some((_, Limit::At(rate))) => Some(*rate),
            Some((_, Limit::Off)) => None,
            None => Some(rule.default_rate()),
        }
    }

    /// Counts one under `rule` for `key`: an address, an account.
    ///
    /// # Errors
    /// A fault of the ephemeral store: what cannot be counted is not done.
    pub async fn count(
        &self,
        ephemeral: &dyn EphemeralStore,
        (rule, key): (Rule, &str),
        now: NumericDate,
    ) -> Result<Result<(), Exceeded>, Fault> {
        let Some(rate) = self.rate(rule) else { return Ok(Ok(())) };
        Ok(match ephemeral::limit(ephemeral, &counter(rule, key), rate.quota(), now).await? {
            Decision::Allowed => Ok(()),
            Decision::Refused { retry_after } => {
                Err(Exceeded { rule, rate, retry_after: retry_after.as_secs().max(1) })
            }
        })
    }

    /// Takes back what was [counted](Self::count): it turned out not to be one to count.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn give_back(&self, ephemeral: &dyn EphemeralStore, (rule, key): (Rule, &str)) -> Result<(), Fault> {
        let Some(rate) = self.rate(rule) else { return Ok(()) };
        ephemeral.give_back(&counter(rule, key), rate.quota()).await
    }
}

fn counter(rule: Rule, key: &str) -> EphemeralKey {
    EphemeralKey::new(COUNTED, TokenHash::of(&format!("{}:{key}", rule.as_str())).as_bytes())
}

/// What real people get.
impl Default for Limits {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ephemeral::MemoryStore;

    const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

    #[test]
    fn rates_are_read_as_people_write_them() {
        let at = |most, seconds| Ok(Limit::At(Rate { most, seconds }));
        for (text, expected) in [
            ("10/min", at(10, 60)),
            ("10/m", at(10, 60)),
            ("5/h", at(5, 3_600)),
            ("1/s", at(1, 1)),
            ("100 / d", at(100, 86_400)),
            ("off", Ok(Limit::Off)),
            ("0/min", Err(NotALimit)),
            ("1000001/d", Err(NotALimit)),
            ("-1/min", Err(NotALimit)),
            ("10", Err(NotALimit)),
            ("10/year", Err(NotALimit)),
            ("", Err(NotALimit)),
            ("Off", Err(NotALimit)),
        ] {
            assert_eq!(text.parse::<Limit>(), expected, "{text}");
        }
        for text in ["10/min", "5/h", "1/s", "100/d", "off"] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
    }

    #[tokio::test]
    async fn one_more_than_the_rate_is_refused_and_off_is_off() {
        let store = MemoryStore::default();
        for (limits, rule, allowed) in [
            (Limits::default(), Rule::SignIn, 10),
            (Limits::default(), Rule::CodeStart, 5),
            (Limits::default().with(Rule::Recovery, Limit::At(Rate { most: 7, seconds: 60 })), Rule::Recovery, 7),
            (Limits::default().with(Rule::Otp, Limit::Off), Rule::Otp, 500),
            (Limits::wide(), Rule::PasswordReset, 500),
        ] {
            let mut heard = 0;
            for _ in 0..500 {
                heard += u32::from(limits.count(&store, (rule, "192.0.2.1"), NOW).await.unwrap().is_ok());
            }
            assert_eq!(heard, allowed, "{rule:?}");
            assert!(limits.count(&store, (rule, "192.0.2.2"), NOW).await.unwrap().is_ok(), "others are not concerned");
        }
        let exceeded = Limits::default().count(&store, (Rule::SignIn, "192.0.2.1"), NOW).await.unwrap().unwrap_err();
        assert_eq!((exceeded.rate.most, exceeded.retry_after), (10, 6));
    }
}
