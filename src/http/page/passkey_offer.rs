//! `/sign-in/passkey/offer`: a passkey for who signed in by password just now, in a browser that can make one.
//!
//! S-113, EXPERIENCE §4. "Not now" is remembered in the browser; whoever has a passkey is not asked. Whether the browser can is told by the
//! script of the sign-in page: without it nobody comes here.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::account::step_up::Acting;
use crate::authn::Refusal;
use crate::edge::template::context::PasskeyOffer;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::again::attempt;
use crate::http::page::passkey::{binding, shown};
use crate::http::page::sign_in::destination;
use crate::http::page::{Place, fault_page, foreign_form};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::authenticator::AuthenticatorKind;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::protocol::params::Params;

/// Its path.
pub const PATH: &str = "/sign-in/passkey/offer";
const PURPOSE: &str = "passkey-offer";

/// Whether a passkey is offered to `user` in this browser.
///
/// # Errors
/// A fault of the store.
pub async fn is_due(web: &Web, visitor: &Visitor, user: UserId) -> Result<bool, Fault> {
    if !web.has_page(PATH) || web.provider.passkeys.is_none() || web.cookies.wants_no_passkey(&visitor.headers) {
        return Ok(false);
    }
    let own = web.provider.edges.store.authenticators(user).await?;
    Ok(!own.iter().any(|own| own.kind == AuthenticatorKind::Passkey))
}

/// `GET /sign-in/passkey/offer`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    page(&web, &visitor, &query, None).await
}

/// `POST /sign-in/passkey/offer`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let again = Place::of(&query).path_with(&web, PATH, &[("to", destination(&query))]);
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, again);
    }
    if form.get("do") == Some("later") {
        return with_cookies(go_on(&web, &query), [web.cookies.set_no_passkey()]);
    }
    let (Some(session), Some(passkeys)) = (&visitor.browser.session, &web.provider.passkeys) else {
        return go_on(&web, &query);
    };
    let acting = Acting::Session(Arc::clone(session));
    // Only who signed in a moment ago: a window that was left open adds no passkey.
    match web.step_up.recent(&acting).await {
        Ok(Some(_)) => {}
        Ok(None) => return go_on(&web, &query),
        Err(fault) => return fault_page(&web, &visitor, fault),
    }
    let user = match web.provider.edges.store.user(session.authentication.user).await {
        Ok(Some(user)) => user,
        Ok(None) => return go_on(&web, &query),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let answer = (form.get("credential").unwrap_or_default(), form.get("state").unwrap_or_default(), "");
    match passkeys.register_from_page(&user, answer, &attempt(&web, &visitor, &acting)).await {
        Ok(()) => go_on(&web, &query),
        Err(Refusal::Fault(fault)) => fault_page(&web, &visitor, fault),
        Err(_) => page(&web, &visitor, &query, Some("passkey_failed")).await,
    }
}

/// With what the person wanted to do.
fn go_on(web: &Web, query: &Params) -> Response {
    let place = Place::of(query);
    match place.flow {
        Some(_) => redirect(&place.path(web, "/sign-in")),
        None => redirect(&web.path(&format!("/{}", destination(query)), &[])),
    }
}

async fn page(web: &Web, visitor: &Visitor, query: &Params, error: Option<&str>) -> Response {
    let (Some(session), Some(passkeys)) = (&visitor.browser.session, &web.provider.passkeys) else {
        return go_on(web, query);
    };
    let user = match web.provider.edges.store.user(session.authentication.user).await {
        Ok(Some(user)) => user,
        Ok(None) => return go_on(web, query),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let (flow, cookie) = web.flow(visitor);
    let form = (Place::of(query).path_with(web, PATH, &[("to", destination(query))]), web.csrf.token(&flow, PURPOSE));
    let ceremony = passkeys.registration_page(&user, &binding(&flow)).await;
    let passkey = match ceremony.and_then(|ceremony| shown(ceremony, form)) {
        Ok(passkey) => passkey,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let context = PasskeyOffer { passkey, error: error.map(str::to_owned) };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/passkey_offer.html", &frame, &context), cookie)
}
