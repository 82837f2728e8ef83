//! A person's authentication epoch: each "sign out everywhere" begins the next, and what was opened before it is dead.
//!
//! PROTOCOL A13, S4. *Why a count beside the moment:* moments are cut to whole seconds, so that a sign-in and the change that
//! should end it may bear the same one. The moment stays for the previous release, which knows nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::numeric_date::NumericDate;

/// Which epoch; a later one is greater.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Epoch {
    /// How many went before it.
    pub count: u64,
    /// When it began. Decides between two of the same count: the previous release moves this alone.
    pub since: NumericDate,
}

impl Epoch {
    /// The epoch in which every account begins.
    pub const FIRST: Self = Self { count: 0, since: NumericDate::from_seconds(0) };
}

/// For what is bound to an epoch: stable, and another text for each.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.count, self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_decides_then_the_moment() {
        let epoch = |count, since| Epoch { count, since: NumericDate::from_seconds(since) };
        let in_order = [Epoch::FIRST, epoch(0, 5), epoch(1, 5), epoch(2, 4), epoch(2, 6)];
        assert!(in_order.is_sorted(), "{in_order:?}");
        assert_eq!(epoch(2, 6).to_string(), "2.6");
    }
}
