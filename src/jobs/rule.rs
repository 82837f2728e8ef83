//! Follows the rules of which names are taken, as other nodes and the command line make them (S-024).

use std::sync::Arc;

use crate::jobs::Run;
use crate::oauth::provider::Provider;

/// Takes over the rules of the store when they are others than ours.
pub(super) fn follow(provider: Arc<Provider>) -> Run {
    Box::pin(async move { provider.accounts.settings.rules.follow(&provider.edges.store).await })
}
