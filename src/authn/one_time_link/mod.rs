//! Sign-in by a link that works once: how the first administrator comes in, and how a lost one comes back.
//!
//! PROTOCOL A19: there is no default password; the link is random, kept as a hash, used up in the main store.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::authn::throttle::Throttle;
use crate::authn::{Answer, Attempt, Factor, Method, Refusal};
use crate::edge::Edges;
use crate::edge::ephemeral::Namespace;
use crate::model::authentication::{Amr, Authentication};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// What a link stands for, while it waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaitingLink {
    user: UserId,
    /// The person's epoch when it was made: what ends everything ends it too.
    #[serde(default)]
    epoch: Option<Epoch>,
    expires_at: NumericDate,
}

const LINK: Namespace<WaitingLink> = Namespace::new("one_time_link");

/// The method `link`.
pub struct OneTimeLink {
    /// What it asks of the world.
    pub edges: Edges,
    /// Limits.
    pub throttle: Throttle,
}

/// Makes a link token for `user`, good for `lifetime`.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn make(edges: &Edges, user: UserId, lifetime: Duration) -> Result<Secret, Fault> {
    let token = edges.random.token();
    let expires_at = edges.clock.now().plus(lifetime);
    let key = TokenHash::of(token.expose());
    let waiting = WaitingLink { user, epoch: edges.store.auth_epoch(user).await?, expires_at };
    LINK.put(&*edges.ephemeral, key.as_bytes(), &waiting, expires_at).await?;
    Ok(token)
}

#[async_trait]
impl Method for OneTimeLink {
    fn name(&self) -> &'static str {
        "link"
    }

    fn factor(&self) -> Factor {
        Factor::Mailbox
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Link(value)
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::Link(token) = answer else { return Err(Refusal::Wrong) };
        let now = self.edges.clock.now();
        let key = TokenHash::of(token.expose());
        self.throttle.count_address(&*self.edges.ephemeral, &attempt.from.address, now).await?;
        let Some(link) = LINK.get(&*self.edges.ephemeral, key.as_bytes(), now).await? else {
            return Err(Refusal::Wrong);
        };
        let epoch = self.edges.store.auth_epoch(link.user).await?;
        let epoch = epoch.filter(|epoch| link.epoch.is_none_or(|made_in| made_in >= *epoch));
        let user = self.edges.store.user(link.user).await?.filter(|user| user.is_enabled());
        let user = user.filter(|_| !link.expires_at.is_past(now));
        let Some((user, epoch)) = user.zip(epoch) else {
            attempt.note_failure(&self.edges, self.name(), Some(link.user));
            return Err(Refusal::Wrong);
        };
        if !self.edges.store.consume_once("one_time_link", &key, link.expires_at, now).await? {
            return Err(Refusal::Wrong);
        }
        self.throttle.forgive_address(&*self.edges.ephemeral, &attempt.from.address).await?;
        // The way back in for whom strangers have closed the password (PROTOCOL A5).
        self.edges.store.clear_sign_in_failures(user.id).await?;
        Ok(Authentication::new((user.id, epoch), now, vec![Amr::Mail]))
    }
}
