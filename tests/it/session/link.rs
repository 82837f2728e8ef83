//! A link that signs in once.
//!
//! PROTOCOL A19, T20.

use std::time::Duration;

use http::StatusCode;
use symbolon::authn::one_time_link;

use crate::support::{Browser, TestServer};

async fn link(server: &TestServer) -> String {
    let ada = server.user("ada").await.id;
    let token = one_time_link::make(&server.provider().edges, ada, Duration::from_hours(1)).await.expect("made");
    format!("/sign-in/link?token={}&to=admin", token.expose())
}

/// Mail scanners open links: opening one changes nothing, its button does, once.
#[tokio::test]
async fn a_link_signs_in_once() {
    let server = TestServer::start().await;
    let link = link(&server).await;
    let scanner = Browser::new(&server);
    scanner.open(&link).await;
    scanner.open(&link).await;
    let ada = Browser::new(&server);
    let page = ada.open(&link).await;
    let admin = ada.press(&page, "link-confirm").await;
    assert!(admin.status == StatusCode::OK && !admin.page().has("login"), "{admin}");

    let late = Browser::new(&server);
    let page = late.open(&link).await;
    let refused = late.press(&page, "link-confirm").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.page().heading(), "This link no longer works");
    assert!(late.cookie("symbolon_session").is_none());
}

#[tokio::test]
async fn a_link_runs_out() {
    let server = TestServer::start().await;
    let link = link(&server).await;
    server.advance(Duration::from_hours(1));
    for link in [link.as_str(), "/sign-in/link", "/sign-in/link?token=", "/sign-in/link?token=x"] {
        let browser = Browser::new(&server);
        let page = browser.open(link).await;
        let refused = browser.press(&page, "link-confirm").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{link}");
    }
}
