//! `/account/not-me`: where the link in the mail about an unknown browser leads. Opening it changes nothing (mail scanners open links);
//! the button does.
//!
//! S-096.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::account::new_device::{Answered, Arrival, Surface};
use crate::edge::store::Beside;
use crate::edge::template::console::{NewPassword, NotMe};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::{fault_page, foreign_form};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::id::{ClientId, UserId};
use crate::protocol::secret::Secret;

/// The page of the link.
pub const PATH: &str = "/account/not-me";
const PASSWORD_PATH: &str = "/account/not-me/password";
const PURPOSE: &str = "not-me";

/// What is written beside a sign-in. That people are told must not keep anybody from signing in.
pub async fn notice(
    web: &Web,
    visitor: &Visitor,
    (user, client): (UserId, Option<ClientId>),
    surface: Surface,
) -> Beside {
    let arrival = Arrival {
        user,
        surface,
        client,
        from: visitor.browser.provenance.clone(),
        languages: vec![web.pages.frame(visitor.id, &visitor.headers, &[]).language.tag().to_owned()],
    };
    web.new_device.notice(&arrival).await.unwrap_or_else(|fault| {
        tracing::error!(error = %fault, "a person is not told of a sign-in from an unknown browser");
        Beside::default()
    })
}

/// [`notice`] for a browser, which carries a mark when it is known.
pub async fn notice_in_browser(web: &Web, visitor: &Visitor, (user, client): (UserId, Option<ClientId>)) -> Beside {
    if web.cookies.device(&visitor.headers).is_some_and(|mark| web.devices.recognises(user, &mark)) {
        return Beside::default();
    }
    notice(web, visitor, (user, client), Surface::UnmarkedBrowser).await
}

/// `GET /account/not-me`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let (flow, cookie) = web.flow(&visitor);
    let context = NotMe {
        action: web.path(PATH, &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        token: query.get("token").unwrap_or_default().to_owned(),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/not_me.html", &frame, &context), cookie)
}

/// `POST /account/not-me`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let token = form.get("token").unwrap_or_default();
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path(PATH, &[("token", token)]));
    }
    match web.new_device.deny(&Secret::from(token), &visitor.browser.provenance).await {
        // Their own browser is signed out as well.
        Ok(Answered::Done(reset)) => {
            let response = new_password(&web, &visitor, &reset, Vec::new());
            with_cookies(response, [web.cookies.clear_session()])
        }
        Ok(_) => used(&web, &visitor),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /account/not-me/password`
pub async fn set_password(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path("/sign-in", &[]));
    }
    let token = Secret::from(form.get("token").unwrap_or_default());
    let password = Secret::from(form.get("password").unwrap_or_default());
    match web.new_device.set_password((&token, &password), &visitor.browser.provenance).await {
        Ok(Answered::Done(())) => redirect(&web.path("/sign-in", &[])),
        Ok(Answered::Weak(weak)) => {
            let errors = weak.iter().map(|weakness| weakness.code().to_owned()).collect();
            let mut response = new_password(&web, &visitor, &token, errors);
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Ok(Answered::Invalid) => used(&web, &visitor),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

fn used(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("link_used", StatusCode::BAD_REQUEST))
}

fn new_password(web: &Web, visitor: &Visitor, token: &Secret, errors: Vec<String>) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let context = NewPassword {
        action: web.path(PASSWORD_PATH, &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        token: token.expose().clone(),
        errors,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/new_password.html", &frame, &context), cookie)
}
