//! S-133: links of mails lead to an app of the operator's own, where it has a page for them.

use http::StatusCode;
use serde_json::json;
use symbolon::account::settings::SignUp;
use symbolon::config::Config;

use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, TestServer};

const ALICE: &str = "alice@example.com";
const CAROL: &str = "carol@example.net";
const NEW: &str = "another battery staple horse";

fn own_app(config: &mut Config) {
    config.registration.mode = SignUp::Link;
    config.frontend.url = Some("https://app.example.com/".to_owned());
    config.frontend.activation = Some("/#/welcome".to_owned());
    config.frontend.reset_password = Some("/account/new-password?from=mail".to_owned());
}

/// The newest link to `address`: its page, and its token.
async fn link(server: &TestServer, address: &str) -> (String, String) {
    server.deliver().await;
    let link = server.mailbox().link_for(address);
    let (page, token) = link.split_once("token=").expect("a link");
    (page.to_owned(), token.to_owned())
}

#[tokio::test]
async fn s_133_links_lead_to_the_app_that_the_operator_names() {
    let server = TestServer::with(Setup { configure: own_app, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    spa.post("/registrations", &json!({"email": CAROL, "password": PASSWORD})).await.of(StatusCode::ACCEPTED);
    let (page, token) = link(&server, CAROL).await;
    assert_eq!(page, "https://app.example.com/#/welcome?");
    spa.post("/registrations/activate", &json!({"token": token})).await.ok();
    assert_eq!(spa.sign_in(CAROL, PASSWORD).await.status, StatusCode::OK);

    spa.post("/password-resets", &json!({"identifier": ALICE})).await.of(StatusCode::ACCEPTED);
    let (page, token) = link(&server, ALICE).await;
    assert_eq!(page, "https://app.example.com/account/new-password?from=mail&");
    let set = spa.post("/password-resets/confirm", &json!({"token": token, "password": NEW})).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);

    // For which it has none, ours.
    spa.sign_in("alice", NEW).await.ok();
    spa.post("/me/email-changes", &json!({"new_email": "alice@example.net"})).await.of(StatusCode::ACCEPTED);
    let (page, token) = link(&server, "alice@example.net").await;
    assert_eq!(page, format!("{}/email-change?", server.issuer));
    assert!(Browser::new(&server).open(&format!("/email-change?token={token}")).await.page().has("mailed-confirm"));
}

/// Nothing that a request says moves them.
#[tokio::test]
async fn s_133_no_request_says_where_links_lead() {
    let server = TestServer::with(Setup { configure: own_app, ..Setup::default() }).await;
    let request = http::Request::post("/api/v1/password-resets")
        .header("content-type", "application/json")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("origin", "https://evil.example");
    let body = json!({"identifier": ALICE}).to_string();
    server.send(request.body(axum::body::Body::from(body)).expect("a request")).await;
    server.deliver().await;
    for message in server.mailbox().messages() {
        assert!(!message.text.contains("evil.example"), "{message:?}");
    }
}
