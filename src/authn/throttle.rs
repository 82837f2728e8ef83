//! How often guesses are heard.
//!
//! NIST SP 800-63B-4 §3.2.2, PROTOCOL §4.4: counted before the check, by account and by address; a name that nobody has
//! is counted like one that somebody has. Only failures stay counted, so that nobody is shut out by signing in.

use std::time::Duration;

use crate::authn::Refusal;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota, limit};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const BY_ACCOUNT: &str = "sign_in_account";
const BY_ADDRESS: &str = "sign_in_address";
const BY_DEVICE: &str = "sign_in_device";

/// Limits on attempts.
#[derive(Copy, Clone, Debug)]
pub struct Throttle {
    /// For one account.
    pub account: Quota,
    /// For one address.
    pub address: Quota,
}

/// What an attempt is counted by, beside its address.
#[derive(Copy, Clone, Debug)]
pub enum Guessed<'a> {
    /// The account, or the name that nobody has, whoever guesses.
    Account(&'a str),
    /// The mark of a browser that the account knows: strangers who use up the account's room do not use up this one.
    FromKnownBrowser(&'a Secret),
}

impl<'a> Guessed<'a> {
    fn counter(self) -> (&'static str, &'a str) {
        match self {
            Self::Account(account) => (BY_ACCOUNT, account),
            Self::FromKnownBrowser(mark) => (BY_DEVICE, mark.expose()),
        }
    }
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

    /// Counts an attempt from `address`. The address comes first: what it has no more room for does not use up the
    /// account's.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when a limit is reached; a fault of the ephemeral store.
    pub async fn count(
        &self,
        ephemeral: &dyn EphemeralStore,
        (guessed, address): (Guessed<'_>, &str),
        now: NumericDate,
    ) -> Result<(), Refusal> {
        self.count_address(ephemeral, address, now).await?;
        heard(ephemeral, guessed.counter(), self.account, now).await
    }

    /// Counts an attempt from `address` at something that cannot be guessed, such as a link: a limit for everybody
    /// together would let a stranger shut out the one who holds it (PROTOCOL A5).
    ///
    /// # Errors
    /// As [`Throttle::count`].
    pub async fn count_address(
        &self,
        ephemeral: &dyn EphemeralStore,
        address: &str,
        now: NumericDate,
    ) -> Result<(), Refusal> {
        heard(ephemeral, (BY_ADDRESS, address), self.address, now).await
    }

    /// Takes back what [`Throttle::count`] counted: the attempt was right. Failures before it stay counted, since it may
    /// be somebody else who fails.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn forgive(
        &self,
        ephemeral: &dyn EphemeralStore,
        (guessed, address): (Guessed<'_>, &str),
    ) -> Result<(), Refusal> {
        self.forgive_address(ephemeral, address).await?;
        let (namespace, text) = guessed.counter();
        Ok(ephemeral.give_back(&key(namespace, text), self.account).await?)
    }

    /// Takes back what [`Throttle::count_address`] counted.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn forgive_address(&self, ephemeral: &dyn EphemeralStore, address: &str) -> Result<(), Refusal> {
        Ok(ephemeral.give_back(&key(BY_ADDRESS, address), self.address).await?)
    }
}

fn key(namespace: &'static str, text: &str) -> EphemeralKey {
    EphemeralKey::new(namespace, TokenHash::of(text).as_bytes())
}

async fn heard(
    ephemeral: &dyn EphemeralStore,
    (namespace, text): (&'static str, &str),
    quota: Quota,
    now: NumericDate,
) -> Result<(), Refusal> {
    match limit(ephemeral, &key(namespace, text), quota, now).await? {
        Decision::Allowed => Ok(()),
        Decision::Refused { retry_after } => Err(Refusal::TooMany(retry_after.as_secs().max(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::ephemeral::MemoryStore;

    const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

    async fn is_heard(store: &MemoryStore, account: &str, address: &str) -> bool {
        Throttle::PRODUCTION.count(store, (Guessed::Account(account), address), NOW).await.is_ok()
    }

    #[tokio::test]
    async fn an_address_without_room_does_not_use_up_an_account() {
        let store = MemoryStore::default();
        for number in 0..100 {
            assert!(is_heard(&store, &format!("nobody-{number}"), "192.0.2.1").await);
        }
        for _ in 0..50 {
            assert!(!is_heard(&store, "alice", "192.0.2.1").await);
        }
        for _ in 0..10 {
            assert!(is_heard(&store, "alice", "192.0.2.2").await);
        }
        assert!(!is_heard(&store, "alice", "192.0.2.3").await);
    }

    #[tokio::test]
    async fn whoever_is_right_may_come_as_often_as_they_like() {
        let store = MemoryStore::default();
        let throttle = Throttle::PRODUCTION;
        for _ in 0..9 {
            assert!(is_heard(&store, "alice", "192.0.2.1").await);
        }
        for _ in 0..1_000 {
            assert!(is_heard(&store, "alice", "192.0.2.2").await);
            throttle.forgive(&store, (Guessed::Account("alice"), "192.0.2.2")).await.expect("taken back");
        }
        // The nine failures before were not forgiven.
        assert!(is_heard(&store, "alice", "192.0.2.1").await);
        assert!(!is_heard(&store, "alice", "192.0.2.1").await);
    }

    #[tokio::test]
    async fn a_known_browser_is_heard_while_strangers_guess() {
        let store = MemoryStore::default();
        for number in 0..50 {
            is_heard(&store, "alice", &format!("198.51.100.{number}")).await;
        }
        assert!(!is_heard(&store, "alice", "192.0.2.1").await);
        let mark = Secret::from("mark");
        for number in 0..11 {
            let known = Guessed::FromKnownBrowser(&mark);
            let heard = Throttle::PRODUCTION.count(&store, (known, "192.0.2.1"), NOW).await.is_ok();
            assert_eq!(heard, number < 10, "a stolen mark has no more room than an account");
        }
    }

    #[tokio::test]
    async fn a_link_is_limited_by_address_alone() {
        let store = MemoryStore::default();
        let count = |address: &'static str| Throttle::PRODUCTION.count_address(&store, address, NOW);
        for _ in 0..100 {
            assert!(count("192.0.2.1").await.is_ok());
        }
        assert!(matches!(count("192.0.2.1").await, Err(Refusal::TooMany(1))));
        assert!(count("192.0.2.2").await.is_ok());
    }
}
