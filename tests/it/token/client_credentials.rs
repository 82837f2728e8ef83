//! A service speaks for itself.
//!
//! RFC 6749 §4.4, RFC 9068.

use serde_json::json;

use crate::support::tokens::verify;
use crate::support::{RelyingParty, TestServer, clients};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a_service_gets_a_token_in_its_own_name() {
    let server = TestServer::start().await;
    let mut client = clients::service("robot");
    client.policy.audience = vec!["https://api.example".to_owned()];
    let robot = RelyingParty::of(&server, client).await;
    let tokens = robot.post("/oauth2/token", &[GRANT]).await.ok();
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none(), "{tokens}");
    let token = tokens["access_token"].as_str().expect("a token");
    let access = verify(&server, token).await;
    assert_eq!(access.header["typ"], "at+jwt");
    assert_eq!((&access.claims["sub"], &access.claims["client_id"]), (&json!("robot"), &json!("robot")));
    assert_eq!(access.claims["aud"], "https://api.example");
    assert!(robot.is_active(token).await);
    assert_eq!(robot.userinfo(token).await.error(), "403 insufficient_scope");
    robot.revoke(token).await;
    assert!(!robot.is_active(token).await);
}

#[tokio::test]
async fn the_grant_is_for_those_registered_for_it() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let robot = RelyingParty::of(&server, clients::service("robot")).await;
    assert_eq!(shop.post("/oauth2/token", &[GRANT]).await.error(), "400 unauthorized_client");
    assert_eq!(robot.post("/oauth2/token", &[GRANT, ("scope", "openid")]).await.error(), "400 invalid_scope");
    for other in ["password", "urn:ietf:params:oauth:grant-type:saml2-bearer", "implicit", "AUTHORIZATION_CODE"] {
        let answer = robot.post("/oauth2/token", &[("grant_type", other)]).await;
        assert_eq!(answer.error(), "400 unsupported_grant_type", "{other}");
    }
    assert_eq!(robot.post("/oauth2/token", &[]).await.error(), "400 invalid_request");
    let exchange = [("grant_type", "authorization_code"), ("code", "x")];
    assert_eq!(robot.post("/oauth2/token", &exchange).await.error(), "400 unauthorized_client");
}

#[tokio::test]
async fn an_opaque_token_works_like_a_jwt() {
    let server = TestServer::start().await;
    let mut client = clients::service("robot");
    client.policy.access_token = symbolon::model::client::AccessTokenFormat::Opaque;
    let robot = RelyingParty::of(&server, client).await;
    let tokens = robot.post("/oauth2/token", &[GRANT]).await.ok();
    let token = tokens["access_token"].as_str().expect("a token");
    assert!(!token.contains('.'), "{token}");
    let known = robot.introspect(token).await.ok();
    assert_eq!(
        (&known["active"], &known["sub"], &known["client_id"]),
        (&json!(true), &json!("robot"), &json!("robot"))
    );
    robot.revoke(token).await;
    assert!(!robot.is_active(token).await);
}
