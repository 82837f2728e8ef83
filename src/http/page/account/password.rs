//! `/account/password`: a new password; or the first, for who signs in without one.
//!
//! S-006, S-031, PROTOCOL A13. Whoever has a password types it; whoever has none proved a short while ago who they are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::account::password_change::{Asking, Change, Choice, Mistake, Others, Refused};
use crate::authn::Refusal;
use crate::edge::template::console::PasswordPage;
use crate::edge::template::context::account::FieldMistake;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, acting, console, visit};
use crate::http::page::again::{life, recent};
use crate::http::page::fault_page;
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::protocol::secret::Secret;

const PATH: &str = "/account/password";

/// `GET /account/password`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let shown = Shown { changed: query.get("changed").is_some(), ..Shown::default() };
    match visit(&web, &visitor, PATH).await {
        Ok(visit) => page(&web, &visitor, &visit, shown).await,
        Err(response) => *response,
    }
}

/// `POST /account/password`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let visit = match acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let has_password = match has_password(&web, &visit).await {
        Ok(has_password) => has_password,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    if !has_password && let Err(response) = recent(&web, &visitor, PATH).await {
        return *response;
    }
    let secret = |name: &str| Secret::from(form.get(name).unwrap_or_default());
    let change = Change {
        current: has_password.then(|| secret("current_password")),
        new: secret("password"),
        confirm: Some(secret("confirm_password")),
        others: if form.get("keep_others").is_some() { Others::Stay } else { Others::End },
    };
    let asking = Asking {
        user: Arc::clone(&visit.user),
        session: Some(visit.session.id),
        client: None,
        device: web.cookies.device(&visitor.headers),
        provenance: visitor.browser.provenance.clone(),
        languages: visitor.asking().languages,
    };
    let refused = match web.password_change.change(&asking, &change).await {
        Ok(renewed) => {
            let cookie = renewed.map(|renewed| web.cookies.set_session(&renewed.token, life(&web, &renewed.session)));
            return with_cookies(redirect(&web.path(PATH, &[("changed", "1")])), cookie);
        }
        Err(refused) => refused,
    };
    let mut shown = Shown::default();
    let mut wait = None;
    let status = match refused {
        Refused::Mistakes(mistakes) => {
            shown.mistakes = mistakes.into_iter().map(mistake).collect();
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Refused::NoChoice => {
            shown.error = Some("forbidden");
            StatusCode::FORBIDDEN
        }
        Refused::Unheard(Refusal::Fault(fault)) => return fault_page(&web, &visitor, fault),
        Refused::Unheard(refusal) => {
            if let Refusal::TooMany(seconds) = refusal {
                wait = Some(seconds);
            }
            shown.error = Some("rate_limited");
            StatusCode::TOO_MANY_REQUESTS
        }
    };
    let mut response = page(&web, &visitor, &visit, shown).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
        response.headers_mut().extend(wait.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
    }
    response
}

/// What the page says beside its fields.
#[derive(Default)]
struct Shown {
    mistakes: Vec<FieldMistake>,
    error: Option<&'static str>,
    changed: bool,
}

async fn has_password(web: &Web, visit: &Visit) -> Result<bool, Fault> {
    Ok(web.provider.edges.store.password(visit.user.id).await?.is_some())
}

async fn page(web: &Web, visitor: &Visitor, visit: &Visit, shown: Shown) -> Response {
    let has_password = match has_password(web, visit).await {
        Ok(has_password) => has_password,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let (console, cookie) = console(web, visitor, &visit.user, "password");
    let context = PasswordPage {
        console,
        action: web.path(PATH, &[]),
        login: visit.user.login().to_owned(),
        has_password,
        may_keep_others: web.password_change.choice == Choice::Free,
        mistakes: shown.mistakes,
        error: shown.error.map(str::to_owned),
        changed: shown.changed,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let mut response = web.pages.page("page/account_password.html", &frame, &context);
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}

fn mistake(mistake: Mistake) -> FieldMistake {
    let (field, code, bound) = match mistake {
        Mistake::Current => ("current_password", "invalid_password", None),
        Mistake::New(weakness) => ("password", weakness.code(), weakness.param()),
        Mistake::Confirm => ("confirm_password", "passwords_not_identical", None),
    };
    FieldMistake {
        field: field.to_owned(),
        code: code.to_owned(),
        bound: bound.and_then(|(_, bound)| u64::try_from(bound).ok()),
    }
}
