//! The origins of all registered clients: what a CORS preflight, which names no client, is answered by.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::http::cors::origin_of;
use crate::model::fault::Fault;
use crate::oauth::provider::Provider;
use crate::protocol::numeric_date::NumericDate;

/// The most clients whose origins are read.
const CLIENTS: u32 = 10_000;

/// The origins, read at most once a second however many preflights come.
#[derive(Debug)]
pub struct Origins(ArcSwap<(NumericDate, HashSet<String>)>);

impl Default for Origins {
    fn default() -> Self {
        Self(ArcSwap::from_pointee((NumericDate::from_seconds(i64::MIN), HashSet::new())))
    }
}

impl Origins {
    /// True when a client is registered for `origin`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn contains(&self, provider: &Provider, origin: &str) -> Result<bool, Fault> {
        let now = provider.now();
        let known = self.0.load_full();
        if known.1.contains(origin) || known.0 == now {
            return Ok(known.1.contains(origin));
        }
        let clients = provider.edges.store.clients(CLIENTS).await?;
        let origins: HashSet<String> =
            clients.iter().flat_map(|client| &client.metadata.redirect_uris).filter_map(|uri| origin_of(uri)).collect();
        let found = origins.contains(origin);
        self.0.store(Arc::new((now, origins)));
        Ok(found)
    }

    /// Forgets them, when a client was just registered.
    pub fn forget(&self) {
        self.0.store(Arc::new((NumericDate::from_seconds(i64::MIN), HashSet::new())));
    }
}
