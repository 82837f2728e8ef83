//! The pages people see; each form posts to its own file and returns to the table of next steps.

pub mod account;
pub mod admin;
pub mod again;
pub mod avatar;
pub mod consent;
pub mod device;
pub mod error_docs;
pub mod federation;
pub mod home;
pub mod invitation;
pub mod link;
pub mod logout;
pub mod magic_link;
pub mod mailed_link;
pub mod mistake;
pub mod passkey;
pub mod passkey_offer;
pub mod profile;
pub mod qr;
pub mod recover;
pub mod register;
pub mod scene;
pub mod second_factor;
pub mod select_account;
pub mod sent_code;
pub mod sign_in;

use axum::response::Response;
use http::StatusCode;

use crate::authn::limit::Exceeded;
use crate::http::error::{Back, PageError};
use crate::http::extract::visitor::Visitor;
use crate::http::rate_limit;
use crate::http::web::{Web, redirect, way_back};
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::id::ClientId;
use crate::oauth::endpoint::authorize::{Next, go_on};
use crate::oauth::interaction::{self, Found, Open};
use crate::protocol::params::Params;

/// Where a waiting request stands: its id, and the client it is of, so that even an id that ran out leads back to the app.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// `flow`.
    pub flow: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
}

impl Place {
    /// Reads the place from a query.
    pub fn of(query: &Params) -> Self {
        let text = |name| query.get(name).map(str::to_owned);
        Self { flow: text("flow"), client_id: text("client_id") }
    }

    /// The place of a request that waits.
    pub fn open(open: &Open) -> Self {
        Self { flow: Some(open.id.expose().clone()), client_id: Some(open.client.id.to_string()) }
    }

    /// The path of the page `path` for this request.
    pub fn path(&self, web: &Web, path: &str) -> String {
        self.path_with(web, path, &[])
    }

    /// [`Place::path`] with more parameters.
    pub fn path_with(&self, web: &Web, path: &str, more: &[(&str, &str)]) -> String {
        let mut query: Vec<(&str, &str)> = Vec::new();
        query.extend(self.flow.as_deref().map(|flow| ("flow", flow)));
        query.extend(self.client_id.as_deref().map(|client_id| ("client_id", client_id)));
        query.extend(more);
        web.path(path, &query)
    }
}

/// Finds the request that waits at `place`, or the page that says why there is none.
///
/// # Errors
/// The response to send instead.
pub async fn find(web: &Web, visitor: &Visitor, place: &Place) -> Result<Open, Box<Response>> {
    let id = place.flow.as_deref().unwrap_or_default();
    let found = interaction::find(&web.provider, id, &visitor.browser)
        .await
        .map_err(|fault| Box::new(web.refuse(visitor, &fault.into())))?;
    match found {
        Found::Open(open) => Ok(*open),
        Found::Answered(client) => Err(Box::new(answered(web, visitor, &client))),
        Found::Lost => {
            let back = way_back_to(web, place.client_id.as_deref()).await;
            let key = if visitor.flow.is_some() { "interaction_expired" } else { "interaction_other_browser" };
            Err(Box::new(lost(web, visitor, (key, back))))
        }
    }
}

/// [`find`], where a request is named; pages also stand on their own.
///
/// # Errors
/// The response to send instead.
pub async fn open_at(web: &Web, visitor: &Visitor, place: &Place) -> Result<Option<Open>, Box<Response>> {
    match place.flow {
        None => Ok(None),
        Some(_) => find(web, visitor, place).await.map(Some),
    }
}

/// The request that the form of the page `path` answers: it waits, and the form is of the page that was shown to this very
/// session. Another account in another tab makes a form void.
///
/// # Errors
/// The response to send instead.
pub async fn find_for_form(
    web: &Web,
    visitor: &Visitor,
    (place, path): (&Place, &str),
    csrf: Option<&str>,
) -> Result<Open, Box<Response>> {
    let open = find(web, visitor, place).await?;
    web.csrf
        .check(&visitor.headers, visitor.flow.as_ref(), &purpose(path, &open, visitor), csrf)
        .map_err(|error| Box::new(foreign_form(web, visitor, error, place.path(web, path))))?;
    Ok(open)
}

/// What a form of the page `path` is for, as its CSRF token says: this request, shown to this session.
pub fn purpose(path: &str, open: &Open, visitor: &Visitor) -> String {
    let session = visitor.browser.session.as_ref().map(|session| session.id.to_string()).unwrap_or_default();
    format!("{path}:{}:{session}", open.id.expose())
}

/// The way back to the client of this id, if there is such a client and a way.
pub async fn way_back_to(web: &Web, client_id: Option<&str>) -> Option<Back> {
    let id = client_id?.parse::<ClientId>().ok()?;
    let client = web.provider.edges.store.client(&id).await.ok().flatten()?;
    way_back(&client, web.provider.issuer.as_str())
}

/// The page of a request whose app has its answer already.
pub fn answered(web: &Web, visitor: &Visitor, client: &Client) -> Response {
    lost(web, visitor, ("interaction_unknown", way_back(client, web.provider.issuer.as_str())))
}

fn lost(web: &Web, visitor: &Visitor, (key, back): (&'static str, Option<Back>)) -> Response {
    let error = PageError::new(key, StatusCode::BAD_REQUEST);
    web.refuse(
        visitor,
        &match back {
            Some(back) => error.back(back),
            None => error,
        },
    )
}

/// Sends the browser on to whatever comes next.
pub fn lead(web: &Web, visitor: &Visitor, place: &Place, next: Next) -> Response {
    match next {
        Next::SignIn => redirect(&place.path(web, "/sign-in")),
        Next::Register => redirect(&place.path(web, "/register")),
        Next::SecondFactor(_) => redirect(&place.path_with(web, second_factor::PATH, &[("raise", "1")])),
        Next::SelectAccount => redirect(&place.path(web, "/sign-in/account")),
        Next::Consent(_) => redirect(&place.path(web, "/consent")),
        Next::Answer(answer) => web.deliver(visitor, answer),
        Next::AlreadyAnswered(client) => answered(web, visitor, &client),
    }
}

/// [`go_on`] and [`lead`] in one: what a form does after it has changed something.
pub async fn proceed(web: &Web, visitor: &Visitor, open: &Open) -> Response {
    match go_on(&web.provider, open, &visitor.browser, None).await {
        Ok(next) => lead(web, visitor, &Place::open(open), next),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// A page for an inner failure.
pub fn fault_page(web: &Web, visitor: &Visitor, fault: Fault) -> Response {
    web.refuse(visitor, &fault.into())
}

/// A page for who asks too often; it tells in how many seconds they are heard again.
pub fn too_often(web: &Web, visitor: &Visitor, exceeded: Exceeded) -> Response {
    let mut response = web.refuse(visitor, &PageError::new("rate_limited", StatusCode::TOO_MANY_REQUESTS));
    rate_limit::tell(exceeded, response.headers_mut());
    response
}

/// A page for a form that is not from here, or void by now; the way on is a fresh form at `again`.
pub fn foreign_form(web: &Web, visitor: &Visitor, error: crate::http::csrf::CsrfError, again: String) -> Response {
    let back = Back { uri: again, client_name: None };
    web.refuse(visitor, &PageError::new("csrf", StatusCode::BAD_REQUEST).hint(error.to_string()).back(back))
}
