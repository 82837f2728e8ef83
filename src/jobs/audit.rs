//! Chains what happened, a second after it was written down (PROTOCOL O3).

use std::sync::Arc;

use crate::jobs::Run;
use crate::oauth::provider::Provider;

/// Events of one batch.
const BATCH: u32 = 200;

/// Chains every event that is not yet.
pub(super) fn chain(provider: Arc<Provider>) -> Run {
    Box::pin(async move {
        while provider.edges.store.chain_events(&provider.audit_key, BATCH).await? >= u64::from(BATCH) {}
        Ok(())
    })
}
