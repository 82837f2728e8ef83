//! A person takes an app's permission back.
//!
//! Grants end with it, and what was agreed to is forgotten. A code that waits is neither: with consent it finds none any more (PROTOCOL S3);
//! a first-party app, which needs none, is refused by a mark that outlives every code.

use std::time::Duration;

use crate::edge::ephemeral::Namespace;
use crate::edge::store::Beside;
use crate::model::fault::{Fault, FaultKind};
use crate::model::id::{ClientId, UserId};
use crate::oauth::provider::Provider;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// When a person took the permission of an app back.
const WITHDRAWN: Namespace<NumericDate> = Namespace::new("withdrawn");
/// Longer than any code waits, that of a device among them.
const REMEMBERED: Duration = Duration::from_mins(20);

/// Forgets what `user` agreed to for `client` and revokes the grants between them; false when there was neither.
///
/// # Errors
/// A fault of a store.
pub async fn withdraw(provider: &Provider, user: UserId, client: &ClientId, beside: Beside) -> Result<bool, Fault> {
    let now = provider.now();
    // The mark first: a code that is redeemed meanwhile meets it, or its grant is revoked with the others.
    let expires_at = now.plus(REMEMBERED);
    WITHDRAWN.put(&*provider.edges.ephemeral, &key(user, client), &now, expires_at).await?;
    provider.edges.store.withdraw_consent(user, client, now, beside).await
}

/// True when `user` took the permission of `client` back at `moment` or after it.
///
/// *Why not an error while Redis is away:* sign-in goes on (PROTOCOL §3). Marks left since are aside, where they are found; one of the
/// minute before, for a code that still waits, is not.
///
/// # Errors
/// An inner fault of the ephemeral store.
pub async fn is_withdrawn_since(
    provider: &Provider,
    (user, client): (UserId, &ClientId),
    moment: NumericDate,
) -> Result<bool, Fault> {
    let withdrawn = match WITHDRAWN.get(&*provider.edges.ephemeral, &key(user, client), provider.now()).await {
        Err(fault) if fault.kind() == FaultKind::Unavailable => {
            tracing::warn!(client_id = %client, "nobody can say whether its permission was taken back a moment ago");
            None
        }
        found => found?,
    };
    Ok(withdrawn.is_some_and(|withdrawn| withdrawn >= moment))
}

fn key(user: UserId, client: &ClientId) -> [u8; 32] {
    *TokenHash::of(&format!("{user} {client}")).as_bytes()
}
