//! `/admin/events`: what happened, whoever did it (S-144). What each event tells stands in `model::event_catalogue`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::edge::store::EventQuery;
use crate::http::api::admin::asked::Asked;
use crate::http::api::admin::caller::Auditor;
use crate::http::api::answer::{Moment, ok};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::event::{Actor, Event, EventName, Outcome};
use crate::model::id::EventId;
use crate::model::user::Role;
use crate::protocol::numeric_date::NumericDate;

const FILTERS: &[&str] = &["event", "outcome", "user", "client_id", "since", "until"];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/events", Group::Admin), "List what happened, the latest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("event", "Only events of this name.")
            .query("outcome", "`success` or `failure`.")
            .query("user", "Only those that concern the person of this id.")
            .query("client_id", "Only those through this client.")
            .query("since", "From this moment on, in seconds since 1970.")
            .query("until", "Before this moment, in seconds since 1970.")
            .gives::<AdminEventList>(StatusCode::OK, "One page of events.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
    ]
}

/// One page of events.
#[derive(Debug, Serialize, ToSchema)]
struct AdminEventList {
    /// The events, the latest first.
    items: Vec<AdminEvent>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// Something that happened, as it is told everywhere: here, in an export, to whoever is called later. `/event-types` has its schema.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminEvent {
    /// Its id.
    id: String,
    /// When.
    at: Moment,
    /// What.
    event: &'static str,
    /// `success` or `failure`.
    outcome: &'static str,
    /// Who did it: a word, or an object that names a person or a client.
    #[schema(value_type = Object)]
    actor: Actor,
    /// Whom it concerns.
    user_id: Option<String>,
    /// Through which client.
    client_id: Option<String>,
    /// In which session.
    session_id: Option<String>,
    /// Where the request came from.
    ip: String,
    /// What the browser called itself.
    user_agent: String,
    /// The request in the log.
    request_id: String,
    /// What else there is to tell, as the catalogue says of its name.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

impl AdminEvent {
    /// The event as it is told.
    pub fn of(event: Event) -> Self {
        Self {
            id: event.id.to_string(),
            at: Moment(event.at),
            event: event.name.as_str(),
            outcome: event.outcome.as_str(),
            actor: event.actor,
            user_id: event.user.map(|user| user.to_string()),
            client_id: event.client.map(|client| client.to_string()),
            session_id: event.session.map(|session| session.to_string()),
            ip: event.provenance.address,
            user_agent: event.provenance.user_agent,
            request_id: event.provenance.trace_id,
            details: event.details,
        }
    }
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(FILTERS)?;
    let moment = |text: &str| text.parse::<i64>().ok().map(NumericDate::from_seconds);
    let query = EventQuery {
        name: asked.value("event", EventName::parse)?,
        outcome: asked.value("outcome", Outcome::parse)?,
        user: asked.value("user", |user| user.parse().ok())?,
        client: asked.value("client_id", |client| client.parse().ok())?,
        since: asked.value("since", moment)?,
        until: asked.value("until", moment)?,
        before: asked.paging.cursor(|cursor| cursor.parse::<EventId>().ok())?,
        limit: asked.paging.limit + 1,
    };
    let mut events = web.provider.edges.store.find_events(&query).await?;
    let next = asked.paging.cut(&mut events, |event| event.id.to_string());
    Ok(ok(&AdminEventList { items: events.into_iter().map(AdminEvent::of).collect(), next }))
}
