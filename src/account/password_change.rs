//! A person changes their password.
//!
//! S-030, S-031, PROTOCOL A4, A15. Guesses at the present one count like guesses at sign-in. With the change, in its own transaction, all
//! other sessions and every grant end, the session that asks gets a new cookie, and the person is told by mail.

use std::sync::Arc;

use crate::account::password::changed_notices;
use crate::authn::Refusal;
use crate::authn::device::Devices;
use crate::authn::password::hash::PasswordHasher;
use crate::authn::password::policy::PasswordPolicy;
use crate::authn::password::strength::{Known, Weakness};
use crate::authn::throttle::{Guess, Throttle, Whom};
use crate::edge::Edges;
use crate::edge::store::Beside;
use crate::edge::store::{Kept, NewPassword};
use crate::model::event::{Actor, Event, EventName, Outcome, Provenance};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, EventId, SessionId};
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::model::session::Session;
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// Changes passwords. Clones share everything.
#[derive(Clone)]
pub struct PasswordChange {
    /// What it asks of the world.
    pub edges: Edges,
    /// The bounded pool.
    pub hasher: Arc<PasswordHasher>,
    /// What a new one has to hold.
    pub policy: PasswordPolicy,
    /// Limits on guesses.
    pub throttle: Throttle,
    /// Browsers that are known.
    pub devices: Devices,
    /// Whether a person may leave their other sessions as they are.
    pub choice: Choice,
}

/// What becomes of the sessions that are not asking.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Others {
    /// They end.
    #[default]
    End,
    /// They stay.
    Stay,
}

/// Whether a person may choose that.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Choice {
    /// They end in any case.
    #[default]
    None,
    /// As the person says.
    Free,
}

/// What a person sent.
#[derive(Clone, Debug)]
pub struct Change {
    /// The password as it is; none from a person without one, who has proved who they are.
    pub current: Option<Secret>,
    /// The password as it shall be.
    pub new: Secret,
    /// The same once more, where it was asked for.
    pub confirm: Option<Secret>,
    /// What becomes of other sessions.
    pub others: Others,
}

/// Who sends it, and from where.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Who.
    pub user: Arc<User>,
    /// The session of their browser; none for an app with an access token.
    pub session: Option<SessionId>,
    /// Through which app.
    pub client: Option<ClientId>,
    /// The mark that the browser carries.
    pub device: Option<Secret>,
    /// Where the request comes from.
    pub provenance: Provenance,
    /// Languages of the notice, the most wanted first.
    pub languages: Vec<String>,
}

/// Something that is wrong with what was sent.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Mistake {
    /// The present password is not right.
    Current,
    /// The new one breaks a rule.
    New(Weakness),
    /// The two entries of the new one differ.
    Confirm,
}

/// Why a password was not changed.
#[derive(Clone, Debug)]
pub enum Refused {
    /// What was sent cannot be taken: everything at once.
    Mistakes(Vec<Mistake>),
    /// The person may not choose what becomes of other sessions.
    NoChoice,
    /// Too many wrong guesses, or a fault.
    Unheard(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Unheard(refusal)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Unheard(fault.into())
    }
}

/// The session that asked, as it goes on.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// The session.
    pub session: Arc<Session>,
    /// The value of its new cookie.
    pub token: Secret,
}

impl PasswordChange {
    /// Changes the password; returns the session that goes on, if a browser asked.
    ///
    /// # Errors
    /// [`Refused`] says why nothing was changed.
    pub async fn change(&self, asking: &Asking, change: &Change) -> Result<Option<Renewed>, Refused> {
        if change.others == Others::Stay && self.choice == Choice::None {
            return Err(Refused::NoChoice);
        }
        let mut mistakes = Vec::new();
        let is_current = match &change.current {
            Some(current) => self.is_current(asking, current).await?,
            None => self.edges.store.password(asking.user.id).await?.is_none(),
        };
        if !is_current {
            mistakes.push(Mistake::Current);
        }
        let weak = self.policy.weaknesses(&change.new, Known::of(&asking.user)).await?;
        mistakes.extend(weak.into_iter().map(Mistake::New));
        if change.confirm.as_ref().is_some_and(|confirm| !confirm.matches(change.new.expose())) {
            mistakes.push(Mistake::Confirm);
        }
        if !mistakes.is_empty() {
            return Err(Refused::Mistakes(mistakes));
        }
        let phc = self.hasher.hash(&change.new).await?;
        let now = self.edges.clock.now();
        let token = self.edges.random.token();
        let kept = asking.session.map(|session| Kept { session, token: TokenHash::of(token.expose()) });
        let new =
            NewPassword { user: asking.user.id, phc: Secret::new(phc), kept, others_end: change.others == Others::End };
        let beside = self.beside(asking, now)?;
        let session = self.edges.store.change_password(new, beside, now).await?;
        Ok(session.map(|session| Renewed { session, token }))
    }

    async fn is_current(&self, asking: &Asking, current: &Secret) -> Result<bool, Refused> {
        let (user, now) = (asking.user.id, self.edges.clock.now());
        let known_browser = asking.device.as_ref().filter(|mark| self.devices.recognises(user, mark));
        let guess = Guess { at: Whom::Account(user), known_browser, address: &asking.provenance.address };
        self.throttle.count(&self.edges, guess, now).await?;
        let stored = self.edges.store.password(user).await?;
        let check = self.hasher.verify(current, stored.as_ref().map(|phc| phc.expose().as_str())).await?;
        if check.is_right() {
            self.throttle.forgive(&self.edges, guess).await?;
        }
        Ok(check.is_right())
    }

    fn beside(&self, asking: &Asking, now: NumericDate) -> Result<Beside, Fault> {
        let user = &asking.user;
        let beside = Beside::event(Event {
            id: EventId::new(now, self.edges.random.bytes()),
            at: now,
            name: EventName::PasswordChanged,
            outcome: Outcome::Success,
            user: Some(user.id),
            actor: Actor::User(user.id),
            client: asking.client.clone(),
            session: asking.session,
            provenance: asking.provenance.clone(),
            details: serde_json::Map::new(),
        });
        let message = Message {
            kind: MessageKind::PasswordChanged,
            channel: Channel::Mail,
            to: String::new(),
            user: Some(user.id),
            client: asking.client.clone(),
            languages: user.profile.locale.iter().chain(&asking.languages).cloned().collect(),
            data: MessageData {
                name: user.profile.name.clone(),
                request: Some(asking.provenance.clone()),
                ..MessageData::default()
            },
        };
        let notices = changed_notices(&self.edges, (user, None), &message)?;
        Ok(notices.into_iter().fold(beside, Beside::and_job))
    }
}
