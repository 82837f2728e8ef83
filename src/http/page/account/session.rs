//! `/account/sessions`: where a person is signed in, and an end to it.
//!
//! PROTOCOL S4; S-093, S-094.

use axum::extract::State;
use axum::response::Response;

use crate::edge::store::Beside;
use crate::edge::template::console::{BrowserSession, Sessions};
use crate::http::extract::params::{Form, Segment};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, acting, console, nothing_there, visit};
use crate::http::page::fault_page;
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::model::user_agent::device_name;

const PATH: &str = "/account/sessions";
/// As many as the page shows; the API has the rest.
const SHOWN: u32 = 200;

/// `GET /account/sessions`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let visit = match visit(&web, &visitor, PATH).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let sessions = match list(&web, &visit).await {
        Ok(sessions) => sessions,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (console, cookie) = console(&web, &visitor, &visit.user, "sessions");
    let context = Sessions { console, sessions, end_others_action: web.path("/account/sessions/end-others", &[]) };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/account_sessions.html", &frame, &context), cookie)
}

/// `POST /account/sessions/{id}/end`
pub async fn end(State(web): State<Web>, visitor: Visitor, Segment(id): Segment, Form(form): Form) -> Response {
    let visit = match acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let Ok(id) = id.parse::<SessionId>() else { return nothing_there(&web, &visitor) };
    let beside = told(&web, &visitor, &visit, Some(id));
    match web.provider.edges.store.end_session_of(visit.user.id, id, web.provider.now(), beside).await {
        Ok(true) => redirect(&web.path(PATH, &[])),
        Ok(false) => nothing_there(&web, &visitor),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /account/sessions/end-others`
pub async fn end_others(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let visit = match acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    let beside = told(&web, &visitor, &visit, None);
    match store.end_other_sessions(visit.user.id, Some(visit.session.id), now, beside).await {
        Ok(_) => redirect(&web.path(PATH, &[])),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// That the person threw a browser out, or all others.
fn told(web: &Web, visitor: &Visitor, visit: &Visit, ended: Option<SessionId>) -> Beside {
    let event = web.provider.edges.event(EventName::SessionEnded).of(visit.user.id);
    let event = event.from(visitor.browser.provenance.clone());
    Beside::event(match ended {
        Some(ended) => event.within(ended).telling("reason", "revoked"),
        None => event.within(visit.session.id).telling("reason", "others_revoked"),
    })
}

async fn list(web: &Web, visit: &Visit) -> Result<Vec<BrowserSession>, Fault> {
    let store = &web.provider.edges.store;
    let sessions = store.sessions_before(visit.user.id, web.provider.now(), (None, SHOWN)).await?;
    let mut shown = Vec::with_capacity(sessions.len());
    for session in &sessions {
        shown.push(describe(web, session, visit).await?);
    }
    Ok(shown)
}

async fn describe(web: &Web, session: &Session, visit: &Visit) -> Result<BrowserSession, Fault> {
    let client = match &session.origin.client {
        Some(client) => web.provider.edges.store.client(client).await?,
        None => None,
    };
    let by = match &session.authentication.elsewhere {
        Some(elsewhere) => web.provider.edges.store.identity_provider(elsewhere.provider.as_str()).await?,
        None => None,
    };
    Ok(BrowserSession {
        device: device_name(&session.origin.user_agent),
        current: session.id == visit.session.id,
        address: session.origin.address.clone(),
        client: client.map(|client| client.display_name().to_owned()),
        provider: by.map(|provider| provider.label().to_owned()),
        began: session.created_at.seconds(),
        last_seen: session.last_seen_at.seconds(),
        end_action: web.path(&format!("{PATH}/{}/end", session.id), &[]),
    })
}
