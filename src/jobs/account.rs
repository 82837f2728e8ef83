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
