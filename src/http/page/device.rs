//! `/device`: a person says which device they mean, looks at what it asks for, and decides.
//!
//! RFC 8628 §3.3, §3.3.1, §5.4; S-056, S-057. Also a link with the code in it shows what it is about and waits for a button. Nobody
//! who is not signed in learns whether a code is one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::HeaderValue;

use crate::edge::template::context;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, visit};
use crate::http::page::again::recent;
use crate::http::page::select_account::account;
use crate::http::page::{Place, fault_page, foreign_form, second_factor};
use crate::http::rate_limit;
use crate::http::web::{Web, redirect, shown, with_cookies};
use crate::model::client::Client;
use crate::model::device_authorization::Asks;
use crate::model::fault::Fault;
use crate::model::user_agent::device_name;
use crate::oauth::device::{self, Decider, Device, Outcome, PATH, Unheard};
use crate::oauth::token::claims::personal_scopes;
use crate::protocol::device::UserCode;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// What a sign-in leads to that was asked for here.
pub const DESTINATION: &str = "device";
const PURPOSE: &str = "device";

/// `GET /device`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let typed = query.get("user_code").unwrap_or_default().to_owned();
    let visit = match signed_in(&web, &visitor, &typed).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let typed = match device::take_typed(&web.provider, visitor.browser.flow.as_ref()).await {
        Ok(Some(kept)) if typed.is_empty() => kept.to_string(),
        Ok(_) => typed,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    if typed.is_empty() {
        return enter_page(&web, &visitor, (&typed, None), StatusCode::OK);
    }
    confirm(&web, &visitor, &visit, &typed).await
}

/// `POST /device`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let typed = form.get("user_code").unwrap_or_default().to_owned();
    let decision = form.get("decision");
    let purpose = match decision {
        None => PURPOSE.to_owned(),
        Some(_) => purpose_of(&visitor, &typed),
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path(PATH, &[]));
    }
    let visit = match signed_in(&web, &visitor, &typed).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let decider = decider(&visitor, &visit);
    match decision {
        Some("switch") => return to_sign_in(&web, &visitor, &typed).await,
        Some("accept" | "deny") => {}
        _ => return confirm(&web, &visitor, &visit, &typed).await,
    }
    let device = match find(&web, &visitor, (&typed, &decider)).await {
        Ok(device) => device,
        Err(response) => return *response,
    };
    if decision == Some("deny") {
        return match device::deny(&web.provider, &device, &decider).await {
            Ok(true) => done(&web, &visitor, "denied"),
            Ok(false) => late(&web, &visitor, &typed),
            Err(fault) => fault_page(&web, &visitor, fault),
        };
    }
    approve(&web, &visitor, (&device, &decider), &typed).await
}

async fn approve(web: &Web, visitor: &Visitor, (device, decider): (&Device, &Decider), typed: &str) -> Response {
    // A whole session is given away, so its person shows that it is still them (S-098); an app gets no more than by a code.
    if matches!(device.found.asked.asks, Asks::SignIn { .. })
        && let Err(to_proof) = recent(web, visitor, PATH).await
    {
        return match keep(web, visitor, typed).await {
            Ok(cookie) => with_cookies(*to_proof, cookie),
            Err(fault) => fault_page(web, visitor, fault),
        };
    }
    match device::approve(&web.provider, device, decider).await {
        Ok(Outcome::Approved) => done(web, visitor, "approved"),
        Ok(Outcome::TooLate) => late(web, visitor, typed),
        Ok(Outcome::Stale) => to_sign_in(web, visitor, typed).await,
        Ok(Outcome::Forbidden(_)) => enter_page(web, visitor, (typed, Some("forbidden")), StatusCode::FORBIDDEN),
        Ok(Outcome::Unproven(demand)) => {
            let cookie = match keep(web, visitor, typed).await {
                Ok(cookie) => cookie,
                Err(fault) => return fault_page(web, visitor, fault),
            };
            let place = (&Place::default(), device.client.as_deref());
            let raised = (&*decider.session, demand);
            let response = second_factor::reach(web, visitor, place, raised, &[("to", DESTINATION)]).await;
            with_cookies(response, cookie)
        }
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// Who looks at the page; nobody signs in first, and what was typed waits for them.
async fn signed_in(web: &Web, visitor: &Visitor, typed: &str) -> Result<Visit, Box<Response>> {
    match visit(web, visitor, PATH).await {
        Ok(visit) => Ok(visit),
        Err(to_sign_in) => match keep(web, visitor, typed).await {
            Ok(cookie) => Err(Box::new(with_cookies(*to_sign_in, cookie))),
            Err(fault) => Err(Box::new(fault_page(web, visitor, fault))),
        },
    }
}

async fn to_sign_in(web: &Web, visitor: &Visitor, typed: &str) -> Response {
    match keep(web, visitor, typed).await {
        Ok(cookie) => with_cookies(redirect(&web.path("/sign-in", &[("to", DESTINATION)])), cookie),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// Keeps a code in this browser; the cookie that it may have to be bound to.
async fn keep(web: &Web, visitor: &Visitor, typed: &str) -> Result<Option<HeaderValue>, Fault> {
    let Some(code) = UserCode::parse(typed) else { return Ok(None) };
    let (flow, cookie) = web.flow(visitor);
    device::keep_typed(&web.provider, &TokenHash::of(flow.0.expose()), &code).await?;
    Ok(cookie)
}

fn decider(visitor: &Visitor, visit: &Visit) -> Decider {
    Decider {
        user: Arc::clone(&visit.user),
        session: Arc::clone(&visit.session),
        authentication: visit.session.authentication.clone(),
        browser: visitor.browser.clone(),
    }
}

/// The device that a code means, or the page that asks for another code.
async fn find(web: &Web, visitor: &Visitor, (typed, decider): (&str, &Decider)) -> Result<Device, Box<Response>> {
    let unknown = || {
        let shown = (typed, Some("unknown"));
        Box::new(enter_page(web, visitor, shown, StatusCode::UNPROCESSABLE_ENTITY))
    };
    let Some(code) = UserCode::parse(typed) else { return Err(unknown()) };
    match device::look_up(&web.provider, &web.limits, (&code, decider)).await {
        Ok(Some(device)) => Ok(device),
        Ok(None) => Err(unknown()),
        Err(Unheard::TooOften(exceeded)) => {
            let shown = (typed, Some("too_many"));
            let mut response = enter_page(web, visitor, shown, StatusCode::TOO_MANY_REQUESTS);
            rate_limit::tell(exceeded, response.headers_mut());
            Err(Box::new(response))
        }
        Err(Unheard::Fault(fault)) => Err(Box::new(fault_page(web, visitor, fault))),
    }
}

/// What a decision is made about: the form is good for this code, shown to this very session.
fn purpose_of(visitor: &Visitor, typed: &str) -> String {
    let session = visitor.browser.session.as_ref().map(|session| session.id.to_string()).unwrap_or_default();
    let code = UserCode::parse(typed).map(|code| code.letters().to_owned()).unwrap_or_default();
    format!("{PURPOSE}:{code}:{session}")
}

async fn confirm(web: &Web, visitor: &Visitor, visit: &Visit, typed: &str) -> Response {
    let device = match find(web, visitor, (typed, &decider(visitor, visit))).await {
        Ok(device) => device,
        Err(response) => return *response,
    };
    let (flow, cookie) = web.flow(visitor);
    let asked = &device.found.asked;
    let personal = personal_scopes();
    let scopes = device.scope.iter().map(|name| context::ConsentScope {
        name: name.to_owned(),
        known: personal.contains(name),
        is_new: false,
        optional: false,
    });
    let context = context::device::DeviceConfirm {
        action: web.path(PATH, &[]),
        csrf: web.csrf.token(&flow, &purpose_of(visitor, typed)),
        user_code: asked.user_code.to_string(),
        is_sign_in: matches!(asked.asks, Asks::SignIn { .. }),
        number: match asked.asks {
            Asks::SignIn { number, .. } => Some(number.to_string()),
            Asks::Tokens { .. } => None,
        },
        client: device.client.as_deref().map(shown_client),
        account: account(&visit.user),
        scopes: scopes.collect(),
        offline_access: device.scope.contains(Scope::OFFLINE_ACCESS),
        device: device_name(&asked.from.user_agent),
        address: asked.from.address.clone(),
        is_elsewhere: asked.from.address != visitor.browser.provenance.address,
        began: asked.created_at.seconds(),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/device_confirm.html", &frame, &context), cookie)
}

/// The app as pages show it: a device has no redirect URI, so its home page tells where it is from, else its id.
fn shown_client(client: &Client) -> context::Client {
    let home = client.metadata.client_uri.as_deref().or(client.metadata.redirect_uris.first().map(String::as_str));
    shown(client, home.unwrap_or(client.id.as_str()))
}

fn late(web: &Web, visitor: &Visitor, typed: &str) -> Response {
    enter_page(web, visitor, (typed, Some("late")), StatusCode::GONE)
}

fn enter_page(web: &Web, visitor: &Visitor, (typed, error): (&str, Option<&str>), status: StatusCode) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let context = context::device::DeviceEnter {
        action: web.path(PATH, &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        user_code: typed.chars().take(64).collect(),
        error: error.map(str::to_owned),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let mut response = web.pages.page("page/device.html", &frame, &context);
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    with_cookies(response, cookie)
}

fn done(web: &Web, visitor: &Visitor, outcome: &str) -> Response {
    let sessions_uri = web.has_page("/account/sessions").then(|| web.path("/account/sessions", &[]));
    let context = context::device::DeviceDone { outcome: outcome.to_owned(), sessions_uri };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    web.pages.page("page/device_done.html", &frame, &context)
}
