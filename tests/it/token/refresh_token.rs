//! Refresh tokens: rotation in families, reuse, the honest retry, and every end they have.
//!
//! RFC 6749 §6, RFC 9700 §4.14, OIDC Core §12; DECISIONS (10 s of grace, 7 d idle, 30 d absolute).

use std::time::Duration;

use serde_json::Value;

use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

const SCOPE: &str = "openid email offline_access";

async fn story() -> (TestServer, RelyingParty, Browser, Value) {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let tokens = shop.tokens(&alice, "alice", SCOPE).await;
    (server, shop, alice, tokens)
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next() {
    let (server, shop, _, first) = story().await;
    server.advance(Duration::from_hours(1));
    let second = shop.refresh(text(&first, "refresh_token")).await.ok();
    assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
    assert_eq!(second["scope"], SCOPE);
    assert!(shop.is_active(text(&second, "access_token")).await);
    assert!(!shop.is_active(text(&first, "refresh_token")).await);
    shop.refresh(text(&second, "refresh_token")).await.ok();

    // OIDC Core §12.2: the same person, the same sign-in, no nonce that was used before.
    let (before, after) = (part(text(&first, "id_token"), 1), shop.verified(text(&second, "id_token")).await);
    for name in ["sub", "aud", "iss", "auth_time", "azp", "sid"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert_eq!(after["iat"].as_i64(), Some(server.clock.seconds()));
    assert!(after.get("nonce").is_none(), "{after}");
}

/// RFC 9700 §4.14.2
#[tokio::test]
async fn reuse_revokes_the_whole_family() {
    let (server, shop, _, first) = story().await;
    let second = shop.refresh(text(&first, "refresh_token")).await.ok();
    let third = shop.refresh(text(&second, "refresh_token")).await.ok();
    server.advance(Duration::from_secs(11));
    assert_eq!(shop.refresh(text(&first, "refresh_token")).await.error(), "400 invalid_grant");
    for tokens in [&first, &second, &third] {
        assert!(!shop.is_active(text(tokens, "access_token")).await);
        assert_eq!(shop.refresh(text(tokens, "refresh_token")).await.error(), "400 invalid_grant");
    }
}

/// DECISIONS: an honest retry within 10 s, after an answer was lost, gets the same successor.
#[tokio::test]
async fn a_retry_within_ten_seconds_gets_the_same_successor() {
    let (server, shop, _, first) = story().await;
    let second = shop.refresh(text(&first, "refresh_token")).await.ok();
    server.advance(Duration::from_secs(10));
    let again = shop.refresh(text(&first, "refresh_token")).await.ok();
    assert_eq!(text(&second, "refresh_token"), text(&again, "refresh_token"));
    let third = shop.refresh(text(&again, "refresh_token")).await.ok();
    assert!(shop.is_active(text(&third, "access_token")).await);
}

/// Who already holds the successor's successor cannot be the one whose answer was lost.
#[tokio::test]
async fn a_retry_after_the_successor_was_used_is_reuse() {
    let (_server, shop, _, first) = story().await;
    let second = shop.refresh(text(&first, "refresh_token")).await.ok();
    let third = shop.refresh(text(&second, "refresh_token")).await.ok();
    assert_eq!(shop.refresh(text(&first, "refresh_token")).await.error(), "400 invalid_grant");
    assert!(!shop.is_active(text(&third, "refresh_token")).await, "the family is revoked");
}

#[tokio::test]
async fn after_ten_seconds_a_retry_is_reuse() {
    let (server, shop, _, first) = story().await;
    let second = shop.refresh(text(&first, "refresh_token")).await.ok();
    server.advance(Duration::from_secs(11));
    assert_eq!(shop.refresh(text(&first, "refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(shop.refresh(text(&second, "refresh_token")).await.error(), "400 invalid_grant");
}

/// PROTOCOL T5: rotation extends the idle end, never the absolute one.
#[tokio::test]
async fn a_family_ends_when_idle_and_when_old() {
    let day = Duration::from_hours(24);
    let (server, shop, _, first) = story().await;
    server.advance(day * 7);
    assert_eq!(shop.refresh(text(&first, "refresh_token")).await.error(), "400 invalid_grant", "idle for a week");

    let (server, shop, _, mut tokens) = story().await;
    for _ in 0..4 {
        server.advance(day * 6);
        tokens = shop.refresh(text(&tokens, "refresh_token")).await.ok();
    }
    server.advance(day * 5 + Duration::from_secs(86_399));
    tokens = shop.refresh(text(&tokens, "refresh_token")).await.ok();
    server.advance(Duration::from_secs(1));
    assert_eq!(shop.refresh(text(&tokens, "refresh_token")).await.error(), "400 invalid_grant", "30 days old");
}

/// RFC 6749 §6: narrower for this access token, never wider than what was granted, and the next may have all again.
#[tokio::test]
async fn scope_may_narrow_and_never_widen() {
    let (_server, shop, _, first) = story().await;
    let narrow = |token: &str, scope: &'static str| {
        let (shop, token) = (shop.clone(), token.to_owned());
        async move {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("scope", scope)];
            shop.post("/oauth2/token", &fields).await
        }
    };
    assert_eq!(narrow(text(&first, "refresh_token"), "openid phone").await.error(), "400 invalid_scope");
    let second = narrow(text(&first, "refresh_token"), "openid").await.ok();
    assert_eq!(second["scope"], "openid");
    let person = shop.userinfo(text(&second, "access_token")).await.ok();
    assert!(person.get("email").is_none(), "{person}");
    let third = shop.refresh(text(&second, "refresh_token")).await.ok();
    assert_eq!(third["scope"], SCOPE);
    let person = shop.userinfo(text(&third, "access_token")).await.ok();
    assert_eq!(person["email"], "alice@example.com");
    let fourth = narrow(text(&third, "refresh_token"), "email").await.ok();
    assert!(fourth.get("id_token").is_none() || fourth["scope"] == "email", "{fourth}");
}

#[tokio::test]
async fn a_refresh_token_is_for_its_own_client() {
    let (server, shop, _, first) = story().await;
    let thief = RelyingParty::web(&server, "thief").await;
    assert_eq!(thief.refresh(text(&first, "refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(shop.refresh("unknown").await.error(), "400 invalid_grant");
    assert_eq!(shop.refresh(text(&first, "access_token")).await.error(), "400 invalid_grant", "another kind of token");
    shop.refresh(text(&first, "refresh_token")).await.ok();
}

/// PROTOCOL B1: a public client rotates too.
#[tokio::test]
async fn a_single_page_app_rotates() {
    let server = TestServer::start().await;
    let spa = RelyingParty::spa(&server, "spa").await;
    let first = spa.tokens(&Browser::new(&server), "alice", SCOPE).await;
    let second = spa.refresh(text(&first, "refresh_token")).await.ok();
    server.advance(Duration::from_secs(11));
    assert_eq!(spa.refresh(text(&first, "refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(spa.refresh(text(&second, "refresh_token")).await.error(), "400 invalid_grant");
}
