//! `/sign-in/account`: choosing among accounts already proven in this browser (`prompt=select_account`).

use axum::extract::State;
use axum::response::Response;

use crate::edge::template::context;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::{Place, answered, fault_page, find, find_for_form, lead, proceed, purpose};
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::interaction::Participation;
use crate::model::user::User;
use crate::oauth::endpoint::authorize::{Next, go_on};
use crate::oauth::interaction::sign_in::took_part;

const PATH: &str = "/sign-in/account";

/// `GET /sign-in/account`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match find(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    match go_on(&web.provider, &open, &visitor.browser, None).await {
        Ok(Next::SelectAccount) => {}
        Ok(next) => return lead(&web, &visitor, &place, next),
        Err(fault) => return fault_page(&web, &visitor, fault),
    }
    let Some(session) = &visitor.browser.session else { return redirect(&place.path(&web, "/sign-in")) };
    let user = match web.provider.edges.store.user(session.authentication.user).await {
        Ok(user) => user,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let (flow, cookie) = web.flow(&visitor);
    let request = &open.interaction.request;
    let context = context::SelectAccount {
        action: place.path(&web, PATH),
        csrf: web.csrf.token(&flow, &purpose(PATH, &open, &visitor)),
        accounts: user.iter().map(|user| account(user)).collect(),
        client: Some(shown(&open.client, request.return_path.redirect_uri())),
        back_uri: way_back(&open.client, web.provider.issuer.as_str()).map(|back| back.uri),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &request.ui_locales).shown_as(request.display);
    with_cookies(web.pages.page("page/select_account.html", &frame, &context), cookie)
}

/// `POST /sign-in/account`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match find_for_form(&web, &visitor, (&place, PATH), form.get("csrf")).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    let session = visitor.browser.session.as_ref().filter(|_| form.get("account") == Some("current"));
    let Some(session) = session else { return redirect(&place.path_with(&web, "/sign-in", &[("other", "1")])) };
    let client = std::sync::Arc::clone(&open.client);
    match took_part(&web.provider, open, session.id, Participation::ChoseAccount).await {
        Ok(Some(open)) => proceed(&web, &visitor, &open).await,
        Ok(None) => answered(&web, &visitor, &client),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// A person as pages name them.
pub fn account(user: &User) -> context::Account {
    context::Account { name: user.display_name().to_owned(), login: user.login().to_owned() }
}
