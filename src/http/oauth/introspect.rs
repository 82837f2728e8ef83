//! `POST /oauth2/introspect`
//!
//! RFC 7662 §2.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::HeaderMap;

use crate::http::error::json;
use crate::http::extract::params;
use crate::http::extract::visitor::FromWhere;
use crate::http::oauth::{basic, called, open_to_own_origins, refused};
use crate::http::web::Web;
use crate::oauth::endpoint::introspect::introspect;

/// Says what a token is good for.
pub async fn handle(State(web): State<Web>, FromWhere(from): FromWhere, headers: HeaderMap, body: Body) -> Response {
    let form = match params::form(&headers, body).await {
        Ok(form) => form,
        Err(unreadable) => return refused(&web, "introspect", None, unreadable.into()),
    };
    let answer = match basic(&headers) {
        Ok(basic) => introspect(&web.provider, &form, called(basic.as_ref(), &from)).await,
        Err(error) => Err(error),
    };
    let (client, mut response) = match answer {
        Ok((client, answer)) => (Some(client), json(&answer, "application/json")),
        Err(error) => (None, refused(&web, "introspect", Some(&form), error.into())),
    };
    open_to_own_origins(&web, &headers, &mut response, (client.as_deref(), Some(&form))).await;
    response
}
