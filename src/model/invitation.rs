//! Invitations: somebody may have an account whose address or number an inviter knows.
//!
//! S-016. An invitation is good once, until it runs out or is taken back, and while its inviter may still give what it gives.

use serde::{Deserialize, Serialize};

use crate::model::id::{ClientId, GroupId, InvitationId, UserId};
use crate::model::user::{IdentifierKind, Role, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::TokenHash;

/// Who may invite.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Inviters {
    /// Nobody.
    Nobody,
    /// Who looks after people.
    Staff,
    /// Everybody who has an account.
    Everybody,
}

impl Inviters {
    /// True when somebody with this role may.
    pub fn allow(self, role: Role) -> bool {
        match self {
            Self::Nobody => false,
            Self::Staff => role >= Role::UserSupport,
            Self::Everybody => true,
        }
    }
}

/// An invitation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The hash of what the message holds.
    pub token: TokenHash,
    /// Whether `address` is an e-mail address or a phone number.
    pub kind: IdentifierKind,
    /// Where the message goes; who accepts has proven it.
    pub address: String,
    /// What is known of the person.
    pub profile: Profile,
    /// Groups that the person is put into.
    pub groups: Vec<GroupId>,
    /// What they may do on this server.
    pub role: Role,
    /// The app that they are invited to.
    pub client: Option<ClientId>,
    /// Who invites; nobody of ours on the command line.
    pub invited_by: Option<UserId>,
    /// When.
    pub created_at: NumericDate,
    /// From then on it is of no use.
    pub expires_at: NumericDate,
    /// What became of it.
    pub fate: Option<Fate>,
}

/// What became of an invitation.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// The account is there.
    Accepted {
        /// When.
        at: NumericDate,
        /// Whose.
        by: Option<UserId>,
    },
    /// It was taken back.
    Revoked {
        /// When.
        at: NumericDate,
    },
}

impl Invitation {
    /// Where it stands at `now`: `waiting`, `accepted`, `revoked`, `expired`.
    pub fn state(&self, now: NumericDate) -> &'static str {
        match self.fate {
            Some(Fate::Accepted { .. }) => "accepted",
            Some(Fate::Revoked { .. }) => "revoked",
            None if self.expires_at.is_past(now) => "expired",
            None => "waiting",
        }
    }

    /// True while `inviter` may give what it gives. On the command line nobody is asked for their rank.
    pub fn is_within_reach_of(&self, inviter: Option<&User>, inviters: Inviters) -> bool {
        match (self.invited_by, inviter) {
            (None, _) => inviters != Inviters::Nobody,
            (Some(_), None) => false,
            (Some(_), Some(inviter)) => {
                let may_give_role = self.role == Role::Member || inviter.role.may_change(self.role);
                let may_give_groups = self.groups.is_empty() || inviter.role >= Role::Admin;
                inviter.is_enabled() && inviters.allow(inviter.role) && may_give_role && may_give_groups
            }
        }
    }
}
