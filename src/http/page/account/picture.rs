//! `/account/profile/picture`: a person sets their picture or takes it away, by a form with a file.
//!
//! S-015; RFC 7578. The same limits and the same drawing as `PUT /api/v1/me/avatar`: see `account::avatar`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::account::avatar::{MAX_BYTES, is_read};
use crate::account::{AccountError, Asking};
use crate::edge::template::context::account::FieldMistake;
use crate::http::error::PageError;
use crate::http::extract::multipart::{Fields, Multipart};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{acting, visit};
use crate::http::page::fault_page;
use crate::http::page::mistake::{note, refused};
use crate::http::page::profile::profile_page;
use crate::http::web::{Web, redirect};
use crate::model::user::User;

const PROFILE: &str = "/account/profile";

/// What a form came to.
enum Set {
    /// The picture is there, or gone.
    Done,
    /// It cannot be taken: the end of a text key `mistake-picture_…`.
    Wrong(&'static str),
}

/// `POST /account/profile/picture`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Multipart(form): Multipart) -> Response {
    let form = match form {
        Ok(form) => form,
        // Nothing was read, so nothing is changed: the page says what is wrong to whoever is signed in.
        Err(unreadable) if unreadable.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return match visit(&web, &visitor, PROFILE).await {
                Ok(visit) => wrong(&web, &visitor, &visit.user, ("picture_too_large", unreadable.status())),
                Err(response) => *response,
            };
        }
        Err(unreadable) => return web.refuse(&visitor, &PageError::from(unreadable)),
    };
    let user = match acting(&web, &visitor, (form.text("csrf"), PROFILE)).await {
        Ok(visit) => visit.user,
        Err(response) => return *response,
    };
    match change(&web, &user, &form, &visitor.asking()).await {
        Ok(Set::Done) => redirect(&web.path(PROFILE, &[("kept", "1")])),
        Ok(Set::Wrong(code)) => wrong(&web, &visitor, &user, (code, StatusCode::UNPROCESSABLE_ENTITY)),
        Err(error) => {
            let (mut mistakes, mut whole) = (Vec::new(), None);
            match note(error, "picture", (&mut mistakes, &mut whole)) {
                Ok(status) => {
                    mistakes.extend(whole.map(|code| FieldMistake { field: "picture".to_owned(), code, bound: None }));
                    refused(profile_page(&web, &visitor, &user, (mistakes, false)), status)
                }
                Err(fault) => fault_page(&web, &visitor, fault),
            }
        }
    }
}

async fn change(web: &Web, user: &User, form: &Fields, asking: &Asking) -> Result<Set, AccountError> {
    let accounts = &web.provider.accounts;
    if form.text("do") == Some("remove") {
        accounts.remove_avatar(user, asking).await?;
        return Ok(Set::Done);
    }
    let Some((kind, bytes)) = form.file("picture").filter(|(_, bytes)| !bytes.is_empty()) else {
        return Ok(Set::Wrong("required"));
    };
    if bytes.len() > MAX_BYTES {
        return Ok(Set::Wrong("picture_too_large"));
    }
    if !is_read(kind) {
        return Ok(Set::Wrong("picture_unreadable"));
    }
    let changed = accounts.set_avatar(user, bytes, asking).await?;
    Ok(if changed.is_some() { Set::Done } else { Set::Wrong("picture_unreadable") })
}

fn wrong(web: &Web, visitor: &Visitor, user: &User, (code, status): (&str, StatusCode)) -> Response {
    let mistake = FieldMistake { field: "picture".to_owned(), code: code.to_owned(), bound: None };
    refused(profile_page(web, visitor, user, (vec![mistake], false)), status)
}
