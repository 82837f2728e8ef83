//! `/admin/permissions`: what may be done in apps (S-147).

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::permission::named as by_name;
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::admin::roles::DescriptionChange;
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Json, Text, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::model::role::{Permission, PermissionName};
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/permissions", Group::Admin), "List permissions, by their names", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", "How the name begins: `shop:`.")
            .gives::<AdminPermissionList>(StatusCode::OK, "One page of permissions.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/permissions", Group::Admin), "Make a permission", create)
            .by_role(Role::Admin)
            .takes::<NewPermission>()
            .gives::<AdminPermission>(StatusCode::CREATED, "The permission.")
            .refuses(&[Code::AlreadyExists]),
        get(("/admin/permissions/{name}", Group::Admin), "A permission", show)
            .by_role(Role::Auditor)
            .gives::<AdminPermission>(StatusCode::OK, "The permission."),
        patch(("/admin/permissions/{name}", Group::Admin), "Describe a permission", change)
            .by_role(Role::Admin)
            .if_match()
            .takes::<DescriptionChange>()
            .gives::<AdminPermission>(StatusCode::OK, "The permission as it is now."),
        delete(("/admin/permissions/{name}", Group::Admin), "Delete a permission", remove)
            .by_role(Role::Admin)
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "Nobody has it any more."),
    ]
}

/// One page of permissions.
#[derive(Debug, Serialize, ToSchema)]
struct AdminPermissionList {
    /// The permissions.
    items: Vec<AdminPermission>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// What may be done in an app.
#[derive(Debug, Serialize, ToSchema)]
struct AdminPermission {
    /// `app:resource:action`
    name: String,
    /// What it is for.
    description: String,
}

body! {
    /// A permission that shall be.
    struct NewPermission {
        /// `app:resource:action`
        name: String,
        /// What it is for.
        description: Option<Text>,
    }
}

impl AdminPermission {
    fn of(permission: &Permission) -> Self {
        Self { name: permission.name.to_string(), description: permission.description.clone() }
    }
}

async fn list(Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["q"])?;
    let directory = caller.admin.edges.store.directory().await?;
    let beginning = asked.text("q")?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<PermissionName>().ok())?;
    let fits = |permission: &&Permission| {
        beginning.is_none_or(|beginning| permission.name.as_str().starts_with(beginning))
            && after.as_ref().is_none_or(|after| permission.name > *after)
    };
    let mut all: Vec<&Permission> =
        directory.permissions().filter(fits).take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut all, |permission| permission.name.to_string());
    Ok(ok(&AdminPermissionList { items: all.into_iter().map(AdminPermission::of).collect(), next }))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::OK, &AdminPermission::of(by_name(&directory, named.first())?)))
}

async fn create(Manager(caller): Manager, Json(body): Json<NewPermission>) -> Result<Response, Problem> {
    let description = body.description.map(|text| text.0).unwrap_or_default();
    let made = caller.admin.create_permission(&body.name, &description).await?;
    Ok(tagged(StatusCode::CREATED, &AdminPermission::of(&made)))
}

async fn change(
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
    Json(body): Json<DescriptionChange>,
) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let before = by_name(&directory, named.first())?;
    seen.check(&AdminPermission::of(before))?;
    let after = caller.admin.describe_permission(before, &body.description.0).await?;
    Ok(tagged(StatusCode::OK, &AdminPermission::of(&after)))
}

async fn remove(Manager(caller): Manager, (named, seen): (Named, IfMatch)) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let permission = by_name(&directory, named.first())?;
    seen.check(&AdminPermission::of(permission))?;
    caller.admin.delete_permission(permission).await?;
    Ok(nothing())
}
