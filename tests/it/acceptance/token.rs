//! Tokens of first-party apps by the API: S-072 to S-074, S-080 to S-082, S-087.

use std::time::Duration;

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use symbolon::edge::store::Beside;
use symbolon::model::client::{AccessTokenFormat, Client, RefreshTokenPolicy};
use symbolon::protocol::numeric_date::NumericDate;

use super::first_party::app;
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, RelyingParty, TestServer, clients, tokens};

fn direct(id: &str) -> Client {
    let mut client = app(id);
    client.policy.direct_tokens = true;
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    client
}

async fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.json((Method::POST, &format!("/api/v1{path}")), body, None).await
}

async fn asks(server: &TestServer, client_id: &str) -> Answer {
    let body = json!({"client_id": client_id, "method": "password", "identifier": "alice", "password": PASSWORD});
    post(server, "/tokens", &body).await
}

/// Tokens of an app that may have them in one call.
pub(super) async fn tokens_of(server: &TestServer, id: &str) -> Value {
    RelyingParty::of(server, direct(id)).await;
    asks(server, id).await.ok()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

#[tokio::test]
async fn s_071_tokens_in_one_call_are_for_apps_that_may() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
    RelyingParty::of(&server, app("tablet")).await;
    assert_eq!(code(&asks(&server, "tablet").await), "400 delivery_not_allowed");
    RelyingParty::of(&server, clients::native("foreign")).await;
    assert_eq!(code(&asks(&server, "foreign").await), "403 unauthorized_client");
    let mut secret = clients::web("server");
    secret.policy.first_party = true;
    secret.policy.direct_tokens = true;
    RelyingParty::of(&server, secret).await;
    assert_eq!(code(&asks(&server, "server").await), "403 unauthorized_client", "it would have to prove its secret");
    let wrong = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": "wrong"});
    assert_eq!(code(&post(&server, "/tokens", &wrong).await), "401 invalid_credentials");
}

#[tokio::test]
async fn s_072_a_token_says_its_lifetime() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let claims = tokens::verify(&server, text(&tokens, "access_token")).await.claims;
    let (exp, iat) = (claims["exp"].as_i64().expect("a date"), claims["iat"].as_i64().expect("a date"));
    assert_eq!(exp - iat, 900);
    server.advance(Duration::from_secs(604_799));
    let refreshed = post(&server, "/tokens/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await.ok();
    server.advance(Duration::from_hours(7 * 24));
    let idle = post(&server, "/tokens/refresh", &json!({"refresh_token": refreshed["refresh_token"]})).await;
    assert_eq!(code(&idle), "401 invalid_refresh_token");
}

#[tokio::test]
async fn s_072_a_client_has_a_lifetime_of_its_own() {
    let server = TestServer::start().await;
    let mut client = direct("phone");
    client.policy.access_token_lifetime = Some(300);
    RelyingParty::of(&server, client).await;
    let tokens = asks(&server, "phone").await.ok();
    assert_eq!(tokens["expires_in"], 300);
    let claims = tokens::part(text(&tokens, "access_token"), 1);
    assert_eq!(claims["exp"].as_i64().expect("a date") - claims["iat"].as_i64().expect("a date"), 300);
}

#[tokio::test]
async fn s_073_refresh_tokens_rotate() {
    let server = TestServer::start().await;
    let first = tokens_of(&server, "phone").await;
    let refresh = async |token: &Value| post(&server, "/tokens/refresh", &json!({"refresh_token": token})).await;
    let second = refresh(&first["refresh_token"]).await.ok();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let repeated = refresh(&first["refresh_token"]).await.ok();
    assert_eq!(repeated["refresh_token"], second["refresh_token"], "a retry within the grace gets the same");
    server.advance(Duration::from_secs(11));
    assert_eq!(code(&refresh(&first["refresh_token"]).await), "401 invalid_refresh_token");
    assert_eq!(code(&refresh(&second["refresh_token"]).await), "401 invalid_refresh_token", "the family is dead");
    assert_eq!(code(&claims(&server, text(&second, "access_token")).await), "401 token_invalid");
}

#[tokio::test]
async fn s_073_a_refresh_token_is_of_its_app() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let token = &tokens["refresh_token"];
    for body in [
        json!({"refresh_token": token, "client_id": "tablet"}),
        json!({"refresh_token": "unknown"}),
        json!({"refresh_token": tokens["access_token"]}),
    ] {
        assert_eq!(code(&post(&server, "/tokens/refresh", &body).await), "401 invalid_refresh_token", "{body}");
    }
    let right = json!({"refresh_token": token, "client_id": "phone"});
    assert_eq!(post(&server, "/tokens/refresh", &right).await.status, StatusCode::OK);
    // An app with a secret, or of somebody else, refreshes where it proves who it is.
    let web = RelyingParty::web(&server, "shop").await;
    let theirs = web.tokens(&crate::support::Browser::new(&server), "alice", "openid offline_access").await;
    let refused = post(&server, "/tokens/refresh", &json!({"refresh_token": theirs["refresh_token"]})).await;
    assert_eq!(code(&refused), "403 unauthorized_client");
    assert_eq!(web.refresh(text(&theirs, "refresh_token")).await.status, StatusCode::OK, "nothing was used up");
}

#[tokio::test]
async fn s_074_tokens_that_are_given_back_are_dead_at_once() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let signed_out = post(&server, "/tokens/sign-out", &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(signed_out.status, StatusCode::NO_CONTENT);
    let refused = post(&server, "/tokens/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(code(&refused), "401 invalid_refresh_token");
    assert_eq!(code(&claims(&server, text(&tokens, "access_token")).await), "401 token_invalid");

    let tokens = asks(&server, "phone").await.ok();
    let by_token =
        server.json((Method::POST, "/api/v1/tokens/sign-out"), &json!({}), tokens["access_token"].as_str()).await;
    assert_eq!(by_token.status, StatusCode::NO_CONTENT);
    let refused = post(&server, "/tokens/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(code(&refused), "401 invalid_refresh_token");
}

#[tokio::test]
async fn s_074_what_is_no_token_of_ours_kills_nothing() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let access = text(&tokens, "access_token");
    let claims_part = access.split('.').nth(1).expect("three parts");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims_part}.");
    let altered = format!("{}A", &access[..access.len() - 1]);
    for token in [unsigned.as_str(), altered.as_str(), "garbage", access] {
        let answer = post(&server, "/tokens/sign-out", &json!({"refresh_token": token})).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(claims(&server, access).await.status, StatusCode::OK);
    let refreshed = post(&server, "/tokens/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(refreshed.status, StatusCode::OK);
}

async fn claims(server: &TestServer, token: &str) -> Answer {
    server.get_with("/api/v1/tokens/claims", token).await
}

#[tokio::test]
async fn s_080_a_bearer_token_comes_in_one_way() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let ask = async |headers: &[String]| {
        let mut request = Request::get("/api/v1/tokens/claims");
        for header in headers {
            request = request.header(AUTHORIZATION, header);
        }
        server.send(request.body(Body::empty()).expect("a request")).await
    };
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(ask(&[format!("{scheme} {access}")]).await.status, StatusCode::OK, "{scheme}");
    }
    for headers in [
        vec![format!("Bearer {access}"), format!("Bearer {access}")],
        vec![format!("Bearer {access} {access}")],
        vec![format!("Bearer {access}, Bearer {access}")],
        vec![format!("Token {access}")],
        vec!["Basic YTpi".to_owned()],
        vec!["Bearer ".to_owned()],
        vec!["Bearer".to_owned()],
        vec![String::new()],
        vec![format!("Bearer {refresh}")],
    ] {
        let refused = ask(&headers).await;
        assert_eq!(code(&refused), "401 token_invalid", "{headers:?}");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""), "{refused}");
    }
    // An API of old has a word of its own, beside the one of today.
    let old = TestServer::with(Setup {
        configure: |config| config.api.token_schemes = serde_json::from_value(json!(["JWT"])).expect("a list"),
        ..Setup::default()
    });
    let old = old.await;
    let theirs = tokens_of(&old, "phone").await;
    for (scheme, status) in [("JWT", 200), ("jwt", 200), ("Bearer", 200), ("Token", 401)] {
        let header = format!("{scheme} {}", text(&theirs, "access_token"));
        let request = Request::get("/api/v1/tokens/claims").header(AUTHORIZATION, header);
        assert_eq!(old.send(request.body(Body::empty()).expect("a request")).await.status, status, "{scheme}");
    }
    assert!(serde_json::from_value::<symbolon::config::api::TokenSchemes>(json!(["Basic"])).is_err());

    let anonymous = ask(&[]).await;
    assert_eq!(code(&anonymous), "401 sign_in_required");
    let challenge = anonymous.header("www-authenticate");
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error"), "{challenge}");
}

#[tokio::test]
async fn s_081_a_token_can_be_asked_about() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let access = text(&tokens, "access_token");
    let verify = async |token: &str| post(&server, "/tokens/verify", &json!({"token": token})).await;
    let good = verify(access).await.ok();
    assert_eq!((&good["active"], &good["typ"]), (&json!(true), &json!("at+jwt")));
    assert_eq!(good["exp"], tokens::part(access, 1)["exp"]);

    let (head, signature) = access.rsplit_once('.').expect("three parts");
    let claims_part = head.split('.').nth(1).expect("three parts");
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims_part}.");
    let hs256 = format!("eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.{claims_part}.{signature}");
    let altered = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let id_token = text(&tokens, "id_token");
    for bad in [none.as_str(), &hs256, &altered, id_token, text(&tokens, "refresh_token"), "x", "a.b.c", "..", "é"] {
        assert_eq!(code(&verify(bad).await), "401 token_invalid", "{bad}");
    }
    server.advance(Duration::from_mins(15));
    assert_eq!(code(&verify(access).await), "401 token_invalid", "it is over");
}

#[tokio::test]
async fn s_082_the_claims_of_ones_own_token() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let said = claims(&server, text(&tokens, "access_token")).await.ok();
    assert_eq!(said["sub"], server.user("alice").await.id.to_string());
    for name in ["exp", "iat", "iss", "aud", "scope", "client_id"] {
        assert!(said.get(name).is_some(), "{name} is missing: {said}");
    }
    assert_eq!(said["typ"], "at+jwt");

    let mut client = direct("opaque");
    client.policy.access_token = AccessTokenFormat::Opaque;
    RelyingParty::of(&server, client).await;
    let opaque = asks(&server, "opaque").await.ok();
    let told = claims(&server, text(&opaque, "access_token")).await.ok();
    assert_eq!((&told["sub"], &told["typ"]), (&said["sub"], &json!("opaque")));
}

#[tokio::test]
async fn s_087_a_token_of_a_disabled_account_is_dead() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let alice = server.user("alice").await.id;
    let now = NumericDate::from_seconds(crate::support::world::BEGINNING);
    server.store().disable_user(alice, now, Beside::default()).await.expect("disabled");
    let refused = post(&server, "/tokens/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(code(&refused), "401 invalid_refresh_token");
    assert_eq!(code(&claims(&server, text(&tokens, "access_token")).await), "401 token_invalid");
}

/// A token needs no CSRF token, and the cookies beside it count for nothing (S-170).
#[tokio::test]
async fn s_170_a_token_is_enough_by_itself() {
    let server = TestServer::start().await;
    let tokens = tokens_of(&server, "phone").await;
    let spa = Spa::signed_in(&server, "bob").await;
    spa.set_csrf(None);
    let request = Request::post("/api/v1/tokens/sign-out")
        .header(AUTHORIZATION, format!("Bearer {}", text(&tokens, "access_token")));
    let request = request.header("origin", "https://evil.example").body(Body::empty()).expect("a request");
    assert_eq!(spa.browser.send(request).await.status, StatusCode::NO_CONTENT);
    assert_eq!(spa.get("/session").await.ok()["user"]["username"], "bob", "the browser's own session stays");
}
