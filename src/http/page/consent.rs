//! `/consent`: what an app asks for, and yes or no.
//!
//! OIDC Core §3.1.2.4; PROTOCOL R16.

use axum::extract::State;
use axum::response::Response;

use crate::edge::template::context;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::select_account::account;
use crate::http::page::{Place, fault_page, find, find_for_form, lead, purpose};
use crate::http::web::{Web, redirect, shown, with_cookies};
use crate::model::interaction::ConsentGiven;
use crate::oauth::endpoint::authorize::{Next, go_on};
use crate::oauth::interaction::next_step::Asked;
use crate::oauth::interaction::{Open, finish};
use crate::oauth::token::claims::personal_scopes;
use crate::protocol::scope::Scope;

const PATH: &str = "/consent";

/// `GET /consent`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match find(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    match go_on(&web.provider, &open, &visitor.browser, None).await {
        Ok(Next::Consent(asked)) => page(&web, &visitor, &open, asked).await,
        Ok(next) => lead(&web, &visitor, &place, next),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /consent`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match find_for_form(&web, &visitor, (&place, PATH), form.get("csrf")).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    let asked = match go_on(&web.provider, &open, &visitor.browser, None).await {
        Ok(Next::Consent(asked)) => asked,
        Ok(next) => return lead(&web, &visitor, &place, next),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let next = match form.get("decision") {
        Some("accept") => {
            let given = ConsentGiven { scope: asked.scope, claims: asked.claims };
            go_on(&web.provider, &open, &visitor.browser, Some(given)).await
        }
        Some("switch") => return redirect(&place.path_with(&web, "/sign-in", &[("other", "1")])),
        Some("deny") => finish::close(&web.provider, &open)
            .await
            .map(|first| if first { Next::Answer(finish::denied(&open)) } else { Next::already_answered(&open) }),
        _ => Ok(Next::Consent(asked)),
    };
    match next {
        Ok(next) => lead(&web, &visitor, &place, next),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

async fn page(web: &Web, visitor: &Visitor, open: &Open, asked: Asked) -> Response {
    let Some(session) = &visitor.browser.session else {
        return redirect(&Place::open(open).path(web, "/sign-in"));
    };
    let user = match web.provider.edges.store.user(session.authentication.user).await {
        Ok(Some(user)) => user,
        Ok(None) => return redirect(&Place::open(open).path(web, "/sign-in")),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let (flow, cookie) = web.flow(visitor);
    let request = &open.interaction.request;
    let offline_access = asked.scope.contains(Scope::OFFLINE_ACCESS);
    let personal = personal_scopes();
    let scopes = asked.scope.iter().map(|name| context::ConsentScope {
        name: name.to_owned(),
        known: personal.contains(name),
        is_new: asked.new.contains(name) && asked.new != asked.scope,
        optional: false,
    });
    let context = context::Consent {
        action: Place::open(open).path(web, PATH),
        csrf: web.csrf.token(&flow, &purpose(PATH, open, visitor)),
        client: shown(&open.client, request.return_path.redirect_uri()),
        account: account(&user),
        scopes: scopes.collect(),
        claims: asked.claims,
        offline_access,
        revoke_uri: web.has_page("/account/apps").then(|| web.path("/account/apps", &[])),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &request.ui_locales).shown_as(request.display);
    with_cookies(web.pages.page("page/consent.html", &frame, &context), cookie)
}
