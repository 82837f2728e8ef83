//! Pages as answers: rendered from templates, in the language of the person, with the headers of a page.
//!
//! PROTOCOL.md R12. A refusal is a page with the id of its request, or JSON for who does not ask for a page.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, VARY};
use serde::Serialize;

use crate::edge::template::{Frame, Templates, context};
use crate::http::error::{OAuthAnswer, PageError, Refusal, wants_page};
pub use crate::http::security_header::Stage;
use crate::http::security_header::protect_page;
use crate::http::trace::TraceId;
use crate::protocol::authorization_request::Display;
use crate::protocol::error::{ErrorCode, OAuthError};

/// Renders pages. Clones share the templates.
#[derive(Clone)]
pub struct Pages {
    templates: Arc<Templates>,
    issuer: Arc<str>,
    base: Arc<str>,
    stage: Stage,
}

impl Pages {
    /// `base` is the path of the issuer, without a slash at its end: empty, or `/tenant`.
    pub fn new(templates: Arc<Templates>, (issuer, base): (&str, &str), stage: Stage) -> Self {
        Self { templates, issuer: issuer.into(), base: base.into(), stage }
    }

    /// The templates.
    pub const fn templates(&self) -> &Arc<Templates> {
        &self.templates
    }

    /// Whether this is a development server.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What every page needs: `ui_locales` are the request's wishes, before those of the browser.
    pub fn frame(&self, id: TraceId, headers: &HeaderMap, ui_locales: &[String]) -> Frame {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
        Frame {
            base: self.base.to_string(),
            language: self.templates.negotiate(ui_locales, accepted),
            trace_id: id.to_string(),
            development: self.stage == Stage::Development,
            display: Display::Page,
        }
    }

    /// The page `name`, such as `page/sign_in.html`, with status 200; a page that cannot be rendered is a fault of ours.
    pub fn page<C: Serialize>(&self, name: &str, frame: &Frame, context: &C) -> Response {
        match self.templates.page(name, frame, context) {
            Ok(html) => document(html, frame),
            Err(error) => {
                let error = PageError::new("server_error", StatusCode::INTERNAL_SERVER_ERROR)
                    .hint(format!("the page {name} could not be rendered"))
                    .caused_by(error);
                self.error(frame, &error)
            }
        }
    }

    /// The page of a refusal, with the id `error-page`; the trace layer logs it.
    pub fn error(&self, frame: &Frame, error: &PageError) -> Response {
        let back = error.way_back();
        let context = context::Error {
            key: error.key().to_owned(),
            title: None,
            status: error.status().as_u16(),
            hint: error.developer_hint().map(str::to_owned),
            back_uri: back.map(|back| back.uri.clone()),
            client_name: back.and_then(|back| back.client_name.clone()),
            code: Some(error.key().to_owned()),
        };
        let html = self.templates.page("page/error.html", frame, &context).unwrap_or_else(|failure| {
            tracing::error!(
                trace_id = frame.trace_id,
                error = &failure as &dyn std::error::Error,
                "the error page cannot be rendered"
            );
            last_resort(&frame.trace_id)
        });
        let mut response = document(html, frame);
        *response.status_mut() = error.status();
        if error.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response.extensions_mut().insert(Refusal::from(error));
        response
    }

    /// A refusal where no endpoint speaks: a page for browsers, JSON for others.
    pub fn refuse(&self, id: TraceId, headers: &HeaderMap, error: &PageError) -> Response {
        if wants_page(headers) {
            return self.error(&self.frame(id, headers, &[]), error);
        }
        let (code, description) = match error.status() {
            StatusCode::NOT_FOUND => (ErrorCode::InvalidRequest, "there is nothing at this URL"),
            StatusCode::METHOD_NOT_ALLOWED => (ErrorCode::InvalidRequest, "this URL does not take this method"),
            StatusCode::SERVICE_UNAVAILABLE => {
                (ErrorCode::TemporarilyUnavailable, "the server cannot do this at the moment")
            }
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                (ErrorCode::InvalidRequest, "the header is larger than 16 kB")
            }
            StatusCode::TOO_MANY_REQUESTS => {
                (ErrorCode::AccessDenied, "too much came from this address; try again after the seconds of Retry-After")
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                (ErrorCode::AccessDenied, "a captcha is asked for; send its answer as the parameter captcha")
            }
            status if status.is_server_error() => {
                (ErrorCode::ServerError, "the server met an unexpected condition; the log has the cause")
            }
            _ => (ErrorCode::InvalidRequest, "the request cannot be understood"),
        };
        let status = error.status();
        let answer = OAuthAnswer::from(OAuthError::new(code, description)).explained_by(&self.issuer);
        let mut response = answer.with_status(status).into_response();
        response.extensions_mut().insert(Refusal::from(error));
        response
    }

    /// What answers a URL that is not ours.
    pub fn not_found(&self, id: TraceId, headers: &HeaderMap) -> Response {
        self.refuse(id, headers, &PageError::new("not_found", StatusCode::NOT_FOUND))
    }

    /// What answers a method that a URL does not take; the router adds `Allow`.
    pub fn method_not_allowed(&self, id: TraceId, headers: &HeaderMap) -> Response {
        self.refuse(id, headers, &PageError::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED))
    }
}

fn document(html: String, frame: &Frame) -> Response {
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    // What a page carries, with room for cookies.
    headers.reserve(24);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    if let Ok(language) = HeaderValue::from_str(frame.language.tag()) {
        headers.insert(CONTENT_LANGUAGE, language);
    }
    let stage = if frame.development { Stage::Development } else { Stage::Production };
    protect_page(headers, stage);
    response
}

/// Should a theme's error page itself be broken, the person still gets the id of the request.
fn last_resort(trace_id: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><title>Something went wrong</title><main id=\"error-page\">\
         <h1>Something went wrong</h1><p>The mistake is ours, and it has been recorded as {trace_id}.</p></main></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;
    use crate::http::error::Back;

    fn pages(stage: Stage) -> Pages {
        Pages::new(Arc::new(Templates::new(None).unwrap()), ("https://id.example", ""), stage)
    }

    fn accepting(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static(accept))])
    }

    async fn text(response: Response) -> String {
        String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn an_error_page_names_the_request_and_the_way_back() {
        for (stage, shows_hint) in [(Stage::Production, false), (Stage::Development, true)] {
            let pages = pages(stage);
            let id = TraceId::of(&HeaderMap::new(), &SystemRandom);
            let error = PageError::new("interaction_expired", StatusCode::BAD_REQUEST)
                .hint("it was <31> minutes old")
                .back(Back { uri: "https://shop.example/".into(), client_name: Some("Shop".into()) });
            let response = pages.error(&pages.frame(id, &HeaderMap::new(), &[]), &error);
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            assert_eq!(response.headers()["x-frame-options"], "DENY");
            let html = text(response).await;
            assert!(html.contains("id=\"error-page\"") && html.contains(&id.to_string()));
            assert!(html.contains("https:&#x2f;&#x2f;shop.example&#x2f;"), "{html}");
            assert_eq!(html.contains("&lt;31&gt; minutes"), shows_hint, "{html}");
        }
    }

    #[tokio::test]
    async fn who_does_not_ask_for_a_page_gets_json() {
        let pages = pages(Stage::Production);
        let id = TraceId::of(&HeaderMap::new(), &SystemRandom);
        let page = pages.not_found(id, &accepting("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert!(text(page).await.contains("error-page"));
        let json = pages.not_found(id, &accepting("*/*"));
        assert_eq!(json.status(), StatusCode::NOT_FOUND);
        assert_eq!(
            text(json).await,
            r#"{"error":"invalid_request","error_description":"there is nothing at this URL","error_uri":"https://id.example/docs/errors/invalid_request"}"#
        );
    }
}
