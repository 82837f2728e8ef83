//! Claim mappers: which claims tell of groups, roles, permissions and attributes, and where.
//!
//! RFC 7519 §4.3, RFC 9068 §2.2.3, OIDC Core §5.1.2; S-147, S-148. Each belongs to a scope, to a client, to both or to neither; of several
//! for one claim the most particular gives it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::id::{ClaimMapperId, ClientId};
use crate::model::own_claim;
use crate::protocol::oidc::claims::standard_claim;

/// Where a claim comes from and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimMapper {
    /// The row; `None` for what every server begins with.
    pub id: Option<ClaimMapperId>,
    /// Only in what carries this scope.
    pub scope: Option<String>,
    /// Only for this client.
    pub client: Option<ClientId>,
    /// The name of the claim.
    pub claim: String,
    /// What it tells.
    pub source: ClaimSource,
    /// Where it is told.
    pub into: BTreeSet<Destination>,
}

/// What a claim tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClaimSource {
    /// An attribute of the settings, or a claim of the specifications, as the person has it.
    Attribute {
        /// Its name.
        name: String,
    },
    /// The same for everybody.
    Constant {
        /// Any JSON.
        value: Value,
    },
    /// The groups that the person is in.
    Groups {
        /// How they are written.
        #[serde(default)]
        form: GroupForm,
        /// Only the group at this path, and what is within it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
        /// Which of them.
        #[serde(default)]
        members: Membership,
    },
    /// The roles that the person has.
    Roles {
        /// How they are written.
        #[serde(default)]
        form: RoleForm,
    },
    /// The permissions that the person has.
    Permissions {
        /// Only those that begin so: `shop:`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
    },
}

/// How groups are written.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupForm {
    /// `/staff/engineering`
    #[default]
    Path,
    /// `engineering`
    Name,
    /// The id, which no renaming changes.
    Id,
}

/// Which groups count.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Also those around the groups that somebody was put into.
    #[default]
    All,
    /// Only those that somebody was put into.
    Direct,
}

/// How roles are written.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleForm {
    /// `["editor"]`: those of all apps and of the app that is told.
    #[default]
    Flat,
    /// `{"shop": {"roles": ["editor"]}}`: those of every app, by its client id.
    ByClient,
}

/// Where a claim is told.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// In ID tokens.
    IdToken,
    /// In access tokens that are JWTs.
    AccessToken,
    /// By the `UserInfo` endpoint.
    Userinfo,
    /// By introspection.
    Introspection,
}

impl Destination {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::IdToken, Self::AccessToken, Self::Userinfo, Self::Introspection];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "id_token",
            Self::AccessToken => "access_token",
            Self::Userinfo => "userinfo",
            Self::Introspection => "introspection",
        }
    }
}

/// The scopes that stand for groups, roles and permissions, each with the claim of its name.
pub const DIRECTORY_SCOPES: &[&str] = &["groups", "roles", "permissions"];

/// Why a mapper cannot be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MapperError {
    /// Its claim.
    #[error("{0} has a meaning of its own in tokens, which no mapper may change")]
    Taken(String),
    /// A claim of the specifications.
    #[error("{0} is the attribute of that name or nothing: apps rely on what it means")]
    Standard(String),
    /// Its value.
    #[error("a constant is at most {MAX_CONSTANT} bytes of JSON")]
    TooLong,
    /// Where it goes.
    #[error("it goes nowhere; name at least one of id_token, access_token, userinfo, introspection")]
    Nowhere,
}

/// Bytes of a constant, as JSON.
const MAX_CONSTANT: usize = 2048;

impl ClaimMapper {
    /// What every server begins with: a claim for each of [`DIRECTORY_SCOPES`].
    pub fn built_in() -> [Self; 3] {
        let sources = [
            ("groups", ClaimSource::Groups { form: GroupForm::Path, prefix: None, members: Membership::All }),
            ("roles", ClaimSource::Roles { form: RoleForm::Flat }),
            ("permissions", ClaimSource::Permissions { prefix: None }),
        ];
        sources.map(|(name, source)| Self {
            id: None,
            scope: Some(name.to_owned()),
            client: None,
            claim: name.to_owned(),
            source,
            into: Destination::ALL.iter().copied().collect(),
        })
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// [`MapperError`].
    pub fn check(&self) -> Result<(), MapperError> {
        let of_directory = DIRECTORY_SCOPES.contains(&self.claim.as_str()) || self.claim == "entitlements";
        if !of_directory && !own_claim::is_free(&self.claim) {
            return Err(MapperError::Taken(self.claim.clone()));
        }
        let is_itself = matches!(&self.source, ClaimSource::Attribute { name } if *name == self.claim);
        if standard_claim(&self.claim).is_some() && !is_itself {
            return Err(MapperError::Standard(self.claim.clone()));
        }
        if let ClaimSource::Constant { value } = &self.source
            && value.to_string().len() > MAX_CONSTANT
        {
            return Err(MapperError::TooLong);
        }
        if self.into.is_empty() { Err(MapperError::Nowhere) } else { Ok(()) }
    }

    /// How particular it is: of two for one claim the higher gives it.
    pub fn rank(&self) -> (bool, bool, Option<ClaimMapperId>) {
        (self.client.is_some(), self.scope.is_some() && self.id.is_some(), self.id)
    }

    /// In a few words, for operators: `groups as path within /staff, by the scope groups, for shop`.
    pub fn about(&self) -> String {
        let source = match &self.source {
            ClaimSource::Attribute { name } => format!("the attribute {name}"),
            ClaimSource::Constant { value } => format!("always {value}"),
            ClaimSource::Groups { form, prefix, members } => {
                let form = match form {
                    GroupForm::Path => "path",
                    GroupForm::Name => "name",
                    GroupForm::Id => "id",
                };
                let direct = if *members == Membership::Direct { "direct groups" } else { "groups" };
                let within = prefix.as_ref().map(|prefix| format!(" within {prefix}")).unwrap_or_default();
                format!("{direct} by {form}{within}")
            }
            ClaimSource::Roles { form: RoleForm::Flat } => "roles".to_owned(),
            ClaimSource::Roles { form: RoleForm::ByClient } => "roles by client".to_owned(),
            ClaimSource::Permissions { prefix } => {
                let beginning = prefix.as_ref().map(|prefix| format!(" beginning with {prefix}")).unwrap_or_default();
                format!("permissions{beginning}")
            }
        };
        let scope = self.scope.as_ref().map(|scope| format!(", by the scope {scope}")).unwrap_or_default();
        let client = self.client.as_ref().map(|client| format!(", for {client}")).unwrap_or_default();
        format!("{source}{scope}{client}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapper(claim: &str, source: serde_json::Value) -> ClaimMapper {
        ClaimMapper {
            id: None,
            scope: None,
            client: None,
            claim: claim.to_owned(),
            source: serde_json::from_value(source).unwrap(),
            into: BTreeSet::from([Destination::IdToken]),
        }
    }

    #[test]
    fn what_has_a_meaning_keeps_it() {
        for (claim, source, good) in [
            ("groups", json!({"from": "groups"}), true),
            ("department", json!({"from": "attribute", "name": "department"}), true),
            ("https://example.com/tenant", json!({"from": "constant", "value": {"id": 7}}), true),
            ("email", json!({"from": "attribute", "name": "email"}), true),
            ("email_verified", json!({"from": "constant", "value": true}), false),
            ("email", json!({"from": "attribute", "name": "name"}), false),
            ("sub", json!({"from": "constant", "value": "root"}), false),
            ("scope", json!({"from": "permissions"}), false),
            ("acr", json!({"from": "constant", "value": "phr"}), false),
            ("", json!({"from": "roles"}), false),
            ("long", json!({"from": "constant", "value": "x".repeat(3000)}), false),
        ] {
            assert_eq!(mapper(claim, source.clone()).check().is_ok(), good, "{claim} {source}");
        }
        for one in ClaimMapper::built_in() {
            assert_eq!(one.check(), Ok(()), "{one:?}");
        }
    }

    #[test]
    fn unknown_words_of_a_source_are_refused() {
        for source in [
            json!({"from": "groups", "form": "shape"}),
            json!({"from": "groups", "prefx": "/staff"}),
            json!({"from": "nowhere"}),
            json!({"from": "attribute"}),
        ] {
            assert!(serde_json::from_value::<ClaimSource>(source.clone()).is_err(), "{source}");
        }
    }
}
