//! Group scopes: what only the members of a group may have.
//!
//! S-149; RFC 6749 §3.3. What no group scope names is open to everybody whom the client may serve.

use super::{AdminError, Administration, Refusal, Thing, settle};
use crate::model::directory::Directory;
use crate::model::event::EventName;
use crate::model::group::{Group, GroupScope};
use crate::model::id::GroupScopeId;
use crate::oauth::allowed::{ADMIN, ADMIN_READ};
use crate::protocol::oidc::claims::SCOPE_CLAIMS;
use crate::protocol::scope::Scope;

/// The most characters of a name.
const MAX_NAME: usize = 100;

/// The group scope that an operator names by its id, or by its name when only one is called so.
///
/// # Errors
/// [`Refusal::Unknown`].
pub fn named<'d>(directory: &'d Directory, name: &str) -> Result<&'d GroupScope, Refusal> {
    let id: Option<GroupScopeId> = name.parse().ok();
    let by_id = directory.scopes().iter().find(|scope| Some(scope.id) == id);
    let mut called = directory.scopes().iter().filter(|scope| scope.name == name);
    let by_name = called.next().filter(|_| called.next().is_none());
    by_id.or(by_name).ok_or_else(|| Refusal::Unknown { what: Thing::GroupScope, name: name.to_owned() })
}

fn name(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let fits = (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let rule = format_args!("1 to {MAX_NAME} characters on one line");
    if fits { Ok(text.to_owned()) } else { Err(Refusal::malformed("name", rule)) }
}

/// Scopes that can be kept for a group. `openid` and what else makes a sign-in is everybody's: without it nobody gets in at all.
fn scopes(scopes: &Scope) -> Result<Scope, Refusal> {
    match (scopes.is_empty(), everybodys(scopes)) {
        (true, _) => Err(Refusal::malformed("scopes", "at least one")),
        (false, Some(first)) => Err(Refusal::malformed("scopes", format_args!("{first} goes by other rules"))),
        (false, None) => Ok(scopes.clone()),
    }
}

/// The first of `scopes` that makes a sign-in, or the administration of this server.
pub(super) fn everybodys(scopes: &Scope) -> Option<&'static str> {
    let standard = [Scope::OPENID, Scope::OFFLINE_ACCESS, ADMIN, ADMIN_READ].into_iter();
    standard.chain(SCOPE_CLAIMS.iter().map(|(name, _)| *name)).find(|name| scopes.contains(name))
}

impl Administration {
    /// Keeps scopes for the members of a group.
    ///
    /// # Errors
    /// A malformed name, no scope at all, or one that has to be everybody's.
    pub async fn create_group_scope(
        &self,
        group: &Group,
        (label, list): (&str, &Scope),
    ) -> Result<GroupScope, AdminError> {
        let scope = GroupScope {
            id: GroupScopeId::new(self.now(), self.edges.random.bytes()),
            group: group.id,
            name: name(label)?,
            scopes: scopes(list)?,
        };
        let told = self.told_of_scope(EventName::GroupScopeCreated, &scope);
        let change = self.edges.store.create_group_scope(&scope, told).await?;
        settle(change, Thing::GroupScope, (Thing::Group, group.name.as_str()))?;
        Ok(scope)
    }

    /// Changes the name or the scopes of a group scope, which was read as `before`.
    ///
    /// # Errors
    /// As [`create_group_scope`](Self::create_group_scope); when it was changed meanwhile.
    pub async fn change_group_scope(
        &self,
        before: &GroupScope,
        (label, list): (Option<&str>, Option<&Scope>),
    ) -> Result<GroupScope, AdminError> {
        let after = GroupScope {
            name: label.map_or_else(|| Ok(before.name.clone()), name)?,
            scopes: list.map_or_else(|| Ok(before.scopes.clone()), scopes)?,
            ..before.clone()
        };
        let told = self.told_of_scope(EventName::GroupScopeChanged, &after);
        let change = self.edges.store.update_group_scope(before, &after, told).await?;
        settle(change, Thing::GroupScope, (Thing::GroupScope, &before.name))?;
        Ok(after)
    }

    /// Deletes a group scope. Its scopes are open to everybody when no other names them and an API has them; else to nobody.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_group_scope(&self, scope: &GroupScope) -> Result<(), AdminError> {
        let told = self.told_of_scope(EventName::GroupScopeDeleted, scope);
        let change = self.edges.store.delete_group_scope(scope.id, told).await?;
        settle(change, Thing::GroupScope, (Thing::GroupScope, &scope.name)).map(|_| ())
    }

    fn told_of_scope(&self, name: EventName, scope: &GroupScope) -> crate::edge::store::Beside {
        let (id, group, scopes) = (scope.id.to_string(), scope.group.to_string(), scope.scopes.to_string());
        self.told(name, &[("group_scope", &id), ("group", &group), ("name", &scope.name), ("scope", &scopes)])
    }
}
