//! How often guesses are heard.
//!
//! NIST SP 800-63B-4 §3.2.2, PROTOCOL §4.4: counted before the check, by account and by address; a name that nobody has
//! is counted like one that somebody has. Only failures stay counted, so that nobody is shut out by signing in. Three
//! limits stand behind each other: how fast guesses may come, how many may fail in a row at all (kept in the main store, so
//! that no restart gives a new hundred), and how much hashing one account may ask for, right or wrong.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::authn::Refusal;
use crate::authn::limit::{Limit, Rate};
use crate::edge::Edges;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota, limit};
use crate::edge::meter;
use crate::edge::store::Beside;
use crate::model::event::{Actor, Event, EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const BY_ACCOUNT: &str = "sign_in_account";
const BY_ADDRESS: &str = "sign_in_address";
const BY_DEVICE: &str = "sign_in_device";
const BY_WORK: &str = "sign_in_work";
const TOLD: &str = "block_told";
const BLOCKED_ADDRESS: &str = "address";
const BLOCKED_ACCOUNT: &str = "account";

/// Limits on attempts.
#[derive(Copy, Clone, Debug)]
pub struct Throttle {
    /// For one account.
    pub account: Quota,
    /// For one address.
    pub address: Quota,
    /// For one account, also when every attempt is right: hashing takes a core.
    pub work: Quota,
    /// Failures in a row.
    pub in_a_row: InARow,
    /// Wrong codes of sign-ins of one account, those of first and those of second factors ([`guard`](crate::authn::guard)).
    pub factor: Option<Places>,
}

/// How many answers may be wrong in a time.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Places {
    /// In all.
    pub most: u8,
    /// From browsers that the account does not know.
    pub by_strangers: u8,
    /// In which time.
    pub time: Duration,
}

impl Places {
    /// As a rate has them; three of ten, and one of a few, are kept for known browsers.
    pub fn of(rate: Rate) -> Self {
        let most = u8::try_from(rate.most).unwrap_or(u8::MAX).max(1);
        let kept = (most / 10 * 3).max(u8::from(most > 1));
        Self { most, by_strangers: most - kept, time: Duration::from_secs(rate.seconds) }
    }
}

/// How many attempts at one account may fail in a row (PROTOCOL A4). Waiting gives no more of them.
#[derive(Copy, Clone, Debug)]
pub struct InARow {
    /// In all.
    pub most: u32,
    /// From browsers that the account does not know; the rest is kept for those that it does (PROTOCOL A5).
    pub by_strangers: u32,
}

/// What an attempt is counted by.
#[derive(Copy, Clone, Debug)]
pub struct Guess<'a> {
    /// Whom it is at.
    pub at: Whom<'a>,
    /// The mark of a browser that the account knows: strangers who use up the account's room do not use up this one.
    pub known_browser: Option<&'a Secret>,
    /// Where it comes from.
    pub address: &'a str,
}

/// Whom a guess is at.
#[derive(Copy, Clone, Debug)]
pub enum Whom<'a> {
    /// Somebody, whichever of their names was used.
    Account(UserId),
    /// A name that nobody has.
    Nobody(&'a str),
}

impl Guess<'_> {
    const fn user(&self) -> Option<UserId> {
        match self.at {
            Whom::Account(user) => Some(user),
            Whom::Nobody(_) => None,
        }
    }

    fn account(&self) -> String {
        match self.at {
            Whom::Account(user) => user.to_string(),
            Whom::Nobody(name) => name.to_owned(),
        }
    }

    fn counter(&self) -> EphemeralKey {
        match self.known_browser {
            Some(mark) => key(BY_DEVICE, mark.expose()),
            None => key(BY_ACCOUNT, &self.account()),
        }
    }
}

impl Throttle {
    /// Ten attempts at an account at once, then one a minute; ten failures from an address within five minutes (S-123); a hundred
    /// failures in a row, of which ten are kept for known browsers; sixty right ones at once, then one in two seconds; ten wrong answers
    /// of second factors in an hour (PROTOCOL A7), of which three are kept for known browsers.
    pub const PRODUCTION: Self = Self {
        account: Quota { burst: 10, period: Duration::from_mins(1) },
        address: Quota { burst: 10, period: Duration::from_secs(30) },
        work: Quota { burst: 60, period: Duration::from_secs(2) },
        in_a_row: InARow { most: 100, by_strangers: 90 },
        factor: Some(Places { most: 10, by_strangers: 7, time: Duration::from_hours(1) }),
    };

    /// Wide enough for a test harness that signs in hundreds of times.
    pub const DEVELOPMENT: Self = Self {
        account: Quota { burst: 10_000, period: Duration::from_millis(1) },
        address: Quota { burst: 100_000, period: Duration::from_millis(1) },
        work: Quota { burst: 10_000, period: Duration::from_millis(1) },
        in_a_row: InARow { most: 11_000, by_strangers: 10_000 },
        factor: None,
    };

    /// `failures` from an address within `time`, and as long of silence after them.
    #[must_use]
    pub fn with_address(self, failures: u32, time: Duration) -> Self {
        let address = Quota { burst: failures.max(1), period: time / failures.max(1) };
        Self { address, ..self }
    }

    /// So many wrong codes of one account.
    #[must_use]
    pub fn with_factor(self, limit: Limit) -> Self {
        let factor = match limit {
            Limit::Off => None,
            Limit::At(rate) => Some(Places::of(rate)),
        };
        Self { factor, ..self }
    }

    /// Whether an address is heard at all at the moment; nothing is counted.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] while it is not; a fault of the ephemeral store.
    pub async fn check_address(&self, edges: &Edges, address: &str, now: NumericDate) -> Result<(), Refusal> {
        let key = key(BY_ADDRESS, address);
        match edges.ephemeral.rate(&key, self.address, now).await? {
            Decision::Allowed => Ok(edges.ephemeral.give_back(&key, self.address).await?),
            Decision::Refused { retry_after } => {
                let until = now.plus(retry_after);
                meter::rate_limited(BY_ADDRESS);
                self.tell(edges, (BLOCKED_ADDRESS, address, None), (address, until)).await?;
                Err(Refusal::TooMany(retry_after.as_secs().max(1)))
            }
        }
    }

    /// Writes down that somebody is not heard, once for each block (S-129).
    async fn tell(
        &self,
        edges: &Edges,
        (reason, name, user): (&'static str, &str, Option<UserId>),
        (address, until): (&str, NumericDate),
    ) -> Result<(), Fault> {
        let now = edges.clock.now();
        let told = EphemeralKey::new(TOLD, TokenHash::of(&format!("{reason}:{name}")).as_bytes());
        let silence = self.address.period.saturating_mul(self.address.burst);
        if !edges.ephemeral.add_if_absent(&told, now.plus(silence), now).await? {
            return Ok(());
        }
        // Not the name itself: people type passwords into the field for names.
        let hash = URL_SAFE_NO_PAD.encode(TokenHash::of(name).as_bytes());
        let event = edges.event(EventName::SecurityBlocked).failed().by(Actor::Anonymous);
        let event = event.from(Provenance { address: address.to_owned(), ..Provenance::default() });
        let event = event.telling("reason", reason).telling("identifier_hash", hash).telling("until", until.seconds());
        edges.store.record(Beside::event(Event { user, ..event })).await
    }

    /// Counts an attempt. The address comes first: what it has no more room for does not use up the account's; what lasts
    /// comes last.
    ///
    /// *Why nobody's failures in a row are not counted:* a counter that lasts, for each name that a stranger thinks of, would push
    /// the others out of their room. A method answers a stranger whom an account no longer hears as it answers a wrong proof,
    /// so that there is nothing to tell apart.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] or [`Refusal::Closed`] when a limit is reached; a fault of a store.
    pub async fn count(&self, edges: &Edges, guess: Guess<'_>, now: NumericDate) -> Result<(), Refusal> {
        let ephemeral = &*edges.ephemeral;
        // A browser that the account knows is heard while strangers at its address are not (PROTOCOL A5); it has a counter of its own.
        if guess.known_browser.is_none() {
            self.count_guess(edges, guess.address, now).await?;
        }
        if let Err(refusal) = heard(ephemeral, &guess.counter(), self.account, now).await {
            let (account, user) = (guess.account(), guess.user());
            self.tell_of(edges, &refusal, (BLOCKED_ACCOUNT, &account, user), (guess.address, now)).await?;
            return Err(refusal);
        }
        heard(ephemeral, &key(BY_WORK, &guess.account()), self.work, now).await?;
        let most = if guess.known_browser.is_some() { self.in_a_row.most } else { self.in_a_row.by_strangers };
        let is_open = match guess.at {
            Whom::Account(user) => {
                let is_open = edges.store.count_sign_in(user, most, now).await?;
                if !is_open {
                    // Nothing was written; the time of the answer must not tell.
                    edges.store.count_sign_in_of_nobody(&TokenHash::of(&guess.account()), now).await?;
                }
                is_open
            }
            Whom::Nobody(name) => {
                edges.store.count_sign_in_of_nobody(&TokenHash::of(name), now).await?;
                true
            }
        };
        if is_open { Ok(()) } else { Err(Refusal::Closed) }
    }

    async fn tell_of(
        &self,
        edges: &Edges,
        refusal: &Refusal,
        subject: (&'static str, &str, Option<UserId>),
        (address, now): (&str, NumericDate),
    ) -> Result<(), Fault> {
        match refusal {
            Refusal::TooMany(seconds) => {
                let until = now.plus(Duration::from_secs(*seconds));
                self.tell(edges, subject, (address, until)).await
            }
            _ => Ok(()),
        }
    }

    /// Counts a guess from `address`, and writes down once that nothing more is heard from there: a wrong code is a failure of its address
    /// as a wrong password is (S-123).
    ///
    /// # Errors
    /// As [`Throttle::count`].
    pub async fn count_guess(&self, edges: &Edges, address: &str, now: NumericDate) -> Result<(), Refusal> {
        let counted = self.count_address(&*edges.ephemeral, address, now).await;
        if let Err(refusal) = &counted {
            self.tell_of(edges, refusal, (BLOCKED_ADDRESS, address, None), (address, now)).await?;
        }
        counted
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
        heard(ephemeral, &key(BY_ADDRESS, address), self.address, now).await
    }

    /// Takes back what [`Throttle::count`] counted, but for the work: the attempt was right. No failure before it counts as
    /// one in a row, nor as one from its address (S-123); how fast guesses at the account may come is not forgotten, since it may be
    /// somebody else who fails.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn forgive(&self, edges: &Edges, guess: Guess<'_>) -> Result<(), Refusal> {
        if guess.known_browser.is_none() {
            self.forgive_address(&*edges.ephemeral, guess.address).await?;
        }
        edges.ephemeral.give_back(&guess.counter(), self.account).await?;
        if let Whom::Account(user) = guess.at {
            edges.store.clear_sign_in_failures(user).await?;
        }
        Ok(())
    }

    /// Takes back what [`Throttle::count_address`] counted, now and before.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn forgive_address(&self, ephemeral: &dyn EphemeralStore, address: &str) -> Result<(), Refusal> {
        // All that may stand there, in one step.
        let everything = self.address.period.saturating_mul(self.address.burst.saturating_add(1));
        let everything = Quota { period: everything, ..self.address };
        Ok(ephemeral.give_back(&key(BY_ADDRESS, address), everything).await?)
    }
}

fn key(namespace: &'static str, text: &str) -> EphemeralKey {
    EphemeralKey::new(namespace, TokenHash::of(text).as_bytes())
}

async fn heard(
    ephemeral: &dyn EphemeralStore,
    key: &EphemeralKey,
    quota: Quota,
    now: NumericDate,
) -> Result<(), Refusal> {
    match limit(ephemeral, key, quota, now).await? {
        Decision::Allowed => Ok(()),
        Decision::Refused { retry_after } => Err(Refusal::TooMany(retry_after.as_secs().max(1))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::edge::clock::SystemClock;
    use crate::edge::ephemeral::MemoryStore;
    use crate::edge::fetch::HttpFetch;
    use crate::edge::outbox::Outbox;
    use crate::edge::random::SystemRandom;
    use crate::edge::store::{DatabaseSettings, Store};
    use crate::edge::vault::Vault;

    const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

    /// Edges with an empty database; the folder is gone with the first value.
    async fn edges() -> (tempfile::TempDir, Edges) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&DatabaseSettings { path: folder.path().join("x.db") }).await.expect("a store");
        let edges = Edges {
            store,
            ephemeral: Arc::new(MemoryStore::default()),
            fetch: Arc::new(HttpFetch::new()),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            outbox: Outbox::new(Arc::new(Vault::new(Secret::new([0; 32]))), Arc::new(SystemRandom)),
        };
        (folder, edges)
    }

    fn guess<'a>(name: &'a str, address: &'a str) -> Guess<'a> {
        Guess { at: Whom::Nobody(name), known_browser: None, address }
    }

    async fn is_heard(edges: &Edges, account: &str, address: &str) -> bool {
        Throttle::PRODUCTION.count(edges, guess(account, address), NOW).await.is_ok()
    }

    #[test]
    fn some_places_are_kept_for_known_browsers() {
        for (most, by_strangers) in [(1, 1), (2, 1), (5, 4), (10, 7), (100, 70)] {
            let places = Places::of(Rate { most, seconds: 3_600 });
            assert_eq!((u32::from(places.most), places.by_strangers), (most, by_strangers));
        }
        let ten = Throttle::DEVELOPMENT.with_factor(Limit::At(Rate { most: 10, seconds: 3_600 }));
        assert_eq!(ten.factor, Throttle::PRODUCTION.factor);
        assert_eq!(Throttle::PRODUCTION.with_factor(Limit::Off).factor, None);
    }

    #[tokio::test]
    async fn an_address_without_room_does_not_use_up_an_account() {
        let (_folder, edges) = edges().await;
        for number in 0..10 {
            assert!(is_heard(&edges, &format!("nobody-{number}"), "192.0.2.1").await);
        }
        for _ in 0..50 {
            assert!(!is_heard(&edges, "alice", "192.0.2.1").await);
        }
        for _ in 0..10 {
            assert!(is_heard(&edges, "alice", "192.0.2.2").await);
        }
        assert!(!is_heard(&edges, "alice", "192.0.2.3").await);
    }

    #[tokio::test]
    async fn failures_before_a_right_answer_are_not_forgiven() {
        let (_folder, edges) = edges().await;
        for _ in 0..9 {
            assert!(is_heard(&edges, "alice", "192.0.2.1").await);
        }
        for _ in 0..40 {
            assert!(is_heard(&edges, "alice", "192.0.2.2").await);
            Throttle::PRODUCTION.forgive(&edges, guess("alice", "192.0.2.2")).await.expect("taken back");
        }
        assert!(is_heard(&edges, "alice", "192.0.2.1").await);
        assert!(!is_heard(&edges, "alice", "192.0.2.1").await);
    }

    #[tokio::test]
    async fn one_account_cannot_fill_the_pool_of_hashes() {
        let (_folder, edges) = edges().await;
        let throttle = Throttle::PRODUCTION;
        let mut heard = 0;
        for number in 0..200 {
            let address = format!("192.0.2.{number}");
            if is_heard(&edges, "mallory", &address).await {
                heard += 1;
                throttle.forgive(&edges, guess("mallory", &address)).await.expect("taken back");
            }
        }
        assert_eq!(heard, throttle.work.burst);
        assert!(is_heard(&edges, "alice", "192.0.2.1").await, "others sign in");
    }

    /// In a flood, counters that are nearest to empty go first: one that lasted for days would outlive all the others.
    #[test]
    fn no_counter_of_ours_lasts_longer_than_an_hour() {
        let Throttle { account, address, work, in_a_row: _, factor: _ } = Throttle::PRODUCTION;
        for quota in [account, address, work] {
            assert!(quota.period * quota.burst <= Duration::from_hours(1), "{quota:?}");
        }
    }

    #[tokio::test]
    async fn a_known_browser_is_heard_while_strangers_guess() {
        let (_folder, edges) = edges().await;
        for number in 0..50 {
            is_heard(&edges, "alice", &format!("198.51.100.{number}")).await;
        }
        assert!(!is_heard(&edges, "alice", "192.0.2.1").await);
        let mark = Secret::from("mark");
        for number in 0..11 {
            let known = Guess { known_browser: Some(&mark), ..guess("alice", "192.0.2.1") };
            let heard = Throttle::PRODUCTION.count(&edges, known, NOW).await.is_ok();
            assert_eq!(heard, number < 10, "a stolen mark has no more room than an account");
        }
    }

    #[tokio::test]
    async fn a_link_is_limited_by_address_alone() {
        let store = MemoryStore::default();
        let count = |address: &'static str| Throttle::PRODUCTION.count_address(&store, address, NOW);
        for _ in 0..10 {
            assert!(count("192.0.2.1").await.is_ok());
        }
        assert!(matches!(count("192.0.2.1").await, Err(Refusal::TooMany(30))));
        assert!(count("192.0.2.2").await.is_ok());
    }
}
