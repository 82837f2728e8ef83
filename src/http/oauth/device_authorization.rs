//! `POST /oauth2/device_authorization`
//!
//! RFC 8628 §3.1, §3.2.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::HeaderMap;

use crate::authn::limit::Rule;
use crate::http::error::json;
use crate::http::extract::params;
use crate::http::extract::visitor::FromWhere;
use crate::http::oauth::{basic, called, open_to_own_origins, refused, unheard};
use crate::http::web::Web;
use crate::oauth::endpoint::device_authorization::device_authorization;
use crate::protocol::error::ErrorCode;

const NAME: &str = "device_authorization";

/// Begins for a device.
pub async fn handle(State(web): State<Web>, FromWhere(from): FromWhere, headers: HeaderMap, body: Body) -> Response {
    let form = match params::form(&headers, body).await {
        Ok(form) => form,
        Err(unreadable) => return refused(&web, NAME, None, unreadable.into()),
    };
    // Each request puts something aside for ten minutes, so that an address is heard so often and no more.
    let often = (ErrorCode::SlowDown, "too many devices begin from this address; wait a moment");
    if let Some(refusal) = unheard(&web, (Rule::DeviceStart, &from.address), often).await {
        return refused(&web, NAME, Some(&form), refusal);
    }
    let (client, answer) = match basic(&headers) {
        Ok(basic) => device_authorization(&web.provider, &form, called(basic.as_ref(), &from)).await,
        Err(error) => (None, Err(error)),
    };
    let mut response = match answer {
        Ok(begun) => json(&begun, "application/json"),
        Err(error) => refused(&web, NAME, Some(&form), error.into()),
    };
    open_to_own_origins(&web, &headers, &mut response, (client.as_deref(), Some(&form))).await;
    response
}
