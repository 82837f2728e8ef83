//! The static files of the pages.
//!
//! RFC 8246: their names carry a fingerprint of their content, so a browser keeps them for good.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};

use crate::edge::template::Templates;

/// The file `name` below `/assets/`; `None` when there is none of that name.
pub fn answer(templates: &Templates, name: &str) -> Option<Response> {
    let asset = templates.asset(name)?;
    let mut response = Response::new(Body::from(asset.bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    // An SVG opened by itself may run scripts; here it may not.
    headers.insert(
        http::header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::template::{Frame, context};

    #[tokio::test]
    async fn what_a_page_links_is_there_for_good() {
        let templates = Templates::new(None).unwrap();
        let frame = Frame {
            base: String::new(),
            language: templates.negotiate(&[], None),
            trace_id: String::new(),
            development: false,
            display: crate::protocol::authorization_request::Display::Page,
        };
        let context = context::Error {
            key: "not_found".into(),
            title: None,
            status: 404,
            hint: None,
            back_uri: None,
            client_name: None,
            code: None,
        };
        let html = templates.page("page/error.html", &frame, &context).unwrap().replace("&#x2f;", "/");
        let names: Vec<&str> = html.split("/assets/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() >= 3, "{html}");
        for name in names {
            let response = answer(&templates, name).unwrap_or_else(|| panic!("{name} is linked but not served"));
            assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        }
    }

    #[test]
    fn nothing_else_is_served() {
        let templates = Templates::new(None).unwrap();
        for name in ["style.css", "", "..", "../page/error.html", "%2e%2e/x", "style-0000000000000000.css"] {
            assert!(answer(&templates, name).is_none(), "{name}");
        }
    }
}
