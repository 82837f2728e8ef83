//! `/me/sessions`: where a person is signed in, and an end to it (S-093, S-094).
//!
//! *Why no city:* we ask nobody where an address is. The address itself is told.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::store::Beside;
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::app::{AppView, app};
use crate::http::api::caller::Person;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get};
use crate::http::api::paging::{CURSOR, LIMIT, Paging};
use crate::http::api::problem::Problem;
use crate::http::extract::params::Segment;
use crate::http::web::Web;
use crate::model::event::EventName;
use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::model::user_agent::device_name;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/sessions", Group::Me), "List where you are signed in, the newest first", list)
            .by_person()
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<SessionList>(StatusCode::OK, "One page of sessions.")
            .refuses(&[Code::InvalidValue]),
        delete(("/me/sessions", Group::Me), "Sign out everywhere but here", end_others)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "All other sessions have ended, with every token given in them."),
        delete(("/me/sessions/{id}", Group::Me), "Sign a browser out", end)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "The session has ended, with every token given in it."),
    ]
}

/// One page of sessions.
#[derive(Debug, Serialize, ToSchema)]
struct SessionList {
    /// The sessions, the newest first.
    items: Vec<SessionItem>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A browser that is signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SessionItem {
    /// Its id, which is `sid` in ID tokens.
    id: String,
    /// Whether it is the one that asks, or the one that its token was given in.
    current: bool,
    /// When it began.
    created_at: Moment,
    /// When it was last used, to within five seconds.
    last_seen_at: Moment,
    /// Its end, however it is used.
    expires_at: Moment,
    /// Where it began; null when that is not known.
    ip: Option<String>,
    /// What the browser calls itself.
    user_agent: String,
    /// The same, in short; null when it says nothing.
    device: Option<String>,
    /// The app that the person signed in for, if it was one.
    client: Option<AppView>,
    /// How they proved who they are (RFC 8176).
    amr: Vec<String>,
    /// The server that vouched for them, and what it said of it; null where none did.
    elsewhere: Option<ElsewhereView>,
}

/// What a server elsewhere said of a sign-in there.
#[derive(Debug, Serialize, ToSchema)]
struct ElsewhereView {
    /// The name of the provider in URLs.
    provider: String,
    /// `acr` there.
    acr: Option<String>,
    /// `amr` there.
    amr: Vec<String>,
}

async fn list(State(web): State<Web>, person: Person, paging: Paging) -> Result<Response, Problem> {
    let before = paging.cursor(|cursor| cursor.parse::<SessionId>().ok())?;
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    let mut sessions = store.sessions_before(person.user.id, now, (before, paging.limit + 1)).await?;
    let next = paging.cut(&mut sessions, |session| session.id.to_string());
    let mut items = Vec::with_capacity(sessions.len());
    for session in &sessions {
        items.push(item(&web, &person, session).await?);
    }
    Ok(ok(&SessionList { items, next }))
}

async fn item(web: &Web, person: &Person, session: &Session) -> Result<SessionItem, Problem> {
    let origin = &session.origin;
    Ok(SessionItem {
        id: session.id.to_string(),
        current: person.session_id() == Some(session.id),
        created_at: Moment(session.created_at),
        last_seen_at: Moment(session.last_seen_at),
        expires_at: Moment(session.expires_at),
        ip: Some(origin.address.clone()).filter(|address| !address.is_empty()),
        user_agent: origin.user_agent.clone(),
        device: Some(device_name(&origin.user_agent)).filter(|name| !name.is_empty()),
        client: app(web, origin.client.as_ref()).await?,
        amr: session.authentication.amr_values(),
        elsewhere: session.authentication.elsewhere.as_deref().map(|elsewhere| ElsewhereView {
            provider: elsewhere.provider.to_string(),
            acr: elsewhere.acr.clone(),
            amr: elsewhere.amr.clone(),
        }),
    })
}

async fn end(State(web): State<Web>, person: Person, Segment(id): Segment) -> Result<Response, Problem> {
    let Ok(id) = id.parse::<SessionId>() else { return Err(Problem::new(Code::NotFound)) };
    let event = web.provider.edges.event(EventName::SessionEnded).of(person.user.id).within(id);
    let beside = Beside::event(event.from(person.guest.provenance.clone()).telling("reason", "revoked"));
    let ended = web.provider.edges.store.end_session_of(person.user.id, id, web.provider.now(), beside).await?;
    if ended { Ok(nothing()) } else { Err(Problem::new(Code::NotFound)) }
}

async fn end_others(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let mut event = web.provider.edges.event(EventName::SessionEnded).of(person.user.id);
    event.session = person.session_id();
    let beside = Beside::event(event.from(person.guest.provenance.clone()).telling("reason", "others_revoked"));
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    store.end_other_sessions(person.user.id, person.session_id(), now, beside).await?;
    Ok(nothing())
}
