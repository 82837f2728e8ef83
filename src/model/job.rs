//! Work that waits in the store: who asked for it need not wait.
//!
//! A fact takes jobs along in its own transaction (the outbox); a worker in `jobs/` does them at least once.

use serde::{Deserialize, Serialize};

use crate::model::id::JobId;
use crate::protocol::numeric_date::NumericDate;

/// What kind of work waits.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// A mail to be sent: a [`Message`](crate::model::message::Message).
    Mail,
    /// A text message to be sent: a [`Message`](crate::model::message::Message).
    Sms,
}

impl Queue {
    /// Every queue.
    pub const ALL: &'static [Self] = &[Self::Mail, Self::Sms];

    /// As stored, and in the names of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
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
    /// What is to be done, sealed by the vault for this row.
    pub sealed: Vec<u8>,
    /// Two jobs of the same key are one.
    pub idempotency_key: Option<String>,
    /// When it was asked for, which is also its first turn.
    pub created_at: NumericDate,
    /// From then on it is of no use: a code that has run out is not sent.
    pub expires_at: NumericDate,
}
