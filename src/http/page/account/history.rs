//! `/account/history`: what happened to an account.
//!
//! PROTOCOL O3; S-095.

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use crate::edge::template::console::{Happened, History};
use crate::http::extract::params::Query;
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{console, visit};
use crate::http::page::fault_page;
use crate::http::web::{Web, with_cookies};
use crate::model::event::{Event, Outcome};
use crate::model::fault::Fault;
use crate::model::id::{EventId, UserId};
use crate::model::user_agent::device_name;

const PATH: &str = "/account/history";
const SHOWN: u32 = 50;

/// `GET /account/history`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let visit = match visit(&web, &visitor, PATH).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    // An id that is none shows the beginning.
    let before = query.get("before").and_then(|id| id.parse::<EventId>().ok());
    let (events, older) = match list(&web, visit.user.id, before).await {
        Ok(list) => list,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (console, cookie) = console(&web, &visitor, &visit.user, "history");
    let older = older.map(|id| web.path(PATH, &[("before", &id.to_string())]));
    let context = History { console, events, older_uri: older };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/account_history.html", &frame, &context), cookie)
}

async fn list(web: &Web, user: UserId, before: Option<EventId>) -> Result<(Vec<Happened>, Option<EventId>), Fault> {
    let provider = &web.provider;
    let since = provider.now().minus(provider.policy.history);
    let mut events = provider.edges.store.events_of(user, since, (before, SHOWN + 1)).await?;
    let more = events.len() > SHOWN as usize;
    events.truncate(SHOWN as usize);
    let older = events.last().filter(|_| more).map(|event| event.id);
    let mut shown = Vec::with_capacity(events.len());
    for event in &events {
        shown.push(describe(web, event).await?);
    }
    Ok((shown, older))
}

async fn describe(web: &Web, event: &Event) -> Result<Happened, Fault> {
    let client = match &event.client {
        Some(client) => web.provider.edges.store.client(client).await?,
        None => None,
    };
    Ok(Happened {
        name: event.name.as_str().replace('.', "-"),
        failed: event.outcome == Outcome::Failure,
        at: event.at.seconds(),
        device: device_name(&event.provenance.user_agent),
        address: event.provenance.address.clone(),
        method: event.details.get("method").and_then(Value::as_str).map(str::to_owned),
        client: client.map(|client| client.display_name().to_owned()),
    })
}
