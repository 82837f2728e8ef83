//! Whose turn it is, where a message has several ways: one that failed a moment ago comes last, so that a mail server that hangs
//! holds up one message and not each.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::edge::undelivered::{Outlook, Undelivered};
use crate::protocol::numeric_date::NumericDate;

/// How long a way that failed is left alone while others are there.
const REST: Duration = Duration::from_mins(1);

/// The turns of so many ways.
#[derive(Debug)]
pub(super) struct Turns {
    /// When each failed last, until it works again.
    failed_at: Mutex<Vec<Option<NumericDate>>>,
}

impl Turns {
    pub(super) fn of(ways: usize) -> Self {
        Self { failed_at: Mutex::new(vec![None; ways]) }
    }

    /// The numbers of the ways in the order they are tried `now`: as they were given, those that rest at the end.
    pub(super) fn order(&self, now: NumericDate) -> Vec<usize> {
        let failed_at = self.failed_at();
        let rests = |way: &usize| {
            failed_at.get(*way).copied().flatten().is_some_and(|failed_at| !failed_at.plus(REST).is_past(now))
        };
        let mut order: Vec<usize> = (0..failed_at.len()).collect();
        order.sort_by_key(rests);
        order
    }

    /// Remembers how the way `number` fared. That it refused the message itself says nothing against it.
    pub(super) fn fared(&self, number: usize, result: &Result<(), Undelivered>, now: NumericDate) {
        let failed = result.as_ref().is_err_and(|undelivered| undelivered.outlook == Outlook::Passing);
        if let Some(failed_at) = self.failed_at().get_mut(number) {
            *failed_at = failed.then_some(now);
        }
    }

    fn failed_at(&self) -> MutexGuard<'_, Vec<Option<NumericDate>>> {
        // A panic elsewhere leaves whole moments behind.
        self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_failed_rests_for_a_minute_and_who_works_is_back() {
        let turns = Turns::of(3);
        let at = NumericDate::from_seconds;
        assert_eq!(turns.order(at(0)), [0, 1, 2]);
        turns.fared(0, &Err(Undelivered::passing("away")), at(10));
        assert_eq!(turns.order(at(10)), [1, 2, 0]);
        turns.fared(1, &Err(Undelivered::lasting("no such address")), at(20));
        assert_eq!(turns.order(at(60)), [1, 2, 0]);
        assert_eq!(turns.order(at(71)), [0, 1, 2]);
        turns.fared(0, &Ok(()), at(30));
        assert_eq!(turns.order(at(30)), [0, 1, 2]);
    }
}
