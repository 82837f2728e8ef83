//! `/me/grants`: the apps a person let in, and how to take that back.
//!
//! PROTOCOL R16. A consent that is taken back ends every token the app has of the person.

use std::cmp::Reverse;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
use crate::model::grant::AppAccess;
use crate::model::id::ClientId;
use crate::oauth::withdrawal;
use crate::protocol::numeric_date::NumericDate;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/grants", Group::Me), "List the apps you let in, the latest first", list)
            .by_person()
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<GrantList>(StatusCode::OK, "One page of apps.")
            .refuses(&[Code::InvalidValue]),
        delete(("/me/grants/{client_id}", Group::Me), "Take an app's permission back", withdraw)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "The app has nothing of yours any more."),
    ]
}

/// One page of apps.
#[derive(Debug, Serialize, ToSchema)]
struct GrantList {
    /// The apps, the latest first.
    items: Vec<GrantItem>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// What an app has of a person.
#[derive(Debug, Serialize, ToSchema)]
struct GrantItem {
    /// The app.
    client: Option<AppView>,
    /// What it may see.
    scopes: Vec<String>,
    /// Since when.
    granted_at: Moment,
}

async fn list(State(web): State<Web>, person: Person, paging: Paging) -> Result<Response, Problem> {
    let after = paging.cursor(read_cursor)?;
    let mut apps = web.provider.edges.store.apps_of(person.user.id, web.provider.now()).await?;
    if let Some(after) = after {
        apps.retain(|app| (Reverse(app.granted_at), &app.client) > (Reverse(after.0), &after.1));
    }
    let next = paging.cut(&mut apps, |app| URL_SAFE_NO_PAD.encode(format!("{} {}", app.granted_at, app.client)));
    let mut items = Vec::with_capacity(apps.len());
    for AppAccess { client, scope, granted_at } in apps {
        items.push(GrantItem {
            client: app(&web, Some(&client)).await?,
            scopes: scope.iter().map(str::to_owned).collect(),
            granted_at: Moment(granted_at),
        });
    }
    Ok(ok(&GrantList { items, next }))
}

/// The place of an app in the list.
fn read_cursor(cursor: &str) -> Option<(NumericDate, ClientId)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (granted_at, client) = text.split_once(' ')?;
    Some((NumericDate::from_seconds(granted_at.parse().ok()?), client.parse().ok()?))
}

async fn withdraw(State(web): State<Web>, person: Person, Segment(client_id): Segment) -> Result<Response, Problem> {
    let Ok(client) = client_id.parse::<ClientId>() else { return Err(Problem::new(Code::NotFound)) };
    let mut event = web.provider.edges.event(EventName::ConsentWithdrawn).of(person.user.id).through(&client);
    event.session = person.session_id();
    let beside = Beside::event(event.from(person.guest.provenance.clone()));
    let existed = withdrawal::withdraw(&web.provider, person.user.id, &client, beside).await?;
    if existed { Ok(nothing()) } else { Err(Problem::new(Code::NotFound)) }
}
