//! Changes over to another master key with the other nodes, when `symbolon secret rotate` asks for it.
//!
//! PROTOCOL.md O1 (online rotation).

use std::sync::Arc;

use crate::edge::sealing;
use crate::jobs::Run;
use crate::oauth::provider::Provider;

/// Takes over the master key that the database names.
pub(super) fn follow(provider: Arc<Provider>) -> Run {
    Box::pin(async move {
        if sealing::keep_up(&provider.edges.store, &provider.vault).await? {
            tracing::info!("secrets are sealed under another master key from now on");
        }
        Ok(())
    })
}
