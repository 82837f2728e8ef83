//! One thing done to many people: to each by the rules for them alone.
//!
//! S-138, S-141.

use super::second_factor::FactorChange;
use super::{AdminError, Administration, Changed};
use crate::edge::store::Give;
use crate::model::group::Group;
use crate::model::user::{Role, User};

/// What is done.
#[derive(Clone, Debug)]
pub enum BulkAction {
    /// They are let in again.
    Enable,
    /// They are kept out: every session and token ends.
    Disable,
    /// Every session and token ends.
    SignOut,
    /// Their accounts go, with everything of them.
    Delete,
    /// Their second factors change.
    SecondFactor(FactorChange),
    /// They are put into a group, or taken out of it.
    Group(Give, Group),
}

impl BulkAction {
    /// The least role that may do it.
    pub const fn role(&self) -> Role {
        match self {
            Self::Delete | Self::Group(..) => Role::Admin,
            Self::Enable | Self::Disable | Self::SignOut | Self::SecondFactor(_) => Role::UserSupport,
        }
    }

    /// Whether it takes a fresh proof of who does it.
    pub const fn is_dangerous(&self) -> bool {
        matches!(self, Self::Delete | Self::SecondFactor(_))
    }
}

impl Administration {
    /// Does it to one of them; a second time it changes nothing.
    ///
    /// # Errors
    /// As the function for one person.
    pub async fn act_on(&self, user: &User, action: &BulkAction) -> Result<Changed, AdminError> {
        match action {
            BulkAction::Enable => self.enable(user).await,
            BulkAction::Disable => self.disable(user).await,
            BulkAction::SignOut => self.sign_out(user).await.map(|()| Changed::Yes),
            BulkAction::Delete => self.delete_person(user).await.map(|()| Changed::Yes),
            BulkAction::SecondFactor(change) => self.change_second_factor(user, *change).await,
            BulkAction::Group(give, group) => self.change_member(*give, (user, group)).await,
        }
    }
}
