//! Identities at other servers that are connected to an account, or cut from it: told to their person.
//!
//! S-064, S-065; ASVS 6.3.7. Whoever can connect one signs in by it from then on: every proven address of the person hears of it, since
//! one of them may be in other hands.

use crate::account::dispatch::NOTICE;
use crate::account::{Accounts, Asking};
use crate::edge::store::Beside;
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::identity_provider::IdentityProvider;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, User};

/// What happens to an identity.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum IdentityChange {
    /// It is connected.
    Connected,
    /// It is cut.
    Cut,
}

impl Accounts {
    /// What is written down beside a change of the identities of `user`: that it happened, and a notice to the person.
    ///
    /// # Errors
    /// Internal, when the notice is not JSON, which cannot be.
    pub fn identity_changed(
        &self,
        change: IdentityChange,
        (user, provider): (&User, &IdentityProvider),
        asking: &Asking,
    ) -> Result<Beside, Fault> {
        let (name, kind) = match change {
            IdentityChange::Connected => (EventName::IdentityLinked, MessageKind::IdentityLinked),
            IdentityChange::Cut => (EventName::IdentityUnlinked, MessageKind::IdentityUnlinked),
        };
        let event = self.event_of(name, user.id, asking).telling("provider", provider.slug.as_str());
        let mut emails = user.of_kind(IdentifierKind::Email).filter(|email| email.verified_at.is_some());
        emails.try_fold(Beside::event(event), |beside, email| {
            let data = MessageData { provider: Some(provider.label().to_owned()), ..MessageData::default() };
            let about = (Some(user), asking);
            Ok(beside.and_job(self.message((kind, Channel::Mail), &email.value, about, (data, NOTICE))?))
        })
    }
}
