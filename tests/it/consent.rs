//! Who is asked, for what, and how often.
//!
//! DECISIONS ("Who is asked for what"); PROTOCOL R15, R16; RFC 8252 §8.6.

use http::StatusCode;

use crate::support::{Browser, RelyingParty, TestServer, clients};

#[tokio::test]
async fn consent_is_remembered_and_grows() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid email").await;
    for scope in ["openid email", "openid", "email"] {
        assert_eq!(alice.begin(&shop.begin(scope)).await.status, StatusCode::SEE_OTHER, "{scope}");
    }
    let page = alice.begin(&shop.begin("openid phone")).await;
    assert!(page.page().has("consent-accept"), "{page}");
    alice.press(&page, "consent-accept").await.location();
    assert_eq!(alice.begin(&shop.begin("openid email phone")).await.status, StatusCode::SEE_OTHER, "added up");
    let bob = Browser::new(&server);
    let page = bob.begin(&shop.begin("openid")).await;
    assert!(bob.sign_in(&page, "bob").await.page().has("consent-accept"), "each person for themselves");
}

/// The page names the app, where the answer goes, and each thing that is asked.
#[tokio::test]
async fn the_page_says_what_is_asked() {
    let server = TestServer::start().await;
    let metadata = serde_json::json!({
        "logo_uri": "https://shop.example/logo.png",
        "policy_uri": "https://shop.example/privacy",
        "tos_uri": "https://shop.example/terms",
    });
    let shop = RelyingParty::of(&server, clients::client("shop", &metadata)).await;
    let alice = Browser::new(&server);
    let page = alice.begin(&shop.begin("openid profile email phone address offline_access")).await;
    for id in ["client-logo", "client-policy", "client-tos"] {
        assert!(page.page().has(id), "{id} on the sign-in page");
    }
    let page = alice.sign_in(&page, "alice").await.page();
    for id in ["client-logo", "client-policy", "client-tos", "consent-accept", "consent-deny"] {
        assert!(page.has(id), "{id}");
    }
    let words = page.words("main");
    for part in ["The shop", "shop.example", "Alice Example"] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[tokio::test]
async fn a_person_may_say_no() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let exchange = shop.begin("openid");
    let page = alice.begin(&exchange).await;
    let answered = alice.press(&page, "consent-deny").await;
    assert_eq!(shop.error(&exchange, answered.location()), "access_denied");
    let again = alice.press(&page, "consent-accept").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "the app has its answer: {again}");
    assert!(alice.begin(&shop.begin("openid")).await.page().has("consent-accept"), "no is not remembered");
}

#[tokio::test]
async fn a_person_may_switch_accounts() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::signed_in(&server, "alice").await;
    let exchange = shop.begin("openid");
    let page = browser.begin(&exchange).await;
    let sign_in = browser.press(&page, "consent-switch").await;
    let url = browser.finish(sign_in, "bob").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["sub"], server.user("bob").await.id.to_string());
}

/// First-party apps are not asked about; native ones on private schemes or loopback are, each time.
#[tokio::test]
async fn some_are_never_asked_and_some_always() {
    let server = TestServer::start().await;
    let mut own = clients::web("own");
    own.policy.first_party = true;
    let own = RelyingParty::of(&server, own).await;
    let alice = Browser::signed_in(&server, "alice").await;
    assert_eq!(alice.begin(&own.begin("openid email")).await.status, StatusCode::SEE_OTHER);
    let tokens = own.tokens(&alice, "alice", "openid offline_access").await;
    own.refresh(tokens["refresh_token"].as_str().expect("a token")).await.ok();
    assert!(alice.begin(&own.begin("openid").with("prompt", "consent")).await.page().has("consent-accept"));

    let native = RelyingParty::of(&server, clients::native("native")).await;
    for _ in 0..2 {
        let exchange = native.begin("openid");
        let page = alice.begin(&exchange).await;
        assert!(page.page().has("consent-accept"), "{page}");
        let url = alice.press(&page, "consent-accept").await.location().to_owned();
        native.redeem(&exchange, &native.code(&exchange, &url)).await.ok();
        let exchange = native.begin("openid").with("prompt", "none");
        let answer = alice.begin(&exchange).await;
        assert_eq!(native.error(&exchange, answer.location()), "consent_required");
    }
}
