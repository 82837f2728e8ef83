//! `/oauth2/logout` and `/sign-out`: leaving, asked for by an app or by the person.
//!
//! OIDC RP-Initiated Logout 1.0 §2, §3; Front-Channel Logout 1.0 §3.

use axum::extract::State;
use axum::response::Response;
use http::Method;

use crate::edge::template::context;
use crate::http::extract::params::{AnyParams, Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::select_account::account;
use crate::http::page::{fault_page, foreign_form};
use crate::http::security_header::admit_frames;
use crate::http::web::{Web, home, page_error, redirect, shown, with_cookies};
use crate::model::fault::Fault;
use crate::oauth::endpoint::logout::{self, Confirmation, Departure, Logout};
use crate::protocol::oidc::rp_logout::LogoutRequest;
use crate::protocol::params::Params;

/// Forms of `/sign-out` have one purpose wherever they stand.
pub const PURPOSE: &str = "sign-out";

/// `GET` and `POST /oauth2/logout`
pub async fn end_session(
    State(web): State<Web>,
    visitor: Visitor,
    method: Method,
    AnyParams(params): AnyParams,
) -> Response {
    if let Some(again) = web.ask_with_cookies(&visitor, &method, ("/oauth2/logout", &params)) {
        return again;
    }
    let logout = match read(&web, &visitor, &params).await {
        Ok(logout) => logout,
        Err(response) => return *response,
    };
    match logout.confirmation {
        Confirmation::Unneeded => leave(&web, visitor, logout).await,
        Confirmation::Needed => ask(&web, &visitor, &logout, &params).await,
    }
}

/// `POST /sign-out`: the person confirmed, or signs out on a page of ours.
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path("/account", &[]));
    }
    if form.get("decision") == Some("stay") {
        return redirect(&web.path("/", &[]));
    }
    match read(&web, &visitor, &query).await {
        Ok(logout) => leave(&web, visitor, logout).await,
        Err(response) => *response,
    }
}

async fn read(web: &Web, visitor: &Visitor, params: &Params) -> Result<Logout, Box<Response>> {
    let refuse = |error| Box::new(web.refuse(visitor, &page_error("logout_request", &error)));
    let request = LogoutRequest::parse(params).map_err(refuse)?;
    logout::read(&web.provider, &request, &visitor.browser).await.map_err(refuse)
}

async fn ask(web: &Web, visitor: &Visitor, logout: &Logout, params: &Params) -> Response {
    let user = match &visitor.browser.session {
        Some(session) => web.provider.edges.store.user(session.authentication.user).await,
        None => Ok(None),
    };
    let user = match user {
        Ok(user) => user,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let (flow, cookie) = web.flow(visitor);
    let goes_along = |name: &str| match name {
        "id_token_hint" | "client_id" => false,
        "post_logout_redirect_uri" => logout.return_to.is_some(),
        _ => true,
    };
    let mut query: Vec<(&str, &str)> = params.iter().filter(|(name, _)| goes_along(name)).collect();
    query.extend(logout.client.as_ref().map(|client| ("client_id", client.id.as_str())));
    let context = context::Logout {
        action: web.path("/sign-out", &query),
        csrf: web.csrf.token(&flow, PURPOSE),
        client: logout.client.as_ref().map(|client| shown(client, logout.return_to.as_deref().unwrap_or_default())),
        account: user.map(|user| account(&user)),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &logout.ui_locales);
    with_cookies(web.pages.page("page/logout.html", &frame, &context), cookie)
}

async fn leave(web: &Web, mut visitor: Visitor, logout: Logout) -> Response {
    let frames = match end(web, &mut visitor).await {
        Ok(frames) => frames,
        Err(fault) => return fault_page(web, &visitor, fault),
    };
    let onward = logout.return_to.clone().filter(|_| logout.departure == Departure::Redirect);
    let response = match onward {
        Some(target) if frames.is_empty() => redirect(&target),
        onward => {
            let client = logout.client.as_ref();
            let home = client.and_then(|client| home(client));
            let context = context::SignedOut {
                client: client.map(|client| shown(client, home.as_deref().unwrap_or_default())),
                back_uri: logout.return_to.clone().or(home),
                // A redirect would leave before the apps are told.
                onward,
                frames: frames.clone(),
            };
            let frame = web.pages.frame(visitor.id, &visitor.headers, &logout.ui_locales);
            let mut response = web.pages.page("page/signed_out.html", &frame, &context);
            admit_frames(&mut response, &frames);
            response
        }
    };
    // Only a cookie that came is taken away: a form on another site, which brings none, must not sign anybody out.
    let came = web.cookies.session(&visitor.headers).is_some();
    with_cookies(response, came.then(|| web.cookies.clear_session()))
}

/// Ends the session of the browser, if it has one; what the browser then opens for the apps of it.
async fn end(web: &Web, visitor: &mut Visitor) -> Result<Vec<String>, Fault> {
    let Some(session) = visitor.browser.session.take() else { return Ok(Vec::new()) };
    let frames = logout::frontchannel(&web.provider, &session).await?;
    logout::end(&web.provider, &session, &visitor.browser.provenance).await?;
    Ok(frames)
}
