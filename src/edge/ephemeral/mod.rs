//! What waits and what is counted: codes, interactions, challenges; tries and requests.
//!
//! To add a use: a [`Namespace`] constant. To add a place to keep it: an `impl EphemeralStore` that passes the contract tests.
//! Nothing here makes a used value valid again when it is lost: what issues a token is consumed in the main store.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::edge::meter;
use crate::model::authorization_code::AuthorizationCode;
use crate::model::fault::Fault;
use crate::model::interaction::Interaction;
use crate::protocol::numeric_date::NumericDate;

mod memory;
mod rate;
mod redis;
mod sql;

pub use self::memory::MemoryStore;
pub use self::redis::{RedisSettings, RedisStore};
pub use self::sql::SqlStore;

/// Where values wait until they expire. Every method fails only with a [`Fault`].
#[async_trait]
pub trait EphemeralStore: Send + Sync {
    /// Keeps `value` until `expires_at`, in place of what was under `key`.
    async fn put(&self, key: &EphemeralKey, value: Vec<u8>, expires_at: NumericDate) -> Result<(), Fault>;

    /// The value under `key`, unless it has expired.
    async fn get(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault>;

    /// The value under `key`, for one caller only: it is gone afterwards.
    async fn take(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault>;

    /// Keeps `value` until `expires_at` in place of `held`, which was read under `key`; false when something else is there by now, or
    /// nothing.
    async fn replace(
        &self,
        key: &EphemeralKey,
        held: &[u8],
        value: Vec<u8>,
        expires_at: NumericDate,
    ) -> Result<bool, Fault>;

    /// True for the first who brings `key`; everyone after that, until `expires_at`, gets false.
    async fn add_if_absent(&self, key: &EphemeralKey, expires_at: NumericDate, now: NumericDate)
    -> Result<bool, Fault>;

    /// Counts one use under `key` against `quota`: on this node in memory and on SQLite, else over all nodes. Where the shared
    /// counters are away, this node counts by itself, and more strictly.
    async fn rate(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Result<Decision, Fault>;

    /// Takes back one use that [`rate`](Self::rate) allowed under the same `quota`: it turned out not to be one to count.
    async fn give_back(&self, key: &EphemeralKey, quota: Quota) -> Result<(), Fault>;

    /// Lets go of at most `limit` values that expired at `now` or before; returns how many went.
    async fn clear_expired(&self, now: NumericDate, limit: u32) -> Result<u64, Fault>;

    /// Succeeds when it answers.
    async fn ready(&self) -> Result<(), Fault>;

    /// Finishes what is under way.
    async fn close(&self);
}

/// [`EphemeralStore::rate`], with refusals counted by the namespace of the key.
///
/// # Errors
/// As [`EphemeralStore::rate`].
pub async fn limit(
    store: &dyn EphemeralStore,
    key: &EphemeralKey,
    quota: Quota,
    now: NumericDate,
) -> Result<Decision, Fault> {
    let decision = store.rate(key, quota, now).await?;
    if decision != Decision::Allowed {
        meter::rate_limited(key.namespace());
    }
    Ok(decision)
}

/// What a value is kept under.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct EphemeralKey {
    namespace: &'static str,
    bytes: Box<[u8]>,
}

impl Quota {
    /// Half as much: for a node that counts alone while others may count beside it.
    #[must_use]
    pub fn stricter(self) -> Self {
        Self { burst: (self.burst / 2).max(1), period: self.period.saturating_mul(2) }
    }
}

impl Decision {
    /// Not within the quota for so many milliseconds.
    fn refused(milliseconds: u64) -> Self {
        Self::Refused { retry_after: Duration::from_secs(milliseconds.div_ceil(1_000).max(1)) }
    }
}

impl EphemeralKey {
    /// `bytes` within `namespace`.
    pub fn new(namespace: &'static str, bytes: &[u8]) -> Self {
        Self { namespace, bytes: bytes.into() }
    }

    /// Which use this is.
    pub const fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// The key within its namespace.
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for EphemeralKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.namespace)
    }
}

/// How often something may happen.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    /// So many at once.
    pub burst: u32,
    /// After that, one in each such period.
    pub period: Duration,
}

/// Whether a use is within its quota.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It is, and was counted.
    Allowed,
    /// It is not, and was not counted.
    Refused {
        /// When the next use is allowed; whole seconds, at least one.
        retry_after: Duration,
    },
}

/// Values of one type in a corner of their own, kept as JSON.
pub struct Namespace<T> {
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

/// Codes that wait to be redeemed, under the hash of the code.
pub const CODE: Namespace<AuthorizationCode> = Namespace::new("code");
/// Requests that wait for a person, under the hash of their id.
pub const INTERACTION: Namespace<Interaction> = Namespace::new("interaction");

/// How often a change begins again when somebody else was faster.
const CHANGE_ATTEMPTS: usize = 20;

impl<T: Serialize + DeserializeOwned> Namespace<T> {
    /// The corner called `name`; each name has one type.
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// Keeps `value` until `expires_at`.
    pub async fn put(
        &self,
        store: &dyn EphemeralStore,
        key: &[u8],
        value: &T,
        expires_at: NumericDate,
    ) -> Result<(), Fault> {
        store.put(&EphemeralKey::new(self.name, key), written(value)?, expires_at).await
    }

    /// Puts what `step` makes of the value under `key`, and its end, in its place; `step` sees again what changed meanwhile. `None` when
    /// there is no value, or `step` makes nothing of it.
    pub async fn change(
        &self,
        store: &dyn EphemeralStore,
        (key, now): (&[u8], NumericDate),
        step: impl Fn(T) -> Option<(T, NumericDate)>,
    ) -> Result<Option<T>, Fault> {
        let key = EphemeralKey::new(self.name, key);
        for _ in 0..CHANGE_ATTEMPTS {
            let Some(held) = store.get(&key, now).await? else { return Ok(None) };
            let Some((next, expires_at)) = self.read(Some(held.clone())).and_then(&step) else { return Ok(None) };
            if store.replace(&key, &held, written(&next)?, expires_at).await? {
                return Ok(Some(next));
            }
        }
        Err(Fault::unavailable("change an ephemeral value: others change it all the while"))
    }

    /// The value under `key`, unless it has expired. A layout of another release counts as expired.
    pub async fn get(&self, store: &dyn EphemeralStore, key: &[u8], now: NumericDate) -> Result<Option<T>, Fault> {
        Ok(self.read(store.get(&EphemeralKey::new(self.name, key), now).await?))
    }

    /// The value under `key`, for one caller only.
    pub async fn take(&self, store: &dyn EphemeralStore, key: &[u8], now: NumericDate) -> Result<Option<T>, Fault> {
        Ok(self.read(store.take(&EphemeralKey::new(self.name, key), now).await?))
    }

    fn read(&self, json: Option<Vec<u8>>) -> Option<T> {
        match serde_json::from_slice(&json?) {
            Ok(value) => Some(value),
            Err(cause) => {
                // The position, never the value.
                let (line, column) = (cause.line(), cause.column());
                tracing::warn!(
                    namespace = self.name,
                    line,
                    column,
                    "an ephemeral value of another layout was passed over"
                );
                None
            }
        }
    }
}

fn written(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|cause| Fault::internal("write an ephemeral value as JSON").caused_by(cause))
}
