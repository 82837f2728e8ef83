//! Counting uses: the generic cell rate algorithm, in memory.
//!
//! ITU-T I.371 annex A: of each key only one moment is kept, at which its bucket would be empty again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::edge::ephemeral::{Decision, EphemeralKey, Quota};
use crate::protocol::numeric_date::NumericDate;

/// The most keys that are counted; in a flood the ones that are nearest to empty go first.
const CAPACITY: usize = 100_000;

/// Counters by key.
#[derive(Default)]
pub(super) struct Limiter {
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    empty_at: HashMap<EphemeralKey, u128>,
    order: BTreeSet<(u128, EphemeralKey)>,
}

impl Limiter {
    pub(super) fn rate(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Decision {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let now = milliseconds(now);
        counters.let_go(now);
        let room = quota.period.as_millis() * u128::from(quota.burst);
        if counters.empty_at.get(key).is_some_and(|empty_at| *empty_at > now + room) {
            // A bucket is never fuller than full: without this a clock that was ahead would lock everyone out.
            counters.set(key, now + room);
        }
        let empty_at = counters.empty_at.get(key).copied().unwrap_or(now).max(now) + quota.period.as_millis();
        if empty_at <= now + room {
            counters.set(key, empty_at);
            return Decision::Allowed;
        }
        Decision::refused(u64::try_from(empty_at - now - room).unwrap_or(u64::MAX))
    }

    /// Counts here what all nodes together `decided` to allow.
    ///
    /// *Why twice:* when the shared counters are lost, those of each node still stand and keep the limit.
    pub(super) fn confirm(
        &self,
        key: &EphemeralKey,
        decided: Decision,
        (quota, now): (Quota, NumericDate),
    ) -> Decision {
        match decided {
            Decision::Allowed => self.rate(key, quota, now),
            Decision::Refused { .. } => decided,
        }
    }

    pub(super) fn give_back(&self, key: &EphemeralKey, quota: Quota) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(empty_at) = counters.empty_at.get(key).copied() {
            counters.set(key, empty_at.saturating_sub(quota.period.as_millis()));
        }
    }
}

impl Counters {
    fn set(&mut self, key: &EphemeralKey, empty_at: u128) {
        if let Some(before) = self.empty_at.insert(key.clone(), empty_at) {
            self.order.remove(&(before, key.clone()));
        }
        self.order.insert((empty_at, key.clone()));
        if self.order.len() > CAPACITY
            && let Some((_, key)) = self.order.pop_first()
        {
            self.empty_at.remove(&key);
        }
    }

    /// Drops a few counters that are empty; more than one use can add.
    fn let_go(&mut self, now: u128) {
        for _ in 0..4 {
            match self.order.first() {
                Some((empty_at, _)) if *empty_at <= now => {
                    if let Some((_, key)) = self.order.pop_first() {
                        self.empty_at.remove(&key);
                    }
                }
                _ => break,
            }
        }
    }
}

fn milliseconds(moment: NumericDate) -> u128 {
    u128::from(u64::try_from(moment.seconds()).unwrap_or(0)) * 1_000
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_one_in_each_period() {
        let limiter = Limiter::default();
        let key = EphemeralKey::new("test", b"alice");
        let quota = Quota { burst: 3, period: Duration::from_secs(10) };
        let refused = |seconds| Decision::Refused { retry_after: Duration::from_secs(seconds) };
        let story = [
            (100, Decision::Allowed),
            (100, Decision::Allowed),
            (100, Decision::Allowed),
            (100, refused(10)),
            (109, refused(1)),
            (110, Decision::Allowed),
            (110, refused(10)),
            // The clock is set back: a full bucket, not a locked door.
            (50, refused(10)),
            (60, Decision::Allowed),
        ];
        for (step, (now, expected)) in story.into_iter().enumerate() {
            assert_eq!(limiter.rate(&key, quota, NumericDate::from_seconds(now)), expected, "step {step}");
        }
        let other = EphemeralKey::new("test", b"bob");
        assert_eq!(limiter.rate(&other, quota, NumericDate::from_seconds(60)), Decision::Allowed);
    }

    #[test]
    fn a_flood_of_keys_is_bounded() {
        let limiter = Limiter::default();
        let quota = Quota { burst: 1, period: Duration::from_hours(1) };
        for number in 0..CAPACITY as u64 + 500 {
            limiter.rate(&EphemeralKey::new("test", &number.to_be_bytes()), quota, NumericDate::from_seconds(1));
        }
        let counters = limiter.counters.lock().expect("not poisoned");
        assert_eq!((counters.empty_at.len(), counters.order.len()), (CAPACITY, CAPACITY));
    }
}
