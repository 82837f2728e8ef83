//! `/me/history`: what happened to an account (S-095).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::api::answer::{Moment, ok};
use crate::http::api::app::{AppView, app};
use crate::http::api::caller::Person;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::paging::{CURSOR, LIMIT, Paging};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::event::Event;
use crate::model::id::EventId;
use crate::model::user_agent::device_name;

/// What else an event may tell its person.
const TOLD: &[&str] = &["method", "reason", "change", "fields", "scope"];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/history", Group::Me), "List what happened to your account, the latest first", list)
            .by_person()
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<History>(StatusCode::OK, "One page of the history.")
            .refuses(&[Code::InvalidValue]),
    ]
}

/// One page of the history.
#[derive(Debug, Serialize, ToSchema)]
struct History {
    /// What happened, the latest first.
    items: Vec<HistoryItem>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryItem {
    /// Its id.
    id: String,
    /// When.
    at: Moment,
    /// What: `sign_in`, `password.reset`, `email.changed`, …
    event: &'static str,
    /// `success` or `failure`.
    outcome: &'static str,
    /// Where the request came from; null when that is not known.
    ip: Option<String>,
    /// What the browser called itself.
    user_agent: String,
    /// The same, in short; null when it said nothing.
    device: Option<String>,
    /// Through which app.
    client: Option<AppView>,
    /// In which session.
    session_id: Option<String>,
    /// What else there is to tell: `method`, `reason`, `change`, `fields`, `scope`.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

async fn list(State(web): State<Web>, person: Person, paging: Paging) -> Result<Response, Problem> {
    let before = paging.cursor(|cursor| cursor.parse::<EventId>().ok())?;
    let provider = &web.provider;
    let since = provider.now().minus(provider.policy.history);
    let mut events = provider.edges.store.events_of(person.user.id, since, (before, paging.limit + 1)).await?;
    let next = paging.cut(&mut events, |event| event.id.to_string());
    let mut items = Vec::with_capacity(events.len());
    for event in &events {
        items.push(item(&web, event).await?);
    }
    Ok(ok(&History { items, next }))
}

async fn item(web: &Web, event: &Event) -> Result<HistoryItem, Problem> {
    let told = event.details.iter().filter(|(name, _)| TOLD.contains(&name.as_str()));
    let (address, user_agent) = (&event.provenance.address, &event.provenance.user_agent);
    Ok(HistoryItem {
        id: event.id.to_string(),
        at: Moment(event.at),
        event: event.name.as_str(),
        outcome: event.outcome.as_str(),
        ip: Some(address.clone()).filter(|address| !address.is_empty()),
        user_agent: user_agent.clone(),
        device: Some(device_name(user_agent)).filter(|name| !name.is_empty()),
        client: app(web, event.client.as_ref()).await?,
        session_id: event.session.map(|session| session.to_string()),
        details: told.map(|(name, value)| (name.clone(), value.clone())).collect(),
    })
}
