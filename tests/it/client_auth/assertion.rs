//! `private_key_jwt` and `client_secret_jwt`.
//!
//! RFC 7523 §3, OIDC Core §9, §10.1.1; PROTOCOL T12.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use symbolon::model::client::Client;
use symbolon::protocol::jose::algorithm::SigningAlgorithm;
use symbolon::protocol::jose::jws::SigningKey;

use crate::support::relying_party::Proof;
use crate::support::{RelyingParty, TestServer, clients};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn key(algorithm: SigningAlgorithm) -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(algorithm).expect("a key").key)
}

fn client(id: &str, changed: &Value) -> Client {
    let mut metadata = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": [],
    });
    for (name, value) in changed.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    clients::client(id, &metadata)
}

fn claims(id: &str, now: i64) -> Value {
    let jti = format!("jti-{}", TestServer::number());
    json!({"iss": id, "sub": id, "aud": "http://localhost:8080", "exp": now + 60, "iat": now, "jti": jti})
}

fn signing(key: &Arc<SigningKey>, make: impl Fn(i64) -> Value + Send + Sync + 'static) -> Proof {
    let key = Arc::clone(key);
    Proof::Assertion(Arc::new(move |now| key.sign("JWT", &make(now)).expect("signed")))
}

#[tokio::test]
async fn a_client_proves_itself_by_its_own_key() {
    let server = TestServer::start().await;
    for algorithm in [SigningAlgorithm::ES256, SigningAlgorithm::EdDSA, SigningAlgorithm::ES384] {
        let own = key(algorithm);
        let id = format!("robot-{algorithm:?}");
        let registered = client(&id, &json!({"jwks": {"keys": [own.public_jwk()]}}));
        let mut robot = RelyingParty::of(&server, registered).await;
        for audience in ["", "/oauth2/token"] {
            let (id, audience) = (id.clone(), format!("http://localhost:8080{audience}"));
            robot.proof = signing(&own, move |now| {
                let mut claims = claims(&id, now);
                claims["aud"] = json!(audience);
                claims
            });
            robot.post("/oauth2/token", &[GRANT]).await.ok();
        }
        let answer = robot.introspect("x").await.ok();
        assert_eq!(answer["active"], false);
    }
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let server = TestServer::start().await;
    let own = key(SigningAlgorithm::ES256);
    let mut robot = RelyingParty::of(&server, client("robot", &json!({"jwks": {"keys": [own.public_jwk()]}}))).await;
    let mut fixed = claims("robot", server.clock.seconds());
    fixed["exp"] = json!(server.clock.seconds() + 3_600);
    robot.proof = signing(&own, move |_| fixed.clone());
    robot.post("/oauth2/token", &[GRANT]).await.ok();
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client");
    server.advance(Duration::from_secs(3_599));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "as long as it lives");
}

#[tokio::test]
async fn what_is_wrong_with_an_assertion_is_refused() {
    let server = TestServer::start().await;
    let (own, other) = (key(SigningAlgorithm::ES256), key(SigningAlgorithm::ES256));
    let mut robot = RelyingParty::of(&server, client("robot", &json!({"jwks": {"keys": [own.public_jwk()]}}))).await;
    let now = server.clock.seconds();
    for (name, value) in [
        ("aud", json!("https://evil.example")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(now)),
        ("exp", json!(now + 100_000)),
        ("exp", json!((now + 60).to_string())),
        ("exp", Value::Null),
        ("iat", json!(now + 60)),
        ("nbf", json!(now + 60)),
        ("iss", json!("other")),
        ("sub", json!("other")),
        ("sub", json!(["robot"])),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(7)),
    ] {
        let case = format!("{name} {value}");
        robot.proof = signing(&own, move |now| {
            let mut claims = claims("robot", now);
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(name);
            }
            claims
        });
        assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "{case}");
    }
    robot.proof = signing(&other, |now| claims("robot", now));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "another key");
    let stolen = Arc::clone(&own);
    robot.proof = Proof::Assertion(Arc::new(move |now| stolen.sign("at+jwt", &claims("robot", now)).expect("signed")));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "another kind of token");

    // RFC 8725 §2.1: `none`, and the public key as a secret.
    let unsigned = |header: Value, now: i64| {
        use base64::Engine as _;
        let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&header), encode(&claims("robot", now)))
    };
    robot.proof = Proof::Assertion(Arc::new(move |now| unsigned(json!({"alg": "none"}), now)));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "alg none");
    let public = serde_json::to_vec(&own.public_jwk()).expect("JSON");
    robot.proof = Proof::Assertion(Arc::new(move |now| {
        jsonwebtoken::encode(&Header::default(), &claims("robot", now), &EncodingKey::from_secret(&public))
            .expect("signed")
    }));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "HS256 under the public key");

    let assertion = own.sign("JWT", &claims("robot", now)).expect("signed");
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    for (fields, expected) in [
        (vec![("client_assertion", &*assertion)], "400 invalid_request"),
        (vec![kind], "400 invalid_request"),
        (vec![("client_assertion_type", "urn:x"), ("client_assertion", &*assertion)], "400 invalid_request"),
        (vec![kind, ("client_assertion", "a.b.c")], "401 invalid_client"),
        (vec![kind, ("client_assertion", "")], "400 invalid_request"),
        (vec![kind, ("client_assertion", &*assertion), ("client_id", "other")], "401 invalid_client"),
        (vec![kind, ("client_assertion", &*assertion), ("client_secret", "x")], "400 invalid_request"),
    ] {
        let mut all = vec![GRANT];
        all.extend(&fields);
        assert_eq!(server.post("/oauth2/token", &all).await.error(), expected, "{fields:?}");
    }
    server.post("/oauth2/token", &[GRANT, kind, ("client_assertion", &assertion), ("client_id", "robot")]).await.ok();
}

/// The registered algorithm is the only one (OIDC Registration §2).
#[tokio::test]
async fn the_registered_algorithm_is_the_only_one() {
    let server = TestServer::start().await;
    let (first, second) = (key(SigningAlgorithm::ES256), key(SigningAlgorithm::EdDSA));
    let registered = client(
        "robot",
        &json!({"jwks": {"keys": [first.public_jwk(), second.public_jwk()]}, "token_endpoint_auth_signing_alg": "EdDSA"}),
    );
    let mut robot = RelyingParty::of(&server, registered).await;
    robot.proof = signing(&first, |now| claims("robot", now));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client");
    robot.proof = signing(&second, |now| claims("robot", now));
    robot.post("/oauth2/token", &[GRANT]).await.ok();
}

/// OIDC Core §10.1.1: a new `kid` is looked up where the client publishes its keys, at most once a minute.
#[tokio::test]
async fn keys_are_fetched_and_rotate() {
    let server = TestServer::start().await;
    let (old, new) = (key(SigningAlgorithm::ES256), key(SigningAlgorithm::ES256));
    let uri = "https://robot.example/jwks";
    let mut robot = RelyingParty::of(&server, client("robot", &json!({"jwks_uri": uri}))).await;
    robot.proof = signing(&old, |now| claims("robot", now));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "nobody answers there");
    // A failure is remembered, so that nobody makes us ask a silent server again and again.
    server.advance(Duration::from_secs(10));
    server.web.publish(uri, json!({"keys": [old.public_jwk()]}).to_string());
    robot.post("/oauth2/token", &[GRANT]).await.ok();

    server.web.publish(uri, json!({"keys": [new.public_jwk()]}).to_string());
    robot.proof = signing(&new, |now| claims("robot", now));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "asked a moment ago");
    server.advance(Duration::from_mins(1));
    robot.post("/oauth2/token", &[GRANT]).await.ok();
    robot.proof = signing(&old, |now| claims("robot", now));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "the old key is gone");
    for nonsense in ["", "{}", "[]", "<html>", r#"{"keys": 7}"#] {
        server.advance(Duration::from_hours(2));
        server.web.publish(uri, nonsense);
        assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "{nonsense}");
    }
}

/// A secret as a key: made at registration, long enough for HS512 (RFC 7518 §3.2).
#[tokio::test]
async fn a_client_signs_with_its_secret() {
    let server = TestServer::start().await;
    let metadata = json!({
        "token_endpoint_auth_method": "client_secret_jwt",
        "grant_types": ["client_credentials"],
        "response_types": [],
    });
    let registered = server.json((Method::POST, "/oauth2/register"), &metadata, None).await.ok();
    let (id, secret) =
        (registered["client_id"].as_str().expect("an id"), registered["client_secret"].as_str().expect("text"));
    let mut robot = RelyingParty::registered(&server, id, "", Proof::Basic(secret.to_owned()));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client", "another method");
    for algorithm in [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512] {
        let (id, key) = (id.to_owned(), EncodingKey::from_secret(secret.as_bytes()));
        robot.proof = Proof::Assertion(Arc::new(move |now| {
            jsonwebtoken::encode(&Header::new(algorithm), &claims(&id, now), &key).expect("signed")
        }));
        robot.post("/oauth2/token", &[GRANT]).await.ok();
    }
    let id = id.to_owned();
    robot.proof = Proof::Assertion(Arc::new(move |now| {
        jsonwebtoken::encode(&Header::default(), &claims(&id, now), &EncodingKey::from_secret(b"guess"))
            .expect("signed")
    }));
    assert_eq!(robot.post("/oauth2/token", &[GRANT]).await.error(), "401 invalid_client");
}
