//! The pages of the demo: `templates/dev/demo*.html`.
//!
//! They speak English only, unlike the server's own: who reads them writes code.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde::Serialize;

use super::Demo;
use super::client::SCOPE;
use super::exchange::pretty;
use super::failure::Failure;
use super::visit::{Notice, Numbered, SignedIn, Visit};
use super::visitor::Visitor;
use crate::edge::template::Frame;
use crate::protocol::authorization_request::Display;

/// `dev/demo.html`
#[derive(Serialize)]
struct Home<'a> {
    issuer: &'a str,
    mailbox: &'a str,
    /// The value of the forms; none before the first visit begins.
    csrf: &'a str,
    person: Option<Person<'a>>,
    notice: Option<&'a Notice>,
    /// Newest first.
    exchanges: Vec<&'a Numbered>,
}

/// Who is signed in.
#[derive(Serialize)]
struct Person<'a> {
    name: &'a str,
    email: Option<&'a str>,
    subject: &'a str,
    scope: &'a str,
    has_refresh_token: bool,
    id_token_claims: String,
    userinfo: String,
}

/// `dev/demo_error.html`
#[derive(Serialize)]
struct Failed<'a> {
    title: &'a str,
    detail: &'a str,
    code: Option<&'a str>,
    issuer: &'a str,
}

/// `dev/demo_spa.html`
#[derive(Serialize)]
struct SinglePage<'a> {
    issuer: &'a str,
    client_id: &'a str,
    redirect_uri: String,
    scope: &'a str,
}

/// `GET /`: who is signed in, the buttons, and the exchanges.
pub(super) async fn home(State(demo): State<Demo>, visitor: Visitor) -> Response {
    let visit = visitor.visit(&demo);
    let visit = visit.as_ref();
    let context = Home {
        issuer: &demo.0.settings.issuer,
        mailbox: &demo.0.settings.mailbox,
        csrf: visit.map_or("", |visit| visit.csrf.expose()),
        person: visit.and_then(|visit| visit.signed_in.as_ref()).map(Person::of),
        notice: visit.and_then(|visit| visit.notice.as_ref()),
        exchanges: visit.map(newest_first).unwrap_or_default(),
    };
    render(&demo, "dev/demo.html", StatusCode::OK, &context)
}

/// `GET /spa`: an app without a server.
pub(super) async fn spa(State(demo): State<Demo>) -> Response {
    let settings = &demo.0.settings;
    let context = SinglePage {
        issuer: &settings.issuer,
        client_id: &settings.spa,
        redirect_uri: format!("{}/spa", settings.origin),
        scope: SCOPE,
    };
    render(&demo, "dev/demo_spa.html", StatusCode::OK, &context)
}

/// `GET /assets/{name}`: style sheets and scripts, under names that change with their content.
pub(super) async fn asset(State(demo): State<Demo>, Path(name): Path<String>) -> Response {
    match demo.0.templates.asset(&name) {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.bytes).into_response()
        }
        None => not_found(State(demo)).await,
    }
}

/// Every other URL.
pub(super) async fn not_found(State(demo): State<Demo>) -> Response {
    let failure =
        Failure::new("There is no such page", "The demo app has its home page, /spa and the way back from the server.");
    failed(&demo, StatusCode::NOT_FOUND, &failure)
}

/// Why something did not work, with the way to try again.
pub(super) fn failed(demo: &Demo, status: StatusCode, failure: &Failure) -> Response {
    let context = Failed {
        title: &failure.title,
        detail: &failure.detail,
        code: failure.code.as_deref(),
        issuer: &demo.0.settings.issuer,
    };
    render(demo, "dev/demo_error.html", status, &context)
}

impl<'a> Person<'a> {
    fn of(signed_in: &'a SignedIn) -> Self {
        Self {
            name: signed_in.name(),
            email: signed_in.text("email"),
            subject: signed_in.subject(),
            scope: &signed_in.scope,
            has_refresh_token: signed_in.refresh_token.is_some(),
            id_token_claims: pretty(&signed_in.claims.clone().into()),
            userinfo: pretty(&signed_in.userinfo.clone().into()),
        }
    }
}

fn newest_first(visit: &Visit) -> Vec<&Numbered> {
    visit.exchanges.iter().rev().collect()
}

fn render<C: Serialize>(demo: &Demo, name: &str, status: StatusCode, context: &C) -> Response {
    let templates = &demo.0.templates;
    let frame = Frame {
        base: String::new(),
        language: templates.negotiate(&["en".to_owned()], None),
        trace_id: String::new(),
        development: true,
        display: Display::Page,
    };
    match templates.page(name, &frame, context) {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, page = name, "the demo page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
