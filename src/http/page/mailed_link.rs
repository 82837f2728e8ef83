//! Links of mails that one button decides: `/activate`, `/email-change`, `/email-change/undo`, `/account/restore`, `/account/export`,
//! `/account/not-me`.
//!
//! Opening one changes nothing: mail scanners open links (PROTOCOL A14). The button posts the token.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

use crate::account::email_change::EmailChangeProof;
use crate::account::intruder::WentAway;
use crate::account::registration::Made;
use crate::account::site::path;
use crate::account::{AccountError, Why};
use crate::edge::store::Kept;
use crate::edge::template::context::account::{MailedLinkPage, Notice};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::again::life;
use crate::http::page::recover::{link_over, shown_gone};
use crate::http::page::register::code::connect_activated;
use crate::http::page::{Place, fault_page, foreign_form, way_back_to};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::mailed_link::LinkPurpose;
use crate::protocol::secret::{Secret, TokenHash};

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
    // Where setting one is not switched off.
    let chooses = web.has_page(path(LinkPurpose::PasswordReset));
    let done = match purpose {
        LinkPurpose::Activation => match accounts.activate(token, &asking).await {
            Ok(Made { reset: Some(reset), user, .. }) if chooses => {
                return choose_password(web, visitor, (user.id, &reset));
            }
            Ok(made) => match connect_activated(web, visitor, &made).await {
                Ok(()) => Ok(Finished::at("activated", Place { flow: made.flow, client_id: made.client_id })),
                Err(fault) => return fault_page(web, visitor, fault),
            },
            Err(error) => Err(error),
        },
        LinkPurpose::EmailChange => change(web, visitor, token).await,
        LinkPurpose::EmailChangeUndo => accounts.undo_email_change(token, &asking).await.map(|(user, gone)| Finished {
            cookie: web.clear_session_of(visitor, user),
            gone,
            ..Finished::at("email_restored", Place::default())
        }),
        LinkPurpose::DeletionUndo => {
            accounts.undo_deletion(token, &asking).await.map(|()| Finished::at("restored", Place::default()))
        }
        LinkPurpose::Export => match accounts.take_export(&web.provider.vault, token, &asking).await {
            Ok(archive) => return download(&archive),
            Err(error) => Err(error),
        },
        LinkPurpose::NotMe => match accounts.deny_sign_in(token, &asking).await {
            Ok((user, reset)) if chooses => return choose_password(web, visitor, (user, &reset)),
            Ok((user, _)) => {
                let cookie = web.clear_session_of(visitor, user);
                Ok(Finished { cookie, ..Finished::at("denied", Place::default()) })
            }
            Err(error) => Err(error),
        },
        _ => return link_over(web, visitor),
    };
    match done {
        Ok(finished) => tell(web, visitor, finished).await,
        Err(AccountError::Fault(fault)) => fault_page(web, visitor, fault),
        Err(AccountError::Fields(_)) => {
            web.refuse(visitor, &PageError::new(Why::EmailTaken.as_str(), StatusCode::CONFLICT))
        }
        Err(_) => link_over(web, visitor),
    }
}

/// What is done, and how the browser goes on.
struct Finished {
    /// The end of text keys `notice-…`.
    key: &'static str,
    place: Place,
    /// Whether the person is signed in here.
    is_in: bool,
    /// What somebody else had set up.
    gone: WentAway,
    cookie: Option<HeaderValue>,
}

impl Finished {
    fn at(key: &'static str, place: Place) -> Self {
        Self { key, place, is_in: false, gone: WentAway::default(), cookie: None }
    }
}

/// The new address. The session of this browser goes on under another cookie, if it is of the same person; one of somebody else is left
/// as it is.
async fn change(web: &Web, visitor: &Visitor, token: &str) -> Result<Finished, AccountError> {
    let proof = EmailChangeProof::Link(Secret::from(token));
    let cookie = web.provider.edges.random.token();
    let session = visitor.browser.session.as_deref();
    let keep = session.map(|session| Kept { session: session.id, token: TokenHash::of(cookie.expose()) });
    let (owner, _) = web.provider.accounts.confirm_email_change(&proof, keep, &visitor.asking()).await?;
    let own = session.filter(|session| session.authentication.user == owner);
    Ok(Finished {
        is_in: own.is_some(),
        cookie: own.map(|session| web.cookies.set_session(&cookie, life(web, session))),
        ..Finished::at("email_changed", Place::default())
    })
}

/// On to a new password. Everything of the person was ended, their session in this browser too.
fn choose_password(web: &Web, visitor: &Visitor, (user, reset): (UserId, &Secret)) -> Response {
    let target = web.path(path(LinkPurpose::PasswordReset), &[("token", reset.expose())]);
    with_cookies(redirect(&target), web.clear_session_of(visitor, user))
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
async fn tell(web: &Web, visitor: &Visitor, finished: Finished) -> Response {
    let Finished { key, place, is_in, gone, cookie } = finished;
    let (next, next_uri) =
        if is_in { ("account", web.path("/account", &[])) } else { ("sign_in", place.path(web, "/sign-in")) };
    let context = Notice {
        key: key.to_owned(),
        address: None,
        lines: Vec::new(),
        gone: shown_gone(&gone),
        next_uri,
        next: next.to_owned(),
        client: None,
        back_uri: way_back_to(web, place.client_id.as_deref()).await.map(|back| back.uri),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/notice.html", &frame, &context), cookie)
}
