//! `/account/apps`: the apps a person let in, and how to take that back.
//!
//! PROTOCOL R16.

use axum::extract::State;
use axum::response::Response;

use crate::edge::store::Beside;
use crate::edge::template::console::{Apps, AuthorizedApp};
use crate::http::extract::params::{Form, Segment};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{acting, console, nothing_there, visit};
use crate::http::page::fault_page;
use crate::http::web::{Web, redirect, shown, with_cookies};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::grant::AppAccess;
use crate::model::id::{ClientId, UserId};
use crate::oauth::withdrawal;

const PATH: &str = "/account/apps";

/// `GET /account/apps`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let visit = match visit(&web, &visitor, PATH).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let apps = match list(&web, visit.user.id).await {
        Ok(apps) => apps,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (console, cookie) = console(&web, &visitor, &visit.user, "apps");
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/account_apps.html", &frame, &Apps { console, apps }), cookie)
}

/// `POST /account/apps/{client_id}/revoke`
pub async fn revoke(
    State(web): State<Web>,
    visitor: Visitor,
    Segment(client_id): Segment,
    Form(form): Form,
) -> Response {
    let visit = match acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let Ok(client_id) = client_id.parse::<ClientId>() else { return nothing_there(&web, &visitor) };
    let event = web.provider.edges.event(EventName::ConsentWithdrawn).of(visit.user.id).through(&client_id);
    let beside = Beside::event(event.from(visitor.browser.provenance.clone()).within(visit.session.id));
    match withdrawal::withdraw(&web.provider, visit.user.id, &client_id, beside).await {
        Ok(_) => redirect(&web.path(PATH, &[])),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

async fn list(web: &Web, user: UserId) -> Result<Vec<AuthorizedApp>, Fault> {
    let store = &web.provider.edges.store;
    let mut apps = Vec::new();
    for AppAccess { client, scope, granted_at } in store.apps_of(user, web.provider.now()).await? {
        let Some(client) = store.client(&client).await? else { continue };
        let first = client.metadata.redirect_uris.first().map(String::as_str).unwrap_or_default();
        apps.push(AuthorizedApp {
            client_id: client.id.to_string(),
            name: client.display_name().to_owned(),
            host: shown(&client, first).host,
            scopes: scope.iter().map(str::to_owned).collect(),
            granted_at: granted_at.seconds(),
            revoke_action: web.path(&format!("{PATH}/{}/revoke", encoded(client.id.as_str())), &[]),
        });
    }
    Ok(apps)
}

/// A client id may be a URL; in a path it is one segment.
fn encoded(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect()
}
