//! `prompt`: what may be asked of a person, and what must be.
//!
//! OIDC Core §3.1.2.1, §3.1.2.6.

use std::time::Duration;

use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

#[tokio::test]
async fn with_prompt_none_nobody_is_asked_anything() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);

    let exchange = shop.begin("openid").with("prompt", "none");
    let answer = alice.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "login_required");

    let alice = Browser::signed_in(&server, "alice").await;
    let exchange = shop.begin("openid").with("prompt", "none");
    let answer = alice.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "consent_required");

    shop.tokens(&alice, "alice", "openid").await;
    let exchange = shop.begin("openid").with("prompt", "none");
    let answer = alice.begin(&exchange).await;
    let code = shop.code(&exchange, answer.location());
    shop.redeem(&exchange, &code).await.ok();

    let exchange = shop.begin("openid email").with("prompt", "none");
    let answer = alice.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "consent_required", "the scope has grown");

    server.advance(Duration::from_mins(1));
    let exchange = shop.begin("openid").with("prompt", "none").with("max_age", "59");
    let answer = alice.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "login_required", "the sign-in is too old");
}

#[tokio::test]
async fn with_prompt_login_the_person_proves_it_again() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let before = shop.tokens(&alice, "alice", "openid").await;
    let cookie = alice.cookie("symbolon_session").expect("a session");
    server.advance(Duration::from_secs(100));

    let exchange = shop.begin("openid").with("prompt", "login");
    let page = alice.begin(&exchange).await;
    assert_eq!(page.page().attribute("login", "value"), "alice", "the page knows who was signed in");
    let answered = alice.sign_in(&page, "alice").await;
    let code = shop.code(&exchange, answered.location());
    let tokens = shop.redeem(&exchange, &code).await.ok();

    let claims = |tokens: &serde_json::Value| part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!(claims(&before)["auth_time"].as_i64(), Some(server.clock.seconds() - 100));
    assert_eq!(claims(&tokens)["auth_time"].as_i64(), Some(server.clock.seconds()));
    assert_eq!(claims(&before)["sid"], claims(&tokens)["sid"], "the same session goes on");
    assert_ne!(alice.cookie("symbolon_session"), Some(cookie), "under a new cookie");
}

#[tokio::test]
async fn with_prompt_login_a_reload_of_the_request_does_not_help() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let exchange = shop.begin("openid").with("prompt", "login");
    for _ in 0..2 {
        assert!(alice.begin(&exchange).await.page().has("login-submit"), "asked each time");
    }
}

#[tokio::test]
async fn with_prompt_consent_the_person_is_asked_again() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid email").await;

    let exchange = shop.begin("openid email");
    alice.begin(&exchange).await.location();
    let exchange = shop.begin("openid email").with("prompt", "consent");
    let page = alice.begin(&exchange).await;
    let answered = alice.press(&page, "consent-deny").await;
    assert_eq!(shop.error(&exchange, answered.location()), "access_denied");

    let exchange = shop.begin("openid email");
    let answered = alice.begin(&exchange).await;
    shop.code(&exchange, answered.location());
}

#[tokio::test]
async fn with_prompt_select_account_the_person_chooses() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    shop.tokens(&browser, "alice", "openid").await;

    let exchange = shop.begin("openid").with("prompt", "select_account");
    let page = browser.begin(&exchange).await;
    let answered = browser.press(&page, "account-current").await;
    shop.code(&exchange, answered.location());

    let exchange = shop.begin("openid").with("prompt", "select_account");
    let page = browser.begin(&exchange).await;
    let sign_in = browser.press(&page, "account-other").await;
    assert_eq!(sign_in.page().attribute("login", "value"), "", "another account is wanted");
    let consent = browser.sign_in(&sign_in, "bob").await;
    let answered = browser.press(&consent, "consent-accept").await;
    let code = shop.code(&exchange, answered.location());
    let tokens = shop.redeem(&exchange, &code).await.ok();
    let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["sub"], server.user("bob").await.id.to_string());
}

#[tokio::test]
async fn with_prompts_in_one_list_each_is_honoured() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid").await;
    let exchange = shop.begin("openid").with("prompt", "login consent");
    let page = alice.begin(&exchange).await;
    let page = alice.sign_in(&page, "alice").await;
    let answered = alice.press(&page, "consent-accept").await;
    shop.code(&exchange, answered.location());

    let exchange = shop.begin("openid").with("prompt", "none login");
    let answered = alice.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answered.location()), "invalid_request");
}
