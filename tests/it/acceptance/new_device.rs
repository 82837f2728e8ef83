//! S-096: a sign-in from a browser that was not seen before is told, and can be taken back.

use http::StatusCode;
use serde_json::json;
use symbolon::model::message::MessageKind;

use super::session_list::{first_party, signed_in};
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

const ALICE: &str = "alice@example.com";
const LAPTOP: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const NEW: &str = "seven quiet herons at dawn";

async fn signs_in(browser: &Browser) {
    let page = browser.open("/sign-in").await;
    assert!(browser.sign_in(&page, "alice").await.page().has("sign-out"));
}

/// A browser of another kind, in which Alice is signed in; and what was mailed to her for it.
async fn from_elsewhere(server: &TestServer) -> Browser {
    Browser::signed_in(server, "alice").await;
    let other = Browser::new(server).calling_itself(LAPTOP);
    signs_in(&other).await;
    server.deliver().await;
    other
}

fn link(server: &TestServer) -> String {
    server.mailbox().link_for(ALICE).replacen("http://localhost:8080", "", 1)
}

#[tokio::test]
async fn s_096_an_unseen_browser_is_told_once() {
    let server = TestServer::start().await;
    let first = Browser::signed_in(&server, "alice").await;
    server.deliver().await;
    assert!(server.mailbox().to(ALICE).is_empty(), "the first sign-in of a new account");

    let other = Browser::new(&server).calling_itself(LAPTOP);
    signs_in(&other).await;
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::NewDevice]);
    let mail = server.mailbox().last_to(ALICE);
    for told in ["127.0.0.1", "Chrome, Linux", "2027", "/account/not-me?token="] {
        assert!(mail.text.contains(told), "{told}: {}", mail.text);
    }
    // Both are known by now, signed in or not.
    for browser in [&first, &other] {
        let account = browser.open("/account").await;
        browser.press(&account, "sign-out").await;
        signs_in(browser).await;
    }
    server.deliver().await;
    assert_eq!(server.mailbox().to(ALICE).len(), 1);
    assert!(server.mailbox().to("bob@example.com").is_empty());
}

/// Apps keep no cookies: they are known by their name for themselves.
#[tokio::test]
async fn s_096_an_app_is_told_once_too() {
    let server = TestServer::start().await;
    Browser::signed_in(&server, "alice").await;
    let mut client = crate::support::clients::client(
        "phone",
        &json!({"token_endpoint_auth_method": "none", "application_type": "native"}),
    );
    client.policy.first_party = true;
    client.policy.direct_tokens = true;
    RelyingParty::of(&server, client).await;
    for _ in 0..2 {
        let body = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": PASSWORD, "scope": "openid"});
        let request = http::Request::post("/api/v1/tokens")
            .header("content-type", "application/json")
            .header("user-agent", "Phone/1.0 (Android)")
            .body(axum::body::Body::from(body.to_string()));
        server.send(request.expect("a request")).await.ok();
    }
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::NewDevice]);
}

#[tokio::test]
async fn s_096_this_was_not_me_ends_everything_and_begins_a_new_password() {
    let server = TestServer::start().await;
    let app = first_party(&server, "app").await;
    let thief = from_elsewhere(&server).await;
    let stolen = app.tokens(&thief, "alice", "openid offline_access").await;
    let link = link(&server);

    // Whatever opens links changes nothing.
    let alice = Browser::new(&server);
    let page = alice.open(&link).await;
    assert!(thief.open("/account").await.page().has("sign-out"));
    let denial = page.page().form_of("mailed-confirm");
    let chosen = alice.submit(denial.clone()).await;
    assert!(chosen.page().has("new-password-submit"), "{chosen}");
    assert!(thief.open("/account").await.page().has("login"), "thrown out");
    assert_eq!(app.refresh(stolen["refresh_token"].as_str().expect("a token")).await.error(), "400 invalid_grant");
    let spa = Spa::open(&server).await;
    assert_eq!(spa.sign_in("alice", PASSWORD).await.status, StatusCode::UNAUTHORIZED, "the password is useless");

    let weak = alice.submit(chosen.page().form_of("new-password-submit").fill("password", "alice")).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.page().has("password-mistake"), "{weak}");
    let form = weak.page().form_of("new-password-submit").fill("password", NEW);
    assert_eq!(alice.submit(form.clone()).await.status, StatusCode::OK);
    assert_eq!(alice.submit(form).await.status, StatusCode::GONE, "once");
    assert_eq!(spa.sign_in("alice", NEW).await.status, StatusCode::OK);

    assert_eq!(alice.open(&link).await.status, StatusCode::GONE, "the link is used");
    assert_eq!(alice.submit(denial).await.status, StatusCode::GONE);
    assert_eq!(spa.get("/session").await.ok()["user"]["username"], "alice", "a used link ends nothing");
    server.settled().await;
    let history = spa.get("/me/history").await.ok();
    let told: Vec<_> = history["items"].as_array().expect("items").iter().map(|item| item["event"].clone()).collect();
    assert!(told.contains(&json!("password.reset_requested")) && told.contains(&json!("password.reset")), "{history}");
}

#[tokio::test]
async fn s_096_the_link_is_good_for_a_week() {
    let server = TestServer::start().await;
    from_elsewhere(&server).await;
    let link = link(&server);
    server.advance(std::time::Duration::from_hours(7 * 24));
    let alice = signed_in(&server, "alice").await;
    assert_eq!(alice.browser.open(&link).await.status, StatusCode::GONE);
    assert!(alice.browser.open("/account").await.page().has("sign-out"), "nothing was ended");
}
