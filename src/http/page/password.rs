//! `/account/password`: a person changes their password.
//!
//! S-031. The live check of the new one is a script's; without it the form answers what the check would have said.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::account::password_change::{Asking, Change, Choice, Mistake, Others, Refused, Renewed};
use crate::authn::Refusal;
use crate::edge::template::context::{NewPassword, PasswordPage};
use crate::http::cookie::Keep;
use crate::http::extract::params::Form;
use crate::http::extract::visitor::Visitor;
use crate::http::page::{fault_page, foreign_form};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::session::Session;
use crate::model::user::User;
use crate::protocol::secret::Secret;

const PURPOSE: &str = "password";

/// `GET /account/password`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    match person(&web, &visitor).await {
        Ok(_) => page(&web, &visitor, &[], None),
        Err(response) => *response,
    }
}

/// `POST /account/password`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let (session, user) = match person(&web, &visitor).await {
        Ok(person) => person,
        Err(response) => return *response,
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path("/account/password", &[]));
    }
    let secret = |name| Secret::from(form.get(name).unwrap_or_default());
    let change = Change {
        current: secret("current_password"),
        new: secret("new_password"),
        confirm: form.get("confirm_password").map(Secret::from),
        others: if form.get("keep_others").is_some() { Others::Stay } else { Others::End },
    };
    let asking = Asking {
        user,
        session: Some(session.id),
        client: None,
        device: web.cookies.device(&visitor.headers),
        provenance: visitor.provenance(),
        languages: vec![web.pages.frame(visitor.id, &visitor.headers, &[]).language.tag().to_owned()],
    };
    match web.password_change.change(&asking, &change).await {
        Ok(renewed) => {
            let cookies = renewed.map(|renewed| renewed_cookie(&web, &renewed));
            with_cookies(redirect(&web.path("/account", &[("changed", "password")])), cookies)
        }
        Err(Refused::Mistakes(mistakes)) => {
            let mut response = page(&web, &visitor, &mistakes, None);
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Err(Refused::NoChoice) => redirect(&web.path("/account/password", &[])),
        Err(Refused::Unheard(Refusal::Fault(fault))) => fault_page(&web, &visitor, fault),
        Err(Refused::Unheard(refusal)) => {
            let mut response = page(&web, &visitor, &[], Some("too_many_attempts"));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            if let Refusal::TooMany(seconds) = refusal {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
    }
}

/// The new cookie of a session that goes on.
pub fn renewed_cookie(web: &Web, renewed: &Renewed) -> HeaderValue {
    let session = &renewed.session;
    let life = if session.is_persistent { Keep::For(session.expires_at.since(web.provider.now())) } else { Keep::WhileOpen };
    web.cookies.set_session(&renewed.token, life)
}

async fn person(web: &Web, visitor: &Visitor) -> Result<(Arc<Session>, Arc<User>), Box<Response>> {
    let nobody = || Box::new(redirect(&web.path("/sign-in", &[("to", "account")])));
    let session = visitor.browser.session.clone().ok_or_else(nobody)?;
    match web.provider.edges.store.user(session.authentication.user).await {
        Ok(Some(user)) => Ok((session, user)),
        Ok(None) => Err(nobody()),
        Err(fault) => Err(Box::new(fault_page(web, visitor, fault))),
    }
}

fn page(web: &Web, visitor: &Visitor, mistakes: &[Mistake], error: Option<&'static str>) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let weaknesses = mistakes.iter().filter_map(|mistake| match mistake {
        Mistake::New(weakness) => Some(weakness.code()),
        _ => None,
    });
    let context = PasswordPage {
        action: web.path("/account/password", &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        error: error.map(str::to_owned),
        wrong_current: mistakes.contains(&Mistake::Current),
        not_identical: mistakes.contains(&Mistake::Confirm),
        new_password: NewPassword {
            min_length: web.passwords.rules().min_length,
            weaknesses: weaknesses.map(str::to_owned).collect(),
            check: web.path("/api/v1/password-checks", &[]),
        },
        may_keep_others: web.password_change.choice == Choice::Free,
        back: web.path("/account", &[]),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/password.html", &frame, &context), cookie)
}
