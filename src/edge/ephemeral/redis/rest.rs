//! Leaving Redis alone for a moment after it failed.
//!
//! PROTOCOL.md §3 (Redis gone or slow: p99 below 500 ms).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::redis::RedisError;

use super::millis;

/// How long it is left alone after a failure.
pub(super) const REST: Duration = Duration::from_millis(500);

/// A pause after a failure, so that nobody waits for what is away; one caller then tries again.
pub(super) struct Rest {
    start: Instant,
    /// Milliseconds since `start`; zero when all is well.
    until: AtomicU64,
}

impl Rest {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), until: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        // At least one: zero means that all is well.
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// False for the one who tries again when the pause is over.
    pub(super) fn is_on(&self) -> bool {
        let until = self.until.load(Ordering::Acquire);
        if until == 0 {
            return false;
        }
        let now = self.now();
        now < until
            || self.until.compare_exchange(until, now + millis(REST), Ordering::AcqRel, Ordering::Acquire).is_err()
    }

    pub(super) fn begin(&self, cause: &RedisError) {
        if self.until.swap(self.now() + millis(REST), Ordering::AcqRel) == 0 {
            tracing::warn!(error = %cause, "Redis is away; what waits goes to the database, and each node counts by itself");
        }
    }

    pub(super) fn end(&self) {
        if self.until.swap(0, Ordering::AcqRel) != 0 {
            tracing::info!("Redis is back");
        }
    }
}
