//! The end of an account (S-021): asked for by its owner, taken back by a link for a while, then final.
//!
//! The account is closed at once and everything that it opened ends with it. Its id is never given again: ids are drawn of 122 random
//! bits.

use crate::account::{AccountError, Accounts, Asking, Why, minutes};
use crate::edge::store::Beside;
use crate::model::event::{Actor, EventName};
use crate::model::fault::Fault;
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{AccountState, IdentifierKind, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// Accounts of one batch of the job.
const BATCH: u32 = 100;

impl Accounts {
    /// Closes the account of `user`, to be purged at the moment that is returned.
    ///
    /// # Errors
    /// That the account may not be used; a fault of the store.
    pub async fn request_deletion(&self, user: &User, asking: &Asking) -> Result<NumericDate, AccountError> {
        let now = self.now();
        let grace = self.settings.lifetimes.deletion_grace;
        let purge_at = now.plus(grace);
        let mut beside = Beside::event(self.event_of(EventName::UserDeletionRequested, user.id, asking));
        if let Some(to) = user.primary(IdentifierKind::Email) {
            let mut data = MessageData::default();
            if !grace.is_zero() {
                let (token, mut link) = self.link(LinkPurpose::DeletionUndo, (Some(user), &to.value), asking, grace);
                link.expires_at = purge_at;
                data.url = Some(self.url(LinkPurpose::DeletionUndo, &token, asking).await?);
                data.valid_minutes = Some(minutes(grace));
                beside = beside.and_link(link);
            }
            let kind = (MessageKind::AccountDeletion, Channel::Mail);
            let useful = grace.max(std::time::Duration::from_hours(24));
            beside = beside.and_job(self.message(kind, &to.value, (Some(user), asking), (data, useful))?);
        }
        if !self.edges.store.request_deletion(user.id, (now, purge_at), beside).await? {
            return Err(Why::AccountDisabled.into());
        }
        if grace.is_zero() {
            self.purge(user, now).await?;
        }
        Ok(purge_at)
    }

    /// True when a link takes a deletion back; it stays good.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn can_undo_deletion(&self, token: &str) -> Result<bool, Fault> {
        let link = self.edges.store.mailed_link(&TokenHash::of(token), LinkPurpose::DeletionUndo, self.now()).await?;
        Ok(link.is_some())
    }

    /// Takes a deletion back.
    ///
    /// # Errors
    /// That the link is used, over or unknown, or the account was disabled meanwhile.
    pub async fn undo_deletion(&self, token: &str, asking: &Asking) -> Result<(), AccountError> {
        let (hash, now) = (TokenHash::of(token), self.now());
        let link = self.edges.store.mailed_link(&hash, LinkPurpose::DeletionUndo, now).await?;
        let link = link.ok_or(Why::LinkInvalid)?;
        let beside = Beside::event(self.event_of(EventName::UserDeletionUndone, link.user, asking));
        let undone = self.edges.store.undo_deletion(&hash, now, beside).await?;
        undone.map(|_| ()).ok_or_else(|| Why::LinkInvalid.into())
    }

    /// Deletes accounts whose time is over: those whose owners asked for it, and those that were never activated.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn purge_accounts(&self) -> Result<(), Fault> {
        let now = self.now();
        loop {
            let due = self.edges.store.users_to_purge(now, BATCH).await?;
            for id in &due {
                if let Some(user) = self.edges.store.user(*id).await? {
                    self.purge(&user, now).await?;
                }
            }
            if due.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn purge(&self, user: &User, now: NumericDate) -> Result<bool, Fault> {
        let reason = match user.state {
            AccountState::Pending { .. } => "not_activated",
            _ => "requested",
        };
        let event = self.edges.event(EventName::UserDeleted).of(user.id).by(Actor::Server).telling("reason", reason);
        let beside = self.edges.farewell(user.id, event).await?;
        self.edges.store.purge_user(user.id, now, beside).await
    }
}
