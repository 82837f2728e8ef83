//! What a list is asked for: page, filters, order; and what a path names.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::http::api::code::Code;
use crate::http::api::paging::Paging;
use crate::http::api::problem::{FieldError, Problem};
use crate::http::extract::params;
use crate::http::web::Web;
use crate::protocol::params::Params;

/// The most characters of a filter.
const MAX_FILTER: usize = 320;

/// The query of a list.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which page.
    pub paging: Paging,
    query: Params,
}

impl Asked {
    /// Refuses parameters that the list does not know: a filter that is not understood must not look like one that finds everything.
    ///
    /// # Errors
    /// `unknown_field`, for each.
    pub fn only(self, known: &[&str]) -> Result<Self, Problem> {
        let strange = self.query.iter().map(|(name, _)| name);
        let strange = strange.filter(|name| !["cursor", "limit"].contains(name) && !known.contains(name));
        let errors: Vec<FieldError> = strange
            .take(16)
            .map(|name| FieldError::new(name.chars().take(64).collect::<String>(), Code::UnknownField))
            .collect();
        if errors.is_empty() { Ok(self) } else { Err(Problem::fields(errors)) }
    }

    /// The text of a filter.
    ///
    /// # Errors
    /// `too_long`.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        match self.query.get(name) {
            Some(text) if text.len() > MAX_FILTER => {
                Err(Problem::fields(vec![FieldError::new(name, Code::TooLong).with("max", MAX_FILTER)]))
            }
            text => Ok(text.filter(|text| !text.is_empty())),
        }
    }

    /// What a filter names.
    ///
    /// # Errors
    /// `invalid_value` when `read` finds nothing in it.
    pub fn value<T>(&self, name: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let text = self.text(name)?;
        text.map(|text| read(text).ok_or_else(|| Problem::field(name, Code::InvalidValue))).transpose()
    }
}

impl FromRequestParts<Web> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let paging = Paging::from_request_parts(parts, web).await?;
        let query = params::query(&parts.uri).map_err(|_| Problem::new(Code::MalformedQuery))?;
        Ok(Self { paging, query })
    }
}

/// What a path names, in its order. What is no text names nothing.
#[derive(Clone, Debug)]
pub struct Named(Vec<String>);

impl Named {
    /// The first.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// The second.
    pub fn second(&self) -> &str {
        self.0.get(1).map_or("", String::as_str)
    }
}

impl FromRequestParts<Web> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, web).await.map_err(|_| Problem::new(Code::NotFound))?;
        Ok(Self(params.iter().map(|(_, value)| value.to_owned()).collect()))
    }
}
