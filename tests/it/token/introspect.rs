//! Who may ask what a token is good for.
//!
//! RFC 7662.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::support::clients::SECRET;
use crate::support::relying_party::Proof;
use crate::support::{Browser, RelyingParty, TestServer, clients};

#[tokio::test]
async fn a_resource_server_learns_what_a_token_is_good_for() {
    let server = TestServer::start().await;
    let (shop, api) =
        (RelyingParty::web(&server, "shop").await, RelyingParty::of(&server, clients::service("api")).await);
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid email offline_access").await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    let answer = api.introspect(access_token).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let known = answer.ok();
    assert_eq!(known["active"], true);
    assert_eq!(known["scope"], "openid email offline_access");
    assert_eq!((&known["client_id"], &known["username"]), (&json!("shop"), &json!("alice@example.com")));
    assert_eq!((&known["token_type"], &known["iss"]), (&json!("Bearer"), &json!(server.issuer)));
    assert_eq!(known["exp"].as_i64(), Some(server.clock.seconds() + 900));
    assert_eq!(known["sub"], server.user("alice").await.id.to_string());

    // The hint is only a hint (§2.1).
    for hint in ["access_token", "refresh_token", "pigeon"] {
        let fields = [("token", access_token), ("token_type_hint", hint)];
        assert_eq!(api.post("/oauth2/introspect", &fields).await.ok()["active"], true, "{hint}");
    }
    server.advance(Duration::from_mins(15));
    assert_eq!(api.introspect(access_token).await.ok(), json!({"active": false}), "nothing else is told");
}

#[tokio::test]
async fn a_refresh_token_is_the_affair_of_its_client() {
    let server = TestServer::start().await;
    let (shop, api) =
        (RelyingParty::web(&server, "shop").await, RelyingParty::of(&server, clients::service("api")).await);
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let refresh_token = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(shop.introspect(refresh_token).await.ok()["active"], true);
    assert_eq!(api.introspect(refresh_token).await.ok(), json!({"active": false}));
    shop.refresh(refresh_token).await.ok();
    assert_eq!(shop.introspect(refresh_token).await.ok(), json!({"active": false}));
}

/// §2.1, §4: the caller proves itself; who registered itself sees its own tokens only.
#[tokio::test]
async fn strangers_learn_nothing() {
    let server = TestServer::start().await;
    let (shop, spa) = (RelyingParty::web(&server, "shop").await, RelyingParty::spa(&server, "spa").await);
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid").await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(spa.introspect(access_token).await.error(), "401 invalid_client");
    let anonymous = server.post("/oauth2/introspect", &[("token", access_token)]).await;
    assert_eq!(anonymous.error(), "401 invalid_client");
    assert!(anonymous.header("www-authenticate").starts_with("Basic "), "{anonymous}");
    let mut liar = shop.clone();
    liar.proof = Proof::Basic(format!("{SECRET}x"));
    assert_eq!(liar.introspect(access_token).await.error(), "401 invalid_client");

    let metadata = json!({"redirect_uris": ["https://self.example/"]});
    let registered = server.json((Method::POST, "/oauth2/register"), &metadata, None).await.ok();
    let mut itself = shop.clone();
    itself.client_id = registered["client_id"].as_str().expect("an id").to_owned();
    itself.proof = Proof::Basic(registered["client_secret"].as_str().expect("a secret").to_owned());
    assert_eq!(itself.introspect(access_token).await.ok(), json!({"active": false}));
    assert_eq!(shop.post("/oauth2/introspect", &[]).await.error(), "400 invalid_request");
}
