//! Rotates the signing keys by policy, and follows what other nodes and the command line do to them.
//!
//! PROTOCOL.md T18 and §3 (key rotation under load, compromise drill: at most a second).

use std::collections::HashSet;
use std::sync::Arc;

use crate::jobs::Run;
use crate::model::fault::Fault;
use crate::model::signing_key::KeyState;
use crate::oauth::provider::Provider;
use crate::oauth::rotation::Rotation;
use crate::protocol::jose::jws::SigningKey;

/// Does what the policy asks for.
pub(super) fn keep_up(provider: Arc<Provider>) -> Run {
    Box::pin(async move {
        rotation(&provider).keep_up().await?;
        follow_store(&provider).await
    })
}

/// Takes over the keys of the store when they are others than ours.
pub(super) fn follow(provider: Arc<Provider>) -> Run {
    Box::pin(async move { follow_store(&provider).await })
}

fn rotation(provider: &Provider) -> Rotation<'_> {
    Rotation { edges: &provider.edges, vault: &provider.vault, policy: provider.policy.rotation }
}

async fn follow_store(provider: &Provider) -> Result<(), Fault> {
    let stored = provider.edges.store.signing_key_states().await?;
    let ours = provider.keys.load_full();
    let same = ours.iter().count() == stored.states.len()
        && ours.iter().all(|(key, state)| stored.states.get(key.kid()).is_some_and(|stored| *stored == state))
        && ours.retired().eq(&stored.retired);
    if same {
        return Ok(());
    }
    let (theirs, closed) = rotation(provider).open_what_opens(Some(&ours)).await?;
    // What was withdrawn goes, also when a key beside it does not open: it may have been stolen.
    let outcome = closed.map_or(Ok(()), Err);
    if theirs.iter().map(named).eq(ours.iter().map(named)) && theirs.retired().eq(ours.retired()) {
        return outcome;
    }
    let kept: HashSet<&str> = theirs.iter().map(|(key, _)| key.kid()).collect();
    let withdrawn: Vec<String> =
        ours.iter().map(|(key, _)| key.kid()).filter(|kid| !kept.contains(kid)).map(str::to_owned).collect();
    drop(kept);
    provider.keys.store(Arc::new(theirs));
    if !withdrawn.is_empty() {
        provider.verified_tokens.clear();
    }
    tracing::info!(?withdrawn, "the signing keys have changed");
    outcome
}

fn named((key, state): (&Arc<SigningKey>, KeyState)) -> (&str, KeyState) {
    (key.kid(), state)
}
