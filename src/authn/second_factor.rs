//! What second factors have in common: what the operator decided, the keys, the notices, and browsers in which none is asked for.
//!
//! NIST SP 800-63B-4 §3.1.3.3, §4.6 (notices); S-100, S-109, S-110; PROTOCOL A9, A16, O1.

use std::sync::Arc;
use std::time::Duration;

use crate::authn::Attempt;
use crate::edge::Edges;
use crate::edge::store::Beside;
use crate::edge::vault::Vault;
use crate::model::authentication::Demand;
use crate::model::authenticator::RememberedBrowser;
use crate::model::event::{EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::id::RememberedId;
use crate::model::job::NewJob;
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, Role, User};
use crate::protocol::secret::{MacKey, Secret, TokenHash};

/// How long a notice is worth being sent.
const NOTICE: Duration = Duration::from_hours(24);

/// Second factors of one server. Clones share everything.
#[derive(Clone)]
pub struct SecondFactors {
    /// What they ask of the world.
    pub edges: Edges,
    /// Seals secrets.
    pub vault: Arc<Vault>,
    /// Makes hashes and marks.
    pub key: MacKey,
    /// What code apps call this server: its host.
    pub site: String,
    /// What the operator decided.
    pub policy: SecondFactorPolicy,
}

/// What the operator decided.
#[derive(Clone, Debug)]
pub struct SecondFactorPolicy {
    /// What everybody's sign-in must reach.
    pub least: Demand,
    /// What the sign-in of those must reach who have a role on this server, and what the administration is open to.
    pub administration: Demand,
    /// How long a browser is remembered in which a person asked for that; `None`: not at all.
    pub remember: Option<Duration>,
    /// How many backup codes a person gets.
    pub backup_codes: u32,
}

impl Default for SecondFactorPolicy {
    fn default() -> Self {
        Self {
            least: Demand::OneFactor,
            administration: Demand::OneFactor,
            remember: Some(Duration::from_hours(30 * 24)),
            backup_codes: 10,
        }
    }
}

impl SecondFactors {
    /// What the operator wants of this person's sign-ins: of everybody's, of those with a role here, of the members of a group (S-100).
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn house(&self, user: &User) -> Result<Demand, Fault> {
        let demand = self.policy.least.max(self.of_rank(user));
        if demand >= Demand::TwoFactors {
            return Ok(demand);
        }
        let store = &self.edges.store;
        let asks = store.directory().await?.asks_for_second_factor(&*store.membership(user.id).await?);
        Ok(if asks { Demand::TwoFactors } else { demand })
    }

    /// What the operator wants of who has this person's role on this server; no browser is remembered instead.
    pub fn of_rank(&self, user: &User) -> Demand {
        if user.role > Role::Member { self.policy.administration } else { Demand::OneFactor }
    }

    /// A mark for a browser in which `user` wants to be asked for no second factor for a while: 43 characters of base64url, kept as a hash.
    /// `None` where the operator does not want that.
    ///
    /// It is good until the person takes it back or their epoch ends: with a new password, a second factor that is taken up or removed, "sign out
    /// everywhere".
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn remember(&self, user: &User, from: &Provenance) -> Result<Option<(Secret, Duration)>, Fault> {
        let Some(lifetime) = self.policy.remember else { return Ok(None) };
        let (edges, now) = (&self.edges, self.edges.clock.now());
        let mark = edges.random.token();
        let browser = RememberedBrowser {
            id: RememberedId::new(now, edges.random.bytes()),
            user_agent: from.user_agent.clone(),
            address: from.address.clone(),
            created_at: now,
            expires_at: now.plus(lifetime),
        };
        edges.store.remember_browser((user.id, user.auth_epoch), TokenHash::of(mark.expose()), browser).await?;
        Ok(Some((mark, lifetime)))
    }

    /// True when no second factor is asked of `user` in the browser with this mark.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn is_remembered(&self, user: &User, mark: &Secret) -> Result<bool, Fault> {
        if self.policy.remember.is_none() {
            return Ok(false);
        }
        let (edges, mark) = (&self.edges, TokenHash::of(mark.expose()));
        edges.store.is_remembered((user.id, user.auth_epoch), &mark, edges.clock.now()).await
    }

    /// What is written down beside a change of a person's second factor: what happened, and a notice to every address that is theirs, since
    /// one of them may be in other hands (ASVS 6.3.7).
    ///
    /// # Errors
    /// Internal, when the notice is not JSON, which cannot be.
    pub fn changed(&self, attempt: &Attempt, user: &User, change: &'static str) -> Result<Beside, Fault> {
        self.told(attempt, user, (change, MessageKind::MfaChanged, None))
    }

    /// The same for a backup code that was used.
    ///
    /// # Errors
    /// As [`SecondFactors::changed`].
    pub fn backup_code_used(&self, attempt: &Attempt, user: &User, remaining: u32) -> Result<Beside, Fault> {
        self.told(attempt, user, ("backup_code_used", MessageKind::BackupCodeUsed, Some(remaining)))
    }

    fn told(
        &self,
        attempt: &Attempt,
        user: &User,
        (change, kind, remaining): (&'static str, MessageKind, Option<u32>),
    ) -> Result<Beside, Fault> {
        let mut event = self.edges.event(EventName::MfaChanged).of(user.id).from(attempt.from.clone());
        event = event.telling("change", change);
        event.session = attempt.again_in;
        event.client.clone_from(&attempt.client);
        let notices = notices(&self.edges, user, (kind, remaining), Some(attempt))?;
        Ok(notices.into_iter().fold(Beside::event(event), Beside::and_job))
    }
}

/// A notice to every address that is a person's: of what they did in `attempt`, or of what an administrator did.
///
/// # Errors
/// Internal, when it is not JSON, which cannot be.
pub fn notices(
    edges: &Edges,
    user: &User,
    (kind, remaining): (MessageKind, Option<u32>),
    attempt: Option<&Attempt>,
) -> Result<Vec<NewJob>, Fault> {
    let now = edges.clock.now();
    let wanted = attempt.map(|attempt| attempt.languages.as_slice()).unwrap_or_default();
    let emails = user.of_kind(IdentifierKind::Email).filter(|email| email.verified_at.is_some());
    let message = |to: &str| Message {
        kind,
        channel: Channel::Mail,
        to: to.to_owned(),
        user: Some(user.id),
        client: attempt.and_then(|attempt| attempt.client.clone()),
        languages: user.profile.locale.iter().chain(wanted).cloned().collect(),
        data: MessageData {
            name: user.profile.name.clone(),
            request: attempt.map(|attempt| attempt.from.clone()),
            remaining,
            ..MessageData::default()
        },
    };
    emails.map(|email| edges.outbox.job(&message(&email.value), None, (now, now.plus(NOTICE)))).collect()
}
