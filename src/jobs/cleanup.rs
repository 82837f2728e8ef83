//! Lets go of what has expired, in small batches, so that no request waits behind it (PROTOCOL §3).

use std::sync::Arc;

use crate::jobs::Run;
use crate::oauth::provider::Provider;

/// Rows of one batch.
const BATCH: u32 = 500;

/// Clears both stores, and what happened longer ago than it is remembered, until a batch is not full.
pub(super) fn run(provider: Arc<Provider>) -> Run {
    Box::pin(async move {
        let now = provider.now();
        while provider.edges.store.clear_expired(now, BATCH).await? >= u64::from(BATCH) {}
        let told_until = now.minus(provider.policy.history);
        while provider.edges.store.clear_events(told_until, BATCH).await? >= u64::from(BATCH) {}
        while provider.edges.ephemeral.clear_expired(now, BATCH).await? >= u64::from(BATCH) {}
        Ok(())
    })
}
