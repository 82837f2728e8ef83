//! `/account`: the apps a person allowed, the browsers they are signed in with, and how to take either back.
//!
//! PROTOCOL R16, S4.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::edge::template::context::{AccountPage, AuthorizedApp, BrowserSession, Profile};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Segment};
use crate::http::extract::visitor::Visitor;
use crate::http::page::{fault_page, foreign_form, logout};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, SessionId, UserId};
use crate::model::session::Session;
use crate::model::user::{IdentifierKind, User};
use crate::model::user_agent::device_name;

/// `GET /account`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let Some(session) = visitor.browser.session.clone() else {
        return redirect(&web.path("/sign-in", &[("to", "account")]));
    };
    let user = match web.provider.edges.store.user(session.authentication.user).await {
        Ok(Some(user)) => user,
        Ok(None) => return redirect(&web.path("/sign-in", &[("to", "account")])),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (flow, cookie) = web.flow(&visitor);
    let context = match describe(&web, &user, &session).await {
        Ok((apps, sessions)) => AccountPage {
            account: profile(&user),
            // One token for the page's forms: each changes only what belongs to the person who is signed in.
            csrf: web.csrf.token(&flow, logout::PURPOSE),
            apps,
            sessions,
            sign_out_action: web.path("/sign-out", &[]),
        },
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/account.html", &frame, &context), cookie)
}

/// `POST /account/apps/{client_id}/revoke`
pub async fn revoke_app(
    State(web): State<Web>,
    visitor: Visitor,
    Segment(client_id): Segment,
    Form(form): Form,
) -> Response {
    let user = match acting(&web, &visitor, form.get("csrf")) {
        Ok(user) => user,
        Err(response) => return *response,
    };
    let Ok(client_id) = client_id.parse::<ClientId>() else { return nothing_there(&web, &visitor) };
    match web.provider.edges.store.withdraw_consent(user, &client_id, web.provider.now()).await {
        Ok(_) => redirect(&web.path("/account", &[])),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /account/sessions/{id}/end`
pub async fn end_session(State(web): State<Web>, visitor: Visitor, Segment(id): Segment, Form(form): Form) -> Response {
    let user = match acting(&web, &visitor, form.get("csrf")) {
        Ok(user) => user,
        Err(response) => return *response,
    };
    let Ok(id) = id.parse::<SessionId>() else { return nothing_there(&web, &visitor) };
    let store = &web.provider.edges.store;
    let own = match store.session(id).await {
        Ok(session) => session.filter(|session| session.authentication.user == user),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let Some(own) = own else { return nothing_there(&web, &visitor) };
    match store.end_session(own.id, web.provider.now()).await {
        Ok(_) => redirect(&web.path("/account", &[])),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// Who sends a form of this page.
fn acting(web: &Web, visitor: &Visitor, csrf: Option<&str>) -> Result<UserId, Box<Response>> {
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), logout::PURPOSE, csrf) {
        return Err(Box::new(foreign_form(web, visitor, error, web.path("/account", &[]))));
    }
    let session = visitor.browser.session.as_ref();
    session
        .map(|session| session.authentication.user)
        .ok_or_else(|| Box::new(redirect(&web.path("/sign-in", &[("to", "account")]))))
}

fn nothing_there(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("not_found", StatusCode::NOT_FOUND))
}

async fn describe(
    web: &Web,
    user: &User,
    current: &Session,
) -> Result<(Vec<AuthorizedApp>, Vec<BrowserSession>), Fault> {
    let store = &web.provider.edges.store;
    let mut apps = Vec::new();
    for consent in store.consents_of(user.id).await? {
        let Some(client) = store.client(&consent.client).await? else { continue };
        let first = client.metadata.redirect_uris.first().map(String::as_str).unwrap_or_default();
        apps.push(AuthorizedApp {
            client_id: client.id.to_string(),
            name: client.display_name().to_owned(),
            host: crate::http::web::shown(&client, first).host,
            scopes: consent.scope.iter().map(str::to_owned).collect(),
            granted_at: consent.granted_at.seconds(),
            revoke_action: web.path(&format!("/account/apps/{}/revoke", encoded(client.id.as_str())), &[]),
        });
    }
    let sessions = store.sessions_of(user.id, web.provider.now()).await?;
    let sessions = sessions.iter().map(|session| BrowserSession {
        device: device_name(&session.user_agent),
        current: session.id == current.id,
        last_seen: session.last_seen_at.seconds(),
        end_action: web.path(&format!("/account/sessions/{}/end", session.id), &[]),
    });
    Ok((apps, sessions.collect()))
}

fn profile(user: &User) -> Profile {
    Profile {
        name: user.display_name().to_owned(),
        login: user.login().to_owned(),
        email: user.primary(IdentifierKind::Email).map(|email| email.value.clone()),
        picture: user.profile.picture.clone(),
    }
}

/// A client id may be a URL; in a path it is one segment.
fn encoded(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect()
}
