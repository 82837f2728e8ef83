//! A sign-in from a browser that was not seen before: its person is told, and can say that it was not them.
//!
//! S-096, NIST SP 800-63B-4 §2.3.4. What the link in the mail does is done by a button on its page, since scanners open links: every session
//! and token ends, the password is gone with whatever was set up since ([`crate::account::intruder`]), and whoever reads the mailbox
//! sets a new one.

use crate::account::dispatch::NOTICE;
use crate::account::intruder::WentAway;
use crate::account::{AccountError, Accounts, Asking, Why};
use crate::edge::store::{Beside, Denial};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::IdentifierKind;
use crate::protocol::secret::{Secret, TokenHash};

/// By what a browser or app is known again.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Surface {
    /// A browser, which keeps a mark; this one has none for the person.
    UnmarkedBrowser,
    /// An app, which keeps no cookies: it is known by its name for itself.
    App,
}

impl Accounts {
    /// What is written beside a sign-in of `user`: a mail, when the browser was not seen before. The first sign-in of a new account is
    /// told to nobody: there is nothing to compare it with.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn notice_of_sign_in(&self, user: UserId, surface: Surface, asking: &Asking) -> Result<Beside, Fault> {
        let nothing = Ok(Beside::default());
        let Some(user) = self.edges.store.user(user).await? else { return nothing };
        let email = user.primary(IdentifierKind::Email).filter(|email| email.verified_at.is_some());
        let Some(email) = email.map(|email| email.value.clone()) else { return nothing };
        let seen = self.edges.store.seen_at_sign_in(user.id, &asking.provenance).await?;
        // Whose account is older than what is remembered may have signed in and been forgotten.
        let is_first = !seen.anywhere && !user.created_at.plus(self.settings.history).is_past(self.now());
        let is_known = match surface {
            Surface::UnmarkedBrowser => seen.same_browser_and_address,
            Surface::App => seen.same_browser,
        };
        if is_first || is_known {
            return nothing;
        }
        let lifetime = self.settings.lifetimes.new_device;
        let (token, link) = self.link(LinkPurpose::NotMe, (Some(&user), &email), asking, lifetime);
        let data =
            MessageData { url: Some(self.url(LinkPurpose::NotMe, &token, asking).await?), ..MessageData::default() };
        let about = (Some(&*user), asking);
        let job = self.message((MessageKind::NewDevice, Channel::Mail), &email, about, (data, NOTICE))?;
        Ok(Beside::default().and_job(job).and_link(link))
    }

    /// True while "this was not me" can be said with `token`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn can_deny_sign_in(&self, token: &str) -> Result<bool, Fault> {
        let link = self.edges.store.mailed_link(&TokenHash::of(token), LinkPurpose::NotMe, self.now()).await?;
        Ok(link.is_some())
    }

    /// "This was not me": ends everything of the person, their password too, and takes away what was set up since that sign-in. Returns
    /// who it is, and the token with which a new password is set.
    ///
    /// # Errors
    /// That the link is used, over or unknown; a fault of the store.
    pub async fn deny_sign_in(&self, token: &str, asking: &Asking) -> Result<(UserId, Secret), AccountError> {
        let (hash, now) = (TokenHash::of(token), self.now());
        let link = self.edges.store.mailed_link(&hash, LinkPurpose::NotMe, now).await?.ok_or(Why::LinkInvalid)?;
        let user = self.edges.store.user(link.user).await?.ok_or(Why::LinkInvalid)?;
        let event = self.event_of(EventName::PasswordResetRequested, link.user, asking).telling("reason", "not_me");
        let told = self.told_of_gone((&user, &link.address), event, asking).await?;
        let address = self.proven(&link.address)?;
        let denial = Denial { link: hash, address, since: Self::since(&user, link.created_at) };
        let gone = self.edges.store.deny_sign_in(denial, now, told).await?.ok_or(Why::LinkInvalid)?;
        // Of the epoch that has just begun. Were it lost here, "forgot your password?" does the same.
        let user = self.edges.store.user(link.user).await?.ok_or(Why::LinkInvalid)?;
        let about = (Some(&*user), link.address.as_str());
        let (reset, mut link) = self.link(LinkPurpose::PasswordReset, about, asking, self.settings.lifetimes.reset);
        WentAway::of(&gone).tell(&mut link.details);
        self.edges.store.record(Beside::default().and_link(link)).await?;
        Ok((user.id, reset))
    }
}
