//! S-072, S-083 to S-086, S-088, S-089: what is in a token, who reads it, and how long it is good.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use symbolon::config::Config;
use symbolon::jobs::JOBS;
use symbolon::model::client::{
    AccessTokenEncryption, AccessTokenFormat, Client, RefreshTokenExpiry, RefreshTokenPolicy,
};
use symbolon::model::own_claim::{ClaimKind, OwnClaim};
use symbolon::protocol::numeric_date::NumericDate;

use crate::support::answer::Answer;
use crate::support::server::{PASSWORD, Setup};
use crate::support::{Browser, RelyingParty, TestServer, clients, tokens};

const DAY: Duration = Duration::from_hours(24);

/// A first-party app that may have its tokens in one call.
fn phone() -> Client {
    let mut client =
        clients::client("phone", &json!({"token_endpoint_auth_method": "none", "application_type": "native"}));
    client.policy.first_party = true;
    client.policy.direct_tokens = true;
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    client
}

async fn server_with(client: Client) -> TestServer {
    let server = TestServer::start().await;
    RelyingParty::of(&server, client).await;
    server
}

async fn call(server: &TestServer, (method, path): (Method, &str), body: &Value) -> Answer {
    server.json((method, &format!("/api/v1{path}")), body, None).await
}

async fn asks(server: &TestServer) -> Answer {
    let body = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": PASSWORD, "scope": "openid"});
    call(server, (Method::POST, "/tokens"), &body).await
}

async fn refresh(server: &TestServer, tokens: &Value) -> Answer {
    call(server, (Method::POST, "/tokens/refresh"), &json!({"refresh_token": tokens["refresh_token"]})).await
}

async fn update(server: &TestServer, tokens: &Value, data: &Value) -> Answer {
    let body = json!({"refresh_token": tokens["refresh_token"], "data": data});
    call(server, (Method::PATCH, "/tokens/claims"), &body).await
}

async fn claims(server: &TestServer, tokens: &Value) -> Answer {
    server.get_with("/api/v1/tokens/claims", text(tokens, "access_token")).await
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

fn code(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or_default())
}

/// The lifetimes of seed 003 (300 s, 14 days).
#[tokio::test]
async fn s_072_a_client_has_refresh_tokens_of_its_own_length() {
    let mut client = phone();
    client.policy.refresh_token_lifetime = Some(1_209_600);
    let server = server_with(client).await;
    let tokens = asks(&server).await.ok();
    server.advance(Duration::from_secs(1_209_599));
    let tokens = refresh(&server, &tokens).await.ok();
    server.advance(Duration::from_hours(14 * 24));
    assert_eq!(code(&refresh(&server, &tokens).await), "401 invalid_refresh_token");
}

/// 14 days, moved on by each use, and an end after 90 (seed 000).
#[tokio::test]
async fn s_088_sliding_tokens_slide_until_the_cap() {
    let mut client = phone();
    client.policy.refresh_token_lifetime = Some(14 * 86_400);
    client.policy.refresh_token_absolute = Some(90 * 86_400);
    let server = server_with(client).await;
    let mut tokens = asks(&server).await.ok();
    let mut left = 90 * DAY;
    while left > 13 * DAY {
        server.advance(13 * DAY);
        left -= 13 * DAY;
        tokens = refresh(&server, &tokens).await.ok();
    }
    server.advance(left.saturating_sub(Duration::from_secs(1)));
    tokens = refresh(&server, &tokens).await.ok();
    server.advance(Duration::from_secs(1));
    assert_eq!(code(&refresh(&server, &tokens).await), "401 invalid_refresh_token", "ninety days are over");
}

#[tokio::test]
async fn s_088_a_fixed_end_does_not_move() {
    let mut client = phone();
    client.policy.refresh_token_lifetime = Some(14 * 86_400);
    client.policy.refresh_token_expiry = RefreshTokenExpiry::Fixed;
    let server = server_with(client).await;
    let tokens = asks(&server).await.ok();
    server.advance(13 * DAY);
    let tokens = refresh(&server, &tokens).await.ok();
    server.advance(DAY);
    assert_eq!(code(&refresh(&server, &tokens).await), "401 invalid_refresh_token");
}

fn rule(kind: ClaimKind) -> OwnClaim {
    OwnClaim { kind, ..OwnClaim::default() }
}

/// An app with claims of its own, whose tokens have this form.
fn tenant_app(format: AccessTokenFormat) -> Client {
    let mut client = phone();
    client.policy.access_token = format;
    client.policy.own_claims = [
        ("tenant", OwnClaim { updatable: true, ..rule(ClaimKind::String) }),
        ("seats", OwnClaim { updatable: true, value: Some(json!(1)), ..rule(ClaimKind::Number) }),
        ("plan", OwnClaim { value: Some(json!("free")), ..rule(ClaimKind::String) }),
        ("mail", OwnClaim { from: Some("email".to_owned()), ..rule(ClaimKind::String) }),
        // Listed by mistake: they keep their meaning.
        ("sub", OwnClaim { updatable: true, value: Some(json!("mallory")), ..rule(ClaimKind::String) }),
        ("scope", OwnClaim { updatable: true, ..rule(ClaimKind::String) }),
    ]
    .map(|(name, rule)| (name.to_owned(), rule))
    .into();
    client
}

#[tokio::test]
async fn s_083_claims_change_without_a_new_sign_in() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let server = server_with(tenant_app(format)).await;
        let first = asks(&server).await.ok();
        let said = claims(&server, &first).await.ok();
        assert_eq!(
            (&said["plan"], &said["seats"], &said["mail"]),
            (&json!("free"), &json!(1), &json!("alice@example.com"))
        );
        assert!(said.get("tenant").is_none() && said["sub"] != "mallory", "{said}");

        let second = update(&server, &first, &json!({"tenant": "acme", "seats": 5})).await.ok();
        let said = claims(&server, &second).await.ok();
        assert_eq!(
            (&said["tenant"], &said["seats"], &said["plan"]),
            (&json!("acme"), &json!(5), &json!("free")),
            "{said}"
        );
        if format == AccessTokenFormat::Jwt {
            assert_eq!(tokens::verify(&server, text(&second, "access_token")).await.claims["tenant"], "acme");
        }
        let third = refresh(&server, &second).await.ok();
        assert_eq!(claims(&server, &third).await.ok()["tenant"], "acme", "it stays");
        server.advance(Duration::from_secs(11));
        assert_eq!(code(&refresh(&server, &first).await), "401 invalid_refresh_token", "the old one is dead");

        let others = asks(&server).await.ok();
        assert!(claims(&server, &others).await.ok().get("tenant").is_none(), "another sign-in has values of its own");
    }
}

#[tokio::test]
async fn s_083_only_what_is_listed_changes() {
    let server = server_with(tenant_app(AccessTokenFormat::Jwt)).await;
    let tokens = asks(&server).await.ok();
    for (data, refused) in [
        (json!({"colour": "red"}), "422 unexpected_claim"),
        (json!({"sub": "mallory"}), "422 unexpected_claim"),
        (json!({"scope": "admin"}), "422 unexpected_claim"),
        (json!({"tenant": "acme", "exp": 1}), "422 unexpected_claim"),
        (json!({"tenant": 7}), "422 wrong_type"),
        (json!({"tenant": {"a": 1}}), "422 wrong_type"),
        (json!({"plan": "gold"}), "403 claim_not_updatable"),
        (json!({"tenant": "acme", "plan": "gold"}), "403 claim_not_updatable"),
    ] {
        assert_eq!(code(&update(&server, &tokens, &data).await), refused, "{data}");
    }
    assert!(claims(&server, &tokens).await.ok().get("tenant").is_none(), "nothing was changed by half");
    let unknown = json!({"refresh_token": "unknown"});
    assert_eq!(code(&update(&server, &unknown, &json!({"tenant": "acme"})).await), "401 invalid_refresh_token");
    refresh(&server, &tokens).await.ok();
}

#[tokio::test]
async fn s_084_a_token_without_an_expected_claim_is_refused() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let server = server_with(tenant_app(format)).await;
        let tokens = asks(&server).await.ok();
        assert_eq!(claims(&server, &tokens).await.status, StatusCode::OK);
        let mut client = tenant_app(format);
        client.policy.own_claims.get_mut("tenant").expect("listed").required = true;
        server.store().update_client(&client).await.expect("stored");
        let answer = claims(&server, &tokens).await;
        assert_eq!(code(&answer), "401 missing_claims");
        assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer}");
        let body = json!({"token": tokens["access_token"]});
        assert_eq!(code(&call(&server, (Method::POST, "/tokens/verify"), &body).await), "401 missing_claims");
        let userinfo = server.get_with("/oauth2/userinfo", text(&tokens, "access_token")).await;
        assert_eq!(userinfo.error(), "401 invalid_token");

        // A sign-in that cannot give it leaves nothing behind.
        assert_eq!(code(&asks(&server).await), "503 sign_in_data_incomplete");
        let alice = server.user("alice").await.id;
        let now = NumericDate::from_seconds(server.clock.seconds());
        assert_eq!(server.store().sessions_of(alice, now).await.expect("listed").len(), 1, "the first one's");
        // What gives it makes both good again.
        let given = update(&server, &tokens, &json!({"tenant": "acme"})).await.ok();
        assert_eq!(claims(&server, &given).await.ok()["tenant"], "acme");
    }
}

async fn configured(configure: fn(&mut Config)) -> (TestServer, Value) {
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    RelyingParty::of(&server, phone()).await;
    let tokens = asks(&server).await.ok();
    (server, tokens)
}

#[tokio::test]
async fn s_085_whom_it_is_for_and_from_when_is_configured() {
    let (server, tokens) = configured(|config| {
        config.tokens.audience =
            serde_json::from_value(json!(["http://localhost:8080", "https://api.example.com"])).expect("a list");
        config.tokens.not_before = Some(serde_json::from_value(json!("30s")).expect("a duration"));
        config.tokens.leeway = Duration::from_secs(10);
        config.tokens.header = serde_json::from_value(json!(["x-region=eu"])).expect("a list");
    })
    .await;
    let verified = tokens::verify(&server, text(&tokens, "access_token")).await;
    let (header, said) = (&verified.header, &verified.claims);
    assert_eq!((&header["typ"], &header["x-region"]), (&json!("at+jwt"), &json!("eu")));
    assert!(header["kid"].is_string(), "{header}");
    assert_eq!(
        (&said["iss"], &said["aud"]),
        (&json!("http://localhost:8080"), &json!(["http://localhost:8080", "https://api.example.com"]))
    );
    assert_eq!(said["nbf"].as_i64().expect("a date") - said["iat"].as_i64().expect("a date"), 30);

    // Good ten seconds before it says so, and ten seconds after its end: by so much clocks may differ.
    let is_good = async || claims(&server, &tokens).await.status == StatusCode::OK;
    server.advance(Duration::from_secs(19));
    assert!(!is_good().await, "not good yet");
    server.advance(Duration::from_secs(1));
    assert!(is_good().await);
    server.advance(Duration::from_secs(889));
    assert!(is_good().await, "909 s: within the leeway");
    server.advance(Duration::from_secs(1));
    assert!(!is_good().await, "910 s");
}

#[tokio::test]
async fn s_085_a_token_of_another_issuer_or_for_somebody_else_is_refused() {
    let (server, tokens) = configured(|config| {
        config.tokens.audience = serde_json::from_value(json!(["https://api.example.com"])).expect("a list");
    })
    .await;
    let me = server.get_with("/api/v1/me/sessions", text(&tokens, "access_token")).await;
    assert_eq!(code(&me), "403 forbidden", "it is for another resource server");
    let elsewhere = TestServer::with(Setup { issuer: "http://localhost:8081", ..Setup::default() }).await;
    RelyingParty::of(&elsewhere, phone()).await;
    let foreign = asks(&elsewhere).await.ok();
    assert_eq!(code(&claims(&server, &foreign).await), "401 token_invalid");
}

fn encrypted(encryption: AccessTokenEncryption) -> Client {
    let mut client = tenant_app(AccessTokenFormat::Jwt);
    client.policy.access_token_encryption = Some(encryption);
    client
}

/// No part of it can be read without a key.
fn is_illegible(token: &str) {
    assert_eq!(token.split('.').count(), 5, "{token}");
    for part in token.split('.').skip(1) {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        assert!(serde_json::from_slice::<Value>(&bytes).is_err());
        assert!(!String::from_utf8_lossy(&bytes).contains("alice"));
    }
}

#[tokio::test]
async fn s_086_an_encrypted_token_is_read_by_this_server_alone() {
    let server = server_with(encrypted(AccessTokenEncryption::Direct)).await;
    let tokens = asks(&server).await.ok();
    let token = text(&tokens, "access_token");
    is_illegible(token);
    let header = tokens::part(token, 0);
    assert_eq!(
        (&header["alg"], &header["enc"], &header["cty"], &header["typ"]),
        (&json!("dir"), &json!("A256GCM"), &json!("JWT"), &json!("at+jwt"))
    );
    let said = claims(&server, &tokens).await.ok();
    assert_eq!((&said["client_id"], &said["plan"], &said["typ"]), (&json!("phone"), &json!("free"), &json!("at+jwt")));
    assert_eq!(server.get_with("/oauth2/userinfo", token).await.status, StatusCode::OK);

    // Its own key comes and goes with the key that signs: the old one is read as long as there are tokens of it.
    let policy = server.provider().policy.rotation;
    rotates(&server).await;
    server.advance(policy.rotate_every);
    let before = asks(&server).await.ok();
    rotates(&server).await;
    let later = asks(&server).await.ok();
    assert_ne!(
        tokens::part(text(&later, "access_token"), 0)["kid"],
        tokens::part(text(&before, "access_token"), 0)["kid"]
    );
    for tokens in [&before, &later] {
        assert_eq!(claims(&server, tokens).await.status, StatusCode::OK);
    }

    // One whose key nobody has, one that was altered, and one that says another key.
    let parts: Vec<&str> = text(&later, "access_token").split('.').collect();
    let mut renamed = tokens::part(text(&later, "access_token"), 0);
    renamed["kid"] = json!("unknown");
    let renamed = URL_SAFE_NO_PAD.encode(renamed.to_string());
    for forged in [
        format!("{renamed}.{}.{}.{}.{}", parts[1], parts[2], parts[3], parts[4]),
        format!("{}.{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[4], parts[3]),
        format!("{}.{}.{}.{}.", parts[0], parts[1], parts[2], parts[3]),
    ] {
        assert_eq!(code(&server.get_with("/api/v1/tokens/claims", &forged).await), "401 token_invalid", "{forged}");
    }
    let body = json!({"refresh_token": later["refresh_token"]});
    assert_eq!(call(&server, (Method::POST, "/tokens/sign-out"), &body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&claims(&server, &later).await), "401 token_invalid", "it is revoked like any other");
}

/// To a resource server that reads it by itself; this server knows it by its hash.
#[tokio::test]
async fn s_086_an_encrypted_token_is_read_by_the_resource_server_that_it_is_for() {
    use josekit::jwk::KeyPair as _;
    let pair = josekit::jwk::alg::rsa::RsaKeyPair::generate(2048).expect("a key");
    let jwk: Map<String, Value> = pair.to_jwk_public_key().into();
    let server = server_with(encrypted(AccessTokenEncryption::RsaOaep256 { jwk })).await;
    let tokens = asks(&server).await.ok();
    let token = text(&tokens, "access_token");
    is_illegible(token);
    let decrypter = josekit::jwe::RSA_OAEP_256.decrypter_from_jwk(&pair.to_jwk_private_key()).expect("a key");
    let (signed, _) = josekit::jwe::deserialize_compact(token, &decrypter).expect("it is for this key");
    let signed = String::from_utf8(signed).expect("a JWT");
    assert_eq!(tokens::verify(&server, &signed).await.claims["client_id"], "phone");
    assert_eq!(claims(&server, &tokens).await.ok()["client_id"], "phone");
    assert_eq!(server.get_with("/oauth2/userinfo", token).await.status, StatusCode::OK);
}

/// By the published keys alone, also while they change: what the old key signed is good until it ends.
#[tokio::test]
async fn s_089_a_resource_server_needs_the_published_keys_alone() {
    let server = server_with(phone()).await;
    let policy = server.provider().policy.rotation;
    rotates(&server).await;
    server.advance(policy.rotate_every);
    let old = asks(&server).await.ok();
    rotates(&server).await;
    let new = asks(&server).await.ok();
    let mut kids = Vec::new();
    for tokens in [&old, &new] {
        let verified = tokens::verify(&server, text(tokens, "access_token")).await;
        assert_eq!((&verified.header["typ"], &verified.claims["client_id"]), (&json!("at+jwt"), &json!("phone")));
        kids.push(verified.header["kid"].as_str().expect("a name").to_owned());
    }
    assert_ne!(kids[0], kids[1], "another key signs by now");
    let jwks = server.get("/oauth2/jwks").await;
    assert!(jwks.header("cache-control").contains("max-age=3600"), "{jwks}");

    server.advance(policy.longest_token + Duration::from_hours(2));
    rotates(&server).await;
    let jwks = server.get("/oauth2/jwks").await;
    assert!(!jwks.text().contains(&kids[0]) && jwks.text().contains(&kids[1]), "gone with its last token: {jwks}");
}

/// The keys change, where that is due.
pub(super) async fn rotates(server: &TestServer) {
    let job = JOBS.iter().find(|job| job.name == "rotate_keys").expect("a job");
    (job.run)(std::sync::Arc::clone(&server.app.provider)).await.expect("rotated");
}

/// The session of an app's own screen is there for its grant alone, and goes with it; that of a browser stays.
#[tokio::test]
async fn s_074_a_session_that_no_browser_holds_ends_with_its_tokens() {
    let server = server_with(phone()).await;
    let alice = server.user("alice").await.id;
    let live = async || {
        let now = NumericDate::from_seconds(server.clock.seconds());
        server.store().sessions_of(alice, now).await.expect("listed").len()
    };
    for path in ["/api/v1/tokens/sign-out", "/oauth2/revoke"] {
        let tokens = asks(&server).await.ok();
        assert_eq!(live().await, 1);
        let refresh_token = text(&tokens, "refresh_token");
        let answer = if path == "/oauth2/revoke" {
            server.post(path, &[("token", refresh_token), ("client_id", "phone")]).await
        } else {
            server.json((Method::POST, path), &json!({"refresh_token": refresh_token}), None).await
        };
        assert!(answer.status.is_success(), "{answer}");
        assert_eq!(live().await, 0, "{path}");
    }
    let browser = Browser::signed_in(&server, "alice").await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&browser, "alice", "openid offline_access").await;
    assert_eq!(shop.revoke(text(&tokens, "refresh_token")).await.status, StatusCode::OK);
    assert_eq!(live().await, 1, "other apps of this browser go on");
}
