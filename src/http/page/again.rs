//! `/sign-in/again`: before something sensitive the person proves again who they are, and goes on with what they were doing.
//!
//! S-098. The sign-in itself stays as old as it is; what was proven here counts for a while ([`crate::account::step_up`]).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::account::step_up::{Acting, Recent, judge};
use crate::authn::{Answer, Attempt, Method as _, Refusal};
use crate::edge::store::Beside;
use crate::edge::template::console::Again;
use crate::edge::template::context;
use crate::http::cookie::{FlowCookie, Keep as CookieLife};
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, visit};
use crate::http::page::device;
use crate::http::page::federation::buttons_of;
use crate::http::page::passkey::{answered, binding, shown};
use crate::http::page::{fault_page, foreign_form};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::event::{Event, EventName};
use crate::model::fault::Fault;
use crate::model::session::Session;
use crate::model::user::User;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

const PATH: &str = "/sign-in/again";
const PURPOSE: &str = "step-up";
/// Where one may come back to: pages of ours that belong to a person.
const HOMES: &[&str] = &["account", "admin", device::DESTINATION];

/// Lets a person on to something sensitive when they proved who they are a short while ago. `to` is the page to come back to,
/// without the path of the issuer: the page of the form, since a form that was sent is not sent again.
///
/// # Errors
/// The response to send instead: to the sign-in page, or to the page that asks again.
pub async fn recent(web: &Web, visitor: &Visitor, to: &str) -> Result<(Visit, Recent), Box<Response>> {
    let visit = visit(web, visitor, to).await?;
    match web.step_up.recent(&Acting::Session(Arc::clone(&visit.session))).await {
        Ok(Some(recent)) => Ok((visit, recent)),
        Ok(None) => Err(Box::new(redirect(&web.path(PATH, &[("to", to.trim_start_matches('/'))])))),
        Err(fault) => Err(Box::new(fault_page(web, visitor, fault))),
    }
}

/// `GET /sign-in/again`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    match visit(&web, &visitor, back(&query)).await {
        Ok(visit) => page(&web, &visitor, (&visit, &query), None).await,
        Err(response) => *response,
    }
}

/// `POST /sign-in/again`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let to = back(&query);
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path(PATH, &[("to", to)]));
    }
    let visit = match visit(&web, &visitor, to).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let (method, answer) = if form.get("credential").is_some_and(|credential| !credential.is_empty()) {
        ("passkey", Answer::Passkey(answered(&form)))
    } else {
        let password = Secret::from(form.get("password").unwrap_or_default());
        ("password", Answer::Password { login: visit.user.login().to_owned(), password })
    };
    let acting = Acting::Session(Arc::clone(&visit.session));
    let refused = match prove(&web, &visitor, &acting, (method, &answer)).await {
        Ok(()) => return go_on(&web, &visitor, (&acting, method), to).await,
        Err(refused) => refused,
    };
    let (key, status) = match &refused {
        Refusal::TooMany(_) => ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Closed => ("too_many_failures", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Fault(fault) => return fault_page(&web, &visitor, fault.clone()),
        _ if method == "passkey" => ("passkey_failed", StatusCode::UNPROCESSABLE_ENTITY),
        _ => ("wrong_password", StatusCode::UNPROCESSABLE_ENTITY),
    };
    let mut response = page(&web, &visitor, (&visit, &query), Some(key)).await;
    *response.status_mut() = status;
    if let Refusal::TooMany(seconds) = refused {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Has a method judge an answer of the person who acts in this browser, or through an app.
///
/// # Errors
/// What the method says.
pub async fn prove(
    web: &Web,
    visitor: &Visitor,
    acting: &Acting,
    (method, answer): (&str, &Answer),
) -> Result<(), Refusal> {
    let attempt = attempt(web, visitor, acting);
    let method = web.method(method).ok_or_else(|| Refusal::Fault(Fault::internal("there is no such method")))?;
    judge(method, &attempt, answer).await
}

/// An attempt of the person who acts in this browser, or through an app.
pub fn attempt(web: &Web, visitor: &Visitor, acting: &Acting) -> Attempt {
    Attempt {
        from: visitor.browser.provenance.clone(),
        device: web.cookies.device(&visitor.headers),
        person: Some(acting.user()),
        again_in: Some(acting.session()),
        here: Some(acting.here()),
        client: acting.client().cloned(),
        browser: visitor.browser.flow,
        languages: visitor.asking().languages,
        ..Attempt::default()
    }
}

/// Writes the proof down and leads back.
async fn go_on(web: &Web, visitor: &Visitor, (acting, method): (&Acting, &str), to: &str) -> Response {
    let beside = Beside::event(proven(web, visitor, acting, method));
    match web.step_up.prove(acting, beside).await {
        Ok(Some(proven)) => {
            let cookie = web.cookies.set_session(&proven.token, life(web, &proven.session));
            with_cookies(redirect(&web.path(&format!("/{to}"), &[])), [cookie])
        }
        // It was ended in another window a moment ago.
        Ok(None) => redirect(&web.path("/sign-in", &[("to", to)])),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// That the person who acts proved again who they are.
pub fn proven(web: &Web, visitor: &Visitor, acting: &Acting, method: &str) -> Event {
    let mut event = web.provider.edges.event(EventName::StepUp).of(acting.user()).within(acting.session());
    event.client = acting.client().cloned();
    event.from(visitor.browser.provenance.clone()).telling("method", method)
}

/// How long a browser keeps the cookie of a session.
pub fn life(web: &Web, session: &Session) -> CookieLife {
    if session.is_persistent {
        CookieLife::For(session.expires_at.since(web.provider.now()))
    } else {
        CookieLife::WhileOpen
    }
}

/// The page to come back to, without a slash in front: one of ours, else the account.
fn back(query: &Params) -> &str {
    let to = query.get("to").unwrap_or_default();
    let is_plain = to.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/".contains(&byte));
    let is_ours =
        HOMES.iter().any(|home| to.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if is_plain && is_ours && !to.contains("//") { to } else { "account" }
}

async fn page(web: &Web, visitor: &Visitor, (visit, query): (&Visit, &Params), error: Option<&str>) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let (action, csrf) = (web.path(PATH, &[("to", back(query))]), web.csrf.token(&flow, PURPOSE));
    let passkey = match passkey(web, &visit.user, (&flow, &action, &csrf)).await {
        Ok(passkey) => passkey,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let providers = match buttons_of(web, visit.user.id, back(query)).await {
        Ok(providers) => providers,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let context = Again {
        passkey,
        action,
        csrf,
        login: visit.user.login().to_owned(),
        error: error.map(str::to_owned),
        stay_uri: web.path("/account", &[]),
        // Who has neither, and no provider that says when it asked them, signs in by a code.
        other_uri: web.path("/sign-in", &[("to", back(query))]),
        providers,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/again.html", &frame, &context), cookie)
}

/// What asks for a passkey of the person, where they have one.
async fn passkey(
    web: &Web,
    user: &User,
    (flow, action, csrf): (&FlowCookie, &str, &str),
) -> Result<Option<context::Passkey>, Fault> {
    let Some(passkeys) = &web.provider.passkeys else { return Ok(None) };
    if passkeys.offers(user).await?.is_empty() {
        return Ok(None);
    }
    shown(passkeys.sign_in_page(&binding(flow))?, (action.to_owned(), csrf.to_owned())).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_pages_of_ours_only() {
        for (to, expected) in [
            ("account/sessions", "account/sessions"),
            ("admin", "admin"),
            ("", "account"),
            ("accounts", "account"),
            ("/evil.example", "account"),
            ("account//evil.example", "account"),
            ("account/../oauth2/authorize", "account"),
            ("account?x=1", "account"),
            ("https:%2F%2Fevil.example", "account"),
        ] {
            let query = format!("to={}", url::form_urlencoded::byte_serialize(to.as_bytes()).collect::<String>());
            assert_eq!(back(&Params::parse(query.as_bytes()).unwrap()), expected, "{to}");
        }
    }
}
