//! What happens later to accounts: those whose time is over go, and wished-for data are gathered.

use std::sync::Arc;

use crate::jobs::Run;
use crate::oauth::provider::Provider;

/// Deletes accounts whose time is over.
pub(super) fn purge(provider: Arc<Provider>) -> Run {
    Box::pin(async move { provider.accounts.purge_accounts().await })
}

/// Gathers what people wished for.
pub(super) fn export(provider: Arc<Provider>) -> Run {
    Box::pin(async move { provider.accounts.make_exports(&provider.vault).await })
}

/// People of one step: whoever signs in meanwhile waits for it.
const STEP: u32 = 100;

/// Writes down by which names people are found whom a release before this one wrote down, until there are no more.
pub(super) fn make_searchable(provider: Arc<Provider>) -> Run {
    Box::pin(async move {
        while provider.edges.store.make_searchable(provider.now(), STEP).await? >= u64::from(STEP) {}
        Ok(())
    })
}
