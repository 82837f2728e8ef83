//! `/docs/errors`: what each code means and what to do about it; `error_uri` leads here.
//!
//! RFC 6749 §5.2. The list is made, not written: every [`ErrorCode`] and every page error that has texts.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use http::header::{CACHE_CONTROL, HeaderValue};

use crate::edge::template::Templates;
use crate::edge::template::context::{ErrorDocs, ErrorDocsCode};
use crate::http::extract::params::Segment;
use crate::http::extract::visitor::Visitor;
use crate::http::web::Web;
use crate::protocol::error::ErrorCode;

/// `GET /docs/errors`
pub async fn index(State(web): State<Web>, visitor: Visitor) -> Response {
    let codes = codes(web.pages.templates()).into_values().collect();
    page(&web, &visitor, &ErrorDocs { codes, single: false })
}

/// `GET /docs/errors/{code}`
pub async fn show(State(web): State<Web>, visitor: Visitor, Segment(code): Segment) -> Response {
    match codes(web.pages.templates()).remove(&code) {
        Some(code) => page(&web, &visitor, &ErrorDocs { codes: vec![code], single: true }),
        None => web.pages.not_found(visitor.id, &visitor.headers),
    }
}

/// Every code, those of clients and those of pages.
fn codes(templates: &Templates) -> BTreeMap<String, ErrorDocsCode> {
    let mut codes = BTreeMap::new();
    let new = |code: &str| ErrorDocsCode { code: code.to_owned(), of_clients: false, of_pages: false };
    for code in ErrorCode::ALL {
        codes.entry(code.to_string()).or_insert_with_key(|code| new(code)).of_clients = true;
    }
    for key in templates.explained("error-") {
        codes.entry(key.to_owned()).or_insert_with_key(|code| new(code)).of_pages = true;
    }
    codes
}

fn page(web: &Web, visitor: &Visitor, context: &ErrorDocs) -> Response {
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let mut response = web.pages.page("page/error_docs.html", &frame, context);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}
