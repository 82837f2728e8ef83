//! `POST /oauth2/revoke`
//!
//! RFC 7009 §2.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::HeaderMap;

use crate::http::extract::params;
use crate::http::extract::visitor::FromWhere;
use crate::http::oauth::{basic, called, open_to_own_origins, refused};
use crate::http::web::Web;
use crate::oauth::endpoint::revoke::revoke;

/// Takes a token back.
pub async fn handle(State(web): State<Web>, FromWhere(from): FromWhere, headers: HeaderMap, body: Body) -> Response {
    let form = match params::form(&headers, body).await {
        Ok(form) => form,
        Err(unreadable) => return refused(&web, "revoke", None, unreadable.into()),
    };
    let answer = match basic(&headers) {
        Ok(basic) => revoke(&web.provider, &form, called(basic.as_ref(), &from)).await,
        Err(error) => Err(error),
    };
    let (mut response, client) = match answer {
        Ok(client) => (StatusCode::OK.into_response(), Some(client)),
        Err(error) => (refused(&web, "revoke", Some(&form), error.into()), None),
    };
    open_to_own_origins(&web, &headers, &mut response, (client.as_deref(), Some(&form))).await;
    response
}
