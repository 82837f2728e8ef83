//! Lists in pages: `{items, next}`, and `next` is the `cursor` of the page after.
//!
//! `ACCOUNT_API.md` §3.1. A cursor names the last thing that was shown, so that nothing is skipped or shown twice while things come and go.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::http::api::code::Code;
use crate::http::api::problem::{FieldError, Problem};
use crate::http::extract::params;
use crate::http::web::Web;

/// Things on a page for who does not say how many.
const USUAL: u32 = 20;
/// The most on a page.
const MOST: u32 = 100;

/// For the OpenAPI document: how to ask for a page.
pub const CURSOR: (&str, &str) = ("cursor", "What the page before gave as next.");
/// As [`CURSOR`].
pub const LIMIT: (&str, &str) = ("limit", "How many at most: 1 to 100, 20 without it.");

/// Which page is asked for.
#[derive(Clone, Debug)]
pub struct Paging {
    cursor: Option<String>,
    /// How many at most.
    pub limit: u32,
}

impl Paging {
    /// What the cursor names.
    ///
    /// # Errors
    /// `invalid_value` for a cursor that we never gave out.
    pub fn cursor<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let refuse = || Problem::field("cursor", Code::InvalidValue);
        self.cursor.as_deref().map(|cursor| read(cursor).ok_or_else(refuse)).transpose()
    }

    /// Cuts a list that was asked for with one more than fits; the cursor of the next page, by the last that is shown.
    pub fn cut<T>(&self, items: &mut Vec<T>, cursor: impl FnOnce(&T) -> String) -> Option<String> {
        let limit = self.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        items.last().filter(|_| more).map(cursor)
    }
}

impl FromRequestParts<Web> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let query = params::query(&parts.uri).map_err(|unreadable| {
            let is_long = unreadable.status() == http::StatusCode::URI_TOO_LONG;
            Problem::new(if is_long { Code::UriTooLong } else { Code::MalformedQuery })
        })?;
        let limit = match query.get("limit") {
            None => Ok(USUAL),
            Some(text) => text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or(()),
        };
        let limit = limit.map_err(|()| Problem::fields(vec![FieldError::new("limit", Code::InvalidValue)]))?;
        Ok(Self { cursor: query.get("cursor").map(str::to_owned), limit })
    }
}
