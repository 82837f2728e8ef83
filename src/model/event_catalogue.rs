//! Every event there is, with what each has to tell: the one list that the writer, the schemas and the documentation are made of.
//!
//! PROTOCOL O3. To add an event: a line in the catalogue below; to tell something new: its meaning in [`MEANINGS`]. Names stay as they
//! are, since others act on them. In debug builds an event that tells anything else is not written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use self::Kind::{Id, Moment, Number, Text, Texts, Word};

/// Something that an event has to tell.
#[derive(Copy, Clone, Debug)]
pub struct Detail {
    /// Its name among the details.
    pub name: &'static str,
    /// Whether every event of this name tells it.
    pub presence: Presence,
    /// What it is.
    pub kind: Kind,
}

/// Whether a detail is there.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Presence {
    /// In every event of the name.
    Always,
    /// Where there is something to tell.
    Maybe,
}

/// What a detail is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Text.
    Text,
    /// A list of texts.
    Texts,
    /// The id of a row, a UUID.
    Id,
    /// Seconds since 1970.
    Moment,
    /// How many.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Kind {
    /// Whether `value` is one of its kind.
    pub fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Self::Id => value.as_str().is_some_and(|text| text.parse::<Uuid>().is_ok()),
            Self::Moment => value.is_i64(),
            Self::Number => value.is_u64(),
            Self::Word(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        }
    }
}

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal { $($detail:ident: $presence:ident $kind:expr),* $(,)? };)*) => {
        /// The name of an event: `noun.verb`, stable.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
        pub enum EventName {
            $($(#[doc = $doc])* #[serde(rename = $text)] $name,)*
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

            /// What happened, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*).trim(),)*
                }
            }

            /// What it has to tell.
            pub const fn details(self) -> &'static [Detail] {
                match self {
                    $(Self::$name => &[$(
                        Detail { name: stringify!($detail), presence: Presence::$presence, kind: $kind },
                    )*],)*
                }
            }
        }
    };
}

/// How an account came to be, or how its making began.
const STEPS: &[&str] = &["code", "link", "sign_in", "invitation", "upstream"];
/// What became of addresses and numbers.
const CONTACT: &[&str] = &["asked", "added", "primary", "removed", "replaced", "undone", "not_me"];
/// What became of second factors.
const FACTOR: &[&str] = &[
    "totp_added",
    "passkey_added",
    "code_factor_added",
    "removed",
    "required",
    "released",
    "reset",
    "backup_codes_made",
    "backup_codes_cleared",
    "backup_code_used",
    "browser_forgotten",
    "not_me",
];
/// What people may do on this server.
const ROLES: &[&str] = &["member", "auditor", "user-support", "admin", "owner"];

catalogue! {
    /// A person signed in, or tried to.
    SignIn = "sign_in" {
        method: Maybe Text, reason: Maybe Text, provider: Maybe Text,
        upstream_acr: Maybe Text, upstream_amr: Maybe Texts, upstream_sid: Maybe Text,
    };
    /// A session ended, or was not ended for somebody who said that it should.
    SessionEnded = "session.ended" { reason: Maybe Text, method: Maybe Text, provider: Maybe Text };
    /// An app was not told that a session is over.
    LogoutNotDelivered = "logout.not_delivered" { reason: Always Text };
    /// An account was made, or its making began.
    UserCreated = "user.created" {
        step: Maybe Word(STEPS), reason: Maybe Text, invitation: Maybe Id, provider: Maybe Text,
    };
    /// An account was activated.
    UserActivated = "user.activated" {};
    /// A profile was changed.
    UserUpdated = "user.updated" { fields: Always Texts };
    /// An account was disabled.
    UserDeactivated = "user.deactivated" {};
    /// An account may be used again.
    UserEnabled = "user.enabled" {};
    /// What somebody may do on this server was changed.
    UserRoleChanged = "user.role_changed" { role: Always Word(ROLES) };
    /// Somebody signed in for the first time to an app that keeps profiles.
    ProfileProvision = "profile.provision" {};
    /// An account was deleted of which an app keeps a profile.
    ProfileDelete = "profile.delete" {};
    /// Somebody was asked in.
    InvitationSent = "invitation.sent" { invitation: Always Id, role: Maybe Word(ROLES) };
    /// An invitation was taken back.
    InvitationRevoked = "invitation.revoked" { invitation: Always Id };
    /// Somebody has an account by an invitation.
    InvitationAccepted = "invitation.accepted" { invitation: Always Id };
    /// A person asked for the end of their account.
    UserDeletionRequested = "user.deletion_requested" {};
    /// They thought better of it.
    UserDeletionUndone = "user.deletion_undone" {};
    /// An account was deleted.
    UserDeleted = "user.deleted" { reason: Maybe Word(&["requested", "not_activated"]) };
    /// A password reset was asked for.
    PasswordResetRequested = "password.reset_requested" { reason: Maybe Word(&["not_me"]) };
    /// A password was reset.
    PasswordReset = "password.reset" {};
    /// A password was changed by its owner.
    PasswordChanged = "password.changed" {};
    /// A change of address was asked for.
    EmailChangeRequested = "email.change_requested" {};
    /// An address was changed, added, removed or made primary.
    EmailChanged = "email.changed" { change: Always Word(CONTACT) };
    /// A forgotten address was asked for.
    EmailRecoveryRequested = "email.recovery_requested" {};
    /// A phone number was changed, added, removed or made primary.
    PhoneChanged = "phone.changed" { change: Always Word(CONTACT) };
    /// Something about second factors was changed.
    MfaChanged = "mfa.changed" { change: Always Word(FACTOR) };
    /// A person asked for their data, the file was made, or they took it.
    DataExported = "data.exported" { step: Always Word(&["requested", "made", "taken"]) };
    /// A person proved again who they are, or tried to.
    StepUp = "session.step_up" { method: Always Text };
    /// Guesses were shut out for a while, or messages were.
    SecurityBlocked = "security.blocked" {
        reason: Always Text, identifier_hash: Maybe Text, until: Maybe Moment, rule: Maybe Text,
    };
    /// A used refresh token came again: its family is revoked.
    TokenReuseDetected = "token.reuse_detected" {};
    /// An identity elsewhere was connected to an account.
    IdentityLinked = "identity.linked" { provider: Always Text };
    /// The connection was cut.
    IdentityUnlinked = "identity.unlinked" { provider: Always Text, change: Maybe Word(&["not_me"]) };
    /// A provider of identities was added, changed or removed.
    ProviderChanged = "provider.changed" { provider: Always Text, change: Always Word(&["added", "changed", "removed"]) };
    /// A person let an app in.
    ConsentGranted = "consent.granted" { scope: Always Text };
    /// A person said yes to a device that waited.
    DeviceApproved = "device.approved" { device_address: Always Text };
    /// A person said no to it.
    DeviceDenied = "device.denied" { device_address: Always Text };
    /// A person took back what an app had, or an administrator did for them.
    ConsentWithdrawn = "consent.withdrawn" {};
    /// A group was made.
    GroupCreated = "group.created" { group: Always Id, name: Always Text };
    /// A group was renamed, described or moved, or asks for other factors.
    GroupChanged = "group.changed" {
        group: Always Id, name: Always Text, second_factor: Maybe Word(&["required", "optional"]),
    };
    /// A group was deleted.
    GroupDeleted = "group.deleted" { group: Always Id, name: Always Text };
    /// Somebody was put into a group.
    GroupMemberAdded = "group.member_added" { group: Always Id, name: Always Text, provider: Maybe Text };
    /// Somebody was taken out of a group.
    GroupMemberRemoved = "group.member_removed" { group: Always Id, name: Always Text, provider: Maybe Text };
    /// An API was made.
    ApiCreated = "api.created" { api: Always Id, audience: Always Text, scope: Always Text };
    /// An API was changed.
    ApiChanged = "api.changed" { api: Always Id, audience: Always Text, scope: Always Text };
    /// An API was deleted.
    ApiDeleted = "api.deleted" { api: Always Id, audience: Always Text, scope: Always Text };
    /// Scopes were kept for the members of a group.
    GroupScopeCreated = "group_scope.created" {
        group_scope: Always Id, group: Always Id, name: Always Text, scope: Always Text,
    };
    /// They are others now.
    GroupScopeChanged = "group_scope.changed" {
        group_scope: Always Id, group: Always Id, name: Always Text, scope: Always Text,
    };
    /// They are no longer kept for them.
    GroupScopeDeleted = "group_scope.deleted" {
        group_scope: Always Id, group: Always Id, name: Always Text, scope: Always Text,
    };
    /// A role was made.
    RoleCreated = "role.created" { role: Always Id, name: Always Text };
    /// A role was described.
    RoleChanged = "role.changed" { role: Always Id, name: Always Text };
    /// A role was deleted.
    RoleDeleted = "role.deleted" { role: Always Id, name: Always Text };
    /// Somebody, or the members of a group, got a role.
    RoleGiven = "role.given" { role: Always Id, name: Always Text, group: Maybe Id };
    /// A role was taken from somebody, or from the members of a group.
    RoleTaken = "role.taken" { role: Always Id, name: Always Text, group: Maybe Id };
    /// Apps are told a claim.
    ClaimMapperCreated = "claim_mapper.created" { claim_mapper: Always Id, name: Always Text };
    /// A claim tells something else, or elsewhere.
    ClaimMapperChanged = "claim_mapper.changed" { claim_mapper: Always Id, name: Always Text };
    /// A claim is told no longer.
    ClaimMapperDeleted = "claim_mapper.deleted" { claim_mapper: Always Id, name: Always Text };
    /// A client was registered.
    ClientCreated = "client.created" { name: Always Text };
    /// A client was changed.
    ClientChanged = "client.changed" { fields: Always Texts };
    /// A client got a new secret.
    ClientSecretRotated = "client.secret_rotated" {};
    /// A client may act again.
    ClientEnabled = "client.enabled" {};
    /// All rights of a client were taken away.
    ClientDisabled = "client.disabled" {};
    /// A client was deleted.
    ClientDeleted = "client.deleted" {};
    /// A job has its turn at once, or another one, or several have.
    JobRetried = "job.retried" { job: Maybe Id, count: Maybe Number };
    /// A job was cancelled, or discarded after it was given up on, or several were.
    JobDiscarded = "job.discarded" { job: Maybe Id, count: Maybe Number };
    /// A key signs from now on.
    KeyActivated = "key.activated" { kid: Always Text, alg: Always Text };
    /// A private key was brought in.
    KeyImported = "key.imported" { kid: Always Text, alg: Always Text };
    /// A key was withdrawn: every token that it signed is refused.
    KeyWithdrawn = "key.withdrawn" { kid: Always Text, alg: Always Text };
    /// A rule of which names are taken was made.
    RuleCreated = "identity_rule.created" { rule: Always Id, type: Always Text, kind: Always Text, pattern: Always Text };
    /// A rule of which names are taken was taken away.
    RuleDeleted = "identity_rule.deleted" { rule: Always Id, type: Always Text, kind: Always Text, pattern: Always Text };
    /// A permission was made.
    PermissionCreated = "permission.created" { name: Always Text };
    /// A permission was described.
    PermissionChanged = "permission.changed" { name: Always Text };
    /// A permission was deleted.
    PermissionDeleted = "permission.deleted" { name: Always Text };
    /// A group or a role got a permission.
    PermissionGiven = "permission.given" { name: Always Text, group: Maybe Id, role: Maybe Id };
    /// A permission was taken from a group or a role.
    PermissionTaken = "permission.taken" { name: Always Text, group: Maybe Id, role: Maybe Id };
}

/// What each detail means, in every event that tells it.
const MEANINGS: &[(&str, &str)] = &[
    ("alg", "The algorithm of the key (RFC 7518)."),
    ("api", "Which API."),
    ("audience", "The audience of the API (RFC 8707)."),
    ("change", "What became of it."),
    ("claim_mapper", "Which claim mapper."),
    ("count", "How many."),
    ("device_address", "The address that the device asked from."),
    ("fields", "The names of the members that were changed; not what they say."),
    ("group", "Which group."),
    ("group_scope", "Which group scope."),
    (
        "identifier_hash",
        "SHA-256 of the name that was tried, in base64url: people type passwords into the field for names.",
    ),
    ("invitation", "Which invitation."),
    ("job", "Which job."),
    ("kid", "Which key, by the name that its tokens bear."),
    ("kind", "What is judged: a username, an address, a number or a caller."),
    ("method", "The way to prove who one is."),
    ("name", "What it is called."),
    ("pattern", "What the rule is about, as it was written."),
    ("provider", "Which provider of identities, by its name in URLs."),
    ("reason", "Why, in a word."),
    ("role", "Which role: its id, or the word for what somebody may do on this server."),
    ("rule", "Which limit was reached, or which rule of names it is."),
    ("scope", "The scopes that were given or kept, separated by blanks (RFC 6749 §3.3)."),
    ("second_factor", "Whether its members are asked for two factors."),
    ("step", "How far it is, or on which way."),
    ("type", "Whether it allows or denies."),
    ("until", "Until when, in seconds since 1970."),
    ("upstream_acr", "What the provider says of the strength of the sign-in there (acr)."),
    ("upstream_amr", "What the provider says of the ways that were used there (amr, RFC 8176)."),
    ("upstream_sid", "The session there, by which the provider may end it."),
];

impl Detail {
    /// What it means.
    pub fn meaning(&self) -> &'static str {
        MEANINGS.iter().find(|(name, _)| *name == self.name).map_or("", |(_, meaning)| *meaning)
    }
}

impl EventName {
    /// The event called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }

    /// What is wrong with `details` as those of an event of this name.
    ///
    /// # Errors
    /// The first that is unknown, of another kind, or missing.
    pub fn check(self, details: &Map<String, Value>) -> Result<(), String> {
        for (name, value) in details {
            let known = self.details().iter().find(|detail| detail.name == name);
            let Some(detail) = known else { return Err(format!("{} tells no {name}", self.as_str())) };
            if !detail.kind.takes(value) {
                return Err(format!("{}: {name} is {:?}, which {value} is not", self.as_str(), detail.kind));
            }
        }
        let must = self.details().iter().filter(|detail| detail.presence == Presence::Always);
        match must.map(|detail| detail.name).find(|name| !details.contains_key(*name)) {
            Some(missing) => Err(format!("{} tells {missing}, which is missing", self.as_str())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn check(name: EventName, details: &Value) -> Result<(), String> {
        name.check(details.as_object().expect("an object"))
    }

    #[test]
    fn every_detail_has_a_meaning_and_every_meaning_a_detail() {
        let told = |name: &EventName| name.details().iter().map(|detail| detail.name).collect::<Vec<_>>();
        let told: BTreeSet<&str> = EventName::ALL.iter().flat_map(told).collect();
        assert_eq!(told, MEANINGS.iter().map(|(name, _)| *name).collect());
        assert!(EventName::ALL.iter().all(|name| name.meaning().ends_with('.')));
        let names: BTreeSet<&str> = EventName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(names.len(), EventName::ALL.len());
    }

    #[test]
    fn an_event_tells_what_the_catalogue_says() {
        let group = "0192f0a0-0000-7000-8000-000000000000";
        assert_eq!(check(EventName::GroupCreated, &json!({"group": group, "name": "staff"})), Ok(()));
        assert_eq!(check(EventName::SignIn, &json!({"upstream_amr": ["pwd"]})), Ok(()));
        for (name, details) in [
            (EventName::GroupCreated, json!({"group": group})),
            (EventName::GroupCreated, json!({"group": "staff", "name": "staff"})),
            (EventName::GroupCreated, json!({"group": group, "name": "staff", "size": 7})),
            (EventName::SignIn, json!({"upstream_amr": "pwd"})),
            (EventName::SecurityBlocked, json!({"reason": "address", "until": "soon"})),
            (EventName::UserRoleChanged, json!({"role": "root"})),
        ] {
            assert!(check(name, &details).is_err(), "{name:?} {details}");
        }
    }
}
