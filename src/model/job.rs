//! Work that waits in the store: who asked for it need not wait.
//!
//! A fact takes jobs along in its own transaction (the outbox); a worker in `jobs/` does them at least once. A worker leases a
//! job for a while; when it dies the lease runs out and another takes over. What fails is tried again after ever longer pauses,
//! and given up on when there were too many tries or it would come too late.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::id::{ClientId, JobId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;

/// What kind of work waits.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// A mail to be sent: a [`Message`](crate::model::message::Message).
    Mail,
    /// A text message to be sent: a [`Message`](crate::model::message::Message).
    Sms,
    /// An app to be told that a session is over: a [`LogoutNotice`].
    Logout,
}

impl Queue {
    /// Every queue.
    pub const ALL: &'static [Self] = &[Self::Mail, Self::Sms, Self::Logout];

    /// As stored, and in the names of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
            Self::Logout => "logout",
        }
    }

    /// The queue stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|queue| queue.as_str() == text)
    }
}

/// A job that is to be written down with a fact.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The row.
    pub id: JobId,
    /// What kind of work it is.
    pub queue: Queue,
    /// What is to be done, sealed by the vault for this row; empty where that stands beside the job.
    pub sealed: Vec<u8>,
    /// Two jobs of the same key are one, as long as the first has not expired.
    pub idempotency_key: Option<String>,
    /// When it was asked for, which is also its first turn.
    pub created_at: NumericDate,
    /// From then on it is of no use: a code that has run out is not sent.
    pub expires_at: NumericDate,
}

/// A job that a worker has taken for itself until its lease runs out.
#[derive(Clone, Debug)]
pub struct LeasedJob {
    /// The row.
    pub id: JobId,
    /// What kind of work it is.
    pub queue: Queue,
    /// What is to be done, sealed by the vault for this row.
    pub sealed: Vec<u8>,
    /// Which attempt this is, from 1; only the latest may say how the job ended.
    pub attempt: u32,
    /// When it was asked for.
    pub created_at: NumericDate,
    /// From then on it is of no use.
    pub expires_at: NumericDate,
}

/// That a session is over, for one of the apps that got tokens in it (OpenID Connect Back-Channel Logout 1.0).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutNotice {
    /// Who is told.
    pub client: ClientId,
    /// Whose session it was; the account may be gone by now.
    pub user: UserId,
    /// Which one.
    pub session: SessionId,
}

/// How an attempt at a job ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AttemptEnd {
    /// It is done.
    Done,
    /// It failed, and another attempt may do better.
    Failed(String),
    /// It failed, and would always fail.
    Hopeless(String),
}

/// A job that is not done, for an operator to look at.
#[derive(Clone, Debug)]
pub struct StoredJob {
    /// The row.
    pub id: JobId,
    /// What kind of work it is.
    pub queue: Queue,
    /// What is to be done, sealed by the vault for this row.
    pub sealed: Vec<u8>,
    /// When it was asked for.
    pub created_at: NumericDate,
    /// From then on it is of no use.
    pub expires_at: NumericDate,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed; empty when none did.
    pub last_error: String,
    /// Whether it has another turn.
    pub turn: Turn,
}

/// Whether a job that is not done has another turn.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Turn {
    /// From this moment on.
    From(NumericDate),
    /// It was given up on, then.
    GivenUp(NumericDate),
}

/// How many jobs of a queue are not done.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Undone {
    /// Which queue.
    pub queue: Queue,
    /// Those that have another turn.
    pub waiting: u64,
    /// Those that were given up on.
    pub given_up: u64,
}

/// The most attempts: with the pauses below they reach over ten hours.
pub const MAX_ATTEMPTS: u32 = 20;
/// The first pause; each one is twice as long as the one before.
const FIRST_PAUSE: u64 = 2;
/// The longest pause.
const LONGEST_PAUSE: u64 = 60 * 60;

/// How long to wait after `attempt` failed; `chance` takes up to a quarter off, so that what failed together does not come
/// back together.
pub fn pause_after(attempt: u32, chance: u8) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX));
    let whole = Duration::from_secs(doubled.min(LONGEST_PAUSE));
    whole.saturating_sub(whole / 4 * u32::from(chance) / u32::from(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_spread() {
        let pauses: Vec<u64> = (1..=14).map(|attempt| pause_after(attempt, 0).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]);
        assert_eq!(pause_after(u32::MAX, 0), Duration::from_hours(1));
        for attempt in [1, 5, 20] {
            let (short, long) = (pause_after(attempt, u8::MAX), pause_after(attempt, 0));
            assert!(short >= long / 4 * 3 && short < long, "{short:?} {long:?}");
        }
    }
}
