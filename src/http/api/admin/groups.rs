//! `/admin/groups`: groups, who is in them, and what they have (S-147, S-150).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::group::{GroupChange, NewGroup, SecondFactorDuty};
use crate::admin::{permission, role};
use crate::edge::store::{Give, Holder};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::admin::users::found;
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, Patch, Text, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group as Tag, Operation, delete, get, patch, post, put};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::directory::Directory;
use crate::model::fault::Fault;
use crate::model::group::Group;
use crate::model::id::{GroupId, UserId};
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/groups", Tag::Admin), "List groups, by their paths", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", "A part of the path.")
            .query("parent", "Only those that stand directly within the group of this id.")
            .gives::<AdminGroupList>(StatusCode::OK, "One page of groups.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/groups", Tag::Admin), "Make a group", create)
            .by_role(Role::Admin)
            .takes::<NewGroupBody>()
            .gives::<AdminGroup>(StatusCode::CREATED, "The group.")
            .refuses(&[Code::NotFound, Code::AlreadyExists, Code::GroupTooDeep]),
        get(("/admin/groups/{id}", Tag::Admin), "A group", show)
            .by_role(Role::Auditor)
            .gives::<AdminGroup>(StatusCode::OK, "The group."),
        patch(("/admin/groups/{id}", Tag::Admin), "Rename, describe or move a group", change)
            .by_role(Role::Admin)
            .if_match()
            .takes::<GroupPatch>()
            .gives::<AdminGroup>(StatusCode::OK, "The group as it is now.")
            .refuses(&[Code::AlreadyExists, Code::GroupCircle, Code::GroupTooDeep]),
        delete(("/admin/groups/{id}", Tag::Admin), "Delete a group with its memberships and group scopes", remove)
            .by_role(Role::Admin)
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone.")
            .refuses(&[Code::GroupInUse]),
        get(("/admin/groups/{id}/members", Tag::Admin), "List who was put into a group", members)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<AdminMemberList>(StatusCode::OK, "One page of members.")
            .refuses(&[Code::InvalidValue, Code::UnknownField]),
        put(("/admin/groups/{id}/members/{user_id}", Tag::Admin), "Put somebody into a group", add_member)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "They are in it."),
        delete(("/admin/groups/{id}/members/{user_id}", Tag::Admin), "Take somebody out of a group", remove_member)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "They are not in it."),
        put(("/admin/groups/{id}/roles/{role_id}", Tag::Admin), "Give a group a role", add_role)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "Its members have it."),
        delete(("/admin/groups/{id}/roles/{role_id}", Tag::Admin), "Take a role from a group", remove_role)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "Its members have it no longer by this group."),
        put(("/admin/groups/{id}/permissions/{name}", Tag::Admin), "Give a group a permission", add_permission)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "Its members have it."),
        delete(
            ("/admin/groups/{id}/permissions/{name}", Tag::Admin),
            "Take a permission from a group",
            remove_permission,
        )
        .by_role(Role::Admin)
        .gives_nothing(StatusCode::NO_CONTENT, "Its members have it no longer by this group."),
    ]
}

/// One page of groups.
#[derive(Debug, Serialize, ToSchema)]
struct AdminGroupList {
    /// The groups.
    items: Vec<AdminGroup>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
struct AdminGroup {
    /// Its id.
    id: String,
    /// Its name among its siblings.
    name: String,
    /// Where it stands: `/staff/engineering`.
    path: String,
    /// The group that it stands within.
    parent_id: Option<String>,
    /// What it is for.
    description: String,
    /// Since when its members are asked for two factors; null: they are not, by this group.
    second_factor_at: Option<Moment>,
    /// The ids of the roles that it gives.
    roles: Vec<String>,
    /// The permissions that it gives.
    permissions: Vec<String>,
    /// When it was made.
    created_at: Moment,
    /// When it was last renamed, described or moved.
    updated_at: Moment,
}

/// One page of members.
#[derive(Debug, Serialize, ToSchema)]
struct AdminMemberList {
    /// The members, by their ids.
    items: Vec<AdminMember>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// Somebody who was put into a group.
#[derive(Debug, Serialize, ToSchema)]
struct AdminMember {
    /// Who.
    id: String,
    /// What they type as their name.
    login: String,
    /// Since when.
    since: Moment,
}

body! {
    /// A group that shall be.
    struct NewGroupBody {
        /// Its name; without slashes.
        name: String,
        /// The id of the group that it stands within.
        parent_id: Option<String>,
        /// What it is for.
        description: Option<Text>,
        /// Whether its members are asked for two factors at each sign-in.
        second_factor_required: Option<bool>,
    }
}

body! {
    /// How a group shall change.
    struct GroupPatch {
        /// Another name.
        name: Option<String>,
        /// The id of another group that it stands within; null: within none.
        parent_id: Patch<String>,
        /// Another description; null: none.
        description: Patch<Text>,
        /// Whether its members are asked for two factors at each sign-in; who has none sets one up at the next one.
        second_factor_required: Option<bool>,
    }
}

impl AdminGroup {
    fn of(directory: &Directory, group: &Group) -> Self {
        Self {
            id: group.id.to_string(),
            name: group.name.to_string(),
            path: directory.path(group.id).to_owned(),
            parent_id: group.parent.map(|id| id.to_string()),
            description: group.description.clone(),
            second_factor_at: group.second_factor_at.map(Moment),
            roles: directory.roles_of_group(group.id).iter().map(ToString::to_string).collect(),
            permissions: directory.permissions_of_group(group.id).iter().map(ToString::to_string).collect(),
            created_at: Moment(group.created_at),
            updated_at: Moment(group.updated_at),
        }
    }
}

/// The group that a path or a field names by its id.
pub(super) fn by_id<'d>(directory: &'d Directory, id: &str) -> Result<&'d Group, Problem> {
    let found = id.parse::<GroupId>().ok().and_then(|id| directory.group(id));
    found.ok_or_else(|| Problem::new(Code::NotFound))
}

fn parent(directory: &Directory, id: &str) -> Result<GroupId, Problem> {
    by_id(directory, id).map(|group| group.id).map_err(|_| Problem::field("parent_id", Code::InvalidValue))
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["q", "parent"])?;
    let directory = web.provider.edges.store.directory().await?;
    let within = asked.value("parent", |id| id.parse::<GroupId>().ok())?;
    let part = asked.text("q")?.map(str::to_lowercase);
    // The path of the last that was shown: what is made or moved meanwhile falls into its place.
    let after = asked.paging.cursor(|cursor| Some(sorted(cursor)))?;
    let fits = |group: &&Group| {
        let path = directory.path(group.id);
        within.is_none_or(|within| group.parent == Some(within))
            && part.as_ref().is_none_or(|part| path.to_lowercase().contains(part))
            && after.as_ref().is_none_or(|after| sorted(path) > *after)
    };
    let mut groups: Vec<&Group> = directory.groups().filter(fits).take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut groups, |group| directory.path(group.id).to_owned());
    let items = groups.into_iter().map(|group| AdminGroup::of(&directory, group)).collect();
    Ok(ok(&AdminGroupList { items, next }))
}

/// The order of a list of groups is that of the directory.
fn sorted(path: &str) -> String {
    crate::model::directory::lookup(path)
}

async fn answer(caller: &Caller, status: StatusCode, group: GroupId) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let group = directory.group(group).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(tagged(status, &AdminGroup::of(&directory, group)))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::OK, &AdminGroup::of(&directory, by_id(&directory, named.first())?)))
}

async fn create(Manager(caller): Manager, Json(body): Json<NewGroupBody>) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let within = body.parent_id.map(|id| parent(&directory, &id)).transpose()?;
    let description = body.description.map(|text| text.0).unwrap_or_default();
    let second_factor = SecondFactorDuty::of(body.second_factor_required == Some(true));
    let new = NewGroup { name: &body.name, parent: within, description: &description, second_factor };
    let made = caller.admin.create_group(new).await?;
    answer(&caller, StatusCode::CREATED, made.id).await
}

async fn change(
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
    Json(body): Json<GroupPatch>,
) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let before = by_id(&directory, named.first())?;
    seen.check(&AdminGroup::of(&directory, before))?;
    let within = match &body.parent_id {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(id) => Some(Some(parent(&directory, id)?)),
    };
    let description = match &body.description {
        Patch::Keep => None,
        Patch::Clear => Some(""),
        Patch::Set(text) => Some(text.0.as_str()),
    };
    let second_factor = body.second_factor_required.map(SecondFactorDuty::of);
    let change = GroupChange { name: body.name.as_deref(), parent: within, description, second_factor };
    let after = caller.admin.change_group(before, change).await?;
    answer(&caller, StatusCode::OK, after.id).await
}

async fn remove(Manager(caller): Manager, (named, seen): (Named, IfMatch)) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let group = by_id(&directory, named.first())?;
    seen.check(&AdminGroup::of(&directory, group))?;
    caller.admin.delete_group(group).await?;
    Ok(nothing())
}

async fn members(State(web): State<Web>, _: Auditor, named: Named, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&[])?;
    let store = &web.provider.edges.store;
    let directory = store.directory().await?;
    let group = by_id(&directory, named.first())?.id;
    let after = asked.paging.cursor(|cursor| cursor.parse::<UserId>().ok())?;
    let mut members = store.members(group, (after, asked.paging.limit + 1)).await?;
    let next = asked.paging.cut(&mut members, |member| member.user.to_string());
    let mut items = Vec::with_capacity(members.len());
    for member in members {
        let login = login(&web, member.user).await?;
        items.push(AdminMember { id: member.user.to_string(), login, since: Moment(member.since) });
    }
    Ok(ok(&AdminMemberList { items, next }))
}

async fn login(web: &Web, user: UserId) -> Result<String, Fault> {
    let user = web.provider.edges.store.user(user).await?;
    Ok(user.map(|user| user.login().to_owned()).unwrap_or_default())
}

async fn member(caller: &Caller, give: Give, named: &Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let group = by_id(&directory, named.first())?;
    let user = found(caller, named.second()).await?;
    caller.admin.check_reach(&user)?;
    caller.admin.change_member(give, (&user, group)).await?;
    Ok(nothing())
}

async fn add_member(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    member(&caller, Give::To, &named).await
}

async fn remove_member(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    member(&caller, Give::From, &named).await
}

async fn give_role(caller: &Caller, give: Give, named: &Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let group = by_id(&directory, named.first())?;
    let role = role::named(&directory, None, named.second())?;
    caller.admin.change_role_of_group(give, (role, group)).await?;
    Ok(nothing())
}

async fn add_role(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    give_role(&caller, Give::To, &named).await
}

async fn remove_role(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    give_role(&caller, Give::From, &named).await
}

async fn give_permission(caller: &Caller, give: Give, named: &Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let holder = Holder::Group(by_id(&directory, named.first())?.id);
    let permission = permission::named(&directory, named.second())?;
    caller.admin.change_permission_of(give, (permission, holder)).await?;
    Ok(nothing())
}

async fn add_permission(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    give_permission(&caller, Give::To, &named).await
}

async fn remove_permission(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    give_permission(&caller, Give::From, &named).await
}
