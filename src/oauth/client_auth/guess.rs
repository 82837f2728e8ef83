//! Guesses at client secrets.
//!
//! RFC 6749 §2.3.1, PROTOCOL T13: failures are counted by client and address, over all nodes. Who has used up their room is not
//! heard for a while, not even with the right secret; others who call for the same client are, so nobody shuts it out.
//!
//! *Why the shut doors are kept in this process:* every token request would else ask the shared counters first. Another node
//! learns of it by its own first refusal, so each node hears one guess more in each period.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota, limit};
use crate::model::id::ClientId;
use crate::protocol::error::OAuthError;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// Thirty at once, then one in two seconds.
const GUESSES: Quota = Quota { burst: 30, period: Duration::from_secs(2) };
/// The most doors that are kept shut; in a flood from more addresses all are opened again, the counters stand.
const CAPACITY: usize = 10_000;

/// Who is not heard, and until when.
#[derive(Debug, Default)]
pub struct ClientGuesses {
    shut: Mutex<HashMap<TokenHash, NumericDate>>,
}

impl ClientGuesses {
    /// Whether a proof from this address is looked at.
    ///
    /// # Errors
    /// `invalid_client` when too many from there were wrong.
    pub(super) fn check(&self, from: (&ClientId, &str), now: NumericDate) -> Result<(), OAuthError> {
        let shut = self.shut();
        if shut.is_empty() || shut.get(&key(from)).is_none_or(|until| until.is_past(now)) {
            return Ok(());
        }
        Err(too_many())
    }

    /// Counts a wrong one.
    ///
    /// # Errors
    /// `invalid_client` when there were too many; a fault of the ephemeral store.
    pub(super) async fn count(
        &self,
        ephemeral: &dyn EphemeralStore,
        from: (&ClientId, &str),
        now: NumericDate,
    ) -> Result<(), OAuthError> {
        let key = key(from);
        let counter = EphemeralKey::new("client_auth", key.as_bytes());
        let Decision::Refused { retry_after } = limit(ephemeral, &counter, GUESSES, now).await? else {
            return Ok(());
        };
        let mut shut = self.shut();
        if shut.len() >= CAPACITY {
            shut.retain(|_, until| !until.is_past(now));
        }
        if shut.len() >= CAPACITY {
            shut.clear();
        }
        shut.insert(key, now.plus(retry_after));
        Err(too_many())
    }

    fn shut(&self) -> MutexGuard<'_, HashMap<TokenHash, NumericDate>> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Neither an id nor an address holds a line feed.
fn key((client, address): (&ClientId, &str)) -> TokenHash {
    TokenHash::of(&format!("{client}\n{address}"))
}

fn too_many() -> OAuthError {
    OAuthError::invalid_client("too many failed client authentications from this address; wait a few seconds")
}
