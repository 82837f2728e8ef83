//! A person and the names by which they are found.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use crate::model::epoch::Epoch;
use crate::model::id::{IdentifierId, UserId};
use crate::model::identifier::Phone;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// Who; the public `sub`.
    pub id: UserId,
    /// Standard claims.
    pub profile: Profile,
    /// E-mail addresses, phone numbers, usernames.
    pub identifiers: Vec<Identifier>,
    /// What they may do here.
    pub role: Role,
    /// Tokens, sessions and links of an earlier epoch are dead.
    pub auth_epoch: Epoch,
    /// When the account was made.
    pub created_at: NumericDate,
    /// When the profile last changed; `updated_at`.
    pub updated_at: NumericDate,
    /// Whether the account may be used, and if not, why.
    pub state: AccountState,
    /// What the operator wants to know of people beside the standard claims, by the names of the settings.
    pub attributes: Map<String, Value>,
    /// When they last signed in.
    pub last_sign_in_at: Option<NumericDate>,
}

/// Whether an account may be used, and if not, why: the reasons are different things, and only the first two end by what its owner
/// does.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum AccountState {
    /// It may be used.
    #[default]
    Active,
    /// It was made, and waits for its owner to prove an address.
    Pending {
        /// Since when.
        since: NumericDate,
        /// When it goes if nobody does.
        purge_at: Option<NumericDate>,
    },
    /// Its owner asked for its deletion, and may take that back until it goes.
    Deletion {
        /// Since when.
        since: NumericDate,
        /// When it goes.
        purge_at: Option<NumericDate>,
    },
    /// An administrator disabled it.
    Disabled {
        /// Since when.
        since: NumericDate,
    },
}

impl AccountState {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending { .. } => "pending",
            Self::Deletion { .. } => "deletion",
            Self::Disabled { .. } => "disabled",
        }
    }

    /// Since when the account may not be used.
    pub const fn closed_at(self) -> Option<NumericDate> {
        match self {
            Self::Active => None,
            Self::Pending { since, .. } | Self::Deletion { since, .. } | Self::Disabled { since } => Some(since),
        }
    }

    /// When the account goes.
    pub const fn purge_at(self) -> Option<NumericDate> {
        match self {
            Self::Active | Self::Disabled { .. } => None,
            Self::Pending { purge_at, .. } | Self::Deletion { purge_at, .. } => purge_at,
        }
    }
}

/// What a person may do on this server; each may do what those before it may.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sign in.
    #[default]
    Member,
    /// See everything, and change nothing.
    Auditor,
    /// Look after people.
    UserSupport,
    /// Look after groups and apps as well.
    Admin,
    /// Operate the server.
    Owner,
}

impl Role {
    /// Every one, the lowest first.
    pub const ALL: &'static [Self] = &[Self::Member, Self::Auditor, Self::UserSupport, Self::Admin, Self::Owner];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::UserSupport => "user-support",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    /// Whether who has this role may change somebody of `other`'s: nobody touches their equals but owners.
    pub fn may_change(self, other: Self) -> bool {
        self > other || self == Self::Owner
    }
}

/// A name by which a person is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identifier {
    /// The row.
    pub id: IdentifierId,
    /// Which kind.
    pub kind: IdentifierKind,
    /// As the person wrote it.
    pub value: String,
    /// When the person proved that it is theirs.
    pub verified_at: Option<NumericDate>,
    /// The one of its kind that is shown and told to clients.
    pub is_primary: bool,
}

/// Kinds of identifier.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A phone number in E.164.
    Phone,
    /// A chosen name.
    Username,
}

impl IdentifierKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Username => "username",
        }
    }

    /// The kind stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Email, Self::Phone, Self::Username].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a person typed as their name, in the one form by which it is looked up: NFKC, trimmed, lower case; a phone number in E.164.
///
/// Why one form for all kinds: a username holds no `@` and does not look like a phone number, so the kinds cannot meet.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct LookupName(String);

impl LookupName {
    /// The largest name we look up, in bytes.
    pub const MAX_LENGTH: usize = 320;

    /// The canonical form of `typed`; `None` when it is empty, too long or holds control characters.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > Self::MAX_LENGTH {
            return None;
        }
        let canonical = typed.trim().nfkc().collect::<String>().to_lowercase();
        // A number is written in many ways (S-010).
        let canonical = Phone::parse(&canonical).map_or(canonical, |phone| phone.as_str().to_owned());
        let usable = !canonical.is_empty() && !canonical.chars().any(char::is_control);
        usable.then_some(Self(canonical))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl User {
    /// True when the account may be used.
    pub const fn is_enabled(&self) -> bool {
        matches!(self.state, AccountState::Active)
    }

    /// The identifier of this row.
    pub fn identifier(&self, id: IdentifierId) -> Option<&Identifier> {
        self.identifiers.iter().find(|identifier| identifier.id == id)
    }

    /// The identifier that is looked up as `name`.
    pub fn named(&self, name: &LookupName) -> Option<&Identifier> {
        self.identifiers.iter().find(|identifier| LookupName::parse(&identifier.value).as_ref() == Some(name))
    }

    /// The identifier that is looked up as `name`, where this person has proven that it is theirs: one that nobody has proven owns
    /// nothing (PROTOCOL A22).
    pub fn proven(&self, name: &LookupName) -> Option<&Identifier> {
        self.named(name).filter(|own| own.verified_at.is_some())
    }

    /// Whether `name` is theirs and nobody else's: they have proven it, or an administrator switched the account off, which nobody gets
    /// around by a proof (S-019).
    pub fn owns(&self, name: &LookupName) -> bool {
        let is_switched_off = matches!(self.state, AccountState::Disabled { .. });
        self.named(name).is_some_and(|own| own.verified_at.is_some() || is_switched_off)
    }

    /// The identifiers of one kind.
    pub fn of_kind(&self, kind: IdentifierKind) -> impl Iterator<Item = &Identifier> {
        self.identifiers.iter().filter(move |identifier| identifier.kind == kind)
    }

    /// The primary identifier of `kind`, else the first.
    pub fn primary(&self, kind: IdentifierKind) -> Option<&Identifier> {
        let mut of_kind = self.identifiers.iter().filter(|identifier| identifier.kind == kind);
        let first = of_kind.clone().next();
        of_kind.find(|identifier| identifier.is_primary).or(first)
    }

    /// The username, else the e-mail address, else the phone number: what the person types.
    pub fn login(&self) -> &str {
        [IdentifierKind::Username, IdentifierKind::Email, IdentifierKind::Phone]
            .into_iter()
            .find_map(|kind| self.primary(kind))
            .map_or("", |identifier| &identifier.value)
    }

    /// The name for pages.
    pub fn display_name(&self) -> &str {
        self.profile.name.as_deref().unwrap_or_else(|| self.login())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_each_name() {
        for (typed, canonical) in [
            (" Alice@Example.COM ", Some("alice@example.com")),
            ("ａｌｉｃｅ", Some("alice")),
            ("  ", None),
            ("a\0b", None),
        ] {
            assert_eq!(LookupName::parse(typed).as_ref().map(LookupName::as_str), canonical, "{typed:?}");
        }
        assert!(LookupName::parse(&"x".repeat(321)).is_none());
    }
}
