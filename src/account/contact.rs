//! Further addresses and numbers of a person (S-120): added by a code that reaches them, one of each kind the primary one, the last proven
//! one kept.
//!
//! Nothing is written of an address before its code is right: who adds the address of somebody else does not keep them out.

use serde::{Deserialize, Serialize};

use crate::account::contact_notice::ContactChange;
use crate::account::start::{About, Start};
use crate::account::{AccountError, Accounts, Asking, Mistake, Sent, Why, minutes};
use crate::authn::limit::Rule;
use crate::edge::ephemeral::Namespace;
use crate::edge::store::{Added, Beside, Once};
use crate::model::epoch::Epoch;
use crate::model::event::{Event, EventName};
use crate::model::id::{IdentifierId, UserId};
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{Identifier, IdentifierKind, LookupName, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const PURPOSE: &str = "contact";
const WAITING: Namespace<Waiting> = Namespace::new(PURPOSE);
const VERSION: u8 = 1;
/// How long one that ran out is still known as such.
const REMEMBERED: std::time::Duration = std::time::Duration::from_hours(1);

/// An address or number that waits for its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    version: u8,
    user: UserId,
    epoch: Epoch,
    kind: IdentifierKind,
    value: String,
    /// None is right where it belongs to somebody else: its owner is told nothing, and nobody else either.
    code: Option<TokenHash>,
    expires_at: NumericDate,
}

/// An address or number that is to be added.
#[derive(Clone, Debug)]
pub struct ContactBegun {
    /// What stands for it until it is confirmed.
    pub id: IdentifierId,
    /// As it will be kept.
    pub value: String,
    /// How long the code is good, in seconds.
    pub expires_in: u64,
    /// When the next may be asked for, in seconds.
    pub resend_after: u64,
}

impl Accounts {
    /// Sends a code to an address or number that the person wants to add.
    ///
    /// # Errors
    /// That it is none, not allowed, or the person's own already; that a message was sent a moment ago.
    pub async fn add_contact(
        &self,
        user: &User,
        (kind, typed): (IdentifierKind, &str),
        asking: &Asking,
    ) -> Result<ContactBegun, AccountError> {
        let (value, channel, field) = match kind {
            IdentifierKind::Phone => (self.phone(typed)?.as_str().to_owned(), Channel::Sms, "phone"),
            IdentifierKind::Email | IdentifierKind::Username => {
                (self.email(typed)?.as_str().to_owned(), Channel::Mail, "email")
            }
        };
        let name = LookupName::parse(&value).ok_or_else(|| Mistake::new(field, Why::InvalidValue))?;
        if user.proven(&name).is_some() {
            return Err(Why::AlreadyVerified.into());
        }
        let now = self.now();
        let owner = user.id.to_string();
        let about = About { purpose: PURPOSE, address: name.as_str(), binding: None, content: &[owner.as_bytes()] };
        let (handle, is_fresh) = match self.starts.begin(about, now).await? {
            Start::Fresh(handle) => (handle, true),
            Start::Same(handle) => (handle, false),
            Start::TooSoon(seconds) => return Err(AccountError::RecentlySent(seconds)),
        };
        // The row will have this id; the handle makes it, so that an identical start has the same.
        let mut bytes = [0; 16];
        for (byte, given) in bytes.iter_mut().zip(TokenHash::of(handle.expose()).as_bytes()) {
            *byte = *given;
        }
        let random = bytes.first_chunk::<10>().copied().unwrap_or_default();
        let id = IdentifierId::new(NumericDate::from_seconds(now.seconds().div_euclid(60) * 60), random);
        let lifetime = self.settings.lifetimes.contact;
        let begun = ContactBegun {
            id,
            value: value.clone(),
            expires_in: lifetime.as_secs(),
            resend_after: self.starts.pause().as_secs(),
        };
        if !is_fresh {
            return Ok(begun);
        }
        let sent = self.send_contact_code(user, (kind, &name), (channel, &begun), asking).await;
        self.starts.settled((about, now), sent).await?;
        Ok(begun)
    }

    /// Sends the code of what was begun with.
    async fn send_contact_code(
        &self,
        user: &User,
        (kind, name): (IdentifierKind, &LookupName),
        (channel, begun): (Channel, &ContactBegun),
        asking: &Asking,
    ) -> Result<(), AccountError> {
        let (now, id, value) = (self.now(), begun.id, begun.value.clone());
        let (owner, lifetime) = (user.id.to_string(), self.settings.lifetimes.contact);
        if let Some(exceeded) = self.is_within((Rule::CodeStart, &owner)).await? {
            return Err(AccountError::TooOften(exceeded));
        }
        self.may_send((PURPOSE, channel), &value).await?;
        // What nobody has proven belongs to nobody (PROTOCOL A22). Of a number its holder is told that somebody else has it, once they
        // have proven that they hold it (S-049): lines are shared and handed on.
        let owner = self.edges.store.user_by_name(name).await?;
        let is_free =
            kind == IdentifierKind::Phone || owner.is_none_or(|owner| owner.id == user.id || !owner.owns(name));
        let code = self.codes.draw();
        let sealed = self.codes.seal(PURPOSE, &id.to_string(), &code);
        let waiting = Waiting {
            version: VERSION,
            user: user.id,
            epoch: user.auth_epoch,
            kind,
            value: value.clone(),
            code: is_free.then_some(sealed),
            expires_at: now.plus(lifetime),
        };
        let remembered = waiting.expires_at.plus(REMEMBERED);
        WAITING.put(&*self.edges.ephemeral, id.as_bytes(), &waiting, remembered).await?;
        let data = MessageData {
            code: Some(code.expose().clone()),
            valid_minutes: Some(minutes(lifetime)),
            ..MessageData::default()
        };
        let useful = if is_free { lifetime } else { std::time::Duration::ZERO };
        let job = self.message((MessageKind::ContactCode, channel), &value, (Some(user), asking), (data, useful))?;
        let event = self.changed(kind, user.id, asking).telling("change", "asked");
        Ok(self.edges.store.record(Beside::event(event).and_job(job)).await?)
    }

    /// Adds the address or number when its code is right, and tells the person at every other address of theirs.
    ///
    /// # Errors
    /// That the code is wrong, used or over; that somebody else was faster.
    pub async fn confirm_contact(
        &self,
        user: &User,
        (kind, id, code): (IdentifierKind, IdentifierId, &str),
        asking: &Asking,
    ) -> Result<Identifier, AccountError> {
        let now = self.now();
        let found = WAITING.get(&*self.edges.ephemeral, id.as_bytes(), now).await?;
        let is_own = |waiting: &Waiting| waiting.version == VERSION && waiting.user == user.id && waiting.kind == kind;
        let waiting = match found.filter(is_own) {
            Some(waiting) => waiting,
            None if user.identifier(id).is_some_and(|own| own.kind == kind) => {
                return Err(Why::AlreadyVerified.into());
            }
            None => return Err(Why::NotFound.into()),
        };
        if waiting.expires_at.is_past(now) || waiting.epoch != user.auth_epoch {
            return Err(Why::CodeExpired.into());
        }
        let remembered = waiting.expires_at.plus(REMEMBERED);
        let handle = id.to_string();
        let (whose, sealed) = (user.id.to_string(), waiting.code.as_ref());
        let owner = Some(user.id);
        let sent = Sent { purpose: PURPOSE, handle: &handle, sealed, until: remembered, whose: &whose, owner };
        self.judge_code(sent, code, asking).await?;
        let identifier =
            Identifier { id, kind: waiting.kind, value: waiting.value, verified_at: Some(now), is_primary: false };
        let once = Once { kind: PURPOSE, hash: TokenHash::of(&handle), expires_at: remembered };
        let beside = self.contact_changed(ContactChange::Added, (user, &identifier), asking).await?;
        match self.edges.store.add_identifier(user.id, identifier.clone(), (once, now), beside).await? {
            Added::Added => Ok(identifier),
            Added::Taken => Err(taken(kind).into()),
            Added::Void => Err(Why::AlreadyVerified.into()),
        }
    }

    /// Makes a proven address or number the primary one, ends everything but where the person acts, and tells them: the address that was the
    /// primary one gets a link that takes the change back.
    ///
    /// # Errors
    /// That the person has no such one.
    pub async fn make_contact_primary(
        &self,
        user: &User,
        (kind, id): (IdentifierKind, IdentifierId),
        asking: &Asking,
    ) -> Result<(), AccountError> {
        let own = user.identifier(id).filter(|own| own.kind == kind).ok_or(Why::NotFound)?;
        if own.verified_at.is_none() {
            return Err(Why::VerificationRequired.into());
        }
        if own.is_primary {
            return Ok(());
        }
        let beside = self.contact_changed(ContactChange::Primary, (user, own), asking).await?;
        if self.edges.store.make_primary(user.id, id, (asking.here, self.now()), beside).await? {
            Ok(())
        } else {
            Err(Why::NotFound.into())
        }
    }

    /// Removes an address or number, but for the last proven one, ends everything but where the person acts, and tells them: the primary
    /// address gets a link that takes the change back.
    ///
    /// # Errors
    /// That it is the last one, or that the person has no such one.
    pub async fn remove_contact(
        &self,
        user: &User,
        (kind, id): (IdentifierKind, IdentifierId),
        asking: &Asking,
    ) -> Result<(), AccountError> {
        let own = user.identifier(id).filter(|own| own.kind == kind).ok_or(Why::NotFound)?;
        let beside = self.contact_changed(ContactChange::Removed, (user, own), asking).await?;
        if self.edges.store.remove_identifier(user.id, (id, kind), (asking.here, self.now()), beside).await? {
            Ok(())
        } else {
            Err(Why::LastDevice.into())
        }
    }

    pub(super) fn changed(&self, kind: IdentifierKind, user: UserId, asking: &Asking) -> Event {
        let name = if kind == IdentifierKind::Phone { EventName::PhoneChanged } else { EventName::EmailChanged };
        self.event_of(name, user, asking)
    }
}

fn taken(kind: IdentifierKind) -> Mistake {
    match kind {
        IdentifierKind::Phone => Mistake::new("phone", Why::PhoneTaken),
        IdentifierKind::Email | IdentifierKind::Username => Mistake::new("email", Why::EmailTaken),
    }
}
