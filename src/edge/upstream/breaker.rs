//! A provider that fails again and again is left alone for a while, so that its failures cost nobody five seconds.
//!
//! PROTOCOL §3 (an upstream that is down). Counted by each node for itself: what one node cannot reach, another may.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::id::ProviderId;
use crate::protocol::numeric_date::NumericDate;

/// Failures in a row after which it rests.
const FAILURES: u32 = 5;
/// How long it rests; then one may try.
const REST: Duration = Duration::from_secs(30);

/// What every provider came to lately.
#[derive(Default)]
pub(in crate::edge::upstream) struct Breakers(Mutex<HashMap<ProviderId, Breaker>>);

#[derive(Copy, Clone, Default)]
struct Breaker {
    failures: u32,
    rests_until: Option<NumericDate>,
}

impl Breakers {
    /// Whether `provider` is asked; of those who come after its rest, one at a time.
    pub(super) fn lets_through(&self, provider: ProviderId, now: NumericDate) -> bool {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = breakers.entry(provider).or_default();
        match breaker.rests_until {
            Some(until) if !until.is_past(now) => false,
            Some(_) => {
                breaker.rests_until = Some(now.plus(REST));
                true
            }
            None => true,
        }
    }

    /// Notes whether `provider` answered.
    pub(super) fn note(&self, provider: ProviderId, answered: bool, now: NumericDate) {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = breakers.entry(provider).or_default();
        if answered {
            *breaker = Breaker::default();
            return;
        }
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= FAILURES {
            breaker.rests_until = Some(now.plus(REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_bring_half_a_minute_of_rest() {
        let breakers = Breakers::default();
        let at = |seconds| NumericDate::from_seconds(seconds);
        let [one, other] = [1, 2].map(|byte| ProviderId::new(at(1), [byte; 10]));
        for _ in 0..4 {
            breakers.note(one, false, at(0));
        }
        breakers.note(one, true, at(0));
        for _ in 0..4 {
            breakers.note(one, false, at(0));
            assert!(breakers.lets_through(one, at(0)));
        }
        breakers.note(one, false, at(0));
        assert!(!breakers.lets_through(one, at(29)));
        assert!(breakers.lets_through(other, at(29)), "others go on");
        assert!(breakers.lets_through(one, at(31)), "one tries");
        assert!(!breakers.lets_through(one, at(31)), "and the rest wait for what comes of it");
        breakers.note(one, true, at(32));
        assert!(breakers.lets_through(one, at(32)) && breakers.lets_through(one, at(32)));
    }
}
