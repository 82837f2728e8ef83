//! What happened, in the words of one catalogue: a person's history, the operator's audit and later the webhooks read the same record.
//!
//! PROTOCOL O3. To add an event: a line in the catalogue below. No secret, code or whole token is ever told.

use serde::{Deserialize, Serialize};

use crate::model::id::{ClientId, EventId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;

/// Where a request came from.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The address as limits count it.
    pub address: String,
    /// The browser's name for itself, cut to 256 characters.
    pub user_agent: String,
    /// The name of the request in the log.
    pub trace_id: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The row.
    pub id: EventId,
    /// When.
    pub at: NumericDate,
    /// What.
    pub name: EventName,
    /// How it ended.
    pub outcome: Outcome,
    /// Whom it concerns.
    pub user: Option<UserId>,
    /// Who did it.
    pub actor: Actor,
    /// Through which app.
    pub client: Option<ClientId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// Where the request came from.
    pub provenance: Provenance,
    /// What else there is to tell, by stable names: `method`, `reason`.
    pub details: serde_json::Map<String, serde_json::Value>,
}

impl Event {
    /// Something that happened `at` a moment: a success of the server's own, until it is said whom it concerns.
    pub fn new(id: EventId, at: NumericDate, name: EventName) -> Self {
        Self {
            id,
            at,
            name,
            outcome: Outcome::Success,
            user: None,
            actor: Actor::Server,
            client: None,
            session: None,
            provenance: Provenance::default(),
            details: serde_json::Map::new(),
        }
    }

    /// It concerns `user`, who did it themselves.
    #[must_use]
    pub fn of(self, user: UserId) -> Self {
        Self { user: Some(user), actor: Actor::User(user), ..self }
    }

    /// It concerns `user`; somebody else did it.
    #[must_use]
    pub fn concerning(self, user: UserId) -> Self {
        Self { user: Some(user), ..self }
    }

    /// `actor` did it.
    #[must_use]
    pub fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// It was refused.
    #[must_use]
    pub fn failed(self) -> Self {
        Self { outcome: Outcome::Failure, ..self }
    }

    /// Through the app `client`.
    #[must_use]
    pub fn through(self, client: &ClientId) -> Self {
        Self { client: Some(client.clone()), ..self }
    }

    /// In `session`.
    #[must_use]
    pub fn within(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    /// The request came from there.
    #[must_use]
    pub fn from(self, provenance: Provenance) -> Self {
        Self { provenance, ..self }
    }

    /// With one more thing to tell; never a secret, a code or a whole token.
    #[must_use]
    pub fn telling(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// How something ended.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As asked.
    Success,
    /// It was refused.
    Failure,
}

impl Outcome {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// The outcome stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Success, Self::Failure].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Who did something.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// Somebody who has not proven who they are.
    Anonymous,
    /// The person it concerns, or an administrator.
    User(UserId),
    /// An app.
    Client(ClientId),
    /// An operator on the command line.
    Operator,
    /// The server, by its own rules.
    Server,
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The name of an event: `noun.verb`, stable.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
        pub enum EventName {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl EventName {
            /// The whole catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

catalogue! {
    /// A person signed in, or tried to (`method`, `reason`; `provider`, `upstream_acr`, `upstream_amr` and `upstream_sid` of who vouched for
    /// them).
    SignIn = "sign_in";
    /// A session ended (`reason`).
    SessionEnded = "session.ended";
    /// An app was not told that a session is over (`reason`).
    LogoutNotDelivered = "logout.not_delivered";
    /// An account was made.
    UserCreated = "user.created";
    /// An account was activated.
    UserActivated = "user.activated";
    /// A profile was changed (`fields`).
    UserUpdated = "user.updated";
    /// An account was disabled.
    UserDeactivated = "user.deactivated";
    /// An account may be used again.
    UserEnabled = "user.enabled";
    /// What somebody may do on this server was changed (`role`).
    UserRoleChanged = "user.role_changed";
    /// Somebody was asked in (`invitation`, `role`).
    InvitationSent = "invitation.sent";
    /// An invitation was taken back (`invitation`).
    InvitationRevoked = "invitation.revoked";
    /// Somebody has an account by an invitation (`invitation`).
    InvitationAccepted = "invitation.accepted";
    /// A deletion was asked for, or undone.
    UserDeletionRequested = "user.deletion_requested";
    /// A deletion was undone.
    UserDeletionUndone = "user.deletion_undone";
    /// An account was deleted.
    UserDeleted = "user.deleted";
    /// A password reset was asked for.
    PasswordResetRequested = "password.reset_requested";
    /// A password was reset.
    PasswordReset = "password.reset";
    /// A password was changed by its owner.
    PasswordChanged = "password.changed";
    /// A change of address was asked for.
    EmailChangeRequested = "email.change_requested";
    /// An address was changed, added, removed or made primary.
    EmailChanged = "email.changed";
    /// A forgotten address was asked for.
    EmailRecoveryRequested = "email.recovery_requested";
    /// A phone number was changed, added, removed or made primary.
    PhoneChanged = "phone.changed";
    /// The second factor was changed (`change`).
    MfaChanged = "mfa.changed";
    /// Data was exported.
    DataExported = "data.exported";
    /// A person proved again who they are (`method`).
    StepUp = "session.step_up";
    /// Guesses were shut out for a while (`until`, `reason`).
    SecurityBlocked = "security.blocked";
    /// A used refresh token came again: its family is revoked.
    TokenReuseDetected = "token.reuse_detected";
    /// An identity elsewhere was connected to an account (`provider`).
    IdentityLinked = "identity.linked";
    /// The connection was cut (`provider`).
    IdentityUnlinked = "identity.unlinked";
    /// A provider of identities was added, changed or removed (`provider`, `change`).
    ProviderChanged = "provider.changed";
    /// A person let an app in.
    ConsentGranted = "consent.granted";
    /// A person said yes to a device that waited (`device_address`).
    DeviceApproved = "device.approved";
    /// A person said no to it (`device_address`).
    DeviceDenied = "device.denied";
    /// A person took it back.
    ConsentWithdrawn = "consent.withdrawn";
    /// A group was made (`group`, `name`).
    GroupCreated = "group.created";
    /// A group was renamed, described or moved (`group`, `name`).
    GroupChanged = "group.changed";
    /// A group was deleted (`group`, `name`).
    GroupDeleted = "group.deleted";
    /// Somebody was put into a group (`group`, `name`).
    GroupMemberAdded = "group.member_added";
    /// Somebody was taken out of a group (`group`, `name`).
    GroupMemberRemoved = "group.member_removed";
    /// An API was made (`api`, `audience`, `scope`).
    ApiCreated = "api.created";
    /// An API was changed (`api`, `audience`, `scope`).
    ApiChanged = "api.changed";
    /// An API was deleted (`api`, `audience`, `scope`).
    ApiDeleted = "api.deleted";
    /// Scopes were kept for the members of a group (`group_scope`, `group`, `name`, `scope`).
    GroupScopeCreated = "group_scope.created";
    /// They are others now (`group_scope`, `group`, `name`, `scope`).
    GroupScopeChanged = "group_scope.changed";
    /// They are no longer kept for them (`group_scope`, `group`, `name`, `scope`).
    GroupScopeDeleted = "group_scope.deleted";
    /// A role was made (`role`, `name`).
    RoleCreated = "role.created";
    /// A role was described (`role`, `name`).
    RoleChanged = "role.changed";
    /// A role was deleted (`role`, `name`).
    RoleDeleted = "role.deleted";
    /// Somebody, or the members of a group, got a role (`role`, `name`, `group`).
    RoleGiven = "role.given";
    /// A role was taken from somebody, or from the members of a group (`role`, `name`, `group`).
    RoleTaken = "role.taken";
    /// Apps are told a claim (`claim_mapper`, `name`).
    ClaimMapperCreated = "claim_mapper.created";
    /// A claim tells something else, or elsewhere (`claim_mapper`, `name`).
    ClaimMapperChanged = "claim_mapper.changed";
    /// A claim is told no longer (`claim_mapper`, `name`).
    ClaimMapperDeleted = "claim_mapper.deleted";
    /// A client was registered (`name`).
    ClientCreated = "client.created";
    /// A client was changed (`fields`).
    ClientChanged = "client.changed";
    /// A client got a new secret.
    ClientSecretRotated = "client.secret_rotated";
    /// A client may act again.
    ClientEnabled = "client.enabled";
    /// All rights of a client were taken away.
    ClientDisabled = "client.disabled";
    /// A client was deleted.
    ClientDeleted = "client.deleted";
    /// A job has its turn at once, or another one (`job`, or how many: `count`).
    JobRetried = "job.retried";
    /// A job was cancelled, or discarded after it was given up on (`job`, or how many: `count`).
    JobDiscarded = "job.discarded";
    /// A key signs from now on (`kid`, `alg`).
    KeyActivated = "key.activated";
    /// A private key was brought in (`kid`, `alg`).
    KeyImported = "key.imported";
    /// A key was withdrawn: every token it signed is refused (`kid`, `alg`).
    KeyWithdrawn = "key.withdrawn";
    /// A rule of which names are taken was made (`rule`, `type`, `kind`, `pattern`).
    RuleCreated = "identity_rule.created";
    /// A rule of which names are taken was taken away (`rule`, `type`, `kind`, `pattern`).
    RuleDeleted = "identity_rule.deleted";
    /// A permission was made (`name`).
    PermissionCreated = "permission.created";
    /// A permission was described (`name`).
    PermissionChanged = "permission.changed";
    /// A permission was deleted (`name`).
    PermissionDeleted = "permission.deleted";
    /// A group or a role got a permission (`name`, `group`, `role`).
    PermissionGiven = "permission.given";
    /// A permission was taken from a group or a role (`name`, `group`, `role`).
    PermissionTaken = "permission.taken";
}

impl EventName {
    /// The event called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }
}
