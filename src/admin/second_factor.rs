//! Second factors of other people: asked for, or taken away from who has lost them.
//!
//! S-114, S-141; NIST SP 800-63B-4 §4.2 (account recovery). No secret and no code is ever shown here. Nobody takes their own away by rank:
//! that is done on the security page, by who proves them.

use super::{AdminError, Administration, Changed, Refusal};
use crate::authn::second_factor::notices;
use crate::edge::store::{Beside, Elsewhere};
use crate::model::event::{Actor, EventName};
use crate::model::message::MessageKind;
use crate::model::user::User;

/// What is done to somebody's second factors.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum FactorChange {
    /// One is asked for at each sign-in; who has none sets one up.
    Require,
    /// All of them are taken away, with the backup codes; every session and token ends.
    Reset,
    /// The backup codes are of no use any more.
    ClearBackupCodes,
}

impl FactorChange {
    /// As events tell it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Require => "required",
            Self::Reset => "reset",
            Self::ClearBackupCodes => "backup_codes_cleared",
        }
    }
}

impl Administration {
    /// Changes how somebody stands to second factors, and sends a notice to every address of theirs.
    ///
    /// # Errors
    /// When they are above the actor, or the actor themself.
    pub async fn change_second_factor(&self, user: &User, change: FactorChange) -> Result<Changed, AdminError> {
        if self.by == Actor::User(user.id) {
            return Err(Refusal::OwnAccount.into());
        }
        self.check_reach(user)?;
        let store = &self.edges.store;
        let event = self.event_about(EventName::MfaChanged, user).telling("change", change.as_str());
        let notices = notices(&self.edges, user, (MessageKind::MfaChanged, None), None)?;
        let beside = notices.into_iter().fold(Beside::event(event), Beside::and_job);
        let changed = match change {
            FactorChange::Require if store.second_factor(user.id).await?.required_at.is_some() => false,
            FactorChange::Require => {
                store.require_second_factor(user.id, Elsewhere::Stays, self.now(), beside).await?;
                true
            }
            FactorChange::Reset => store.reset_second_factor(user.id, self.now(), beside).await?,
            FactorChange::ClearBackupCodes => store.drop_backup_codes(user.id, beside).await?,
        };
        Ok(if changed { Changed::Yes } else { Changed::No })
    }
}
