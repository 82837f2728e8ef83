//! Permissions, and which groups and roles have them.
//!
//! S-147.

use super::{AdminError, Administration, Changed, Refusal, Thing, group, settle};
use crate::edge::store::{Give, Holder};
use crate::model::directory::Directory;
use crate::model::event::EventName;
use crate::model::role::{Permission, PermissionName};

/// The permission that an operator names.
///
/// # Errors
/// [`Refusal::Unknown`].
pub fn named<'d>(directory: &'d Directory, name: &str) -> Result<&'d Permission, Refusal> {
    let found = name.parse::<PermissionName>().ok().and_then(|name| directory.permission(&name));
    found.ok_or_else(|| Refusal::Unknown { what: Thing::Permission, name: name.to_owned() })
}

impl Administration {
    /// Makes a permission.
    ///
    /// # Errors
    /// A malformed name, or one that is taken.
    pub async fn create_permission(&self, name: &str, description: &str) -> Result<Permission, AdminError> {
        let permission = Permission {
            name: name.parse().map_err(|error| Refusal::malformed("name", error))?,
            description: group::description(description)?,
        };
        let told = self.told(EventName::PermissionCreated, &[("name", permission.name.as_str())]);
        let change = self.edges.store.create_permission(&permission, told).await?;
        settle(change, Thing::Permission, (Thing::Permission, name))?;
        Ok(permission)
    }

    /// Describes a permission, which was read as `before`.
    ///
    /// # Errors
    /// A malformed description; when it was changed meanwhile.
    pub async fn describe_permission(&self, before: &Permission, description: &str) -> Result<Permission, AdminError> {
        let after = Permission { description: group::description(description)?, ..before.clone() };
        let told = self.told(EventName::PermissionChanged, &[("name", after.name.as_str())]);
        let change = self.edges.store.describe_permission(before, &after.description, told).await?;
        settle(change, Thing::Permission, (Thing::Permission, after.name.as_str()))?;
        Ok(after)
    }

    /// Deletes a permission; whoever had it has it no longer.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_permission(&self, permission: &Permission) -> Result<(), AdminError> {
        let name = permission.name.as_str();
        let told = self.told(EventName::PermissionDeleted, &[("name", name)]);
        let change = self.edges.store.delete_permission(&permission.name, told).await?;
        settle(change, Thing::Permission, (Thing::Permission, name)).map(|_| ())
    }

    /// Gives a group or a role a permission, or takes it away.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn change_permission_of(
        &self,
        give: Give,
        (permission, holder): (&Permission, Holder),
    ) -> Result<Changed, AdminError> {
        let name = match give {
            Give::To => EventName::PermissionGiven,
            Give::From => EventName::PermissionTaken,
        };
        let holder_detail = match holder {
            Holder::Group(group) => ("group", group.to_string()),
            Holder::Role(role) => ("role", role.to_string()),
        };
        let told = self.told(name, &[("name", permission.name.as_str()), (holder_detail.0, holder_detail.1.as_str())]);
        let change = self.edges.store.permission_of(give, (&permission.name, holder), told).await?;
        settle(change, Thing::Permission, (Thing::Permission, permission.name.as_str()))
    }
}
