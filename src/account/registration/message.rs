//! The message of a registration: a code, a link, or the word that there is an account already.
//!
//! PROTOCOL A6: whoever the address belongs to, the same is written, and in the same order.

use std::sync::Arc;
use std::time::Duration;

use crate::account::registration::{By, CONTESTED, PURPOSE, Waiting, channel};
use crate::account::settings::Answers;
use crate::account::{AccountError, Accounts, Asking, minutes};
use crate::edge::store::{Beside, Registered};
use crate::model::event::EventName;
use crate::model::job::NewJob;
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{AccountState, IdentifierKind, LookupName, User};
use crate::protocol::secret::Secret;

impl Accounts {
    /// Writes down what waits and sends the message: a code or link, or to the owner of the address that they have an account.
    pub(super) async fn send(
        &self,
        handle: &Secret,
        mut waiting: Waiting,
        (owner, asking): (Option<&Arc<User>>, &Asking),
    ) -> Result<(), AccountError> {
        let asking = &waiting.asked_by(asking);
        let channel = channel(waiting.contact.kind);
        let to = waiting.contact.value.clone();
        let lifetime = self.lifetime(waiting.contact.kind);
        let by_link = self.confirms_by_link(waiting.contact.kind);
        if by_link {
            return self.send_link(handle, waiting, (owner, asking)).await;
        }
        if let Some(owner) = owner {
            // The same is written as for anybody else; no code is right.
            waiting.by = By::Code(None);
            let event = self.event(EventName::UserCreated, asking).failed().telling("reason", "exists");
            let job = self.tell_owner(owner, (&to, channel), asking, lifetime)?;
            self.keep(handle, &waiting).await?;
            let (_, link) = self.link(LinkPurpose::Activation, (None, ""), asking, lifetime);
            return Ok(self.edges.store.record(Beside::event(event).and_job(job).and_link(link)).await?);
        }
        let code = self.codes.draw();
        waiting.by = By::Code(Some(self.codes.seal(PURPOSE, handle.expose(), &code)));
        let valid_minutes = Some(minutes(waiting.expires_at.since(self.now())));
        let data = MessageData { code: Some(code.expose().clone()), valid_minutes, ..MessageData::default() };
        let job = self.message((MessageKind::RegistrationCode, channel), &to, (None, asking), (data, lifetime))?;
        let (_, link) = self.link(LinkPurpose::Activation, (None, ""), asking, lifetime);
        let event = self.event(EventName::UserCreated, asking).telling("step", "code");
        self.keep(handle, &waiting).await?;
        Ok(self.edges.store.record(Beside::event(event).and_job(job).and_link(link)).await?)
    }

    /// Makes an account that waits for its link. For who has one already it is made and unmade (S-009): the answer takes as long, and
    /// the mail says that there is one.
    async fn send_link(
        &self,
        handle: &Secret,
        mut waiting: Waiting,
        (owner, asking): (Option<&Arc<User>>, &Asking),
    ) -> Result<(), AccountError> {
        let now = self.now();
        let lifetime = self.lifetime(waiting.contact.kind);
        waiting.expires_at = now.plus(lifetime);
        // Who sends the same once more is the same; who registers anew may be somebody else.
        let before = match LookupName::parse(&waiting.contact.value) {
            Some(name) => self.edges.store.user_by_name(&name).await?,
            None => None,
        };
        waiting.is_contested |=
            before.is_some_and(|before| !matches!(&waiting.by, By::Link(Some(own)) if *own == before.id));
        for _ in 0..4 {
            let state = AccountState::Pending { since: now, purge_at: Some(waiting.expires_at) };
            let mut user = self.user(&waiting.account, state, None).await?;
            let of = owner.is_none().then_some(&user);
            let address = waiting.contact.value.clone();
            let (token, mut link) = self.link(LinkPurpose::Activation, (of, &address), asking, lifetime);
            if waiting.is_contested {
                link.details.insert(CONTESTED.to_owned(), serde_json::to_value(waiting.binding).unwrap_or_default());
            }
            let url = self.url(LinkPurpose::Activation, &token, asking).await?;
            let (job, event) = if let Some(owner) = owner {
                let event = self.event(EventName::UserCreated, asking).failed().telling("reason", "exists");
                (self.tell_owner(owner, (&address, Channel::Mail), asking, lifetime)?, event)
            } else {
                let valid_minutes = Some(minutes(lifetime));
                let data = MessageData { url: Some(url), valid_minutes, ..MessageData::default() };
                let to = (MessageKind::Activate, Channel::Mail);
                let event = self.event_of(EventName::UserCreated, user.id, asking).telling("step", "link");
                (self.message(to, &address, (Some(&user), asking), (data, lifetime))?, event)
            };
            waiting.by = By::Link(of.map(|user| user.id));
            self.keep(handle, &waiting).await?;
            let beside = Beside::event(event).and_job(job).and_link(link);
            let phc = waiting.account.phc.as_deref();
            let registered = if owner.is_some() {
                give_nobodys_address(&mut user);
                self.edges.store.rehearse((&user, phc), beside).await?
            } else {
                self.edges.store.register((&user, phc), None, beside).await?
            };
            if registered != Registered::Taken {
                return Ok(());
            }
            let mistake = self.which_is_taken(&user).await?;
            if self.settings.answers == Answers::Explicit {
                return Err(mistake.into());
            }
            // A stranger is not told what is taken: the account gets a name that is like the chosen one, and no number, to be changed
            // later.
            match &*mistake.field {
                "username" => waiting.account.username = Some(self.free_username(&waiting.account).await?),
                "phone" => waiting.account.phone = None,
                // Somebody proved the address a moment ago: they know that they have an account.
                _ => break,
            }
        }
        Ok(())
    }

    /// The message to whom an address belongs that somebody wants to register.
    fn tell_owner(
        &self,
        owner: &Arc<User>,
        (to, channel): (&str, Channel),
        asking: &Asking,
        lifetime: Duration,
    ) -> Result<NewJob, AccountError> {
        let data = MessageData { url: Some(self.site.page("/sign-in")), ..MessageData::default() };
        Ok(self.message((MessageKind::AccountExists, channel), to, (Some(owner), asking), (data, lifetime))?)
    }
}

/// Puts an address that nobody has in the place of the one of `user`.
fn give_nobodys_address(user: &mut User) {
    let nobodys = format!("{}@registration.invalid", user.id);
    for email in user.identifiers.iter_mut().filter(|identifier| identifier.kind == IdentifierKind::Email) {
        email.value.clone_from(&nobodys);
    }
}
