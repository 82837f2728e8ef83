//! `/federation/connect`: an identity that waits is connected with the account that its person has just proven, or not.
//!
//! PROTOCOL A20 (the local account is proven in the same browser), A15. Nothing is connected without this button.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::arrival::connected;
use crate::authn::upstream::pending::{self, Pending};
use crate::edge::template::context;
use crate::http::error::{Back, PageError};
use crate::http::extract::params::Form;
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, visit};
use crate::http::page::federation::is_open;
use crate::http::page::{Place, answered, fault_page, find, foreign_form, proceed};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::model::identity_provider::IdentityProvider;
use crate::model::interaction::Participation;
use crate::model::user::User;
use crate::oauth::interaction::sign_in::took_part;

/// Where a sign-in leads that an identity waits for.
pub const DESTINATION: &str = "federation/connect";
const PATH: &str = "/federation/connect";
const PURPOSE: &str = "federation-connect";

/// What waits in this browser, and the provider that it came by.
///
/// # Errors
/// A fault of a store.
pub async fn waiting(
    web: &Web,
    visitor: &Visitor,
) -> Result<Option<(Pending, std::sync::Arc<IdentityProvider>)>, Fault> {
    let edges = &web.provider.edges;
    let Some(pending) = pending::find(edges, visitor.browser.flow.as_ref()).await? else { return Ok(None) };
    let providers = edges.store.identity_providers().await?;
    let provider = providers.iter().find(|provider| provider.id == pending.provider && is_open(web, provider));
    Ok(provider.map(|provider| (pending, std::sync::Arc::clone(provider))))
}

/// `GET /federation/connect`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    match ready(&web, &visitor).await {
        Ok((visit, pending, provider)) => page(&web, &visitor, (&visit, &pending, &provider)),
        Err(response) => *response,
    }
}

/// `POST /federation/connect`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path(PATH, &[]));
    }
    let (visit, pending, provider) = match ready(&web, &visitor).await {
        Ok(ready) => ready,
        Err(response) => return *response,
    };
    let edges = &web.provider.edges;
    // Once, whatever is pressed.
    match pending::take(edges, visitor.browser.flow.as_ref()).await {
        Ok(Some(_)) => {}
        Ok(None) => return redirect(&web.path("/account", &[])),
        Err(fault) => return fault_page(&web, &visitor, fault),
    }
    let mut cookies = Vec::new();
    if form.get("decision") != Some("skip") {
        match connected(&web, (&provider, &pending.identity), &visit.user, &visitor.asking()).await {
            Ok(true) => cookies.push(web.cookies.set_provider(provider.slug.as_str())),
            Ok(false) => {
                let back = Back { uri: web.path("/account", &[]), client_name: None };
                return web.refuse(&visitor, &PageError::new("identity_taken", StatusCode::CONFLICT).back(back));
            }
            Err(fault) => return fault_page(&web, &visitor, fault),
        }
    }
    with_cookies(go_on(&web, &visitor, (&visit, pending)).await, cookies)
}

/// Connects what waits with the account that was made for it just now; whoever made it chose so on the page.
///
/// # Errors
/// A fault of a store.
pub async fn connect_made(web: &Web, visitor: &Visitor, user: &User) -> Result<(), Fault> {
    let edges = &web.provider.edges;
    let Some((_, provider)) = waiting(web, visitor).await? else { return Ok(()) };
    let taken = pending::take(edges, visitor.browser.flow.as_ref()).await?;
    if let Some(pending) = taken.filter(|pending| pending.owner.is_none()) {
        // Somebody who was faster keeps it; the account is there all the same.
        connected(web, (&provider, &pending.identity), user, &visitor.asking()).await?;
    }
    Ok(())
}

/// On with the request that waits, or to the account.
async fn go_on(web: &Web, visitor: &Visitor, (visit, pending): (&Visit, Pending)) -> Response {
    if pending.flow.is_none() {
        return redirect(&web.path("/account", &[]));
    }
    let place = Place { flow: pending.flow, client_id: pending.client_id };
    let open = match find(web, visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    let client = std::sync::Arc::clone(&open.client);
    match took_part(&web.provider, open, visit.session.id, Participation::SignedIn).await {
        Ok(Some(open)) => proceed(web, visitor, &open).await,
        Ok(None) => answered(web, visitor, &client),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// Who may connect what waits: the person whose account it is for, and who proved that since it waits.
async fn ready(
    web: &Web,
    visitor: &Visitor,
) -> Result<(Visit, Pending, std::sync::Arc<IdentityProvider>), Box<Response>> {
    let found = waiting(web, visitor).await.map_err(|fault| Box::new(fault_page(web, visitor, fault)))?;
    let Some((pending, provider)) = found else { return Err(Box::new(redirect(&web.path("/account", &[])))) };
    let visit = visit(web, visitor, PATH).await?;
    if pending.owner != Some(visit.user.id) {
        let back = Back { uri: web.path("/account", &[]), client_name: None };
        let page = PageError::new("identity_other_account", StatusCode::CONFLICT).back(back);
        return Err(Box::new(web.refuse(visitor, &page)));
    }
    if visit.session.proven_at() < pending.since {
        return Err(Box::new(redirect(&web.path("/sign-in", &[("to", DESTINATION)]))));
    }
    Ok((visit, pending, provider))
}

fn page(web: &Web, visitor: &Visitor, (visit, pending, provider): (&Visit, &Pending, &IdentityProvider)) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let context = context::Connect {
        action: web.path(PATH, &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        provider: provider.label().to_owned(),
        identity: pending.identity.label.clone().unwrap_or_default(),
        account: context::Account { name: visit.user.display_name().to_owned(), login: visit.user.login().to_owned() },
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/connect.html", &frame, &context), cookie)
}
