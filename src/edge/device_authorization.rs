//! Devices that wait for a person: what both the device grant (RFC 8628) and sign-in by a picture (S-055) stand on.
//!
//! Each thing is written once, under a key of its own, so that no node overwrites what another one decided: what was asked, which device
//! a user code means, that somebody looked, what was decided. *Why values that are taken and no marks:* who takes one is alone in having
//! it on every kind of store, and puts it back where nothing came of it. What gives tokens or a session is used up in the main store
//! besides (DECISIONS.md).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::edge::Edges;
use crate::edge::ephemeral::{EphemeralKey, Namespace};
use crate::model::device_authorization::{Asks, Decision, DeviceAuthorization};
use crate::model::event::Provenance;
use crate::model::fault::Fault;
use crate::protocol::device::{SLOWER, UserCode};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// How long one that ran out is told from one that never was.
const REMEMBERED: Duration = Duration::from_mins(10);
/// How many codes are drawn until one is free: with a million devices that wait, one in 25 000 is taken.
const DRAWS: u8 = 8;
/// The longest interval, in seconds: who goes on asking too often is heard once a minute.
const LONGEST: u64 = 60;
/// How long a yes waits for its device past the end: it was given in the last second, and the device asks once more.
const LAST_CALL: Duration = Duration::from_secs(LONGEST);

const ASKED: Namespace<DeviceAuthorization> = Namespace::new("device_authorization");
const MEANT: Namespace<TokenHash> = Namespace::new("device_user_code");
const DECISION: Namespace<Decision> = Namespace::new("device_decision");
const PACE: Namespace<Pace> = Namespace::new("device_pace");
const SEEN: Namespace<bool> = Namespace::new("device_seen");

/// What was approved and not fetched.
const FETCHABLE: Namespace<bool> = Namespace::new("device_fetchable");

/// User codes that are taken.
const TAKEN: &str = "device_user_code_taken";
/// Moments at which a device was heard.
const HEARD: &str = "device_heard";

/// How a device is to wait.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// For how long.
    pub lifetime: Duration,
    /// Seconds between two polls.
    pub interval: u64,
}

/// How fast a device may ask.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
struct Pace {
    interval: u64,
    not_before: NumericDate,
}

/// What a device learns when it asks.
#[derive(Clone, Debug)]
pub enum Polled {
    /// There is none, or not any more.
    Unknown,
    /// It ran out.
    Expired,
    /// It asks too often; seconds between two polls from now on.
    TooFast(u64),
    /// Nobody has decided.
    Pending {
        /// Whether somebody has looked at it.
        seen: bool,
    },
    /// Somebody has.
    Decided(Decision),
}

/// A device that waits, with the key that it is kept under.
#[derive(Clone, Debug)]
pub struct Found {
    /// The hash of its device code.
    pub key: TokenHash,
    /// What it asks for.
    pub asked: DeviceAuthorization,
}

impl Edges {
    /// Puts aside what a device asks for, under the hash of its device code.
    ///
    /// # Errors
    /// A fault of the ephemeral store; unavailable when no user code is free.
    pub async fn begin_device(
        &self,
        key: &TokenHash,
        (asks, from): (Asks, Provenance),
        waiting: Waiting,
    ) -> Result<DeviceAuthorization, Fault> {
        let now = self.clock.now();
        let expires_at = now.plus(waiting.lifetime);
        let until = expires_at.plus(REMEMBERED);
        let user_code = self.free_user_code((now, until)).await?;
        let asked = DeviceAuthorization {
            version: DeviceAuthorization::VERSION,
            asks,
            from,
            user_code,
            created_at: now,
            expires_at,
            interval: waiting.interval,
        };
        ASKED.put(&*self.ephemeral, key.as_bytes(), &asked, until).await?;
        MEANT.put(&*self.ephemeral, hash(&asked.user_code).as_bytes(), key, until).await?;
        Ok(asked)
    }

    /// The device that a user code means, while a person may decide about it.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn device(&self, user_code: &UserCode) -> Result<Option<Found>, Fault> {
        let now = self.clock.now();
        let Some(key) = MEANT.get(&*self.ephemeral, hash(user_code).as_bytes(), now).await? else { return Ok(None) };
        let asked = self.asked(&key, now).await?.filter(|asked| asked.is_open(now) && asked.user_code == *user_code);
        let is_decided = DECISION.get(&*self.ephemeral, key.as_bytes(), now).await?.is_some();
        Ok(asked.filter(|_| !is_decided).map(|asked| Found { key, asked }))
    }

    /// That somebody looks at it.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn see_device(&self, found: &Found) -> Result<(), Fault> {
        SEEN.put(&*self.ephemeral, found.key.as_bytes(), &true, found.asked.expires_at.plus(REMEMBERED)).await
    }

    /// Decides, once. False when somebody did before, or when it ran out.
    ///
    /// # Errors
    /// A fault of the ephemeral store; then nothing is decided.
    pub async fn decide_device(&self, found: &Found, decision: &Decision) -> Result<bool, Fault> {
        let now = self.clock.now();
        if !found.asked.is_open(now) {
            return Ok(false);
        }
        let (code, key) = (hash(&found.asked.user_code), found.key.as_bytes());
        let until = found.asked.expires_at.plus(REMEMBERED);
        if MEANT.take(&*self.ephemeral, code.as_bytes(), now).await?.is_none() {
            return Ok(false);
        }
        let written = match FETCHABLE.put(&*self.ephemeral, key, &true, until).await {
            Ok(()) => DECISION.put(&*self.ephemeral, key, decision, until).await,
            Err(fault) => Err(fault),
        };
        if written.is_err() {
            MEANT.put(&*self.ephemeral, code.as_bytes(), &found.key, until).await?;
        }
        written.map(|()| true)
    }

    /// Answers a device that asks how far it is; who asks too often waits longer each time (RFC 8628 §3.5).
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn poll_device(&self, key: &TokenHash) -> Result<Polled, Fault> {
        let now = self.clock.now();
        let Some(asked) = self.asked(key, now).await? else { return Ok(Polled::Unknown) };
        let until = asked.expires_at.plus(REMEMBERED);
        let begun = Pace { interval: asked.interval, not_before: asked.created_at };
        let pace = PACE.get(&*self.ephemeral, key.as_bytes(), now).await?.unwrap_or(begun);
        if now >= pace.not_before && self.is_first_heard(key, pace.not_before, (now, until)).await? {
            let next = Pace { not_before: now.plus(Duration::from_secs(pace.interval)), ..pace };
            PACE.put(&*self.ephemeral, key.as_bytes(), &next, until).await?;
            return self.look_at_device(key).await;
        }
        let interval = pace.interval.saturating_add(SLOWER).min(LONGEST.max(asked.interval));
        let slower = Pace { interval, not_before: now.plus(Duration::from_secs(interval)) };
        PACE.put(&*self.ephemeral, key.as_bytes(), &slower, until).await?;
        Ok(Polled::TooFast(interval))
    }

    /// True for one of all who come at once, on every node.
    async fn is_first_heard(
        &self,
        key: &TokenHash,
        not_before: NumericDate,
        (now, until): (NumericDate, NumericDate),
    ) -> Result<bool, Fault> {
        let moment = [key.as_bytes().as_slice(), &not_before.seconds().to_be_bytes()].concat();
        self.ephemeral.add_if_absent(&EphemeralKey::new(HEARD, &moment), until, now).await
    }

    /// [`Edges::poll_device`] for a page of our own, which keeps its pace by itself.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn look_at_device(&self, key: &TokenHash) -> Result<Polled, Fault> {
        let now = self.clock.now();
        let Some(asked) = self.asked(key, now).await? else { return Ok(Polled::Unknown) };
        if asked.is_open(now.minus(LAST_CALL))
            && let Some(decision) = DECISION.get(&*self.ephemeral, key.as_bytes(), now).await?
        {
            return Ok(Polled::Decided(decision));
        }
        if !asked.is_open(now) {
            return Ok(Polled::Expired);
        }
        let seen = SEEN.get(&*self.ephemeral, key.as_bytes(), now).await?.is_some();
        Ok(Polled::Pending { seen })
    }

    /// What the device under `key` asked for, also after its end.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn device_under(&self, key: &TokenHash) -> Result<Option<DeviceAuthorization>, Fault> {
        self.asked(key, self.clock.now()).await
    }

    /// True for one who fetches what was approved: of fifty polls at once one goes on.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn fetch_device(&self, key: &TokenHash) -> Result<bool, Fault> {
        Ok(FETCHABLE.take(&*self.ephemeral, key.as_bytes(), self.clock.now()).await?.is_some())
    }

    /// Takes that back, where nothing came of it.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn put_device_back(&self, key: &TokenHash, asked: &DeviceAuthorization) -> Result<(), Fault> {
        FETCHABLE.put(&*self.ephemeral, key.as_bytes(), &true, asked.expires_at.plus(REMEMBERED)).await
    }

    async fn asked(&self, key: &TokenHash, now: NumericDate) -> Result<Option<DeviceAuthorization>, Fault> {
        let asked = ASKED.get(&*self.ephemeral, key.as_bytes(), now).await?;
        Ok(asked.filter(|asked| asked.version == DeviceAuthorization::VERSION))
    }

    /// A code that no other device has.
    async fn free_user_code(&self, (now, until): (NumericDate, NumericDate)) -> Result<UserCode, Fault> {
        for _ in 0..DRAWS {
            let user_code = UserCode::draw(|| {
                let [byte] = self.random.bytes();
                byte
            });
            let taken = EphemeralKey::new(TAKEN, hash(&user_code).as_bytes());
            if self.ephemeral.add_if_absent(&taken, until, now).await? {
                return Ok(user_code);
            }
        }
        Err(Fault::unavailable("draw a user code that no other device has"))
    }
}

fn hash(user_code: &UserCode) -> TokenHash {
    TokenHash::of(user_code.letters())
}
