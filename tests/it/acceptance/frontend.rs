//! S-133: links of mails lead to an app of the operator's own, where it has a page for them.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::model::client::Client;

use super::first_party::app;
use crate::support::clients;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

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

/// An app with an address of its own.
fn at_home(client: Client) -> Client {
    let mut client = client;
    client.policy.frontend_url = Some(format!("https://{}.example.com", client.id).parse().expect("an address"));
    client
}

#[tokio::test]
async fn s_133_an_app_takes_the_links_that_are_sent_for_it() {
    let server = TestServer::with(Setup { configure: own_app, ..Setup::default() }).await;
    RelyingParty::of(&server, at_home(app("shop"))).await;
    let mut house = clients::web("house");
    house.policy.first_party = true;
    let house = RelyingParty::of(&server, at_home(house)).await;
    let stranger = RelyingParty::of(&server, at_home(clients::web("stranger"))).await;

    // On its own screens, with the paths that every app has.
    let spa = Spa::open(&server).await;
    let body = json!({"email": CAROL, "password": PASSWORD, "client_id": "shop"});
    let begun = spa.post("/registrations", &body).await.of(StatusCode::ACCEPTED).json();
    let (page, _) = link(&server, CAROL).await;
    assert_eq!(page, "https://shop.example.com/#/welcome?");
    server.advance(Duration::from_mins(1));
    let again = json!({"registration": begun["registration"]});
    spa.post("/registrations/resend", &again).await.of(StatusCode::ACCEPTED);
    let (page, token) = link(&server, CAROL).await;
    assert_eq!(page, "https://shop.example.com/#/welcome?", "also once more, where nobody names it");
    spa.post("/registrations/activate", &json!({"token": token})).await.ok();
    let body = json!({"identifier": ALICE, "client_id": "shop"});
    spa.post("/password-resets", &body).await.of(StatusCode::ACCEPTED);
    let (page, token) = link(&server, ALICE).await;
    assert_eq!(page, "https://shop.example.com/account/new-password?from=mail&");
    let set = spa.post("/password-resets/confirm", &json!({"token": token, "password": NEW})).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    // For which the operator's apps have no path, ours.
    spa.sign_in("alice", NEW).await.ok();
    let body = json!({"new_email": "alice@example.net", "client_id": "shop"});
    spa.post("/me/email-changes", &body).await.of(StatusCode::ACCEPTED);
    let (page, _) = link(&server, "alice@example.net").await;
    assert_eq!(page, format!("{}/email-change?", server.issuer));
    spa.post("/me/email-changes", &json!({"new_email": "b@example.net", "client_id": "nobody"}))
        .await
        .of(StatusCode::FORBIDDEN);

    // On pages of ours, within its request; nobody else's app gets what sets a password.
    for (asking, app) in [(&house, "https://house.example.com"), (&stranger, "https://app.example.com")] {
        server.advance(Duration::from_hours(1));
        let browser = Browser::new(&server);
        let page = browser.begin(&asking.begin("openid")).await;
        let page = browser.open(page.page().attribute("recover", "href")).await;
        browser.submit(page.page().form_of("recover-submit").fill("login", ALICE)).await;
        let (page, _) = link(&server, ALICE).await;
        assert_eq!(page, format!("{app}/account/new-password?from=mail&"));
    }
    let refused = spa.post("/password-resets", &json!({"identifier": ALICE, "client_id": "stranger"})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
