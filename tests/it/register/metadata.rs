//! What a client may say about itself.
//!
//! RFC 7591 §2, §3.2; OIDC Registration §2, §5; PROTOCOL R3, B4.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::config::client_registration::ClientRegistrationMode;
use symbolon::oauth::policy::Mode;

use crate::support::relying_party::Proof;
use crate::support::server::Setup;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

async fn register(server: &TestServer, metadata: &Value) -> Answer {
    server.json((Method::POST, "/oauth2/register"), metadata, None).await
}

#[tokio::test]
async fn a_client_registers_and_works_at_once() {
    let server = TestServer::start().await;
    let metadata = json!({
        "redirect_uris": ["https://new.example/callback"],
        "client_name": "New",
        "client_name#ja": "新",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:saml2-bearer"],
        "userinfo_signed_response_alg": "ES256",
        "unknown_member": {"a": 1},
    });
    let answer = register(&server, &metadata).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::CREATED, "no-store"));
    let registered = answer.ok();
    assert_eq!(registered["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(
        registered["grant_types"],
        json!(["authorization_code", "refresh_token"]),
        "what we do not offer is left out"
    );
    assert_eq!(registered["response_types"], json!(["code"]));
    assert_eq!(registered["client_name#ja"], "新");
    assert_eq!(registered["client_secret_expires_at"], 0);
    assert_eq!(registered["client_id_issued_at"].as_i64(), Some(server.clock.seconds()));
    assert!(registered.get("unknown_member").is_none(), "{registered}");

    let text = |name: &str| registered[name].as_str().expect("text").to_owned();
    let proof = Proof::Basic(text("client_secret"));
    let new = RelyingParty::registered(&server, &text("client_id"), "https://new.example/callback", proof);
    let alice = Browser::new(&server);
    let tokens = new.tokens(&alice, "alice", "openid offline_access").await;
    let jwt = new.userinfo(tokens["access_token"].as_str().expect("a token")).await;
    assert_eq!(jwt.header("content-type"), "application/jwt");
    let person = crate::support::tokens::verify(&server, jwt.text()).await;
    assert_eq!(person.header["alg"], "ES256");
    assert_eq!((&person.claims["aud"], &person.claims["iss"]), (&json!(new.client_id), &json!(server.issuer)));
    new.refresh(tokens["refresh_token"].as_str().expect("a token")).await.ok();

    // A public client has no secret; PKCE is a must for it.
    let public = json!({"redirect_uris": ["https://spa.example/"], "token_endpoint_auth_method": "none"});
    let registered = register(&server, &public).await.ok();
    assert!(registered.get("client_secret").is_none() && registered.get("client_secret_expires_at").is_none());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let server = TestServer::start().await;
    let uri = |uri: &str| json!({"redirect_uris": [uri]});
    let native = |uri: &str| json!({"redirect_uris": [uri], "application_type": "native"});
    let with = |name: &str, value: Value| json!({"redirect_uris": ["https://a.example/"], name: value});
    let (bad_uri, bad) = ("400 invalid_redirect_uri", "400 invalid_client_metadata");
    for (expected, metadata) in [
        (bad_uri, json!({})),
        (bad_uri, uri("javascript:alert(1)")),
        (bad_uri, uri("data:text/html,x")),
        (bad_uri, uri("vbscript:x")),
        (bad_uri, uri("https://a.example/#fragment")),
        (bad_uri, uri("http://a.example/")),
        (bad_uri, uri("https://*.example/")),
        (bad_uri, uri("/relative")),
        (bad_uri, uri("")),
        (bad_uri, uri("https://user:password@a.example/")),
        (bad_uri, native("myapp:/callback")),
        (bad_uri, native("file:///etc/passwd")),
        (bad, json!({"redirect_uris": "https://a.example/"})),
        (bad, json!({"redirect_uris": [7]})),
        (bad, json!({"redirect_uris": {}})),
        (bad, with("grant_types", json!(["password"]))),
        (bad, with("grant_types", json!("authorization_code"))),
        (bad, with("response_types", json!(["token"]))),
        (bad, with("grant_types", json!(["refresh_token"]))),
        (bad, with("token_endpoint_auth_method", json!("tls_client_auth"))),
        (bad, with("token_endpoint_auth_method", json!(7))),
        (bad, with("token_endpoint_auth_method", json!("private_key_jwt"))),
        (bad, with("id_token_signed_response_alg", json!("none"))),
        (bad, with("id_token_signed_response_alg", json!("HS256"))),
        (bad, with("application_type", json!("toaster"))),
        (bad, with("subject_type", json!("secret"))),
        (bad, with("client_uri", json!("javascript:alert(1)"))),
        (bad, with("logo_uri", json!("data:image/png;base64,AAAA"))),
        (bad, with("jwks", json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}]}))),
        (bad, with("jwks", json!("text"))),
        (
            bad,
            json!({"redirect_uris": ["https://a.example/"], "jwks": {"keys": []}, "jwks_uri": "https://a.example/jwks"}),
        ),
        (bad, with("jwks_uri", json!("http://127.0.0.1/"))),
        (bad, with("default_max_age", json!("soon"))),
        (bad, with("default_max_age", json!(-1))),
        (bad, with("require_auth_time", json!("yes"))),
        (bad, with("contacts", json!("me"))),
        (bad, with("client_name", json!("x".repeat(10_000)))),
        (bad, with("post_logout_redirect_uris", json!(["javascript:x"]))),
        (bad, with("scope", json!("a\"b"))),
        (bad, with("request_object_signing_alg", json!(7))),
        (bad, with("dpop_bound_access_tokens", json!(true))),
        (bad, with("id_token_encrypted_response_alg", json!("RSA-OAEP"))),
        (bad, with("sector_identifier_uri", json!("https://nobody.example/sector"))),
    ] {
        let answer = register(&server, &metadata).await;
        if metadata.get("request_object_signing_alg").is_some()
            || metadata.get("jwks_uri").is_some_and(|uri| uri == "http://127.0.0.1/")
        {
            // Not spoken yet, or fine in development: whatever it says, it is an answer.
            assert!(answer.status.is_success() || answer.error() == bad, "{metadata}: {answer}");
            continue;
        }
        assert_eq!(answer.error(), expected, "{metadata}");
    }
}

/// OIDC Registration §5: a sector's document lists every redirect URI.
#[tokio::test]
async fn a_sector_document_is_read() {
    let server = TestServer::start().await;
    let sector = "https://sector.example/uris";
    let metadata = json!({
        "redirect_uris": ["https://a.example/", "https://b.example/"],
        "subject_type": "pairwise",
        "sector_identifier_uri": sector,
    });
    server.web.publish(sector, r#"["https://a.example/"]"#);
    assert!(register(&server, &metadata).await.status.is_client_error());
    server.web.publish(sector, r#"["https://a.example/", "https://b.example/", "https://c.example/"]"#);
    register(&server, &metadata).await.ok();
    for nonsense in ["{}", "7", "", "[7]"] {
        server.web.publish(sector, nonsense);
        assert!(register(&server, &metadata).await.status.is_client_error(), "{nonsense}");
    }
    let two_hosts = json!({"redirect_uris": ["https://a.example/", "https://b.example/"], "subject_type": "pairwise"});
    assert_eq!(register(&server, &two_hosts).await.error(), "400 invalid_client_metadata", "no sector to tell");
}

/// PROTOCOL B4: off in production unless it is switched on.
#[tokio::test]
async fn in_production_nobody_registers_unless_the_operator_allows_it() {
    let production = Setup { issuer: "https://id.example", mode: Mode::Production, ..Setup::default() };
    let server = TestServer::with(production.clone()).await;
    let metadata = json!({"redirect_uris": ["https://a.example/"]});
    assert_eq!(register(&server, &metadata).await.error(), "403 access_denied");
    let discovery = server.get("/.well-known/openid-configuration").await.ok();
    assert!(discovery.get("registration_endpoint").is_none(), "{discovery}");

    let open = TestServer::with(Setup { client_registration: ClientRegistrationMode::Open, ..production }).await;
    register(&open, &metadata).await.ok();
    for uri in ["http://localhost:3000/", "http://127.0.0.1/"] {
        let answer = register(&open, &json!({"redirect_uris": [uri]})).await;
        assert_eq!(answer.error(), "400 invalid_redirect_uri", "{uri}");
    }
}
