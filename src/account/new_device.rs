//! A sign-in from a browser that was not seen before: its person is told, and can say that it was not them.
//!
//! S-096, NIST SP 800-63B-4 §2.3.4. What the link in the mail does is done by a button on its page, since scanners open links: every session
//! and token ends, the password is good for nothing any more, and whoever reads the mailbox sets a new one.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::authn::password::hash::PasswordHasher;
use crate::authn::password::policy::PasswordPolicy;
use crate::authn::password::strength::{Known, Weakness};
use crate::edge::Edges;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::Beside;
use crate::model::event::{EventName, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, UserId};
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// How long the link in the mail is good: people read mail late.
const LINK_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How long there is to choose a new password once the link was followed.
const RESET_LIFETIME: Duration = Duration::from_hours(1);
/// How long the notice is worth being sent.
const NOTICE: Duration = Duration::from_hours(24);

/// Whose link or reset it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Of {
    user: UserId,
    expires_at: NumericDate,
}

const LINK: Namespace<Of> = Namespace::new("not_me");
const RESET: Namespace<Of> = Namespace::new("not_me_reset");

/// Tells people of sign-ins from browsers that were not seen before.
#[derive(Clone)]
pub struct NewDevice {
    /// What it asks of the world.
    pub edges: Edges,
    /// The bounded pool.
    pub hasher: Arc<PasswordHasher>,
    /// What a new password has to hold.
    pub policy: PasswordPolicy,
    /// The page of the link, as a URL without its query.
    pub page: String,
    /// How long sign-ins are remembered.
    pub history: Duration,
}

/// By what a browser or app is known again.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Surface {
    /// A browser, which keeps a mark; this one has none for the person.
    UnmarkedBrowser,
    /// An app, which keeps no cookies: it is known by its name for itself.
    App,
}

/// A sign-in that is about to be written down.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Whose.
    pub user: UserId,
    /// By what it would be known.
    pub surface: Surface,
    /// For which app.
    pub client: Option<ClientId>,
    /// Where it comes from.
    pub from: Provenance,
    /// Languages of the notice, the most wanted first.
    pub languages: Vec<String>,
}

/// What became of a link, or of a new password.
#[derive(Clone, Debug)]
pub enum Answered<T> {
    /// It is done.
    Done(T),
    /// The link is used, over or unknown.
    Invalid,
    /// The new password cannot be taken.
    Weak(Vec<Weakness>),
}

impl NewDevice {
    /// What is written beside the sign-in: a mail, when the browser was not seen before. The first sign-in of a new account is
    /// told to nobody: there is nothing to compare it with.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn notice(&self, arrival: &Arrival) -> Result<Beside, Fault> {
        let now = self.edges.clock.now();
        let Some(user) = self.edges.store.user(arrival.user).await? else { return Ok(Beside::default()) };
        let email = user.primary(IdentifierKind::Email).filter(|email| email.verified_at.is_some());
        let Some(email) = email.map(|email| email.value.clone()) else { return Ok(Beside::default()) };
        let seen = self.edges.store.seen_at_sign_in(user.id, &arrival.from).await?;
        // Whose account is older than what is remembered may have signed in and been forgotten.
        let is_first = !seen.anywhere && !user.created_at.plus(self.history).is_past(now);
        let is_known = match arrival.surface {
            Surface::UnmarkedBrowser => seen.same_browser_and_address,
            Surface::App => seen.same_browser,
        };
        if is_first || is_known {
            return Ok(Beside::default());
        }
        let token = self.edges.random.token();
        let link = Of { user: user.id, expires_at: now.plus(LINK_LIFETIME) };
        LINK.put(&*self.edges.ephemeral, TokenHash::of(token.expose()).as_bytes(), &link, link.expires_at).await?;
        let message = self.message(arrival, (&user, email), &token);
        Ok(Beside::default().and_job(self.edges.outbox.job(&message, None, (now, now.plus(NOTICE)))?))
    }

    fn message(&self, arrival: &Arrival, (user, to): (&User, String), token: &Secret) -> Message {
        Message {
            kind: MessageKind::NewDevice,
            channel: Channel::Mail,
            to,
            user: Some(user.id),
            client: arrival.client.clone(),
            languages: user.profile.locale.iter().chain(&arrival.languages).cloned().collect(),
            data: MessageData {
                name: user.profile.name.clone(),
                // 43 characters of base64url need no encoding.
                url: Some(format!("{}?token={}", self.page, token.expose())),
                request: Some(arrival.from.clone()),
                ..MessageData::default()
            },
        }
    }

    /// "This was not me": ends everything of the person and makes their password useless. Returns the token with which a new
    /// one is set.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn deny(&self, token: &Secret, from: &Provenance) -> Result<Answered<Secret>, Fault> {
        let now = self.edges.clock.now();
        let link = LINK.take(&*self.edges.ephemeral, TokenHash::of(token.expose()).as_bytes(), now).await?;
        let Some(link) = link.filter(|link| !link.expires_at.is_past(now)) else { return Ok(Answered::Invalid) };
        // Nobody knows it, and nobody will.
        let useless = self.hasher.hash(&self.edges.random.token()).await?;
        let event = self.edges.event(EventName::PasswordResetRequested).of(link.user).from(from.clone());
        let beside = Beside::event(event.telling("reason", "not_me"));
        self.edges.store.reset_password(link.user, &useless, now, beside).await?;
        let reset = self.edges.random.token();
        let waiting = Of { user: link.user, expires_at: now.plus(RESET_LIFETIME) };
        let key = TokenHash::of(reset.expose());
        RESET.put(&*self.edges.ephemeral, key.as_bytes(), &waiting, waiting.expires_at).await?;
        Ok(Answered::Done(reset))
    }

    /// Sets the new password of who said so.
    ///
    /// # Errors
    /// A fault of a store or of the pool.
    pub async fn set_password(
        &self,
        (token, password): (&Secret, &Secret),
        from: &Provenance,
    ) -> Result<Answered<()>, Fault> {
        let now = self.edges.clock.now();
        let key = TokenHash::of(token.expose());
        let ephemeral = &*self.edges.ephemeral;
        let waiting = RESET.get(ephemeral, key.as_bytes(), now).await?;
        let Some(waiting) = waiting.filter(|waiting| !waiting.expires_at.is_past(now)) else {
            return Ok(Answered::Invalid);
        };
        let Some(user) = self.edges.store.user(waiting.user).await?.filter(|user| user.is_enabled()) else {
            return Ok(Answered::Invalid);
        };
        let weak = self.policy.weaknesses(password, Known::of(&user)).await?;
        if !weak.is_empty() {
            return Ok(Answered::Weak(weak));
        }
        let phc = self.hasher.hash(password).await?;
        if RESET.take(ephemeral, key.as_bytes(), now).await?.is_none() {
            return Ok(Answered::Invalid);
        }
        let event = self.edges.event(EventName::PasswordReset).of(user.id).from(from.clone());
        self.edges.store.reset_password(user.id, &phc, now, Beside::event(event)).await?;
        Ok(Answered::Done(()))
    }
}
