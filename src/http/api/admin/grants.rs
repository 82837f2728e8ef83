//! `/admin/users/{id}/grants`: which apps have something of somebody, and an end to it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::store::Beside;
use crate::http::api::admin::asked::Named;
use crate::http::api::admin::caller::{Auditor, Support};
use crate::http::api::admin::users::found;
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::event::EventName;
use crate::model::id::ClientId;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/users/{id}/grants", Group::Admin), "List the apps that have something of somebody", list)
            .by_role(Role::Auditor)
            .gives::<AdminGrantList>(StatusCode::OK, "The apps, the latest first."),
        delete(("/admin/users/{id}/grants/{client_id}", Group::Admin), "Take everything back from an app", withdraw)
            .by_role(Role::UserSupport)
            .gives_nothing(StatusCode::NO_CONTENT, "Consent, grants and tokens are gone."),
    ]
}

/// The apps that have something of somebody.
#[derive(Debug, Serialize, ToSchema)]
struct AdminGrantList {
    /// The apps, the latest first.
    items: Vec<AdminGrant>,
}

/// An app that has something of somebody.
#[derive(Debug, Serialize, ToSchema)]
struct AdminGrant {
    /// Its `client_id`.
    client_id: String,
    /// What it was allowed.
    scope: String,
    /// When, the latest time.
    granted_at: Moment,
}

async fn list(State(web): State<Web>, Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    let apps = web.provider.edges.store.apps_of(user.id, web.provider.now()).await?;
    let items = apps.into_iter().map(|app| AdminGrant {
        client_id: app.client.to_string(),
        scope: app.scope.to_string(),
        granted_at: Moment(app.granted_at),
    });
    Ok(ok(&AdminGrantList { items: items.collect() }))
}

async fn withdraw(State(web): State<Web>, Support(caller): Support, named: Named) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    caller.admin.check_reach(&user)?;
    let client: ClientId = named.second().parse().map_err(|_| Problem::new(Code::NotFound))?;
    let told = Beside::event(caller.admin.event_about(EventName::ConsentWithdrawn, &user).through(&client));
    let gone = web.provider.edges.store.withdraw_consent(user.id, &client, web.provider.now(), told).await?;
    if gone { Ok(nothing()) } else { Err(Problem::new(Code::NotFound)) }
}
