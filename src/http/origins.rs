//! The origins of all registered clients: what a CORS preflight, which names no client, is answered by.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::http::cors::origin_of;
use crate::model::fault::Fault;
use crate::oauth::provider::Provider;
use crate::protocol::numeric_date::NumericDate;

/// The most clients whose origins are read.
const CLIENTS: u32 = 10_000;

/// The origins, read at most once a second however many preflights come.
#[derive(Debug)]
pub struct Origins {
    known: ArcSwap<Known>,
    /// One reads, the others wait for what it finds.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Known {
    at: NumericDate,
    origins: HashSet<String>,
}

impl Default for Origins {
    fn default() -> Self {
        let known = Known { at: NumericDate::from_seconds(i64::MIN), origins: HashSet::new() };
        Self { known: ArcSwap::from_pointee(known), turn: Mutex::default() }
    }
}

impl Known {
    fn tells(&self, origin: &str, now: NumericDate) -> Option<bool> {
        let is_known = self.origins.contains(origin);
        (is_known || self.at == now).then_some(is_known)
    }
}

impl Origins {
    /// True when a client is registered for `origin`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn contains(&self, provider: &Provider, origin: &str) -> Result<bool, Fault> {
        if let Some(told) = self.known.load().tells(origin, provider.now()) {
            return Ok(told);
        }
        let _turn = self.turn.lock().await;
        let now = provider.now();
        if let Some(told) = self.known.load().tells(origin, now) {
            return Ok(told);
        }
        let clients = provider.edges.store.clients(CLIENTS).await?;
        let origins: HashSet<String> =
            clients.iter().flat_map(|client| &client.metadata.redirect_uris).filter_map(|uri| origin_of(uri)).collect();
        let found = origins.contains(origin);
        self.known.store(Arc::new(Known { at: now, origins }));
        Ok(found)
    }

    /// Forgets them when a client was just registered, changed or removed.
    pub fn forget_after<T, E>(&self, change: &Result<T, E>) {
        if change.is_err() {
            return;
        }
        self.known.store(Arc::new(Known { at: NumericDate::from_seconds(i64::MIN), origins: HashSet::new() }));
    }
}
