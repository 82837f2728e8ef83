//! `/admin/roles`: roles that apps are told of, and who has them (S-148).

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::permission;
use crate::admin::role::NewRole;
use crate::edge::store::{Give, Holder};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::admin::users::found;
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Json, Text, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post, put};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::model::directory::Directory;
use crate::model::id::{ClientId, RoleId};
use crate::model::role::AppRole;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/roles", Group::Admin), "List roles, the oldest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("client_id", "Only those of this client.")
            .gives::<AdminRoleList>(StatusCode::OK, "One page of roles.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/roles", Group::Admin), "Make a role", create)
            .by_role(Role::Admin)
            .takes::<NewAppRole>()
            .gives::<AdminRole>(StatusCode::CREATED, "The role.")
            .refuses(&[Code::NotFound, Code::AlreadyExists]),
        get(("/admin/roles/{id}", Group::Admin), "A role", show)
            .by_role(Role::Auditor)
            .gives::<AdminRole>(StatusCode::OK, "The role."),
        patch(("/admin/roles/{id}", Group::Admin), "Describe a role", change)
            .by_role(Role::Admin)
            .if_match()
            .takes::<DescriptionChange>()
            .gives::<AdminRole>(StatusCode::OK, "The role as it is now."),
        delete(("/admin/roles/{id}", Group::Admin), "Delete a role", remove)
            .by_role(Role::Admin)
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "Nobody has it any more."),
        put(("/admin/roles/{id}/users/{user_id}", Group::Admin), "Give somebody a role", add_user)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "They have it."),
        delete(("/admin/roles/{id}/users/{user_id}", Group::Admin), "Take a role from somebody", remove_user)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "They have it no longer by name."),
        put(("/admin/roles/{id}/permissions/{name}", Group::Admin), "Give a role a permission", add_permission)
            .by_role(Role::Admin)
            .gives_nothing(StatusCode::NO_CONTENT, "Whoever has the role has it."),
        delete(
            ("/admin/roles/{id}/permissions/{name}", Group::Admin),
            "Take a permission from a role",
            remove_permission,
        )
        .by_role(Role::Admin)
        .gives_nothing(StatusCode::NO_CONTENT, "The role has it no longer."),
    ]
}

/// One page of roles.
#[derive(Debug, Serialize, ToSchema)]
struct AdminRoleList {
    /// The roles.
    items: Vec<AdminRole>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A role that apps are told of.
#[derive(Debug, Serialize, ToSchema)]
struct AdminRole {
    /// Its id.
    id: String,
    /// The client that it is a role of; null: of all.
    client_id: Option<String>,
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// The permissions that go with it.
    permissions: Vec<String>,
}

body! {
    /// A role that shall be.
    struct NewAppRole {
        /// Its name.
        name: String,
        /// The client that it is a role of; left out: of all.
        client_id: Option<String>,
        /// What it is for.
        description: Option<Text>,
    }
}

body! {
    /// What something is for.
    pub(super) struct DescriptionChange {
        /// The description.
        description: Text,
    }
}

impl AdminRole {
    fn of(directory: &Directory, role: &AppRole) -> Self {
        Self {
            id: role.id.to_string(),
            client_id: role.client.as_ref().map(ToString::to_string),
            name: role.name.to_string(),
            description: role.description.clone(),
            permissions: directory.permissions_of_role(role.id).iter().map(ToString::to_string).collect(),
        }
    }
}

fn by_id<'d>(directory: &'d Directory, id: &str) -> Result<&'d AppRole, Problem> {
    let found = id.parse::<RoleId>().ok().and_then(|id| directory.role(id));
    found.ok_or_else(|| Problem::new(Code::NotFound))
}

async fn list(Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["client_id"])?;
    let directory = caller.admin.edges.store.directory().await?;
    let client = asked.value("client_id", |id| id.parse::<ClientId>().ok())?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<RoleId>().ok())?;
    let fits = |role: &&AppRole| {
        client.as_ref().is_none_or(|client| role.client.as_ref() == Some(client))
            && after.is_none_or(|after| role.id > after)
    };
    let mut roles: Vec<&AppRole> = directory.roles().filter(fits).take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut roles, |role| role.id.to_string());
    Ok(ok(&AdminRoleList { items: roles.into_iter().map(|role| AdminRole::of(&directory, role)).collect(), next }))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::OK, &AdminRole::of(&directory, by_id(&directory, named.first())?)))
}

async fn create(Manager(caller): Manager, Json(body): Json<NewAppRole>) -> Result<Response, Problem> {
    let client = body.client_id.map(|id| id.parse::<ClientId>()).transpose();
    let client = client.map_err(|_| Problem::field("client_id", Code::InvalidValue))?;
    let description = body.description.map(|text| text.0).unwrap_or_default();
    let made = caller.admin.create_role(NewRole { client, name: &body.name, description: &description }).await?;
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::CREATED, &AdminRole::of(&directory, &made)))
}

async fn change(
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
    Json(body): Json<DescriptionChange>,
) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let before = by_id(&directory, named.first())?;
    seen.check(&AdminRole::of(&directory, before))?;
    let after = caller.admin.describe_role(before, &body.description.0).await?;
    Ok(tagged(StatusCode::OK, &AdminRole::of(&directory, &after)))
}

async fn remove(Manager(caller): Manager, (named, seen): (Named, IfMatch)) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let role = by_id(&directory, named.first())?;
    seen.check(&AdminRole::of(&directory, role))?;
    caller.admin.delete_role(role).await?;
    Ok(nothing())
}

async fn give_user(caller: &Caller, give: Give, named: &Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let role = by_id(&directory, named.first())?;
    let user = found(caller, named.second()).await?;
    caller.admin.check_reach(&user)?;
    caller.admin.change_role_of(give, (role, &user)).await?;
    Ok(nothing())
}

async fn add_user(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    give_user(&caller, Give::To, &named).await
}

async fn remove_user(Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    give_user(&caller, Give::From, &named).await
}

async fn give_permission(caller: &Caller, give: Give, named: &Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let holder = Holder::Role(by_id(&directory, named.first())?.id);
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
