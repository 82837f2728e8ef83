//! Hints and wishes: who, how sure, in which language, on what kind of screen.
//!
//! OIDC Core §3.1.2.1 (`login_hint`, `id_token_hint`, `acr_values`, `ui_locales`, `display`).

use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

#[tokio::test]
async fn login_hint_fills_in_the_name() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let exchange = shop.begin("openid").with("login_hint", "bob@example.com");
    let page = Browser::new(&server).begin(&exchange).await;
    assert_eq!(page.page().attribute("login", "value"), "bob@example.com");
    let exchange = shop.begin("openid").with("login_hint", "\"><script>alert(1)</script>");
    let page = Browser::new(&server).begin(&exchange).await;
    assert!(!page.text().contains("<script>alert"), "{page}");
    assert_eq!(page.page().attribute("login", "value"), "\"><script>alert(1)</script>");
}

#[tokio::test]
async fn id_token_hint_names_the_person_who_is_wanted() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let tokens = shop.tokens(&alice, "alice", "openid").await;
    let hint = tokens["id_token"].as_str().expect("an ID token").to_owned();

    let exchange = shop.begin("openid").with("prompt", "none").with("id_token_hint", &hint);
    let answer = alice.begin(&exchange).await;
    shop.code(&exchange, answer.location());

    let bob = Browser::new(&server);
    shop.tokens(&bob, "bob", "openid").await;
    let exchange = shop.begin("openid").with("prompt", "none").with("id_token_hint", &hint);
    let answer = bob.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "login_required", "Bob is not Alice");

    // With a page, Bob is asked to sign in as somebody else; signing in as Bob again does not do.
    let exchange = shop.begin("openid").with("id_token_hint", &hint);
    let page = bob.begin(&exchange).await;
    let answered = bob.sign_in(&page, "bob").await;
    assert_eq!(shop.error(&exchange, answered.location()), "login_required");
    let exchange = shop.begin("openid").with("id_token_hint", &hint);
    let page = bob.begin(&exchange).await;
    let answered = bob.sign_in(&page, "alice").await;
    shop.code(&exchange, answered.location());

    for wrong in ["nonsense", "a.b.c", tokens["access_token"].as_str().expect("a token")] {
        let exchange = shop.begin("openid").with("id_token_hint", wrong);
        let answer = alice.begin(&exchange).await;
        assert_eq!(shop.error(&exchange, answer.location()), "invalid_request", "{wrong}");
    }
}

/// A hint may have expired (§3.1.2.1).
#[tokio::test]
async fn an_expired_id_token_is_still_a_hint() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let tokens = shop.tokens(&alice, "alice", "openid").await;
    server.advance(std::time::Duration::from_hours(2));
    let hint = tokens["id_token"].as_str().expect("an ID token");
    let exchange = shop.begin("openid").with("prompt", "none").with("id_token_hint", hint);
    let answer = alice.begin(&exchange).await;
    shop.code(&exchange, answer.location());
}

/// A wish that cannot be met is no error (§3.1.2.1); the token says what was reached.
#[tokio::test]
async fn acr_values_are_a_wish() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    for wish in ["urn:symbolon:acr:1", "urn:symbolon:acr:2 urn:symbolon:acr:1", "gold"] {
        let exchange = shop.begin("openid").with("acr_values", wish);
        let tokens = shop.tokens_for(&alice, "alice", exchange).await;
        assert_eq!(part(tokens["id_token"].as_str().expect("an ID token"), 1)["acr"], "urn:symbolon:acr:1", "{wish}");
    }
}

#[tokio::test]
async fn ui_locales_and_display_never_break_a_request() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    for (locales, language) in [
        ("en", "en"),
        ("fr-CA fr en", "en"),
        ("xx-invalid-tag-that-is-much-too-long-for-anybody", "en"),
        ("!!", "en"),
        ("fr-CA de-AT en", "de"),
    ] {
        let page = browser.begin(&shop.begin("openid").with("ui_locales", locales)).await.page();
        assert_eq!(page.language(), language, "{locales}");
    }
    for display in ["page", "popup", "touch", "wap"] {
        assert!(browser.begin(&shop.begin("openid").with("display", display)).await.page().has("login"), "{display}");
    }
    let exchange = shop.begin("openid").with("display", "cinema");
    let answer = browser.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "invalid_request");
}
