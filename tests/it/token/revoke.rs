//! Taking tokens back.
//!
//! RFC 7009.

use http::StatusCode;

use crate::support::{Browser, RelyingParty, TestServer, clients};

async fn story() -> (TestServer, RelyingParty, String, String) {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    (server, shop, text("access_token"), text("refresh_token"))
}

/// §2.1: with the refresh token, everything of its grant.
#[tokio::test]
async fn a_refresh_token_takes_its_access_tokens_along() {
    let (_server, shop, access_token, refresh_token) = story().await;
    let answer = shop.revoke(&refresh_token).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert!(!shop.is_active(&access_token).await && !shop.is_active(&refresh_token).await);
    assert_eq!(shop.refresh(&refresh_token).await.error(), "400 invalid_grant");
    assert_eq!(shop.userinfo(&access_token).await.error(), "401 invalid_token");
}

/// A used refresh token still names its grant.
#[tokio::test]
async fn an_old_refresh_token_revokes_its_family() {
    let (_server, shop, _, refresh_token) = story().await;
    let next = shop.refresh(&refresh_token).await.ok();
    assert_eq!(shop.revoke(&refresh_token).await.status, StatusCode::OK);
    assert!(!shop.is_active(next["refresh_token"].as_str().expect("a token")).await);
}

#[tokio::test]
async fn an_access_token_goes_alone() {
    let (_server, shop, access_token, refresh_token) = story().await;
    for hint in ["access_token", "refresh_token", "pigeon"] {
        let answer = shop.post("/oauth2/revoke", &[("token", &access_token), ("token_type_hint", hint)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{hint}: the hint is only a hint (§2.1)");
    }
    assert!(!shop.is_active(&access_token).await);
    shop.refresh(&refresh_token).await.ok();
}

/// §2.2: an unknown token is no error; §2.1: another client's token is.
#[tokio::test]
async fn only_its_own_client_revokes_a_token() {
    let (server, shop, access_token, refresh_token) = story().await;
    let thief = RelyingParty::web(&server, "thief").await;
    assert_eq!(thief.revoke(&access_token).await.error(), "400 invalid_grant");
    assert_eq!(thief.revoke(&refresh_token).await.error(), "400 invalid_grant");
    assert!(shop.is_active(&access_token).await && shop.is_active(&refresh_token).await);
    for unknown in ["unknown", "a.b.c", "%", &"x".repeat(30_000)] {
        assert_eq!(shop.revoke(unknown).await.status, StatusCode::OK, "{unknown:.20}");
    }
    assert_eq!(server.post("/oauth2/revoke", &[("token", &access_token)]).await.error(), "401 invalid_client");
    assert_eq!(shop.post("/oauth2/revoke", &[]).await.error(), "400 invalid_request");
}

/// §2.1: a public client revokes by its name.
#[tokio::test]
async fn a_single_page_app_signs_out() {
    let server = TestServer::start().await;
    let spa = RelyingParty::spa(&server, "spa").await;
    let api = RelyingParty::of(&server, clients::service("api")).await;
    let tokens = spa.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    assert_eq!(spa.revoke(&text("refresh_token")).await.status, StatusCode::OK);
    assert!(!api.is_active(&text("access_token")).await);
    assert_eq!(spa.refresh(&text("refresh_token")).await.error(), "400 invalid_grant");
}
