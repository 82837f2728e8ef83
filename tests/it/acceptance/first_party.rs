//! First-party apps: S-071, S-164, and the challenge endpoint.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::config::api::Switch;
use symbolon::edge::store::Beside;
use symbolon::model::client::{Client, TokenDelivery};
use symbolon::protocol::numeric_date::NumericDate;

use crate::support::answer::{code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::world::BEGINNING;
use crate::support::{Answer, Exchange, RelyingParty, TestServer, clients};

/// A server with the challenge endpoint.
async fn server() -> TestServer {
    let configure = |config: &mut symbolon::config::Config| config.api.challenge_endpoint = Switch::On;
    TestServer::with(Setup { configure, ..Setup::default() }).await
}

/// A native app of the house.
pub(super) fn app(id: &str) -> Client {
    let mut client = clients::native(id);
    client.policy.first_party = true;
    client.policy.token_delivery = TokenDelivery::Code;
    client
}

fn pkce(exchange: &Exchange) -> (String, String) {
    let find = |name: &str| exchange.parameters.iter().find(|(known, _)| known == name).expect("it is there").1.clone();
    (find("code_challenge"), find("code_challenge_method"))
}

/// A sign-in on a screen of the app, by the API.
async fn signs_in(server: &TestServer, app: &RelyingParty, exchange: &Exchange, password: &str) -> Answer {
    let (challenge, method) = pkce(exchange);
    let body = json!({
        "method": "password", "identifier": "alice", "password": password, "client_id": app.client_id,
        "scope": "openid offline_access", "nonce": exchange.nonce, "code_challenge": challenge, "code_challenge_method": method,
    });
    server.json((http::Method::POST, "/api/v1/sign-in"), &body, None).await
}

/// The same at the challenge endpoint.
async fn challenges(app: &RelyingParty, exchange: &Exchange, more: &[(&str, &str)]) -> Answer {
    let (challenge, method) = pkce(exchange);
    let mut fields = vec![
        ("scope", "openid"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", method.as_str()),
        ("nonce", exchange.nonce.as_str()),
    ];
    fields.extend(more);
    app.post("/oauth2/challenge", &fields).await
}

async fn redeems(app: &RelyingParty, exchange: &Exchange, code: &Value) -> Answer {
    let code = code.as_str().expect("a code");
    let verifier = exchange.verifier.as_str();
    app.post("/oauth2/token", &[("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)])
        .await
}

#[tokio::test]
async fn s_071_a_sign_in_on_the_apps_own_screen_gives_a_code_and_the_code_tokens() {
    let server = TestServer::start().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let exchange = app.begin("openid");
    let answer = signs_in(&server, &app, &exchange, PASSWORD).await;
    assert_eq!(answer.headers.get("set-cookie"), None, "an app has no cookies");
    let answer = answer.ok();
    assert_eq!((&answer["status"], &answer["expires_in"]), (&json!("complete"), &json!(60)));
    let tokens = redeems(&app, &exchange, &answer["authorization_code"]).await.ok();
    for name in ["access_token", "refresh_token", "id_token", "token_type", "expires_in"] {
        assert!(tokens.get(name).is_some(), "{name} is missing: {tokens}");
    }
    assert_eq!(tokens["expires_in"], 900);
    let claims = app.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["nonce"], exchange.nonce.as_str());
    assert_eq!(claims["sub"], server.user("alice").await.id.to_string());
    let again = redeems(&app, &exchange, &answer["authorization_code"]).await;
    assert_eq!(again.error(), "400 invalid_grant", "a code is good once");
}

#[tokio::test]
async fn s_071_the_code_is_bound_to_its_app_and_its_verifier() {
    let server = TestServer::start().await;
    let app = RelyingParty::of(&server, self::app("phone")).await;
    let other = RelyingParty::of(&server, self::app("tablet")).await;
    let exchange = app.begin("openid");
    let code = signs_in(&server, &app, &exchange, PASSWORD).await.ok()["authorization_code"].clone();
    assert_eq!(redeems(&other, &exchange, &code).await.error(), "400 invalid_grant");
    assert_eq!(redeems(&app, &app.begin("openid"), &code).await.error(), "400 invalid_grant");
    let body = json!({"method": "password", "identifier": "alice", "password": PASSWORD, "client_id": "phone"});
    let without = server.json((http::Method::POST, "/api/v1/sign-in"), &body, None).await;
    assert_eq!(fields(&without), ["code_challenge required"]);
}

#[tokio::test]
async fn s_164_only_first_party_apps_come_this_way() {
    let server = server().await;
    let foreign = RelyingParty::of(&server, clients::native("foreign")).await;
    let exchange = foreign.begin("openid");
    assert_eq!(code(&signs_in(&server, &foreign, &exchange, PASSWORD).await), "403 unauthorized_client");
    let credentials = [("username", "alice"), ("password", PASSWORD)];
    assert_eq!(challenges(&foreign, &exchange, &credentials).await.error(), "400 unauthorized_client");
    for body in [
        json!({"method": "password", "identifier": "alice", "password": PASSWORD, "client_id": "foreign"}),
        json!({"method": "password", "identifier": "alice", "password": PASSWORD, "client_id": "nobody"}),
        json!({"method": "password", "identifier": "alice", "password": PASSWORD, "client_id": "no body"}),
    ] {
        let refused = server.json((http::Method::POST, "/api/v1/tokens"), &body, None).await;
        assert_eq!(code(&refused), "403 unauthorized_client", "{body}");
    }
}

#[tokio::test]
async fn s_164_a_session_is_given_to_pages_of_a_first_party_app_too() {
    let server = TestServer::start().await;
    let mut client = app("portal");
    client.policy.token_delivery = TokenDelivery::Session;
    RelyingParty::of(&server, client).await;
    let spa = Spa::open(&server).await;
    let body = json!({"method": "password", "identifier": "alice", "password": PASSWORD, "client_id": "portal"});
    assert_eq!(spa.post("/sign-in", &body).await.ok()["user"]["username"], "alice");
    assert_eq!(spa.get("/session").await.ok()["user"]["username"], "alice");
}

#[tokio::test]
async fn the_challenge_endpoint_is_there_when_it_is_wanted() {
    let without = TestServer::start().await;
    assert!(
        without.get("/.well-known/openid-configuration").await.ok().get("authorization_challenge_endpoint").is_none()
    );
    assert_eq!(without.post("/oauth2/challenge", &[]).await.status, StatusCode::NOT_FOUND);
    let with = server().await;
    let metadata = with.get("/.well-known/openid-configuration").await.ok();
    assert_eq!(metadata["authorization_challenge_endpoint"], "http://localhost:8080/oauth2/challenge");
}

#[tokio::test]
async fn s_071_the_challenge_endpoint_gives_a_code_at_once() {
    let server = server().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let exchange = app.begin("openid");
    let given = challenges(&app, &exchange, &[("username", "alice"), ("password", PASSWORD)]).await;
    assert_eq!(given.header("cache-control"), "no-store");
    let tokens = redeems(&app, &exchange, &given.ok()["authorization_code"]).await.ok();
    assert!(tokens["id_token"].is_string());
}

#[tokio::test]
async fn the_challenge_endpoint_asks_step_by_step() {
    let server = server().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let exchange = app.begin("openid");
    for name in ["alice", "nobody"] {
        let asked = challenges(&app, &exchange, &[("username", name)]).await;
        assert_eq!(asked.error(), "400 insufficient_authorization", "{name}");
        let asked = asked.json();
        assert_eq!(
            (&asked["challenges"], &asked["expires_in"]),
            (&json!([{"type": "password"}]), &json!(300)),
            "{name}"
        );
        let session = asked["auth_session"].as_str().expect("a handle").to_owned();
        assert_eq!(session.len(), 43);
        let wrong = app.post("/oauth2/challenge", &[("auth_session", &session), ("password", "wrong")]).await;
        assert_eq!(wrong.error(), "400 insufficient_authorization", "{name}");
        assert_eq!(wrong.json()["code"], "invalid_credentials", "{name}");
        assert_eq!(wrong.json()["auth_session"], session.as_str());
        let right = app.post("/oauth2/challenge", &[("auth_session", &session), ("password", PASSWORD)]).await;
        if name == "nobody" {
            assert_eq!(right.error(), "400 insufficient_authorization");
            continue;
        }
        let tokens = redeems(&app, &exchange, &right.ok()["authorization_code"]).await.ok();
        assert!(tokens["access_token"].is_string());
        let again = app.post("/oauth2/challenge", &[("auth_session", &session), ("password", PASSWORD)]).await;
        assert_eq!(again.error(), "400 invalid_session");
    }
}

#[tokio::test]
async fn the_api_and_the_challenge_endpoint_are_one_machine() {
    let server = server().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let exchange = app.begin("openid");
    let asked = challenges(&app, &exchange, &[("username", "alice")]).await.json();
    let body = json!({"flow": asked["auth_session"], "type": "password", "value": PASSWORD, "client_id": "phone"});
    let answer = server.json((http::Method::POST, "/api/v1/sign-in/challenge"), &body, None).await.ok();
    assert_eq!(answer["status"], "complete");
    assert!(redeems(&app, &exchange, &answer["authorization_code"]).await.ok()["access_token"].is_string());
    let again = server.json((http::Method::POST, "/api/v1/sign-in/challenge"), &body, None).await;
    assert_eq!(code(&again), "410 flow_invalid");
}

#[tokio::test]
async fn a_session_of_the_challenge_endpoint_is_of_its_app_and_its_time() {
    let server = server().await;
    let app = RelyingParty::of(&server, self::app("phone")).await;
    let other = RelyingParty::of(&server, self::app("tablet")).await;
    let exchange = app.begin("openid");
    let asked = challenges(&app, &exchange, &[("username", "alice")]).await.json();
    let answer = [("auth_session", asked["auth_session"].as_str().expect("a handle")), ("password", PASSWORD)];
    assert_eq!(other.post("/oauth2/challenge", &answer).await.error(), "400 invalid_session");
    let body = json!({"flow": asked["auth_session"], "type": "password", "value": PASSWORD});
    let without = server.json((http::Method::POST, "/api/v1/sign-in/challenge"), &body, None).await;
    assert_eq!(code(&without), "410 flow_invalid", "without the app");
    server.advance(Duration::from_mins(5));
    let late = app.post("/oauth2/challenge", &answer).await;
    assert_eq!((late.error(), late.json()["code"].clone()), ("400 invalid_session".to_owned(), json!("flow_expired")));
    let body = json!({"flow": asked["auth_session"], "type": "password", "value": PASSWORD, "client_id": "phone"});
    let late = server.json((http::Method::POST, "/api/v1/sign-in/challenge"), &body, None).await;
    assert_eq!(code(&late), "401 flow_expired");
}

#[tokio::test]
async fn the_challenge_endpoint_hears_five_guesses_a_session() {
    let server = server().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let asked = challenges(&app, &app.begin("openid"), &[("username", "alice")]).await.json();
    let session = asked["auth_session"].as_str().expect("a handle");
    for _ in 0..5 {
        let wrong = app.post("/oauth2/challenge", &[("auth_session", session), ("password", "wrong")]).await;
        assert_eq!(wrong.error(), "400 insufficient_authorization");
    }
    let right = app.post("/oauth2/challenge", &[("auth_session", session), ("password", PASSWORD)]).await;
    assert_eq!(right.error(), "400 invalid_session");
}

#[tokio::test]
async fn s_020_the_challenge_endpoint_tells_the_state_after_proof() {
    let server = server().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let bob = server.user("bob").await.id;
    server.store().disable_user(bob, NumericDate::from_seconds(BEGINNING), Beside::default()).await.expect("disabled");
    let exchange = app.begin("openid");
    let refused = challenges(&app, &exchange, &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(refused.error(), "400 access_denied");
    assert_eq!(refused.json()["code"], "account_disabled");
    let wrong = challenges(&app, &exchange, &[("username", "bob"), ("password", "wrong")]).await;
    assert_eq!(wrong.error(), "400 insufficient_authorization");
}

#[tokio::test]
async fn the_challenge_endpoint_refuses_what_it_cannot_read() {
    let server = server().await;
    let app = RelyingParty::of(&server, app("phone")).await;
    let exchange = app.begin("openid");
    let (challenge, method) = pkce(&exchange);
    let credentials = [("username", "alice"), ("password", PASSWORD)];
    for (fields, error) in [
        (vec![("scope", "openid")], "400 invalid_request"),
        (vec![("scope", "openid"), ("code_challenge", challenge.as_str())], "400 invalid_request"),
        (
            vec![("scope", "openid"), ("code_challenge", "short"), ("code_challenge_method", "S256")],
            "400 invalid_request",
        ),
        (
            vec![("scope", "unknown"), ("code_challenge", &challenge), ("code_challenge_method", &method)],
            "400 invalid_scope",
        ),
        (vec![("auth_session", "x")], "400 invalid_request"),
        (vec![("auth_session", "x"), ("password", "x")], "400 invalid_session"),
    ] {
        let mut sent = fields.clone();
        if !fields.iter().any(|(name, _)| *name == "auth_session") {
            sent.extend(credentials);
        }
        assert_eq!(app.post("/oauth2/challenge", &sent).await.error(), error, "{fields:?}");
    }
    let confidential = RelyingParty::of(&server, {
        let mut client = clients::web("server");
        client.policy.first_party = true;
        client
    });
    let mut impostor = confidential.await;
    impostor.proof = crate::support::relying_party::Proof::Name;
    assert_eq!(challenges(&impostor, &exchange, &credentials).await.error(), "401 invalid_client");
}

/// A person takes an app's permission back while its code waits: the code is dead, though the app is never asked for consent.
#[tokio::test]
async fn s_074_a_waiting_code_dies_with_the_permission() {
    let server = TestServer::start().await;
    let app = RelyingParty::of(&server, self::app("phone")).await;
    let first = app.begin("openid");
    let code = signs_in(&server, &app, &first, PASSWORD).await.ok()["authorization_code"].clone();
    redeems(&app, &first, &code).await.ok();

    let second = app.begin("openid");
    let waiting = signs_in(&server, &app, &second, PASSWORD).await.ok()["authorization_code"].clone();
    let alice = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_secs(1));
    assert_eq!(alice.delete("/me/grants/phone").await.status, StatusCode::NO_CONTENT);
    assert_eq!(redeems(&app, &second, &waiting).await.error(), "400 invalid_grant");

    server.advance(Duration::from_secs(1));
    let third = app.begin("openid");
    let code = signs_in(&server, &app, &third, PASSWORD).await.ok()["authorization_code"].clone();
    redeems(&app, &third, &code).await.ok();
}
