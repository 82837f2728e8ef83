//! What a look along the chain of events found.

use serde::Serialize;

use crate::model::id::EventId;

/// The outcome of a look along the whole chain.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Report {
    /// How many events stand in it.
    pub events: u64,
    /// How many are too young for it: they are chained a second after they were written.
    pub unchained: u64,
    /// The number of the last.
    pub head: i64,
    /// Its hash, in hexadecimal digits. Kept elsewhere, it proves that nobody cut the chain off later.
    pub head_hash: String,
    /// What is not as it was written.
    pub findings: Vec<Finding>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// Events of these numbers are gone.
    Missing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// An event, or its place in the chain, is another than when it was chained.
    Changed {
        /// Its number.
        seq: i64,
        /// Which.
        event: EventId,
    },
}
