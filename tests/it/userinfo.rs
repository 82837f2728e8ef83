//! Claims about the person behind a token.
//!
//! OIDC Core §5.3, §5.4; RFC 6750 §2, §3.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Browser, RelyingParty, TestServer, clients};

async fn access_token(server: &TestServer, scope: &str) -> (RelyingParty, String) {
    let shop = RelyingParty::web(server, "shop").await;
    let tokens = shop.tokens(&Browser::new(server), "alice", scope).await;
    (shop, tokens["access_token"].as_str().expect("a token").to_owned())
}

#[tokio::test]
async fn each_scope_brings_its_claims() {
    let server = TestServer::start().await;
    let (shop, token) = access_token(&server, "openid profile email phone address").await;
    let person = shop.userinfo(&token).await.ok();
    for (name, value) in [
        ("name", json!("Alice Example")),
        ("given_name", json!("Alice")),
        ("family_name", json!("Example")),
        ("preferred_username", json!("alice")),
        ("zoneinfo", json!("Europe/Berlin")),
        ("email", json!("alice@example.com")),
        ("email_verified", json!(true)),
        ("phone_number", json!("+493090182001")),
        ("phone_number_verified", json!(true)),
        ("address", json!({"country": "DE"})),
    ] {
        assert_eq!(person[name], value, "{name} in {person}");
    }
    assert!(person["updated_at"].is_i64(), "{person}");
}

/// RFC 6750 §2: in the header, or in the form of a POST; never in the query, never twice.
#[tokio::test]
async fn a_token_comes_in_one_way() {
    let server = TestServer::start().await;
    let (_, token) = access_token(&server, "openid").await;
    let path = "/oauth2/userinfo";
    assert_eq!(server.get_with(path, &token).await.status, StatusCode::OK);
    assert_eq!(server.post(path, &[("access_token", &token)]).await.status, StatusCode::OK);
    let post = Request::post(path).header(AUTHORIZATION, format!("bearer {token}")).body(Body::empty());
    assert_eq!(server.send(post.expect("a request")).await.status, StatusCode::OK, "schemes have no case");

    let in_query = server.get(&format!("{path}?access_token={token}")).await;
    assert_eq!(in_query.status, StatusCode::UNAUTHORIZED);
    let challenge = in_query.header("www-authenticate");
    assert!(challenge.starts_with("Bearer ") && !challenge.contains("error"), "RFC 6750 §3.1: {challenge}");
    let twice = Request::post(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("access_token={token}")));
    let twice = server.send(twice.expect("a request")).await;
    assert_eq!(twice.error(), "400 invalid_request");
    assert!(twice.header("www-authenticate").contains("error=\"invalid_request\""), "{twice}");
    let repeated = server.post(path, &[("access_token", &token), ("access_token", &token)]).await;
    assert_eq!(repeated.error(), "400 invalid_request");
}

#[tokio::test]
async fn a_client_may_have_the_answer_signed() {
    let server = TestServer::start().await;
    for algorithm in ["RS256", "ES256", "EdDSA", "PS256", "ES384", "ES512"] {
        let id = format!("app-{algorithm}");
        let app =
            RelyingParty::of(&server, clients::client(&id, &json!({"userinfo_signed_response_alg": algorithm}))).await;
        let tokens = app.tokens(&Browser::new(&server), "alice", "openid email").await;
        let answer = app.userinfo(tokens["access_token"].as_str().expect("a token")).await;
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/jwt", "no-store"));
        let person = crate::support::tokens::verify(&server, answer.text()).await;
        assert_eq!(person.header["alg"], algorithm);
        assert_eq!((&person.claims["iss"], &person.claims["aud"]), (&json!(server.issuer), &json!(id)));
        assert_eq!(person.claims["email"], "alice@example.com");
    }
}
