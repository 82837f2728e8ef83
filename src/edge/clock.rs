//! Time is given.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::protocol::numeric_date::NumericDate;

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> NumericDate;
}

/// The clock of this machine.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> NumericDate {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        NumericDate::from_seconds(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
    }
}
