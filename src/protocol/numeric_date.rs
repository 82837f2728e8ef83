//! Moments in seconds since the epoch: the one time type.
//!
//! RFC 7519 §2 (`NumericDate`).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, leap seconds ignored (RFC 7519 §2).
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumericDate(i64);

impl NumericDate {
    /// The moment `seconds` after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This moment plus `duration` (whole seconds), held at the largest moment instead of overflowing.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// This moment minus `duration` (whole seconds).
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// True from this moment on: what expires at `self` is no longer good at `now`.
    pub fn is_past(self, now: Self) -> bool {
        now >= self
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_never_overflows() {
        let last = NumericDate::from_seconds(i64::MAX);
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(NumericDate::from_seconds(5).since(NumericDate::from_seconds(9)), Duration::ZERO);
        assert!(NumericDate::from_seconds(10).is_past(NumericDate::from_seconds(10)));
        assert!(!NumericDate::from_seconds(10).is_past(NumericDate::from_seconds(9)));
    }
}
