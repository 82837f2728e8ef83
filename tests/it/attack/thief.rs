//! Who stole a code, a token, a link or the id of a waiting request.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use symbolon::edge::store::Beside;
use symbolon::edge::vault::Vault;
use symbolon::jobs::JOBS;
use symbolon::oauth::rotation::Rotation;
use symbolon::protocol::jose::algorithm::SigningAlgorithm;
use symbolon::protocol::secret::Secret;

use crate::support::{Browser, RelyingParty, TestServer};

/// The id of a waiting request opens nothing in another browser.
#[tokio::test]
async fn an_interaction_is_of_one_browser() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let victim = Browser::new(&server);
    let answer = victim.get(&shop.begin("openid").target()).await;
    let place = answer.location().to_owned();
    let thief = Browser::signed_in(&server, "bob").await;
    for page in ["/sign-in", "/consent", "/sign-in/account"] {
        let target = place.replacen("/sign-in", page, 1);
        let stolen = thief.open(&target).await;
        assert_eq!(stolen.status, StatusCode::BAD_REQUEST, "{target}: {stolen}");
        assert!(stolen.page().has("error-page"));
    }
    assert_eq!(victim.get(&place).await.status, StatusCode::OK, "the victim goes on");
}

/// PROTOCOL T1, R6: a code is good for its client, its redirect URI and its verifier, and a try of a thief leaves it good.
#[tokio::test]
async fn a_code_is_bound() {
    let server = TestServer::start().await;
    let (shop, evil) = (RelyingParty::web(&server, "shop").await, RelyingParty::spa(&server, "evil").await);
    let exchange = shop.begin("openid");
    let url = Browser::new(&server).authorize(&exchange, "alice").await;
    let code = shop.code(&exchange, &url);
    let fields = |verifier: Option<&'static str>, redirect_uri: &'static str| {
        let mut fields = vec![("grant_type", "authorization_code"), ("redirect_uri", redirect_uri)];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        fields
    };
    let wrong = "wrong-verifier-wrong-verifier-wrong-verifier";
    for (thief, mut fields) in [
        (&evil, fields(Some(wrong), "https://shop.example/callback")),
        (&shop, fields(None, "https://shop.example/callback")),
        (&shop, fields(Some(wrong), "https://shop.example/callback")),
        (&shop, fields(Some(wrong), "https://shop.example/callback/")),
    ] {
        fields.push(("code", &code));
        assert_eq!(thief.post("/oauth2/token", &fields).await.error(), "400 invalid_grant");
    }
    shop.redeem(&exchange, &code).await.ok();
}

/// PROTOCOL T8: each kind of token is refused where another belongs.
#[tokio::test]
async fn tokens_do_not_stand_in_for_one_another() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    for kind in ["id_token", "refresh_token"] {
        let token = tokens[kind].as_str().expect(kind);
        assert_eq!(shop.userinfo(token).await.error(), "401 invalid_token", "{kind}");
    }
    assert!(!shop.is_active(tokens["id_token"].as_str().expect("a token")).await);
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(shop.refresh(access_token).await.error(), "400 invalid_grant");
    let url = format!("/oauth2/userinfo?access_token={access_token}");
    assert_eq!(server.get(&url).await.status, StatusCode::UNAUTHORIZED, "a token in a URL is not looked for");
}

/// Consent taken back, or a session ended, voids a code that waits (PROTOCOL S3, T6).
#[tokio::test]
async fn what_was_taken_back_gives_no_tokens() {
    let server = TestServer::start().await;
    let evil = super::client::self_registered(&server, "evil", json!({})).await;
    let alice = Browser::new(&server);
    let withdrawn = evil.begin("openid profile offline_access");
    let url = alice.authorize(&withdrawn, "alice").await;
    let user = server.user("alice").await;
    let client = evil.client_id.parse().expect("a client id");
    let now = server.provider().now();
    assert!(server.store().withdraw_consent(user.id, &client, now, Beside::default()).await.expect("recorded"));
    let code = evil.code(&withdrawn, &url);
    assert_eq!(evil.redeem(&withdrawn, &code).await.error(), "400 invalid_grant");

    let left = evil.begin("openid profile offline_access");
    let url = alice.authorize(&left, "alice").await;
    let account = alice.get("/account").await;
    alice.press(&account, "sign-out").await;
    let code = evil.code(&left, &url);
    assert_eq!(evil.redeem(&left, &code).await.error(), "400 invalid_grant");
}

/// PROTOCOL §3 (key compromise drill): a stolen key is refused within a second, also where the key in its place does not open:
/// somebody withdrew it under another master key.
#[tokio::test]
async fn a_withdrawn_key_is_refused_whatever_stands_in_its_place() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid").await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    shop.userinfo(access_token).await.ok();

    let provider = server.provider();
    let foreign = Vault::new(Secret::new([9; 32]));
    let rotation = Rotation { edges: &provider.edges, vault: &foreign, policy: provider.policy.rotation };
    let keys = server.store().signing_keys().await.expect("read");
    let stolen: Vec<_> = keys.iter().filter(|key| key.algorithm == SigningAlgorithm::RS256).collect();
    rotation.replace(&stolen, &[]).await.expect("withdrawn");
    let follow = JOBS.iter().find(|job| job.name == "follow_keys").expect("a job");
    for _ in 0..2 {
        let told = (follow.run)(Arc::clone(&server.app.provider)).await.expect_err("a key that does not open is told");
        assert!(told.to_string().contains("another master key"), "{told}");
    }
    assert_eq!(shop.userinfo(access_token).await.error(), "401 invalid_token");
    let jwks = server.get("/oauth2/jwks").await;
    let published = jwks.text();
    assert!(stolen.iter().all(|key| !published.contains(&key.kid)), "{published}");
    // What does not depend on it goes on.
    assert!(keys.iter().any(|key| key.algorithm == SigningAlgorithm::ES256 && published.contains(&key.kid)));
}
