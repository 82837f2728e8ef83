//! Links of mails that one button decides: `/activate`, `/email-change`, `/email-change/undo`, `/account/restore`, `/account/export`,
//! `/account/not-me`.
//!
//! Opening one changes nothing: mail scanners open links (PROTOCOL A14). The button posts the token.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

use crate::account::email_change::EmailChangeProof;
use crate::account::site::path;
use crate::account::{AccountError, Why};
use crate::edge::template::context::account::{MailedLinkPage, Notice};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::recover::link_over;
use crate::http::page::{Place, fault_page, foreign_form, way_back_to};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::model::mailed_link::LinkPurpose;
use crate::protocol::secret::Secret;

/// A page for each purpose: `GET` shows the button, `POST` is the button.
macro_rules! pages {
    ($($purpose:ident: $show:ident, $submit:ident;)*) => {$(
        /// `GET`
        pub async fn $show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
            show(&web, &visitor, LinkPurpose::$purpose, query.get("token").unwrap_or_default()).await
        }

        /// `POST`
        pub async fn $submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
            let presented = (form.get("token").unwrap_or_default(), form.get("csrf"));
            submit(&web, &visitor, LinkPurpose::$purpose, presented).await
        }
    )*};
}

pages! {
    Activation: show_activation, activate;
    EmailChange: show_email_change, change_email;
    EmailChangeUndo: show_email_change_undo, undo_email_change;
    DeletionUndo: show_deletion_undo, undo_deletion;
    Export: show_export, take_export;
    NotMe: show_not_me, deny;
}

async fn show(web: &Web, visitor: &Visitor, purpose: LinkPurpose, token: &str) -> Response {
    match is_good(web, purpose, token).await {
        Ok(true) => {}
        Ok(false) => return link_over(web, visitor),
        Err(fault) => return fault_page(web, visitor, fault),
    }
    let (flow, cookie) = web.flow(visitor);
    let context = MailedLinkPage {
        purpose: purpose.as_str().to_owned(),
        action: web.path(path(purpose), &[]),
        csrf: web.csrf.token(&flow, purpose.as_str()),
        token: token.to_owned(),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/mailed_link.html", &frame, &context), cookie)
}

async fn is_good(web: &Web, purpose: LinkPurpose, token: &str) -> Result<bool, Fault> {
    let accounts = &web.provider.accounts;
    match purpose {
        LinkPurpose::Activation => accounts.can_activate(token).await,
        LinkPurpose::DeletionUndo => accounts.can_undo_deletion(token).await,
        LinkPurpose::Export => accounts.can_take_export(token).await,
        LinkPurpose::NotMe => accounts.can_deny_sign_in(token).await,
        _ => Ok(accounts.email_change(token, purpose).await?.is_some()),
    }
}

async fn submit(web: &Web, visitor: &Visitor, purpose: LinkPurpose, (token, csrf): (&str, Option<&str>)) -> Response {
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), purpose.as_str(), csrf) {
        return foreign_form(web, visitor, error, web.path(path(purpose), &[("token", token)]));
    }
    let (accounts, asking) = (&web.provider.accounts, visitor.asking());
    let done = match purpose {
        LinkPurpose::Activation => match accounts.activate(token, &asking).await {
            Ok(made) => Ok(("activated", Place { flow: made.flow, client_id: made.client_id })),
            Err(error) => Err(error),
        },
        LinkPurpose::EmailChange => {
            let proof = EmailChangeProof::Link(Secret::from(token));
            accounts.confirm_email_change(&proof, None, &asking).await.map(|_| ("email_changed", Place::default()))
        }
        LinkPurpose::EmailChangeUndo => {
            accounts.undo_email_change(token, &asking).await.map(|()| ("email_restored", Place::default()))
        }
        LinkPurpose::DeletionUndo => {
            accounts.undo_deletion(token, &asking).await.map(|()| ("restored", Place::default()))
        }
        LinkPurpose::Export => match accounts.take_export(&web.provider.vault, token, &asking).await {
            Ok(archive) => return download(&archive),
            Err(error) => Err(error),
        },
        LinkPurpose::NotMe => match accounts.deny_sign_in(token, &asking).await {
            Ok(reset) => return choose_password(web, &reset),
            Err(error) => Err(error),
        },
        _ => return link_over(web, visitor),
    };
    match done {
        Ok((key, place)) => finished(web, visitor, key, &place).await,
        Err(AccountError::Fault(fault)) => fault_page(web, visitor, fault),
        Err(AccountError::Fields(_)) => {
            web.refuse(visitor, &PageError::new(Why::EmailTaken.as_str(), StatusCode::CONFLICT))
        }
        Err(_) => link_over(web, visitor),
    }
}

/// On to a new password. Everything was ended, this browser's session too.
fn choose_password(web: &Web, reset: &Secret) -> Response {
    let target = web.path(path(LinkPurpose::PasswordReset), &[("token", reset.expose())]);
    with_cookies(redirect(&target), [web.cookies.clear_session()])
}

/// A file, kept by nobody on the way.
fn download(archive: &Secret<Vec<u8>>) -> Response {
    let mut response = Response::new(archive.expose().clone().into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"my-data.json\""));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What is done, and the way on: into the request that it was for, else back to its app, else to us.
async fn finished(web: &Web, visitor: &Visitor, key: &str, place: &Place) -> Response {
    let next = if key == "email_changed" { "account" } else { "sign_in" };
    let next_uri = if next == "account" { web.path("/account", &[]) } else { place.path(web, "/sign-in") };
    let context = Notice {
        key: key.to_owned(),
        address: None,
        lines: Vec::new(),
        next_uri,
        next: next.to_owned(),
        client: None,
        back_uri: way_back_to(web, place.client_id.as_deref()).await.map(|back| back.uri),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let response = web.pages.page("page/notice.html", &frame, &context);
    // Whatever was open in this browser may have ended.
    let cookie = (key == "email_changed" || key == "email_restored").then(|| web.cookies.clear_session());
    with_cookies(response, cookie)
}
