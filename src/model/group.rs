//! Groups of people, and what only their members may have.
//!
//! S-147, S-149. A group may stand within another, and whoever is in it is in that one too.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::model::id::{GroupId, GroupScopeId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

/// A group of people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// The row.
    pub id: GroupId,
    /// The group that it stands within.
    pub parent: Option<GroupId>,
    /// Its name among its siblings.
    pub name: GroupName,
    /// What it is for.
    pub description: String,
    /// Since when its members are asked for two factors at each sign-in, if they are.
    pub second_factor_at: Option<NumericDate>,
    /// When it was made.
    pub created_at: NumericDate,
    /// When it last changed.
    pub updated_at: NumericDate,
}

impl Group {
    /// How deep groups may nest.
    pub const MAX_DEPTH: usize = 64;
}

/// The name of a group: 1 to 64 characters, none of them `/` or a control character; NFC, without spaces around it.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// The text is no name of a group.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a group's name is 1 to 64 characters, without slashes and control characters")]
pub struct GroupNameError;

impl GroupName {
    /// The most characters.
    pub const MAX_LENGTH: usize = 64;

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one form in which siblings are told apart.
    pub fn lookup(&self) -> String {
        self.0.nfkc().collect::<String>().to_lowercase()
    }
}

impl FromStr for GroupName {
    type Err = GroupNameError;

    fn from_str(text: &str) -> Result<Self, GroupNameError> {
        let name: String = text.trim().nfc().collect();
        let length = name.chars().count();
        // NFKC: a full-width slash would be one in the form that is looked up.
        let allowed = |letter: char| letter != '/' && !letter.is_control();
        let fits = (1..=Self::MAX_LENGTH).contains(&length) && name.nfkc().all(allowed);
        if fits { Ok(Self(name)) } else { Err(GroupNameError) }
    }
}

impl TryFrom<String> for GroupName {
    type Error = GroupNameError;

    fn try_from(text: String) -> Result<Self, GroupNameError> {
        text.parse()
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scopes that only members of a group may have (S-149).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupScope {
    /// The row.
    pub id: GroupScopeId,
    /// Whose members.
    pub group: GroupId,
    /// What operators call it.
    pub name: String,
    /// The scopes.
    pub scopes: Scope,
}

/// Somebody who was put into a group.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Since when.
    pub since: NumericDate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form_and_no_slash() {
        for (text, name) in [
            (" Staff ", Some("Staff")),
            ("Zu\u{0308}rich", Some("Zürich")),
            ("R & D", Some("R & D")),
            ("", None),
            ("  ", None),
            ("a/b", None),
            ("a／b", None),
            ("a\nb", None),
        ] {
            assert_eq!(text.parse::<GroupName>().ok().as_ref().map(GroupName::as_str), name, "{text:?}");
        }
        assert!("ü".repeat(64).parse::<GroupName>().is_ok());
        assert!("ü".repeat(65).parse::<GroupName>().is_err());
        let lookup = |text: &str| text.parse::<GroupName>().map(|name| name.lookup());
        assert_eq!(lookup("Ｓtaff"), lookup("STAFF"));
    }
}
