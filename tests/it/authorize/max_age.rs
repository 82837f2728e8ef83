//! `max_age`: how old a sign-in may be.
//!
//! OIDC Core §3.1.2.1; OIDC Registration §2 (`default_max_age`).

use std::time::Duration;

use serde_json::json;

use crate::support::{Browser, RelyingParty, TestServer, clients};

#[tokio::test]
async fn an_old_sign_in_is_renewed() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid").await;

    server.advance(Duration::from_secs(30));
    let exchange = shop.begin("openid").with("max_age", "30");
    let answer = alice.begin(&exchange).await;
    shop.code(&exchange, answer.location());

    server.advance(Duration::from_secs(1));
    let exchange = shop.begin("openid").with("max_age", "30");
    let page = alice.begin(&exchange).await;
    assert!(page.page().has("login-submit"), "{page}");
    let answered = alice.sign_in(&page, "alice").await;
    let code = shop.code(&exchange, answered.location());
    let tokens = shop.redeem(&exchange, &code).await.ok();
    let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["auth_time"].as_i64(), Some(server.clock.seconds()));
}

/// Zero means now, like `prompt=login`; and who just signed in for this very request is not asked in circles.
#[tokio::test]
async fn max_age_zero_asks_once() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::signed_in(&server, "alice").await;
    server.advance(Duration::from_secs(1));
    let exchange = shop.begin("openid").with("max_age", "0");
    let page = alice.begin(&exchange).await;
    let consent = alice.sign_in(&page, "alice").await;
    server.advance(Duration::from_mins(5));
    let answered = alice.press(&consent, "consent-accept").await;
    shop.code(&exchange, answered.location());
}

#[tokio::test]
async fn a_client_may_register_a_default() {
    let server = TestServer::start().await;
    let bank = RelyingParty::of(&server, clients::client("bank", &json!({"default_max_age": 60}))).await;
    let alice = Browser::new(&server);
    bank.tokens(&alice, "alice", "openid").await;
    server.advance(Duration::from_secs(61));
    assert!(alice.begin(&bank.begin("openid")).await.page().has("login-submit"));
    let exchange = bank.begin("openid").with("max_age", "3600");
    let answer = alice.begin(&exchange).await;
    bank.code(&exchange, answer.location());
}

#[tokio::test]
async fn what_is_no_number_of_seconds_is_refused() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    for value in ["-1", "1.5", "soon", "+5", "99999999999999999999999"] {
        let exchange = shop.begin("openid").with("max_age", value);
        let answer = browser.begin(&exchange).await;
        assert_eq!(shop.error(&exchange, answer.location()), "invalid_request", "{value}");
    }
}
