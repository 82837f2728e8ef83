//! `/api/v1`, `/api/v1/errors`, `/api/v1/openapi.json`: the API about itself (S-173, S-176, S-177).

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::answer::ok;
use crate::http::api::code::Code;
use crate::http::api::manners::{language, title, type_of};
use crate::http::api::operation::{Group, Operation, get};
use crate::http::web::Web;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("", Group::Core), "What there is", index).gives::<Index>(StatusCode::OK, "Every operation."),
        get(("/errors", Group::Core), "What can be refused", errors)
            .query("ui_locales", "The language of the titles.")
            .gives::<Catalogue>(StatusCode::OK, "Every code."),
        get(("/openapi.json", Group::Core), "This document", openapi)
            .gives::<OpenApiDocument>(StatusCode::OK, "OpenAPI 3.1."),
    ]
}

/// Every operation that is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Index {
    /// The issuer.
    pub(super) issuer: String,
    /// The OpenAPI document.
    pub(super) openapi: String,
    /// The catalogue of codes.
    pub(super) errors: String,
    /// What may be called.
    pub(super) operations: Vec<Link>,
}

/// One operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Link {
    /// The method.
    pub(super) method: String,
    /// The URL; a template where it has braces (RFC 6570).
    pub(super) href: String,
    /// What it is for.
    pub(super) summary: String,
}

/// Every code that a refusal can carry.
#[derive(Debug, Serialize, ToSchema)]
struct Catalogue {
    /// The codes.
    errors: Vec<Entry>,
}

/// One code.
#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    /// The code, which stays as it is.
    code: &'static str,
    /// What `type` says with it.
    r#type: String,
    /// In words.
    title: String,
    /// The statuses it comes with, the usual one first.
    statuses: &'static [u16],
    /// What `params` holds with it.
    params: &'static [&'static str],
}

/// An OpenAPI document.
#[derive(Debug, Serialize, ToSchema)]
struct OpenApiDocument {
    /// The version of the format.
    openapi: String,
}

async fn index(State(web): State<Web>) -> Response {
    ok(&web.api.index)
}

async fn errors(State(web): State<Web>, request: Request) -> Response {
    let language = language(&web, &request);
    let entry = |code: &Code| Entry {
        code: code.as_str(),
        r#type: type_of(&web, *code),
        title: title(&web, &language, *code),
        statuses: code.statuses(),
        params: code.parameters(),
    };
    let mut response = ok(&Catalogue { errors: Code::ALL.iter().map(entry).collect() });
    if let Ok(tag) = HeaderValue::from_str(language.tag()) {
        response.headers_mut().insert(CONTENT_LANGUAGE, tag);
    }
    response
}

async fn openapi(State(web): State<Web>) -> Response {
    let mut response = Response::new(web.api.openapi().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
