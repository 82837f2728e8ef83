//! `/sign-in/magic`: a link that was asked for, opened. Opening it changes nothing (mail scanners open links); the button does.
//!
//! S-052, PROTOCOL A13. In another browser than the one that asked the page wants what that one shows; the request of an app goes on in
//! the browser where it waits, and nowhere else.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::authn::magic_link::{NAME, Opened};
use crate::authn::{Answer, Refusal};
use crate::edge::template::context::MagicLinkPage;
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::second_factor::arrive;
use crate::http::page::sign_in::{Entry, Offer, prove_for};
use crate::http::page::{Place, fault_page, find, foreign_form};
use crate::http::web::{Web, with_cookies};
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::secret::Secret;

const PATH: &str = "/sign-in/magic";
const PURPOSE: &str = "magic-link";

/// `GET /sign-in/magic`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let token = query.get("token").unwrap_or_default();
    match opened(&web, &visitor, token).await {
        Ok(opened) => page(&web, &visitor, &opened, (token, None)),
        Err(response) => *response,
    }
}

/// `POST /sign-in/magic`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let token = form.get("token").unwrap_or_default();
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path(PATH, &[("token", token)]));
    }
    let opened = match opened(&web, &visitor, token).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let open = waiting(&web, &visitor, &opened).await;
    let path = opened.onward.path.clone();
    let answer = Answer::MagicLink { token: Secret::from(token), shown: form.get("code").map(Secret::from) };
    match prove_for(&web, &visitor, (NAME, &answer), (open.as_ref(), path)).await {
        Ok(step) => {
            let is_kept = opened.is_same_browser && opened.onward.remember;
            let persistence = if is_kept { Persistence::Kept } else { Persistence::Browser };
            arrive(&web, visitor, step, Entry { open, persistence, destination: "account", offer: Offer::Nothing })
                .await
        }
        Err(Refusal::WrongCode(_)) => {
            let mut response = page(&web, &visitor, &opened, (token, Some("wrong_code")));
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Err(refusal) => refused(&web, &visitor, refusal),
    }
}

/// The request that waits in this very browser for who asked for the link.
async fn waiting(web: &Web, visitor: &Visitor, opened: &Opened) -> Option<Open> {
    let request = opened.onward.request.as_ref().filter(|_| opened.is_same_browser)?;
    let place = Place { flow: Some(request.flow.clone()), client_id: Some(request.client.to_string()) };
    find(web, visitor, &place).await.ok()
}

async fn opened(web: &Web, visitor: &Visitor, token: &str) -> Result<Opened, Box<Response>> {
    let opened = web.magic_link.opened(token, visitor.browser.flow.as_ref()).await;
    opened.map_err(|refusal| Box::new(refused(web, visitor, refusal)))
}

fn refused(web: &Web, visitor: &Visitor, refusal: Refusal) -> Response {
    match refusal {
        Refusal::Fault(fault) => fault_page(web, visitor, fault),
        Refusal::TooMany(_) | Refusal::Closed => {
            web.refuse(visitor, &PageError::new("too_many_requests", StatusCode::TOO_MANY_REQUESTS))
        }
        Refusal::Disabled => web.refuse(visitor, &PageError::new("account_disabled", StatusCode::FORBIDDEN)),
        Refusal::NotActivated => web.refuse(visitor, &PageError::new("account_not_activated", StatusCode::FORBIDDEN)),
        _ => web.refuse(visitor, &PageError::new("link_used", StatusCode::GONE)),
    }
}

fn page(web: &Web, visitor: &Visitor, opened: &Opened, (token, error): (&str, Option<&str>)) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let context = MagicLinkPage {
        action: web.path(PATH, &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        token: token.to_owned(),
        asks_code: !opened.is_same_browser,
        error: error.map(str::to_owned),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/magic_link.html", &frame, &context), cookie)
}
