//! Codes: redeemed once, by the right app, in time.
//!
//! RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5, OIDC Core §3.1.3.

use std::time::Duration;

use serde_json::json;

use crate::support::tokens::verify;
use crate::support::{Browser, Exchange, RelyingParty, TestServer};

#[tokio::test]
async fn a_person_signs_in_at_an_app() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);

    let exchange = shop.begin("openid profile email offline_access");
    let sign_in = alice.begin(&exchange).await;
    assert_eq!(sign_in.page().words("h1"), "Sign in");
    let consent = alice.sign_in(&sign_in, "alice").await;
    assert!(consent.page().has("consent-accept"), "{consent}");
    let answered = alice.press(&consent, "consent-accept").await;
    let code = shop.code(&exchange, answered.location());

    let answer = shop.redeem(&exchange, &code).await;
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let tokens = answer.ok();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["scope"], "openid profile email offline_access");

    let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    let sub = server.user("alice").await.id.to_string();
    assert_eq!(claims["sub"], sub.as_str());
    assert_eq!(claims["nonce"], exchange.nonce.as_str());
    assert_eq!(claims["auth_time"], server.clock.seconds());
    assert_eq!(claims["acr"], "urn:symbolon:acr:1");
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert!(claims["sid"].is_string() && claims["at_hash"].is_string(), "{claims}");
    assert!(
        claims.get("email").is_none(),
        "with an access token, claims come from userinfo (OIDC Core §5.4): {claims}"
    );

    let access_token = tokens["access_token"].as_str().expect("an access token");
    let access = verify(&server, access_token).await;
    assert_eq!(access.header["typ"], "at+jwt");
    assert_eq!(access.claims["client_id"], "shop");
    assert_eq!(access.claims["sub"], sub.as_str());
    assert_eq!(access.claims["scope"], "openid profile email offline_access");
    assert_eq!(access.claims["exp"].as_i64(), Some(server.clock.seconds() + 900));

    let person = shop.userinfo(access_token).await.ok();
    assert_eq!(person["sub"], sub.as_str());
    assert_eq!(person["email"], "alice@example.com");
    assert_eq!(person["email_verified"], true);
    assert_eq!(person["name"], "Alice Example");
    assert!(person.get("phone_number").is_none(), "{person}");
    assert!(shop.is_active(access_token).await);
}

async fn code_of(shop: &RelyingParty, browser: &Browser, exchange: &Exchange) -> String {
    shop.code(exchange, &browser.authorize(exchange, "alice").await)
}

/// RFC 6749 §4.1.2: a second use revokes what the first one gave.
#[tokio::test]
async fn a_code_used_twice_revokes_its_tokens() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid offline_access");
    let code = code_of(&shop, &alice, &exchange).await;
    let tokens = shop.redeem(&exchange, &code).await.ok();
    let access_token = tokens["access_token"].as_str().expect("a token");
    let refresh_token = tokens["refresh_token"].as_str().expect("a token");
    assert!(shop.is_active(access_token).await && shop.is_active(refresh_token).await);

    assert_eq!(shop.redeem(&exchange, &code).await.error(), "400 invalid_grant");
    assert!(!shop.is_active(access_token).await && !shop.is_active(refresh_token).await);
    assert_eq!(shop.userinfo(access_token).await.error(), "401 invalid_token");
    assert_eq!(shop.refresh(refresh_token).await.error(), "400 invalid_grant");
}

/// Also when the code itself has run out meanwhile.
#[tokio::test]
async fn a_late_replay_revokes_too() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let exchange = shop.begin("openid offline_access");
    let code = code_of(&shop, &Browser::new(&server), &exchange).await;
    let tokens = shop.redeem(&exchange, &code).await.ok();
    server.advance(Duration::from_hours(1));
    assert_eq!(shop.redeem(&exchange, &code).await.error(), "400 invalid_grant");
    assert_eq!(shop.refresh(tokens["refresh_token"].as_str().expect("a token")).await.error(), "400 invalid_grant");
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    for (seconds, expected) in [(59, None), (60, Some("400 invalid_grant"))] {
        let exchange = shop.begin("openid");
        let code = code_of(&shop, &alice, &exchange).await;
        server.advance(Duration::from_secs(seconds));
        let answer = shop.redeem(&exchange, &code).await;
        match expected {
            None => drop(answer.ok()),
            Some(error) => assert_eq!(answer.error(), error),
        }
    }
}

/// A mistake uses nothing up: the honest app still gets its tokens (PROTOCOL T7).
#[tokio::test]
async fn a_code_is_for_its_app_and_its_verifier() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let thief = RelyingParty::web(&server, "thief").await;
    let exchange = shop.begin("openid");
    let code = code_of(&shop, &Browser::new(&server), &exchange).await;

    assert_eq!(thief.redeem(&exchange, &code).await.error(), "400 invalid_grant");
    let mut wrong = exchange.clone();
    wrong.verifier = "w".repeat(43);
    assert_eq!(shop.redeem(&wrong, &code).await.error(), "400 invalid_grant");
    for (verifier, expected) in
        [("short", "400 invalid_grant"), ("", "400 invalid_grant"), (&*"v".repeat(200), "400 invalid_grant")]
    {
        wrong.verifier = verifier.to_owned();
        assert_eq!(shop.redeem(&wrong, &code).await.error(), expected, "{verifier:?}");
    }
    assert_eq!(shop.redeem(&exchange, "unknown").await.error(), "400 invalid_grant");
    shop.redeem(&exchange, &code).await.ok();
}

/// RFC 9700 §4.8.2: a verifier without a challenge is a downgrade; RFC 7636 §4.6.
#[tokio::test]
async fn pkce_cannot_be_stripped() {
    let server = TestServer::start().await;
    let mut client = crate::support::clients::web("old");
    client.policy.require_pkce = false;
    let old = RelyingParty::of(&server, client).await;
    let alice = Browser::new(&server);
    let stripped = old.begin("openid").without("code_challenge").without("code_challenge_method");
    let code = code_of(&old, &alice, &stripped).await;
    assert_eq!(old.redeem(&stripped, &code).await.error(), "400 invalid_grant");

    let exchange = old.begin("openid");
    let code = code_of(&old, &alice, &exchange).await;
    let fields = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &*old.redirect_uri)];
    assert_eq!(old.post("/oauth2/token", &fields).await.error(), "400 invalid_grant");
    old.redeem(&exchange, &code).await.ok();
}

/// Who signs out before the app redeems has taken the code back.
#[tokio::test]
async fn a_code_dies_with_its_session() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let code = code_of(&shop, &alice, &exchange).await;
    let account = alice.open("/account").await;
    alice.press(&account, "sign-out").await;
    assert_eq!(shop.redeem(&exchange, &code).await.error(), "400 invalid_grant");
}

/// DECISIONS: a refresh token comes with `offline_access`, or always by the client's policy; never without the grant.
#[tokio::test]
async fn a_refresh_token_comes_when_it_was_agreed_to() {
    let server = TestServer::start().await;
    let alice = Browser::new(&server);
    let shop = RelyingParty::web(&server, "shop").await;
    assert!(shop.tokens(&alice, "alice", "openid").await.get("refresh_token").is_none());
    assert!(shop.tokens(&alice, "alice", "openid offline_access").await["refresh_token"].is_string());

    let mut always = crate::support::clients::web("always");
    always.policy.refresh_token = symbolon::model::client::RefreshTokenPolicy::Always;
    let always = RelyingParty::of(&server, always).await;
    assert!(always.tokens(&alice, "alice", "openid").await["refresh_token"].is_string());

    let never = crate::support::clients::client("never", &json!({"grant_types": ["authorization_code"]}));
    let never = RelyingParty::of(&server, never).await;
    let tokens = never.tokens(&alice, "alice", "openid offline_access").await;
    assert!(tokens.get("refresh_token").is_none() && tokens["scope"] == "openid", "{tokens}");
}
