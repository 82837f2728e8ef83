//! `/sign-in/link`: a link that signs in once. Opening it changes nothing (mail scanners open links); the button does.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::authn::{Answer, Refusal};
use crate::edge::template::context::LinkPage;
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::second_factor::arrive;
use crate::http::page::sign_in::{Entry, Offer, destination, prove};
use crate::http::page::{fault_page, foreign_form};
use crate::http::web::{Web, with_cookies};
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::secret::Secret;

const PURPOSE: &str = "link";

/// `GET /sign-in/link`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let (flow, cookie) = web.flow(&visitor);
    let context = LinkPage {
        action: web.path("/sign-in/link", &[("to", destination(&query))]),
        csrf: web.csrf.token(&flow, PURPOSE),
        token: query.get("token").unwrap_or_default().to_owned(),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/link.html", &frame, &context), cookie)
}

/// `POST /sign-in/link`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let token = form.get("token").unwrap_or_default();
    let again = [("to", destination(&query)), ("token", token)];
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path("/sign-in/link", &again));
    }
    let answer = Answer::Link(Secret::from(token));
    match prove(&web, &visitor, ("link", &answer), None).await {
        Ok(step) => {
            let (persistence, destination) = (Persistence::Browser, destination(&query));
            arrive(&web, visitor, step, Entry { open: None, persistence, destination, offer: Offer::Nothing }).await
        }
        Err(
            Refusal::Wrong
            | Refusal::WrongCode(_)
            | Refusal::CodeExpired
            | Refusal::LinkInvalid
            | Refusal::Unsent(_)
            | Refusal::Disabled
            | Refusal::NotActivated
            | Refusal::FlowExpired
            | Refusal::FlowInvalid,
        ) => web.refuse(&visitor, &PageError::new("link_used", StatusCode::BAD_REQUEST)),
        Err(Refusal::TooMany(_) | Refusal::Closed) => {
            web.refuse(&visitor, &PageError::new("too_many_requests", StatusCode::TOO_MANY_REQUESTS))
        }
        Err(Refusal::Fault(fault)) => fault_page(&web, &visitor, fault),
    }
}
