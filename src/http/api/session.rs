//! `/session`: who is signed in in this browser, and signing out (S-090, S-091, S-092).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::answer::{Moment, ok};
use crate::http::api::caller::{Guest, csrf_token_of};
use crate::http::api::operation::{Group, Operation, delete, get};
use crate::http::api::problem::Problem;
use crate::http::api::user::UserView;
use crate::http::web::{Web, with_cookies};
use crate::oauth::endpoint::logout;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/session", Group::Core), "Who is signed in, and the token for X-CSRF-Token", show)
            .gives::<SessionView>(StatusCode::OK, "The session; its user is null when nobody is signed in."),
        delete(("/session", Group::Logout), "Sign out", end)
            .gives::<SignedOut>(StatusCode::OK, "Nobody is signed in any longer."),
    ]
}

/// The session of a browser.
#[derive(Debug, Serialize, ToSchema)]
struct SessionView {
    /// Who is signed in.
    user: Option<UserView>,
    /// What belongs into `X-CSRF-Token` from now on.
    csrf_token: String,
    /// The end of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    /// When the person proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Moment>,
    /// How (RFC 8176).
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<Vec<String>>,
}

/// Nobody is signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SignedOut {
    /// What belongs into `X-CSRF-Token` from now on.
    csrf_token: String,
    /// What the page may open in frames out of sight, so that other apps end their sessions in this browser
    /// (OpenID Connect Front-Channel Logout).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    frontchannel_logout_uris: Vec<String>,
}

async fn show(State(web): State<Web>, guest: Guest) -> Result<Response, Problem> {
    let (csrf_token, cookie) = guest.csrf_token(&web);
    let session = guest.visitor.browser.session.as_deref();
    let user = match session {
        Some(session) => web.provider.edges.store.user(session.authentication.user).await?,
        None => None,
    };
    let session = session.filter(|_| user.is_some());
    let user = match &user {
        Some(user) => Some(UserView::of(&web, user).await?),
        None => None,
    };
    let view = SessionView {
        user,
        csrf_token,
        expires_at: session.map(|session| Moment(session.ends_at())),
        auth_time: session.map(|session| Moment(session.authentication.at)),
        amr: session.map(|session| session.authentication.amr_values()),
    };
    Ok(with_cookies(ok(&view), cookie))
}

async fn end(State(web): State<Web>, guest: Guest) -> Result<Response, Problem> {
    let Some(session) = &guest.visitor.browser.session else {
        let (csrf_token, cookie) = guest.csrf_token(&web);
        return Ok(with_cookies(ok(&SignedOut { csrf_token, frontchannel_logout_uris: Vec::new() }), cookie));
    };
    let frontchannel_logout_uris = logout::frontchannel(&web.provider, session).await?;
    logout::end(&web.provider, session, &guest.provenance).await?;
    // A new flow cookie too: nothing that the browser held while somebody was signed in is good afterwards.
    let flow = web.provider.edges.random.token();
    let csrf_token = csrf_token_of(&web, &flow);
    let answer = ok(&SignedOut { csrf_token, frontchannel_logout_uris });
    Ok(with_cookies(answer, [web.cookies.clear_session(), web.cookies.set_flow(&flow)]))
}
