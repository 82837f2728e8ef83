//! `/avatars/{name}`: pictures of people, for whoever was told the URL (`picture`, OIDC Core §5.1).

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};

use crate::account::avatar;
use crate::http::extract::visitor::Visitor;
use crate::http::page::fault_page;
use crate::http::web::Web;

/// `GET /avatars/{name}`
pub async fn show(State(web): State<Web>, visitor: Visitor, Path(name): Path<String>) -> Response {
    if !avatar::is_name(&name) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let found = match web.provider.edges.store.avatar(&name).await {
        Ok(found) => found,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let Some(avatar) = found else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(content_type) = HeaderValue::from_str(&avatar.content_type) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = Response::new(Body::from(avatar.picture));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    // Another picture has another name; one that was taken away is gone within the hour.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    // Apps show it in pages of their own.
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    response
}
