//! Codes: redeemed once, by the right app, in time.
//!
//! RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5, OIDC Core §3.1.3.


use serde_json::json;

use crate::support::tokens::verify;
use crate::support::{Browser, RelyingParty, TestServer};

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
    assert!(claims.get("email").is_none(), "with an access token, claims come from userinfo (OIDC Core §5.4): {claims}");

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
