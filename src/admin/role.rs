//! Roles, and who has them.
//!
//! S-148.

use super::{AdminError, Administration, Changed, Refusal, Thing, group, settle};
use crate::edge::store::{Beside, Give};
use crate::model::directory::Directory;
use crate::model::event::EventName;
use crate::model::group::Group;
use crate::model::id::{ClientId, RoleId};
use crate::model::role::AppRole;
use crate::model::user::{Role, User};

/// A role that shall be.
#[derive(Clone, Debug, Default)]
pub struct NewRole<'a> {
    /// The app that it is a role of; `None`: of all.
    pub client: Option<ClientId>,
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub description: &'a str,
}

/// The role that an operator names by its id, or by its name among those of `client` (of all apps, when that is `None`).
///
/// # Errors
/// [`Refusal::Unknown`].
pub fn named<'d>(directory: &'d Directory, client: Option<&ClientId>, name: &str) -> Result<&'d AppRole, Refusal> {
    let by_id = name.parse().ok().and_then(|id| directory.role(id));
    let found = by_id.or_else(|| directory.role_named(client, name));
    found.ok_or_else(|| Refusal::Unknown { what: Thing::Role, name: name.to_owned() })
}

impl Administration {
    /// Makes a role.
    ///
    /// # Errors
    /// A malformed name, one that is taken or reserved, or a client that is not there.
    pub async fn create_role(&self, new: NewRole<'_>) -> Result<AppRole, AdminError> {
        // What people may do on this server is told beside the roles that apps are told of, and no role may look like it.
        if new.client.is_none() && Role::parse(new.name).is_some() {
            let rule = format_args!("{} is what somebody may do on this server: `symbolon user set-role`", new.name);
            return Err(Refusal::malformed("name", rule).into());
        }
        let role = AppRole {
            id: RoleId::new(self.now(), self.edges.random.bytes()),
            client: new.client,
            name: new.name.parse().map_err(|error| Refusal::malformed("name", error))?,
            description: group::description(new.description)?,
        };
        let told = self.told_of_role(EventName::RoleCreated, &role);
        let client = role.client.as_ref().map(ClientId::as_str).unwrap_or_default();
        settle(self.edges.store.create_role(&role, told).await?, Thing::Role, (Thing::Client, client))?;
        Ok(role)
    }

    /// Describes a role, which was read as `before`.
    ///
    /// # Errors
    /// A malformed description; when it was changed meanwhile.
    pub async fn describe_role(&self, before: &AppRole, description: &str) -> Result<AppRole, AdminError> {
        let after = AppRole { description: group::description(description)?, ..before.clone() };
        let told = self.told_of_role(EventName::RoleChanged, &after);
        let change = self.edges.store.describe_role(before, &after.description, told).await?;
        settle(change, Thing::Role, (Thing::Role, before.name.as_str()))?;
        Ok(after)
    }

    /// Deletes a role; whoever had it has it no longer.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_role(&self, role: &AppRole) -> Result<(), AdminError> {
        let told = self.told_of_role(EventName::RoleDeleted, role);
        let change = self.edges.store.delete_role(role.id, told).await?;
        settle(change, Thing::Role, (Thing::Role, role.name.as_str())).map(|_| ())
    }

    /// Gives somebody a role, or takes it away.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn change_role_of(&self, give: Give, (role, user): (&AppRole, &User)) -> Result<Changed, AdminError> {
        let event = self.event(given(give)).concerning(user.id).telling("role", role.id.to_string());
        let beside = Beside::event(event.telling("name", role.name.as_str()));
        let change = self.edges.store.role_of_user(give, (user.id, role.id), beside).await?;
        settle(change, Thing::Role, (Thing::Role, role.name.as_str()))
    }

    /// Gives the members of a group a role, or takes it away.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn change_role_of_group(
        &self,
        give: Give,
        (role, group): (&AppRole, &Group),
    ) -> Result<Changed, AdminError> {
        let (role_id, group_id) = (role.id.to_string(), group.id.to_string());
        let details = [("role", role_id.as_str()), ("group", group_id.as_str()), ("name", role.name.as_str())];
        let told = self.told(given(give), &details);
        let change = self.edges.store.role_of_group(give, (role.id, group.id), told).await?;
        settle(change, Thing::Role, (Thing::Role, role.name.as_str()))
    }

    fn told_of_role(&self, name: EventName, role: &AppRole) -> Beside {
        let mut beside = self.told(name, &[("role", &role.id.to_string()), ("name", role.name.as_str())]);
        for event in &mut beside.events {
            event.client.clone_from(&role.client);
        }
        beside
    }
}

const fn given(give: Give) -> EventName {
    match give {
        Give::To => EventName::RoleGiven,
        Give::From => EventName::RoleTaken,
    }
}
