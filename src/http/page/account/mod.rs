//! `/account`: what a person sees and does about their own account, page by page.
//!
//! Every page stands on the console: who it is about, the way out, and the other pages. To add one: a file here, a line in [`menu`]
//! with its texts `console-<id>` and `.about`, and its routes.

pub mod app;
pub mod history;
pub mod identity;
pub mod invitation;
pub mod menu;
pub mod overview;
pub mod password;
pub mod picture;
pub mod security;
pub mod session;

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use http::header::HeaderValue;

use crate::edge::template::console::Console;
use crate::edge::template::context::Profile;
use crate::http::error::PageError;
use crate::http::extract::visitor::Visitor;
use crate::http::page::{fault_page, foreign_form, logout};
use crate::http::web::{Web, redirect};
use crate::model::session::Session;
use crate::model::user::{IdentifierKind, User};

/// A person who looks at their own account.
pub struct Visit {
    /// Who.
    pub user: Arc<User>,
    /// In which session.
    pub session: Arc<Session>,
}

/// Who looks at the page `to`; nobody is sent to the sign-in page, and comes back.
///
/// # Errors
/// The response to send instead.
pub async fn visit(web: &Web, visitor: &Visitor, to: &str) -> Result<Visit, Box<Response>> {
    let sign_in = || Box::new(redirect(&web.path("/sign-in", &[("to", to.trim_start_matches('/'))])));
    let Some(session) = visitor.browser.session.clone() else { return Err(sign_in()) };
    match web.provider.edges.store.user(session.authentication.user).await {
        Ok(Some(user)) => Ok(Visit { user, session }),
        Ok(None) => Err(sign_in()),
        Err(fault) => Err(Box::new(fault_page(web, visitor, fault))),
    }
}

/// [`visit`] for who sends a form of the page `to`.
///
/// # Errors
/// The response to send instead.
pub async fn acting(web: &Web, visitor: &Visitor, (csrf, to): (Option<&str>, &str)) -> Result<Visit, Box<Response>> {
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), logout::PURPOSE, csrf) {
        return Err(Box::new(foreign_form(web, visitor, error, web.path(to, &[]))));
    }
    visit(web, visitor, to).await
}

/// The frame around the page called `id`, and the cookie that its forms may have to be bound to.
pub fn console(web: &Web, visitor: &Visitor, user: &User, id: &'static str) -> (Console, Option<HeaderValue>) {
    let (flow, cookie) = web.flow(visitor);
    let console = Console {
        account: profile(user),
        // One token for the forms of the console: each changes only what belongs to the person who is signed in.
        csrf: web.csrf.token(&flow, logout::PURPOSE),
        sign_out_action: web.path("/sign-out", &[]),
        menu: menu::of(web, user, id),
    };
    (console, cookie)
}

/// There is nothing of this name that belongs to the person.
pub fn nothing_there(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("not_found", StatusCode::NOT_FOUND))
}

fn profile(user: &User) -> Profile {
    Profile {
        name: user.display_name().to_owned(),
        login: user.login().to_owned(),
        email: user.primary(IdentifierKind::Email).map(|email| email.value.clone()),
        picture: user.profile.picture.clone(),
    }
}
