//! Who is told of a change of addresses and numbers.
//!
//! S-116, S-120; PROTOCOL A15, ASVS 6.3.7. Every other proven address hears of it, since one of them may be in other hands. A primary
//! address that is replaced or removed gets a link besides that takes the change back, as in [`email_change`](crate::account::email_change).

use crate::account::dispatch::NOTICE;
use crate::account::{Accounts, Asking};
use crate::edge::store::Beside;
use crate::model::fault::Fault;
use crate::model::identifier::{Email, Phone};
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{Identifier, IdentifierKind, User};

/// What happens to an address or number.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum ContactChange {
    /// It is added.
    Added,
    /// It is the primary one of its kind from now on.
    Primary,
    /// It is removed.
    Removed,
}

impl ContactChange {
    /// As events tell it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Primary => "primary",
            Self::Removed => "removed",
        }
    }

    const fn kind(self) -> MessageKind {
        match self {
            Self::Added => MessageKind::ContactAdded,
            Self::Primary => MessageKind::ContactPrimary,
            Self::Removed => MessageKind::ContactRemoved,
        }
    }
}

impl Accounts {
    /// What is written down beside a change of `contact`: that it happened, and a notice to each proven address of the person but a new
    /// one, whose reader is who asks.
    ///
    /// # Errors
    /// A fault of the store.
    pub(super) async fn contact_changed(
        &self,
        change: ContactChange,
        (user, contact): (&User, &Identifier),
        asking: &Asking,
    ) -> Result<Beside, Fault> {
        let event = self.changed(contact.kind, user.id, asking).telling("change", change.as_str());
        let mut beside = Beside::event(event);
        let replaced = replaced(change, (user, contact));
        for email in user.of_kind(IdentifierKind::Email).filter(|email| email.verified_at.is_some()) {
            if let Some((_, address)) = replaced.as_ref().filter(|(before, _)| before.id == email.id) {
                let (job, link) = self.email_change_notice((user, email), address.clone(), asking).await?;
                beside = beside.and_job(job).and_link(link);
            } else if email.id != contact.id || change == ContactChange::Removed {
                let data = MessageData { address: Some(masked(contact)), ..MessageData::default() };
                let kind = (change.kind(), Channel::Mail);
                beside = beside.and_job(self.message(kind, &email.value, (Some(user), asking), (data, NOTICE))?);
            }
        }
        Ok(beside)
    }
}

/// The primary address that is no longer, and by what the account is known in its place, masked: the next proven address, else a number.
fn replaced<'a>(change: ContactChange, (user, contact): (&'a User, &Identifier)) -> Option<(&'a Identifier, String)> {
    let primary = user.of_kind(IdentifierKind::Email).find(|email| email.is_primary && email.verified_at.is_some())?;
    let next = match change {
        ContactChange::Primary if contact.kind == IdentifierKind::Email && contact.id != primary.id => Some(contact),
        ContactChange::Removed if contact.id == primary.id => {
            let proven = |kind| {
                let others = user.of_kind(kind).filter(|own| own.id != primary.id && own.verified_at.is_some());
                others.min_by_key(|own| own.id)
            };
            proven(IdentifierKind::Email).or_else(|| proven(IdentifierKind::Phone))
        }
        _ => None,
    };
    next.map(|next| (primary, masked(next)))
}

/// An address or number as its owner recognises it.
fn masked(contact: &Identifier) -> String {
    let masked = match contact.kind {
        IdentifierKind::Phone => Phone::parse(&contact.value).map(|phone| phone.masked()),
        IdentifierKind::Email | IdentifierKind::Username => Email::parse(&contact.value).map(|email| email.masked()),
    };
    masked.unwrap_or_default()
}
