//! How often guesses are heard.
//!
//! NIST SP 800-63B-4 §3.2.2, PROTOCOL §4.4: counted before the check, by account and by address; a name that nobody has
//! is counted like one that somebody has.

use std::time::Duration;

use crate::authn::Refusal;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// Limits on attempts.
#[derive(Copy, Clone, Debug)]
pub struct Throttle {
    /// For one account.
    pub account: Quota,
    /// For one address.
    pub address: Quota,
}

impl Throttle {
    /// Ten attempts at an account at once, then one a minute; a hundred from an address, then one a second.
    pub const PRODUCTION: Self = Self {
        account: Quota { burst: 10, period: Duration::from_mins(1) },
        address: Quota { burst: 100, period: Duration::from_secs(1) },
    };

    /// Wide enough for a test harness that signs in hundreds of times.
    pub const DEVELOPMENT: Self = Self {
        account: Quota { burst: 10_000, period: Duration::from_millis(1) },
        address: Quota { burst: 100_000, period: Duration::from_millis(1) },
    };

    /// Counts an attempt at `account` (a canonical name) from `address`.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when a limit is reached; a fault of the ephemeral store.
    pub async fn count(
        &self,
        ephemeral: &dyn EphemeralStore,
        (account, address): (&str, &str),
        now: NumericDate,
    ) -> Result<(), Refusal> {
        let by_account = ("sign_in_account", account, self.account);
        let by_address = ("sign_in_address", address, self.address);
        for (namespace, text, quota) in [by_account, by_address] {
            let key = EphemeralKey::new(namespace, TokenHash::of(text).as_bytes());
            if let Decision::Refused { retry_after } = ephemeral.rate(&key, quota, now).await? {
                return Err(Refusal::TooMany(retry_after.as_secs().max(1)));
            }
        }
        Ok(())
    }
}
