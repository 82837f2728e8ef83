//! Claims of the directory: what the mappers make of a person's groups, roles, permissions and attributes.
//!
//! RFC 9068 §2.2.3.1, OIDC Core §5.1.2; S-147, S-148. What they look at is loaded once for each answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::claim_mapper::{ClaimMapper, ClaimSource, Destination, GroupForm, Membership as Counted, RoleForm};
use crate::model::client::Client;
use crate::model::directory::{Directory, Membership, Rights, Through};
use crate::model::fault::Fault;
use crate::model::user::User;
use crate::oauth::provider::Provider;
use crate::oauth::token::claims;
use crate::protocol::scope::Scope;

/// The directory, and what it holds of one person.
#[derive(Clone, Debug, Default)]
pub struct Mapped {
    directory: Arc<Directory>,
    person: Option<(Arc<User>, Arc<Membership>)>,
}

/// A claim, and why it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Its name.
    pub claim: String,
    /// Its value.
    pub value: Value,
    /// Why, for an operator.
    pub because: String,
}

impl Mapped {
    /// Loads what mappers look at: for a person, or for a client's own tokens.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn load(provider: &Provider, person: Option<&Arc<User>>) -> Result<Self, Fault> {
        let store = &provider.edges.store;
        let directory = store.directory().await?;
        let person = match person {
            Some(user) => Some((Arc::clone(user), store.membership(user.id).await?)),
            None => None,
        };
        Ok(Self { directory, person })
    }

    /// The directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The claims that go `into` what `client` is told with `scope`.
    pub fn claims(&self, (client, scope): (&Client, &Scope), into: Destination) -> Map<String, Value> {
        self.explain((client, scope), into).into_iter().map(|one| (one.claim, one.value)).collect()
    }

    /// [`claims`](Self::claims), and why each is there.
    pub fn explain(&self, (client, scope): (&Client, &Scope), into: Destination) -> Vec<Explained> {
        let mut chosen: BTreeMap<&str, &ClaimMapper> = BTreeMap::new();
        for mapper in self.directory.mappers() {
            let applies = mapper.into.contains(&into)
                && mapper.scope.as_ref().is_none_or(|wanted| scope.contains(wanted))
                && mapper.client.as_ref().is_none_or(|wanted| *wanted == client.id);
            let is_better = || chosen.get(mapper.claim.as_str()).is_none_or(|other| other.rank() < mapper.rank());
            if applies && is_better() {
                chosen.insert(&mapper.claim, mapper);
            }
        }
        if chosen.is_empty() {
            return Vec::new();
        }
        let rights = self.person.as_ref().map(|(_, membership)| self.directory.rights(membership));
        let tell = |(claim, mapper): (&str, &ClaimMapper)| {
            let value = self.value(mapper, client, rights.as_ref())?;
            Some(Explained { claim: claim.to_owned(), value, because: mapper.about() })
        };
        chosen.into_iter().filter_map(tell).collect()
    }

    /// What a mapper tells; `None`: nothing is known. Who is in no group has an empty list of them, which is a fact as well.
    fn value(&self, mapper: &ClaimMapper, client: &Client, rights: Option<&Rights<'_>>) -> Option<Value> {
        if let ClaimSource::Constant { value } = &mapper.source {
            return Some(value.clone());
        }
        let (rights, (user, _)) = (rights?, self.person.as_ref()?);
        match &mapper.source {
            ClaimSource::Constant { value } => Some(value.clone()),
            ClaimSource::Attribute { name } => claims::value(user, name)
                .or_else(|| user.attributes.get(name).cloned())
                .filter(|value| !value.is_null()),
            ClaimSource::Groups { form, prefix, members } => {
                let counts = |path: &str, through: Through| {
                    (*members == Counted::All || through == Through::Directly)
                        && prefix.as_ref().is_none_or(|prefix| is_within(path, prefix))
                };
                let groups = rights.groups.iter().filter(|(path, (_, through))| counts(path, *through));
                let list = groups.map(|(path, (group, _))| match form {
                    GroupForm::Path => (*path).to_owned(),
                    GroupForm::Name => group.name.to_string(),
                    GroupForm::Id => group.id.to_string(),
                });
                Some(list.collect::<Vec<_>>().into())
            }
            ClaimSource::Roles { form: RoleForm::Flat } => {
                let told = rights.roles.values().map(|(role, _)| role);
                let told = told.filter(|role| role.client.as_ref().is_none_or(|owner| *owner == client.id));
                let names: std::collections::BTreeSet<&str> = told.map(|role| role.name.as_str()).collect();
                Some(json!(names))
            }
            ClaimSource::Roles { form: RoleForm::ByClient } => {
                let mut by_client: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
                for (role, _) in rights.roles.values() {
                    if let Some(owner) = &role.client {
                        by_client.entry(owner.as_str()).or_default().push(role.name.as_str());
                    }
                }
                Some(by_client.into_iter().map(|(owner, roles)| (owner.to_owned(), json!({"roles": roles}))).collect())
            }
            ClaimSource::Permissions { prefix } => {
                let begins = |name: &&str| prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()));
                let names = rights.permissions.keys().map(|name| name.as_str()).filter(begins);
                Some(names.collect::<Vec<_>>().into())
            }
        }
    }
}

/// True when a group stands at `prefix` or within it; `/staff` is not the beginning of `/staffing`. In whatever case.
fn is_within(path: &str, prefix: &str) -> bool {
    let (path, prefix) = (path.to_lowercase(), prefix.to_lowercase());
    let rest = path.trim_start_matches('/').strip_prefix(prefix.trim_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.trim_matches('/').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_slash() {
        for (path, prefix, within) in [
            ("/Staff", "/staff", true),
            ("/Staff/Buyers", "staff/", true),
            ("/staffing", "/staff", false),
            ("/staff", "/", true),
            ("/board", "/staff", false),
        ] {
            assert_eq!(is_within(path, prefix), within, "{path} {prefix}");
        }
    }
}
