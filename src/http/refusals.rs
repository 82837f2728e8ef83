//! The last requests that were refused, so that a developer sees why without reading the log.
//!
//! In memory and bounded: a help, not a record.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::edge::template::context::Refusal;
use crate::protocol::error::OAuthError;
use crate::protocol::numeric_date::NumericDate;

/// How many are kept.
const KEPT: usize = 50;

/// The last refusals.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Refusal>>);

impl Refusals {
    /// Notes one: at `endpoint`, of the client that was named.
    pub fn note(&self, endpoint: &'static str, client_id: Option<&str>, error: &OAuthError, at: NumericDate) {
        let refusal = Refusal {
            at: at.seconds(),
            client_id: client_id.map(|id| id.chars().take(64).collect()),
            endpoint: endpoint.to_owned(),
            error: error.code().as_str().to_owned(),
            description: error.description().to_owned(),
            hint: error.developer_hint().map(str::to_owned),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(refusal);
        kept.truncate(KEPT);
    }

    /// All that are kept, newest first.
    pub fn newest(&self) -> Vec<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
