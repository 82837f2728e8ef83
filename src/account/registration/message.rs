//! The message of a registration: a code, a link, or the word that there is an account already.
//!
//! PROTOCOL A6: whoever the address belongs to, the same is written, and in the same order.

use crate::account::registration::{By, PURPOSE, Waiting, channel};
use crate::account::settings::Answers;
use crate::account::{AccountError, Accounts, Asking, minutes};
use crate::edge::store::{Beside, Registered};
use crate::model::event::EventName;
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{AccountState, User};
use crate::protocol::secret::Secret;

impl Accounts {
    /// Writes down what waits and sends the message: a code or link, or to the owner of the address that they have an account.
    pub(super) async fn send(
        &self,
        handle: &Secret,
        mut waiting: Waiting,
        (owner, asking): (Option<&std::sync::Arc<User>>, &Asking),
    ) -> Result<(), AccountError> {
        let asking = &waiting.asked_by(asking);
        let channel = channel(waiting.contact.kind);
        let to = waiting.contact.value.clone();
        let lifetime = self.lifetime(waiting.contact.kind);
        let by_link = self.confirms_by_link(waiting.contact.kind);
        if let Some(owner) = owner {
            // The same is written as for anybody else; no code is right, and no link is good.
            waiting.by = if by_link { By::Link(None) } else { By::Code(None) };
            let data = MessageData { url: Some(self.site.page("/sign-in")), ..MessageData::default() };
            let message = Self::written((MessageKind::AccountExists, channel), &to, (Some(owner), asking), data);
            let job = self.dispatch(&message, lifetime).await?;
            let event = self.event(EventName::UserCreated, asking).failed().telling("reason", "exists");
            self.keep(handle, &waiting).await?;
            let (_, link) = self.link(LinkPurpose::Activation, (None, ""), asking, lifetime);
            let beside = job.into_iter().fold(Beside::event(event), Beside::and_job);
            return Ok(self.edges.store.record(beside.and_link(link)).await?);
        }
        if by_link {
            return self.send_link(handle, waiting, asking).await;
        }
        let code = self.codes.draw();
        waiting.by = By::Code(Some(self.codes.seal(PURPOSE, handle.expose(), &code)));
        let valid_minutes = Some(minutes(waiting.expires_at.since(self.now())));
        let data = MessageData { code: Some(code.expose().clone()), valid_minutes, ..MessageData::default() };
        let message = Self::written((MessageKind::RegistrationCode, channel), &to, (None, asking), data);
        let job = self.dispatch(&message, lifetime).await?;
        let (_, link) = self.link(LinkPurpose::Activation, (None, ""), asking, lifetime);
        let event = self.event(EventName::UserCreated, asking).telling("step", "code");
        self.keep(handle, &waiting).await?;
        let beside = job.into_iter().fold(Beside::event(event), Beside::and_job);
        Ok(self.edges.store.record(beside.and_link(link)).await?)
    }

    async fn send_link(&self, handle: &Secret, mut waiting: Waiting, asking: &Asking) -> Result<(), AccountError> {
        let now = self.now();
        let lifetime = self.lifetime(waiting.contact.kind);
        waiting.expires_at = now.plus(lifetime);
        // One that is handed over at once goes when its account is there: the name that was chosen may turn out to be taken.
        let at_once = self.edges.outbox.hands_over();
        for _ in 0..2 {
            let state = AccountState::Pending { since: now, purge_at: Some(waiting.expires_at) };
            let user = self.user(&waiting.account, state, None).await?;
            let address = &waiting.contact.value;
            let (token, link) = self.link(LinkPurpose::Activation, (Some(&user), address), asking, lifetime);
            let data = MessageData {
                url: Some(self.url(LinkPurpose::Activation, &token, asking).await?),
                valid_minutes: Some(minutes(lifetime)),
                ..MessageData::default()
            };
            let message =
                Self::written((MessageKind::Activate, Channel::Mail), address, (Some(&user), asking), data);
            let job = if at_once { None } else { self.dispatch(&message, lifetime).await? };
            let event = self.event_of(EventName::UserCreated, user.id, asking).telling("step", "link");
            let beside = job.into_iter().fold(Beside::event(event), Beside::and_job).and_link(link);
            waiting.by = By::Link(Some(user.id));
            self.keep(handle, &waiting).await?;
            let registered = self.edges.store.register((&user, waiting.account.phc.as_deref()), None, beside).await?;
            if registered != Registered::Taken {
                return if at_once { self.dispatch_now(&message, lifetime).await } else { Ok(()) };
            }
            let mistake = self.which_is_taken(&user).await?;
            if self.settings.answers == Answers::Explicit {
                return Err(mistake.into());
            }
            if mistake.field != "username" {
                // Somebody proved the address a moment ago: they know that they have an account.
                return Ok(());
            }
            // A stranger is not told which names are taken: the account gets one that is like the chosen one, to be changed later.
            waiting.account.username = Some(self.free_username(&waiting.account).await?);
        }
        Ok(())
    }
}
