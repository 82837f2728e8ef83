//! Roles and permissions: what apps are told that a person may do in them.
//!
//! S-147, S-148. This server only tells; it lets nobody in by them. What a person may do *here* is [`crate::model::user::Role`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::id::{ClientId, RoleId};

/// A role, of one app or of all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppRole {
    /// The row.
    pub id: RoleId,
    /// The app that it is a role of; `None`: every app is told of it.
    pub client: Option<ClientId>,
    /// Its name among those of the app.
    pub name: RoleName,
    /// What it is for.
    pub description: String,
}

/// The name of a role: 1 to 64 letters, digits and `. _ - :`.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleName(String);

/// What is allowed to be done with something in an app: `app:resource:action`, each 1 to 64 letters, digits and `. _ -`.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PermissionName(String);

/// A permission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permission {
    /// Its name, which is all that apps see of it.
    pub name: PermissionName,
    /// What it is for.
    pub description: String,
}

/// The text names no role or permission.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// A role.
    #[error("a role's name is 1 to 64 letters, digits and . _ - :")]
    Role,
    /// A permission.
    #[error("a permission is app:resource:action, each of 1 to 64 letters, digits and . _ -")]
    Permission,
}

/// The most characters of a name, or of one part of it.
const MAX_LENGTH: usize = 64;

fn is_word(text: &str, also: &[u8]) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || also.contains(&byte);
    (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed)
}

impl FromStr for RoleName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_word(text, b"._-:") { Ok(Self(text.to_owned())) } else { Err(NameError::Role) }
    }
}

impl FromStr for PermissionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts: Vec<&str> = text.split(':').collect();
        let fits = parts.len() == 3 && parts.iter().all(|part| is_word(part, b"._-"));
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Permission) }
    }
}

macro_rules! text {
    ($($name:ident)*) => {$(
        impl $name {
            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text! { RoleName PermissionName }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_has_three_parts() {
        for (text, good) in [
            ("shop:orders:read", true),
            ("shop.eu:order-lines:read_all", true),
            ("shop:orders", false),
            ("shop:orders:read:all", false),
            ("shop::read", false),
            ("shop:orders:*", false),
            ("shop:orders:ré", false),
        ] {
            assert_eq!(text.parse::<PermissionName>().is_ok(), good, "{text}");
        }
        assert!(format!("a:b:{}", "c".repeat(65)).parse::<PermissionName>().is_err());
    }

    #[test]
    fn a_role_is_one_word() {
        for (text, good) in
            [("editor", true), ("shop:editor", true), ("", false), ("chief editor", false), ("é", false)]
        {
            assert_eq!(text.parse::<RoleName>().is_ok(), good, "{text}");
        }
        assert!("r".repeat(65).parse::<RoleName>().is_err());
    }
}
