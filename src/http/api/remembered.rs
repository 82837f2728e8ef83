//! `/me/remembered-browsers`: browsers in which no second factor is asked for.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::admin::asked::Named;
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::authenticators::attempt;
use crate::http::api::caller::Person;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::id::RememberedId;
use crate::model::user_agent::device_name;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/remembered-browsers", Group::Mfa), "Browsers in which no second factor is asked for", list)
            .by_person()
            .gives::<RememberedBrowsers>(StatusCode::OK, "The browsers, the newest first."),
        delete(("/me/remembered-browsers", Group::Mfa), "Ask for the second factor in all of them again", forget_all)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is asked for everywhere."),
        delete(("/me/remembered-browsers/{id}", Group::Mfa), "Ask for the second factor in one of them again", forget)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is asked for there.")
            .refuses(&[Code::NotFound]),
    ]
}

/// Browsers in which no second factor is asked for.
#[derive(Debug, Serialize, ToSchema)]
struct RememberedBrowsers {
    /// The browsers.
    items: Vec<RememberedView>,
    /// Always null: there are few.
    next: Option<String>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
struct RememberedView {
    /// Its name in the paths.
    id: String,
    /// What it is, as far as it says so.
    device: String,
    /// What it calls itself.
    user_agent: String,
    /// From where it was when that was asked for.
    ip: String,
    /// When that was.
    created_at: Moment,
    /// Until when.
    expires_at: Moment,
}

async fn list(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let found = web.provider.factors.remembered(&person.user).await?;
    let items = found.into_iter().map(|browser| RememberedView {
        id: browser.id.to_string(),
        device: device_name(&browser.user_agent),
        user_agent: browser.user_agent,
        ip: browser.address,
        created_at: Moment(browser.created_at),
        expires_at: Moment(browser.expires_at),
    });
    Ok(ok(&RememberedBrowsers { items: items.collect(), next: None }))
}

async fn forget_all(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    web.provider.factors.forget(&person.user, None, &attempt(&web, &person)?).await?;
    Ok(nothing())
}

async fn forget(State(web): State<Web>, person: Person, named: Named) -> Result<Response, Problem> {
    let id: RememberedId = named.first().parse().map_err(|_| Problem::new(Code::NotFound))?;
    web.provider.factors.forget(&person.user, Some(id), &attempt(&web, &person)?).await?;
    Ok(nothing())
}
