//! An account that somebody else made is handed over: one mail with the link that sets its password.
//!
//! S-139; PROTOCOL A14 (an administrator never learns a password).

use crate::account::{Accounts, Asking, minutes};
use crate::model::fault::Fault;
use crate::model::job::NewJob;
use crate::model::mailed_link::{LinkPurpose, MailedLink};
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::User;

impl Accounts {
    /// The mail to `address` by which `user` sets their first password, and the link in it.
    ///
    /// # Errors
    /// A fault when it cannot be sealed.
    pub async fn set_password_mail(&self, user: &User, address: &str) -> Result<(NewJob, MailedLink), Fault> {
        let (asking, lifetime) = (Asking::default(), self.settings.lifetimes.set_password);
        let (token, link) = self.link(LinkPurpose::SetPassword, (Some(user), address), &asking, lifetime);
        let data = MessageData {
            url: Some(self.url(LinkPurpose::SetPassword, &token, &asking).await?),
            valid_minutes: Some(minutes(lifetime)),
            ..MessageData::default()
        };
        let kind = (MessageKind::SetPassword, Channel::Mail);
        Ok((self.message(kind, address, (Some(user), &asking), (data, lifetime))?, link))
    }
}
