//! Forms of tokens: the algorithm a client wants, pairwise subjects, opaque access tokens.
//!
//! OIDC Core §2, §8; RFC 9068; RFC 7518.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use symbolon::model::client::AccessTokenFormat;

use crate::support::tokens::verify;
use crate::support::{Browser, RelyingParty, TestServer, clients};

#[tokio::test]
async fn each_client_gets_id_tokens_signed_as_it_wants() {
    let server = TestServer::start().await;
    let alice = Browser::new(&server);
    for (algorithm, hash) in [
        ("RS256", &SHA256),
        ("PS256", &SHA256),
        ("ES256", &SHA256),
        ("ES384", &SHA384),
        ("ES512", &SHA512),
        ("EdDSA", &SHA512),
    ] {
        let id = format!("app-{algorithm}");
        let wish = json!({"id_token_signed_response_alg": algorithm});
        let app = RelyingParty::of(&server, clients::client(&id, &wish)).await;
        let tokens = app.tokens(&alice, "alice", "openid").await;
        let token = verify(&server, tokens["id_token"].as_str().expect("an ID token")).await;
        assert_eq!(token.header["alg"], algorithm);
        // OIDC Core §3.1.3.6: the left half of the hash that belongs to the signature.
        let whole = digest(hash, tokens["access_token"].as_str().expect("a token").as_bytes());
        let half = &whole.as_ref()[..whole.as_ref().len() / 2];
        assert_eq!(token.claims["at_hash"], URL_SAFE_NO_PAD.encode(half), "{algorithm}");
    }
}

/// OIDC Core §8.1: the same for one sector, another for the next, the account's id for nobody.
#[tokio::test]
async fn pairwise_clients_cannot_compare_notes() {
    let server = TestServer::start().await;
    let pairwise = |id: &str, host: &str| {
        let callback = format!("https://{host}/{id}");
        clients::client(id, &json!({"subject_type": "pairwise", "redirect_uris": [callback]}))
    };
    let alice = Browser::new(&server);
    let mut subjects = Vec::new();
    for (id, host) in [("a1", "a.example"), ("a2", "a.example"), ("b", "b.example")] {
        let app = RelyingParty::of(&server, pairwise(id, host)).await;
        let tokens = app.tokens(&alice, "alice", "openid offline_access").await;
        let id_token = app.verified(tokens["id_token"].as_str().expect("an ID token")).await;
        let access_token = tokens["access_token"].as_str().expect("a token");
        let person = app.userinfo(access_token).await.ok();
        let known = app.introspect(access_token).await.ok();
        let renewed = app.refresh(tokens["refresh_token"].as_str().expect("a token")).await.ok();
        let renewed = app.verified(renewed["id_token"].as_str().expect("an ID token")).await;
        for claims in [&person, &known, &renewed, &verify(&server, access_token).await.claims] {
            assert_eq!(claims["sub"], id_token["sub"], "{claims}");
        }
        subjects.push(id_token["sub"].as_str().expect("text").to_owned());

        // The own subject names the person in hints and claims, too.
        let exchange = app
            .begin("openid")
            .with("prompt", "none")
            .with("claims", &json!({"id_token": {"sub": {"value": id_token["sub"]}}}).to_string());
        let answer = alice.begin(&exchange).await;
        app.code(&exchange, answer.location());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_ne!(subjects[0], subjects[2]);
    assert!(!subjects.contains(&server.user("alice").await.id.to_string()));
}

#[tokio::test]
async fn opaque_access_tokens_tell_nothing_and_work_the_same() {
    let server = TestServer::start().await;
    let mut client = clients::web("shop");
    client.policy.access_token = AccessTokenFormat::Opaque;
    client.policy.access_token_lifetime = Some(120);
    let shop = RelyingParty::of(&server, client).await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid email offline_access").await;
    let token = tokens["access_token"].as_str().expect("a token");
    assert!(!token.contains('.') && token.len() >= 43, "{token}");
    assert_eq!(tokens["expires_in"], 120);
    assert_eq!(shop.userinfo(token).await.ok()["email"], "alice@example.com");
    let known = shop.introspect(token).await.ok();
    assert_eq!(known["username"], "alice@example.com");
    assert_eq!(known["exp"].as_i64(), Some(server.clock.seconds() + 120));

    let renewed = shop.refresh(tokens["refresh_token"].as_str().expect("a token")).await.ok();
    assert!(shop.is_active(renewed["access_token"].as_str().expect("a token")).await);
    assert!(shop.is_active(token).await, "a refresh takes nothing back");
    server.advance(Duration::from_mins(2));
    assert!(!shop.is_active(token).await);
    assert_eq!(shop.userinfo(token).await.error(), "401 invalid_token");
}

/// PROTOCOL T8: kinds of token are not mistaken for each other, nor is anything accepted that we did not sign.
#[tokio::test]
async fn only_our_own_access_tokens_are_access_tokens() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    let parts: Vec<&str> = access_token.split('.').collect();
    let header = |changed: Value| URL_SAFE_NO_PAD.encode(changed.to_string());
    let (kid, claims) = (verify(&server, access_token).await.header["kid"].clone(), parts[1]);
    let none = header(json!({"alg": "none", "typ": "at+jwt", "kid": kid}));
    let symmetric = header(json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}));
    let embedded =
        header(json!({"alg": "RS256", "typ": "at+jwt", "kid": kid, "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}));
    let critical = header(json!({"alg": "RS256", "typ": "at+jwt", "kid": kid, "crit": ["x"], "x": 1}));
    for forged in [
        tokens["id_token"].as_str().expect("an ID token").to_owned(),
        tokens["refresh_token"].as_str().expect("a token").to_owned(),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{}", parts[2]),
        format!("{symmetric}.{claims}.{}", parts[2]),
        format!("{embedded}.{claims}.{}", parts[2]),
        format!("{critical}.{claims}.{}", parts[2]),
        format!("{}.{claims}.{}", parts[0], "A".repeat(parts[2].len())),
        format!("{}.{}.{}", parts[0], header(json!({"sub": "x"})), parts[2]),
        format!("{access_token}."),
        format!(" {access_token}"),
        "x".repeat(10_000),
        "..".to_owned(),
        "a.b.c".to_owned(),
    ] {
        if !forged.starts_with(' ') {
            let answer = shop.userinfo(&forged).await;
            assert_eq!(answer.error(), "401 invalid_token", "{forged:.80}");
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
        }
        if forged != tokens["refresh_token"] {
            assert!(!shop.is_active(&forged).await, "{forged:.80}");
        }
    }
    server.advance(Duration::from_mins(15));
    assert_eq!(shop.userinfo(access_token).await.error(), "401 invalid_token", "it has expired");
}
