//! What handlers answer with when they do what was asked.

use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat};
use http::StatusCode;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};

use crate::http::error::json;
use crate::protocol::numeric_date::NumericDate;

/// `200` with `body`.
pub fn ok<T: Serialize>(body: &T) -> Response {
    answer(StatusCode::OK, body)
}

/// `status` with `body`.
pub fn answer<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let mut response = json(body, "application/json");
    *response.status_mut() = status;
    response
}

/// `204 No Content`.
pub fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A moment as the API writes it: RFC 3339, UTC, whole seconds.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Moment(pub NumericDate);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = DateTime::from_timestamp(self.0.seconds(), 0);
        let moment = moment.ok_or_else(|| serde::ser::Error::custom("a moment beyond the calendar"))?;
        serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        RefOr::T(text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into())
    }
}

impl utoipa::ToSchema for Moment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        let text = |seconds| serde_json::to_string(&Moment(NumericDate::from_seconds(seconds))).unwrap();
        assert_eq!(text(0), "\"1970-01-01T00:00:00Z\"");
        assert_eq!(text(1_800_000_000), "\"2027-01-15T08:00:00Z\"");
    }
}
