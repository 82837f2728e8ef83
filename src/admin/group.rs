//! Groups and who is in them.
//!
//! S-147, S-150.

use super::{AdminError, Administration, Changed, Refusal, Thing, settle};
use crate::edge::store::{Beside, Give};
use crate::model::directory::Directory;
use crate::model::event::EventName;
use crate::model::group::{Group, GroupName};
use crate::model::id::GroupId;
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;

/// The most characters of a description.
pub const MAX_DESCRIPTION: usize = 500;

/// A group that shall be.
#[derive(Clone, Debug, Default)]
pub struct NewGroup<'a> {
    /// Its name among its siblings.
    pub name: &'a str,
    /// The group that it stands within.
    pub parent: Option<GroupId>,
    /// What it is for.
    pub description: &'a str,
    /// Whether its members are asked for two factors.
    pub second_factor: SecondFactorDuty,
}

/// Whether the members of a group are asked for two factors at each sign-in (S-100).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum SecondFactorDuty {
    /// Not by this group.
    #[default]
    None,
    /// They are; who has none sets one up at the next sign-in.
    Required,
}

impl SecondFactorDuty {
    /// As words of the API and flags of the command line have it.
    pub const fn of(required: bool) -> Self {
        if required { Self::Required } else { Self::None }
    }

    fn since(self, now: NumericDate) -> Option<NumericDate> {
        (self == Self::Required).then_some(now)
    }
}

/// How a group shall change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct GroupChange<'a> {
    /// Another name.
    pub name: Option<&'a str>,
    /// Another place: within this group, or within none.
    pub parent: Option<Option<GroupId>>,
    /// Another description.
    pub description: Option<&'a str>,
    /// Whether its members are asked for two factors.
    pub second_factor: Option<SecondFactorDuty>,
}

/// The group that an operator names by its path or its id.
///
/// # Errors
/// [`Refusal::Unknown`].
pub fn named<'d>(directory: &'d Directory, name: &str) -> Result<&'d Group, Refusal> {
    let by_id = name.parse().ok().and_then(|id| directory.group(id));
    let found = by_id.or_else(|| directory.group_at(name));
    found.ok_or_else(|| Refusal::Unknown { what: Thing::Group, name: name.to_owned() })
}

/// What is written of a thing for other operators.
pub(super) fn description(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let fits = text.chars().count() <= MAX_DESCRIPTION && !text.chars().any(char::is_control);
    let rule = format_args!("at most {MAX_DESCRIPTION} characters on one line");
    if fits { Ok(text.to_owned()) } else { Err(Refusal::malformed("description", rule)) }
}

fn name(text: &str) -> Result<GroupName, Refusal> {
    text.parse().map_err(|error| Refusal::malformed("name", error))
}

impl Administration {
    /// Makes a group.
    ///
    /// # Errors
    /// A malformed name, one that a sibling has, or a parent that is not there.
    pub async fn create_group(&self, new: NewGroup<'_>) -> Result<Group, AdminError> {
        let now = self.now();
        let group = Group {
            id: GroupId::new(now, self.edges.random.bytes()),
            parent: new.parent,
            name: name(new.name)?,
            description: description(new.description)?,
            second_factor_at: new.second_factor.since(now),
            created_at: now,
            updated_at: now,
        };
        let told =
            self.told(EventName::GroupCreated, &[("group", &group.id.to_string()), ("name", group.name.as_str())]);
        let parent = group.parent.map(|id| id.to_string()).unwrap_or_default();
        settle(self.edges.store.create_group(&group, told).await?, Thing::Group, (Thing::Group, &parent))?;
        Ok(group)
    }

    /// Renames, describes or moves a group, which was read as `before`.
    ///
    /// # Errors
    /// As [`create_group`](Self::create_group); when it would stand within itself; when it was changed meanwhile.
    pub async fn change_group(&self, before: &Group, change: GroupChange<'_>) -> Result<Group, AdminError> {
        let duty = change.second_factor.unwrap_or(SecondFactorDuty::of(before.second_factor_at.is_some()));
        let after = Group {
            second_factor_at: before
                .second_factor_at
                .filter(|_| duty == SecondFactorDuty::Required)
                .or(duty.since(self.now())),
            name: change.name.map_or_else(|| Ok(before.name.clone()), name)?,
            parent: change.parent.unwrap_or(before.parent),
            description: change.description.map_or_else(|| Ok(before.description.clone()), description)?,
            updated_at: self.now(),
            ..before.clone()
        };
        let told = self.told(
            EventName::GroupChanged,
            &[
                ("group", &after.id.to_string()),
                ("name", after.name.as_str()),
                ("second_factor", if after.second_factor_at.is_some() { "required" } else { "optional" }),
            ],
        );
        let parent = after.parent.unwrap_or(after.id).to_string();
        settle(self.edges.store.update_group(before, &after, told).await?, Thing::Group, (Thing::Group, &parent))?;
        Ok(after)
    }

    /// Deletes a group with its memberships and group scopes.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while others stand within it.
    pub async fn delete_group(&self, group: &Group) -> Result<(), AdminError> {
        let id = group.id.to_string();
        let told = self.told(EventName::GroupDeleted, &[("group", &id), ("name", group.name.as_str())]);
        settle(self.edges.store.delete_group(group.id, told).await?, Thing::Group, (Thing::Group, &id)).map(|_| ())
    }

    /// Puts somebody into a group, or takes them out.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn change_member(&self, give: Give, (user, group): (&User, &Group)) -> Result<Changed, AdminError> {
        let name = match give {
            Give::To => EventName::GroupMemberAdded,
            Give::From => EventName::GroupMemberRemoved,
        };
        let event = self.event(name).concerning(user.id).telling("group", group.id.to_string());
        let beside = Beside::event(event.telling("name", group.name.as_str()));
        let change = self.edges.store.member_of_group(give, (user.id, group.id), self.now(), beside).await?;
        settle(change, Thing::Group, (Thing::Group, group.name.as_str()))
    }
}
