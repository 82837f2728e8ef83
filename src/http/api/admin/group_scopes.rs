//! `/admin/group-scopes`: scopes that only the members of a group may have (S-149).

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Manager};
use crate::http::api::admin::groups::by_id as group_by_id;
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::model::directory::Directory;
use crate::model::group::GroupScope;
use crate::model::id::{GroupId, GroupScopeId};
use crate::model::user::Role;
use crate::protocol::scope::Scope;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/group-scopes", Group::Admin), "List group scopes, the oldest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("group", "Only those of the group of this id.")
            .gives::<AdminGroupScopeList>(StatusCode::OK, "One page of group scopes.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/group-scopes", Group::Admin), "Keep scopes for the members of a group", create)
            .by_role(Role::Admin)
            .takes::<NewGroupScope>()
            .gives::<AdminGroupScope>(StatusCode::CREATED, "The group scope.")
            .refuses(&[Code::NotFound]),
        get(("/admin/group-scopes/{id}", Group::Admin), "A group scope", show)
            .by_role(Role::Auditor)
            .gives::<AdminGroupScope>(StatusCode::OK, "The group scope."),
        patch(("/admin/group-scopes/{id}", Group::Admin), "Rename a group scope, or keep other scopes", change)
            .by_role(Role::Admin)
            .if_match()
            .takes::<GroupScopePatch>()
            .gives::<AdminGroupScope>(StatusCode::OK, "The group scope as it is now."),
        delete(("/admin/group-scopes/{id}", Group::Admin), "Keep these scopes no longer", remove)
            .by_role(Role::Admin)
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
    ]
}

/// One page of group scopes.
#[derive(Debug, Serialize, ToSchema)]
struct AdminGroupScopeList {
    /// The group scopes.
    items: Vec<AdminGroupScope>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// Scopes that only the members of a group may have.
#[derive(Debug, Serialize, ToSchema)]
struct AdminGroupScope {
    /// Its id.
    id: String,
    /// The id of the group.
    group_id: String,
    /// What operators call it.
    name: String,
    /// The scopes.
    scopes: Vec<String>,
}

body! {
    /// Scopes that shall be kept for the members of a group.
    struct NewGroupScope {
        /// The id of the group.
        group_id: String,
        /// What operators call it.
        name: String,
        /// The scopes.
        scopes: Vec<String>,
    }
}

body! {
    /// How a group scope shall change.
    struct GroupScopePatch {
        /// Another name.
        name: Option<String>,
        /// Other scopes.
        scopes: Option<Vec<String>>,
    }
}

impl AdminGroupScope {
    fn of(scope: &GroupScope) -> Self {
        Self {
            id: scope.id.to_string(),
            group_id: scope.group.to_string(),
            name: scope.name.clone(),
            scopes: scope.scopes.iter().map(str::to_owned).collect(),
        }
    }
}

fn by_id<'d>(directory: &'d Directory, id: &str) -> Result<&'d GroupScope, Problem> {
    let id: Option<GroupScopeId> = id.parse().ok();
    let found = directory.scopes().iter().find(|scope| Some(scope.id) == id);
    found.ok_or_else(|| Problem::new(Code::NotFound))
}

fn parse(scopes: &[String]) -> Result<Scope, Problem> {
    let malformed = scopes.iter().any(|scope| scope.is_empty() || scope.contains(' '));
    let parsed = scopes.join(" ").parse::<Scope>().ok().filter(|_| !malformed);
    parsed.ok_or_else(|| Problem::field("scopes", Code::InvalidValue))
}

async fn list(Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["group"])?;
    let directory = caller.admin.edges.store.directory().await?;
    let group = asked.value("group", |id| id.parse::<GroupId>().ok())?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<GroupScopeId>().ok())?;
    let fits = |scope: &&GroupScope| {
        group.is_none_or(|group| scope.group == group) && after.is_none_or(|after| scope.id > after)
    };
    let mut scopes: Vec<&GroupScope> =
        directory.scopes().iter().filter(fits).take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut scopes, |scope| scope.id.to_string());
    Ok(ok(&AdminGroupScopeList { items: scopes.into_iter().map(AdminGroupScope::of).collect(), next }))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::OK, &AdminGroupScope::of(by_id(&directory, named.first())?)))
}

async fn create(Manager(caller): Manager, Json(body): Json<NewGroupScope>) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let group = group_by_id(&directory, &body.group_id).map_err(|_| Problem::field("group_id", Code::InvalidValue))?;
    let made = caller.admin.create_group_scope(group, (&body.name, &parse(&body.scopes)?)).await?;
    Ok(tagged(StatusCode::CREATED, &AdminGroupScope::of(&made)))
}

async fn change(
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
    Json(body): Json<GroupScopePatch>,
) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let before = by_id(&directory, named.first())?;
    seen.check(&AdminGroupScope::of(before))?;
    let scopes = body.scopes.as_deref().map(parse).transpose()?;
    let after = caller.admin.change_group_scope(before, (body.name.as_deref(), scopes.as_ref())).await?;
    Ok(tagged(StatusCode::OK, &AdminGroupScope::of(&after)))
}

async fn remove(Manager(caller): Manager, (named, seen): (Named, IfMatch)) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let scope = by_id(&directory, named.first())?;
    seen.check(&AdminGroupScope::of(scope))?;
    caller.admin.delete_group_scope(scope).await?;
    Ok(nothing())
}
