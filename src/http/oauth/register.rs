//! `/oauth2/register` and `/oauth2/register/{client_id}`
//!
//! RFC 7591 §3, RFC 7592 §2.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::HeaderMap;
use serde_json::{Map, Value};

use crate::http::cors::allow_own_origin;
use crate::http::error::{OAuthAnswer, json};
use crate::http::extract::json::object;
use crate::http::extract::params::Segment;
use crate::http::extract::visitor::Caller;
use crate::http::oauth::{bearer, refused};
use crate::http::web::Web;
use crate::oauth::endpoint::register::{delete, read, register, update, wait};
use crate::protocol::bearer::challenge;
use crate::protocol::error::{ErrorCode, OAuthError};

/// `POST /oauth2/register`
pub async fn create(State(web): State<Web>, Caller(caller): Caller, headers: HeaderMap, body: Body) -> Response {
    match wait(&web.provider, &caller).await {
        Ok(None) => {}
        Ok(Some(wait)) => return busy(&web, wait),
        Err(fault) => return refused(&web, "register", None, fault.into()),
    }
    let metadata = match object(&headers, body).await {
        Ok(metadata) => metadata,
        Err(unreadable) => return refused(&web, "register", None, unreadable.into()),
    };
    let answer = match bearer(&headers) {
        Ok(bearer) => register(&web.provider, &metadata, bearer.as_ref()).await,
        Err(error) => Err(error),
    };
    web.origins.forget_after(&answer);
    answered(&web, &headers, answer, StatusCode::CREATED)
}

/// RFC 6585 §4.
fn busy(web: &Web, wait: Duration) -> Response {
    let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "too many clients were registered from here; wait");
    let answer = OAuthAnswer::from(error).with_status(StatusCode::TOO_MANY_REQUESTS).with_retry_after(wait.as_secs());
    refused(web, "register", None, answer)
}

/// `GET /oauth2/register/{client_id}`
pub async fn show(State(web): State<Web>, Segment(id): Segment, headers: HeaderMap) -> Response {
    let answer = match bearer(&headers) {
        Ok(bearer) => read(&web.provider, &id, bearer.as_ref()).await,
        Err(error) => Err(error),
    };
    answered(&web, &headers, answer, StatusCode::OK)
}

/// `PUT /oauth2/register/{client_id}`
pub async fn replace(State(web): State<Web>, Segment(id): Segment, headers: HeaderMap, body: Body) -> Response {
    let metadata = match object(&headers, body).await {
        Ok(metadata) => metadata,
        Err(unreadable) => return refused(&web, "register", None, unreadable.into()),
    };
    let answer = match bearer(&headers) {
        Ok(bearer) => update(&web.provider, &id, &metadata, bearer.as_ref()).await,
        Err(error) => Err(error),
    };
    web.origins.forget_after(&answer);
    answered(&web, &headers, answer, StatusCode::OK)
}

/// `DELETE /oauth2/register/{client_id}`
pub async fn remove(State(web): State<Web>, Segment(id): Segment, headers: HeaderMap) -> Response {
    let answer = match bearer(&headers) {
        Ok(bearer) => delete(&web.provider, &id, bearer.as_ref()).await,
        Err(error) => Err(error),
    };
    web.origins.forget_after(&answer);
    match answer {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => answered(&web, &headers, Err(error), StatusCode::NO_CONTENT),
    }
}

/// The answer; a script reads it at the origins that the client has registered just now.
fn answered(
    web: &Web,
    headers: &HeaderMap,
    answer: Result<Map<String, Value>, OAuthError>,
    status: StatusCode,
) -> Response {
    match answer {
        Ok(registered) => {
            let mut response = json(&registered, "application/json");
            *response.status_mut() = status;
            let own = registered.get("redirect_uris").and_then(Value::as_array);
            allow_own_origin(&mut response, headers, own.into_iter().flatten().filter_map(Value::as_str));
            response
        }
        Err(error) => {
            let challenge = (error.code() == ErrorCode::InvalidToken)
                .then(|| challenge(web.provider.issuer.as_str(), Some(&error)));
            let answer = OAuthAnswer::from(error);
            let answer = match challenge {
                Some(challenge) => answer.with_challenge(&challenge),
                None => answer,
            };
            refused(web, "register", None, answer)
        }
    }
}
