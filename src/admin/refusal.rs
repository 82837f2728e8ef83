//! Why something is not done for an operator.

use std::fmt;

use crate::model::fault::Fault;
use crate::model::group::Group;
use crate::model::user::IdentifierKind;
use crate::protocol::client_metadata::ClientAuthMethod;
use crate::protocol::numeric_date::NumericDate;

/// Why a function of this folder came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AdminError {
    /// It cannot be done as it was asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is administered.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Thing {
    /// Somebody.
    Person,
    /// A group.
    Group,
    /// What only the members of a group may have.
    GroupScope,
    /// A role.
    Role,
    /// A permission.
    Permission,
    /// A claim that apps are told.
    ClaimMapper,
    /// An app.
    Client,
    /// An API.
    Api,
    /// A server elsewhere by which people may sign in.
    Provider,
    /// A key that signs tokens.
    Key,
    /// A rule of which names are taken.
    Rule,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "person",
            Self::Group => "group",
            Self::GroupScope => "group scope",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::ClaimMapper => "claim mapper",
            Self::Client => "client",
            Self::Api => "API",
            Self::Provider => "provider",
            Self::Key => "key",
            Self::Rule => "rule",
        })
    }
}

/// Why something is not done, in a line with a cure.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It names what is not there.
    #[error("there is no {what} {name}")]
    Unknown {
        /// What.
        what: Thing,
        /// As it was named.
        name: String,
    },
    /// Something of that name is there.
    #[error("there is a {what} of this name already")]
    Taken {
        /// What.
        what: Thing,
    },
    /// Somebody has this name, address or number.
    #[error("this {} is taken", .0.as_str())]
    NameTaken(IdentifierKind),
    /// A value is not well formed.
    #[error("{field}: {rule}")]
    Malformed {
        /// Which.
        field: &'static str,
        /// What it has to be.
        rule: String,
    },
    /// What it cannot be without is not given.
    #[error("{} missing", fields.join(", "))]
    Missing {
        /// Which fields.
        fields: Vec<&'static str>,
    },
    /// A group would stand within itself.
    #[error("a group cannot stand within itself or within a group that stands within it")]
    Circle,
    /// Groups would nest too deep.
    #[error("groups nest at most {} deep", Group::MAX_DEPTH)]
    TooDeep,
    /// Other groups stand within it.
    #[error("other groups stand within it; move or delete them first")]
    InUse,
    /// Nobody acts on those above them, or gives more than they have.
    #[error("this takes a higher role on this server")]
    AboveRank,
    /// What the actor wants to do to themself is done on the pages of their own account.
    #[error("one's own second factors are changed on the security page")]
    OwnAccount,
    /// Nobody may invite here, or not who has this role.
    #[error("this server lets others invite; see `registration.invitations`")]
    MayNotInvite,
    /// It authenticates in another way.
    #[error("it has no secret: it authenticates by {}", .0.as_str())]
    NoSecret(ClientAuthMethod),
    /// Clients do not know the next keys yet.
    #[error("clients do not know the next keys yet")]
    KeysNotKnown {
        /// From then on they do.
        from: NumericDate,
    },
    /// Somebody has to be able to operate the server.
    #[error("the last owner stays one; make somebody else an owner first")]
    LastOwner,
    /// Somebody changed it meanwhile.
    #[error("it was changed meanwhile; look at it again")]
    Stale,
}

impl Refusal {
    /// `value` of `field` breaks `rule`.
    pub(super) fn malformed(field: &'static str, rule: impl fmt::Display) -> Self {
        Self::Malformed { field, rule: rule.to_string() }
    }
}
