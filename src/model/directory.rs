//! The directory: every group, role and permission at one moment, and what they make of one person.
//!
//! S-147 … S-150. It is read whole and held in memory; who is in which group is read person by person ([`Membership`]). A member of a
//! group is a member of every group around it, and has what each of them has.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::api::Api;
use crate::model::claim_mapper::ClaimMapper;
use crate::model::group::{Group, GroupScope};
use crate::model::id::{ClientId, GroupId, RoleId};
use crate::model::role::{AppRole, Permission, PermissionName};
use crate::protocol::scope::Scope;

/// Everything in it, as it was read.
#[derive(Clone, Debug, Default)]
pub struct DirectoryRows {
    /// Groups.
    pub groups: Vec<Group>,
    /// What only members may have.
    pub scopes: Vec<GroupScope>,
    /// Roles.
    pub roles: Vec<AppRole>,
    /// Permissions.
    pub permissions: Vec<Permission>,
    /// Roles that a group gives its members.
    pub roles_of_groups: Vec<(RoleId, GroupId)>,
    /// Permissions that a group gives its members.
    pub permissions_of_groups: Vec<(PermissionName, GroupId)>,
    /// Permissions that go with a role.
    pub permissions_of_roles: Vec<(PermissionName, RoleId)>,
    /// What apps are told of it.
    pub mappers: Vec<ClaimMapper>,
    /// Whom access tokens are for.
    pub apis: Vec<Api>,
}

/// Every group, role and permission.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    groups: HashMap<GroupId, Placed>,
    by_path: BTreeMap<String, GroupId>,
    scopes: Vec<GroupScope>,
    roles: BTreeMap<RoleId, AppRole>,
    permissions: BTreeMap<PermissionName, Permission>,
    roles_of_group: HashMap<GroupId, Vec<RoleId>>,
    permissions_of_group: HashMap<GroupId, Vec<PermissionName>>,
    permissions_of_role: HashMap<RoleId, Vec<PermissionName>>,
    gates: HashMap<String, BTreeSet<GroupId>>,
    mappers: Vec<ClaimMapper>,
    apis: BTreeMap<String, Api>,
    owners: HashMap<String, String>,
}

/// A group and where it stands.
#[derive(Clone, Debug)]
struct Placed {
    group: Group,
    path: String,
}

/// What a person was given directly: groups and roles.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Membership {
    /// The groups that they were put into.
    pub groups: Vec<GroupId>,
    /// The roles that they were given by name.
    pub roles: Vec<RoleId>,
}

/// How a person came to something.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Through {
    /// It was given to them.
    Directly,
    /// They are in this group.
    Group(GroupId),
    /// They have this role.
    Role(RoleId),
}

/// All that a person has by groups and roles; each by the first way to it.
#[derive(Clone, Debug, Default)]
pub struct Rights<'d> {
    /// Groups by their paths.
    pub groups: BTreeMap<&'d str, (&'d Group, Through)>,
    /// Roles.
    pub roles: BTreeMap<RoleId, (&'d AppRole, Through)>,
    /// Permissions.
    pub permissions: BTreeMap<&'d PermissionName, Through>,
}

impl Directory {
    /// The directory of these rows. A row that names a group which is not there counts for nobody.
    pub fn of(rows: DirectoryRows) -> Self {
        let parents: HashMap<GroupId, &Group> = rows.groups.iter().map(|group| (group.id, group)).collect();
        let paths: HashMap<GroupId, String> =
            rows.groups.iter().map(|group| (group.id, path(group, &parents))).collect();
        let place = |group: Group| {
            let path = paths.get(&group.id).cloned().unwrap_or_default();
            (group.id, Placed { group, path })
        };
        let groups: HashMap<GroupId, Placed> = rows.groups.iter().cloned().map(place).collect();
        let by_path = groups.values().map(|placed| (lookup(&placed.path), placed.group.id)).collect();
        let mut gates: HashMap<String, BTreeSet<GroupId>> = HashMap::new();
        for record in &rows.scopes {
            for token in record.scopes.iter() {
                gates.entry(token.to_owned()).or_default().insert(record.group);
            }
        }
        Self {
            groups,
            by_path,
            scopes: rows.scopes,
            roles: rows.roles.into_iter().map(|role| (role.id, role)).collect(),
            permissions: rows.permissions.into_iter().map(|one| (one.name.clone(), one)).collect(),
            roles_of_group: gathered(rows.roles_of_groups.into_iter().map(|(role, group)| (group, role))),
            permissions_of_group: gathered(rows.permissions_of_groups.into_iter().map(|(name, group)| (group, name))),
            permissions_of_role: gathered(rows.permissions_of_roles.into_iter().map(|(name, role)| (role, name))),
            gates,
            mappers: ClaimMapper::built_in().into_iter().chain(rows.mappers).collect(),
            owners: rows.apis.iter().flat_map(owned).collect(),
            apis: rows.apis.into_iter().map(|api| (api.audience.clone(), api)).collect(),
        }
    }

    /// The group of this row.
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id).map(|placed| &placed.group)
    }

    /// Where a group stands: `/staff/engineering`; empty when it is not there.
    pub fn path(&self, id: GroupId) -> &str {
        self.groups.get(&id).map_or("", |placed| &placed.path)
    }

    /// The group at `path`, in whatever case and with or without the first slash.
    pub fn group_at(&self, path: &str) -> Option<&Group> {
        self.by_path.get(&lookup(path)).and_then(|id| self.group(*id))
    }

    /// Every group, by its path.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.by_path.values().filter_map(|id| self.group(*id))
    }

    /// What only members may have, in the order it was made.
    pub fn scopes(&self) -> &[GroupScope] {
        &self.scopes
    }

    /// What apps are told: first what every server begins with, then what operators made, in that order.
    pub fn mappers(&self) -> impl Iterator<Item = &ClaimMapper> {
        self.mappers.iter()
    }

    /// Every role, in the order they were made.
    pub fn roles(&self) -> impl Iterator<Item = &AppRole> {
        self.roles.values()
    }

    /// The role of this row.
    pub fn role(&self, id: RoleId) -> Option<&AppRole> {
        self.roles.get(&id)
    }

    /// The role of this name, of `client` or of all.
    pub fn role_named(&self, client: Option<&ClientId>, name: &str) -> Option<&AppRole> {
        self.roles.values().find(|role| role.client.as_ref() == client && role.name.as_str() == name)
    }

    /// Every permission, by its name.
    pub fn permissions(&self) -> impl Iterator<Item = &Permission> {
        self.permissions.values()
    }

    /// The permission of this name.
    pub fn permission(&self, name: &PermissionName) -> Option<&Permission> {
        self.permissions.get(name)
    }

    /// The roles that `group` itself gives.
    pub fn roles_of_group(&self, group: GroupId) -> &[RoleId] {
        self.roles_of_group.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The permissions that `group` itself gives.
    pub fn permissions_of_group(&self, group: GroupId) -> &[PermissionName] {
        self.permissions_of_group.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The permissions that go with `role`.
    pub fn permissions_of_role(&self, role: RoleId) -> &[PermissionName] {
        self.permissions_of_role.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Every API, by its audience.
    pub fn apis(&self) -> impl Iterator<Item = &Api> {
        self.apis.values()
    }

    /// The API of this audience.
    pub fn api(&self, audience: &str) -> Option<&Api> {
        self.apis.get(audience)
    }

    /// The API that `scope` belongs to.
    pub fn api_of(&self, scope: &str) -> Option<&Api> {
        self.owners.get(scope).and_then(|audience| self.api(audience))
    }

    /// Every scope that some group scope names or that belongs to an API.
    pub fn made_scopes(&self) -> Scope {
        let names: BTreeSet<&String> = self.gates.keys().chain(self.owners.keys()).collect();
        names.into_iter().cloned().collect()
    }

    /// True when `scope` was made by an operator.
    pub fn knows_scope(&self, scope: &str) -> bool {
        self.gates.contains_key(scope) || self.owners.contains_key(scope)
    }

    /// True when some group scope names one of these.
    pub fn gates_any(&self, scope: &Scope) -> bool {
        !self.gates.is_empty() && scope.iter().any(|token| self.gates.contains_key(token))
    }

    /// What of `scope` a person may have: what no group scope names, and what one of their groups has (S-149).
    pub fn open_to<'s>(&self, membership: &Membership, scope: &'s Scope) -> Cow<'s, Scope> {
        if !self.gates_any(scope) {
            return Cow::Borrowed(scope);
        }
        let own: BTreeSet<GroupId> = self.all_groups(membership).map(|(group, _)| group.id).collect();
        let is_open = |token: &&str| self.gates.get(*token).is_none_or(|groups| !groups.is_disjoint(&own));
        Cow::Owned(scope.iter().filter(is_open).collect())
    }

    /// All that a person has.
    pub fn rights(&self, membership: &Membership) -> Rights<'_> {
        let mut rights = Rights::default();
        for id in &membership.roles {
            self.give_role(&mut rights, *id, Through::Directly);
        }
        for (group, through) in self.all_groups(membership) {
            rights.groups.insert(self.path(group.id), (group, through));
            for role in self.roles_of_group(group.id) {
                self.give_role(&mut rights, *role, Through::Group(group.id));
            }
            for permission in self.permissions_of_group(group.id) {
                rights.permissions.entry(permission).or_insert(Through::Group(group.id));
            }
        }
        rights
    }

    /// True when one of the groups of a person, or one around it, asks its members for two factors.
    pub fn asks_for_second_factor(&self, membership: &Membership) -> bool {
        self.all_groups(membership).any(|(group, _)| group.second_factor_at.is_some())
    }

    fn give_role<'d>(&'d self, rights: &mut Rights<'d>, id: RoleId, through: Through) {
        let Some(role) = self.roles.get(&id) else { return };
        rights.roles.entry(id).or_insert((role, through));
        for permission in self.permissions_of_role(id) {
            rights.permissions.entry(permission).or_insert(Through::Role(id));
        }
    }

    /// The groups that somebody was put into, first, then those around them; one may come more than once.
    fn all_groups<'d>(&'d self, membership: &Membership) -> impl Iterator<Item = (&'d Group, Through)> {
        let direct: Vec<&Group> = membership.groups.iter().filter_map(|id| self.group(*id)).collect();
        let around = direct.clone().into_iter().flat_map(|group| {
            let through = Through::Group(group.id);
            self.around(group).map(move |outer| (outer, through))
        });
        let around: Vec<(&Group, Through)> = around.collect();
        let mut seen = BTreeSet::new();
        let all = direct.into_iter().map(|group| (group, Through::Directly)).chain(around);
        all.filter(move |(group, _)| seen.insert(group.id))
    }

    /// The groups around `group`, from within outwards. Ends also where rows make a circle, which the store excludes.
    pub fn around<'d>(&'d self, group: &'d Group) -> impl Iterator<Item = &'d Group> {
        let outer = |group: &&'d Group| group.parent.and_then(|parent| self.group(parent));
        std::iter::successors(outer(&group), outer).take(Group::MAX_DEPTH)
    }
}

/// `/staff/engineering`
fn path(group: &Group, all: &HashMap<GroupId, &Group>) -> String {
    let outer = |group: &&Group| group.parent.and_then(|parent| all.get(&parent).copied());
    let mut names: Vec<&str> = std::iter::successors(Some(group), |group| outer(group))
        .take(Group::MAX_DEPTH)
        .map(|group| group.name.as_str())
        .collect();
    names.reverse();
    names.iter().flat_map(|name| ["/", name]).collect()
}

/// The one form in which paths are compared: that of names, part by part.
pub fn lookup(path: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    path.trim_start_matches('/').nfkc().collect::<String>().to_lowercase()
}

/// The scopes of an API, each with its audience.
fn owned(api: &Api) -> Vec<(String, String)> {
    api.settings.scopes.iter().map(|token| (token.to_owned(), api.audience.clone())).collect()
}

fn gathered<K: Eq + std::hash::Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut lists: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        lists.entry(key).or_default().push(value);
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::GroupScopeId;
    use crate::protocol::numeric_date::NumericDate;

    const NOW: NumericDate = NumericDate::from_seconds(1_000);

    fn id(number: u8) -> GroupId {
        GroupId::new(NOW, [number; 10])
    }

    fn group(number: u8, name: &str, parent: Option<u8>) -> Group {
        Group {
            id: id(number),
            parent: parent.map(id),
            name: name.parse().unwrap(),
            description: String::new(),
            second_factor_at: None,
            created_at: NOW,
            updated_at: NOW,
        }
    }

    fn role(number: u8, name: &str) -> AppRole {
        let id = RoleId::new(NOW, [number; 10]);
        AppRole { id, client: None, name: name.parse().unwrap(), description: String::new() }
    }

    /// `/staff/engineering/on call` and `/board`.
    fn directory() -> Directory {
        let (editor, pager) = (role(1, "editor"), role(2, "pager"));
        let permission = |name: &str| Permission { name: name.parse().unwrap(), description: String::new() };
        let scope = |group, scopes: &str| GroupScope {
            id: GroupScopeId::new(NOW, [group; 10]),
            group: id(group),
            name: "some".to_owned(),
            scopes: scopes.parse().unwrap(),
        };
        Directory::of(DirectoryRows {
            groups: vec![
                group(3, "On call", Some(2)),
                group(2, "Engineering", Some(1)),
                group(1, "staff", None),
                group(4, "board", None),
            ],
            scopes: vec![scope(1, "orders:read"), scope(4, "orders:read orders:write")],
            permissions: vec![permission("shop:orders:read"), permission("shop:pager:answer")],
            roles_of_groups: vec![(editor.id, id(1)), (pager.id, id(3))],
            permissions_of_groups: vec![("shop:orders:read".parse().unwrap(), id(2))],
            permissions_of_roles: vec![("shop:pager:answer".parse().unwrap(), pager.id)],
            roles: vec![editor, pager],
            mappers: Vec::new(),
            apis: Vec::new(),
        })
    }

    fn of(groups: &[u8]) -> Membership {
        Membership { groups: groups.iter().map(|number| id(*number)).collect(), roles: Vec::new() }
    }

    #[test]
    fn a_member_is_in_every_group_around() {
        let directory = directory();
        let rights = directory.rights(&of(&[3]));
        let paths: Vec<&str> = rights.groups.keys().copied().collect();
        assert_eq!(paths, ["/staff", "/staff/Engineering", "/staff/Engineering/On call"]);
        assert_eq!(rights.groups["/staff"].1, Through::Group(id(3)));
        assert_eq!(rights.groups["/staff/Engineering/On call"].1, Through::Directly);
        let roles: Vec<&str> = rights.roles.values().map(|(role, _)| role.name.as_str()).collect();
        assert_eq!(roles, ["editor", "pager"]);
        let permissions: Vec<&str> = rights.permissions.keys().map(|name| name.as_str()).collect();
        assert_eq!(permissions, ["shop:orders:read", "shop:pager:answer"]);
        let outside = directory.rights(&of(&[1]));
        assert_eq!((outside.groups.len(), outside.roles.len(), outside.permissions.len()), (1, 1, 0));
    }

    #[test]
    fn a_scope_is_for_the_groups_that_have_it_and_open_when_none_has() {
        let directory = directory();
        let asked: Scope = "openid orders:read orders:write".parse().unwrap();
        for (groups, open) in [
            (&[][..], "openid"),
            (&[3], "openid orders:read"),
            (&[4], "openid orders:read orders:write"),
            (&[9], "openid"),
        ] {
            assert_eq!(directory.open_to(&of(groups), &asked).to_string(), open, "{groups:?}");
        }
        assert_eq!(directory.made_scopes().to_string(), "orders:read orders:write");
    }

    #[test]
    fn a_path_is_found_in_any_case() {
        let directory = directory();
        for path in ["/staff/engineering/on call", "STAFF/Engineering/On Call", "/staff/Engineering/On call"] {
            assert_eq!(directory.group_at(path).map(|group| group.id), Some(id(3)), "{path}");
        }
        for path in ["", "/", "engineering", "/staff/", "/staff//Engineering"] {
            assert!(directory.group_at(path).is_none(), "{path}");
        }
    }

    /// The store excludes circles; a damaged row must not hang a sign-in.
    #[test]
    fn a_circle_ends() {
        let rows =
            DirectoryRows { groups: vec![group(1, "a", Some(2)), group(2, "b", Some(1))], ..DirectoryRows::default() };
        let directory = Directory::of(rows);
        assert_eq!(directory.rights(&of(&[1])).groups.len(), 2);
    }
}
