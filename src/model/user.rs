//! A person and the names by which they are found.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::model::epoch::Epoch;
use crate::model::id::{IdentifierId, UserId};
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
    /// Since when the account may not be used.
    pub disabled_at: Option<NumericDate>,
}

/// What a person may do on this server.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sign in.
    #[default]
    Member,
    /// Operate the server.
    Owner,
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

/// What a person typed as their name, in the one form by which it is looked up: NFKC, trimmed, lower case.
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
        self.disabled_at.is_none()
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
