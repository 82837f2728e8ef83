//! An identity that waits in a browser until its person has proven an account, or made one.
//!
//! PROTOCOL A20: in the same browser. One waits at a time; nothing is connected without a press of its person's button.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::edge::Edges;
use crate::edge::ephemeral::Namespace;
use crate::model::fault::Fault;
use crate::model::id::{ProviderId, UserId};
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// How long it waits.
pub const LIFETIME: Duration = Duration::from_mins(15);

const PENDING: Namespace<Pending> = Namespace::new("upstream_pending");

/// An identity that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The layout of this value; another layout counts as none.
    pub version: u8,
    /// By which provider it came.
    pub provider: ProviderId,
    /// Who it is there.
    pub identity: UpstreamIdentity,
    /// Who has to prove that they are themselves; `None` until an account is made for it.
    pub owner: Option<UserId>,
    /// The authorization request that waits, and its client.
    pub flow: Option<String>,
    /// See `flow`.
    pub client_id: Option<String>,
    /// Since when.
    pub since: NumericDate,
}

impl Pending {
    /// The layout written today.
    pub const VERSION: u8 = 1;
}

/// Keeps what waits in the browser with this flow cookie, in place of what waited there.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn keep(edges: &Edges, browser: &TokenHash, pending: &Pending) -> Result<(), Fault> {
    PENDING.put(&*edges.ephemeral, browser.as_bytes(), pending, edges.clock.now().plus(LIFETIME)).await
}

/// Has what waits in a browser wait until `until`: for the link of a mail, which people open when they read it.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn keep_until(edges: &Edges, browser: Option<&TokenHash>, until: NumericDate) -> Result<(), Fault> {
    let (Some(browser), Some(pending)) = (browser, find(edges, browser).await?) else { return Ok(()) };
    PENDING.put(&*edges.ephemeral, browser.as_bytes(), &pending, until).await
}

/// What waits in a browser.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn find(edges: &Edges, browser: Option<&TokenHash>) -> Result<Option<Pending>, Fault> {
    let Some(browser) = browser else { return Ok(None) };
    let found = PENDING.get(&*edges.ephemeral, browser.as_bytes(), edges.clock.now()).await?;
    Ok(found.filter(|pending| pending.version == Pending::VERSION))
}

/// What waits in a browser, once: it is gone afterwards.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn take(edges: &Edges, browser: Option<&TokenHash>) -> Result<Option<Pending>, Fault> {
    let Some(browser) = browser else { return Ok(None) };
    let found = PENDING.take(&*edges.ephemeral, browser.as_bytes(), edges.clock.now()).await?;
    Ok(found.filter(|pending| pending.version == Pending::VERSION))
}
