//! Clients by the administration: S-151; RFC 7591 §2.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::model::user::Role;

use super::admin::{Admin, SCOPE, set_role};
use super::groups::registered;
use crate::support::answer::code;
use crate::support::relying_party::Proof;
use crate::support::{Browser, RelyingParty, TestServer};

const CALLBACK: &str = "https://store.example/callback";

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn error(answer: &Value) -> (&str, &str) {
    (text(&answer["errors"][0], "field"), text(&answer["errors"][0], "code"))
}

#[tokio::test]
async fn s_151_a_client_is_registered_changed_and_deleted_by_api() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let new = json!({
        "client_id": "store",
        "metadata": {"client_name": "Store", "redirect_uris": [CALLBACK]},
        "policy": {"access_token_lifetime": 300},
    });
    let made = ada.post("/clients", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    let first = text(&made, "client_secret").to_owned();
    assert!(first.len() >= 43, "{made}");
    assert_eq!(
        json!([made["name"], made["state"], made["metadata"]["grant_types"], made["policy"]["require_pkce"]]),
        json!(["Store", "active", ["authorization_code", "refresh_token"], true])
    );
    assert_eq!(code(&ada.post("/clients", &new).await), "409 already_exists");
    let seen = ada.get("/clients/store").await;
    assert!(!seen.text().contains("client_secret\":") && !seen.text().contains(&first), "it is shown once: {seen}");

    // It works at once.
    let mut store = RelyingParty::registered(&server, "store", CALLBACK, Proof::Basic(first.clone()));
    let tokens = store.tokens(&Browser::new(&server), "alice", "openid").await;
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(store.userinfo(text(&tokens, "access_token")).await.status, StatusCode::OK);

    // It is changed as it was seen; what is left out stays, null brings back what is usual.
    let tag = seen.header("etag").to_owned();
    let change = json!({
        "metadata": {"client_name": "The Store", "contacts": ["ops@store.example"]},
        "policy": {"access_token": "opaque", "access_token_lifetime": null},
    });
    let changed = ada.send(Method::PATCH, "/clients/store", (Some(&change), Some(&tag))).await.ok();
    assert_eq!(
        json!([changed["name"], changed["metadata"]["redirect_uris"], changed["metadata"]["contacts"]]),
        json!(["The Store", [CALLBACK], ["ops@store.example"]])
    );
    assert_eq!(
        json!([changed["policy"]["access_token"], changed["policy"]["access_token_lifetime"]]),
        json!(["opaque", null])
    );
    assert!(changed.get("client_secret").is_none(), "the secret stays: {changed}");
    let stale = ada.send(Method::PATCH, "/clients/store", (Some(&change), Some(&tag))).await;
    assert_eq!(code(&stale), "412 precondition_failed");
    let plain = ada.patch("/clients/store", &json!({"metadata": {"contacts": null}})).await.ok();
    assert!(plain["metadata"].get("contacts").is_none(), "{plain}");

    // Another secret: the old one is refused from then on.
    let rotated = ada.post("/clients/store/secret", &json!({})).await.ok();
    let second = text(&rotated, "client_secret").to_owned();
    assert_ne!(first, second);
    assert_eq!(store.introspect("x").await.error(), "401 invalid_client");
    store.proof = Proof::Basic(second);
    let tokens = store.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let access = text(&tokens, "access_token").to_owned();
    assert!(store.is_active(&access).await);

    // A client that is gone has nothing left.
    assert_eq!(ada.delete("/clients/store").await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&ada.get("/clients/store").await), "404 not_found");
    assert_eq!(store.userinfo(&access).await.error(), "401 invalid_token");
    assert_eq!(store.refresh(text(&tokens, "refresh_token")).await.error(), "401 invalid_client");

    let events = ada.get("/events?client_id=store&limit=100").await.ok();
    let told: Vec<&str> =
        events["items"].as_array().expect("items").iter().filter_map(|event| event["event"].as_str()).collect();
    for name in ["client.created", "client.changed", "client.secret_rotated", "client.deleted"] {
        assert!(told.contains(&name), "{name}: {told:?}");
    }
    assert!(events.to_string().contains("access_token_lifetime"), "which members changed is told: {events}");
    assert!(!events.to_string().contains(&first), "no secret is ever told");
}

#[tokio::test]
async fn s_151_what_a_client_cannot_be_is_told_by_field() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let redirects = json!({"redirect_uris": [CALLBACK]});
    for (body, field, expected) in [
        (json!({}), "metadata", "invalid_value"),
        (json!({"metadata": {"redirect_uris": ["http://store.example/cb"]}}), "metadata", "invalid_value"),
        (json!({"metadata": {"redirect_uris": [CALLBACK], "colour": "red"}}), "metadata", "invalid_value"),
        (json!({"metadata": {"redirect_uris": [CALLBACK], "scope": "openid profil"}}), "metadata", "invalid_value"),
        (json!({"metadata": redirects, "client_id": "a b"}), "client_id", "invalid_value"),
        (json!({"metadata": redirects, "type": "robot"}), "type", "invalid_value"),
        (json!({"metadata": redirects, "colour": 1}), "colour", "unknown_field"),
        (json!({"metadata": redirects, "policy": {"colour": 1}}), "policy.colour", "unknown_field"),
        (json!({"metadata": redirects, "policy": {"first_party": "yes"}}), "policy.first_party", "wrong_type"),
        (
            json!({"metadata": redirects, "policy": {"access_token_lifetime": 5}}),
            "policy.access_token_lifetime",
            "invalid_value",
        ),
        (
            json!({"metadata": redirects, "policy": {"frontend_url": "https://store.example"}}),
            "policy.frontend_url",
            "invalid_value",
        ),
        (json!({"metadata": redirects, "policy": {"own_claims": {"sub": {}}}}), "policy.own_claims", "invalid_value"),
        (
            json!({"metadata": redirects, "policy": {"access_token_encryption": {"alg": "none"}}}),
            "policy.access_token_encryption",
            "invalid_value",
        ),
        (json!({"metadata": redirects, "policy": {"audience": [" "]}}), "policy.audience", "blank"),
    ] {
        let refused = ada.post("/clients", &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {refused}");
        let refused = refused.json();
        assert_eq!(error(&refused), (field, expected), "{body}: {refused}");
    }
    let colour = json!({"metadata": {"redirect_uris": [CALLBACK], "colour": "red"}});
    let told = ada.post("/clients", &colour).await.json();
    assert!(text(&told, "detail").contains("colour is not known here"), "{told}");

    let service = ada.post("/clients", &json!({"type": "service"})).await;
    assert_eq!(service.status, StatusCode::CREATED, "{service}");
    assert_eq!(service.json()["metadata"]["grant_types"], json!(["client_credentials"]));
    let page = json!({"client_id": "page", "type": "spa", "metadata": redirects});
    assert!(ada.post("/clients", &page).await.ok().get("client_secret").is_none());
    assert_eq!(code(&ada.post("/clients/page/secret", &json!({})).await), "409 client_has_no_secret");
    // One that shall keep a secret from now on gets one.
    let confidential = json!({"metadata": {"token_endpoint_auth_method": "client_secret_basic"}});
    assert!(ada.patch("/clients/page", &confidential).await.ok()["client_secret"].is_string());
}

/// What such an app gets, it could use against those above its maker.
#[tokio::test]
async fn s_151_an_app_of_the_house_takes_an_owner() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    set_role(&server, "alice", Role::Admin).await;
    let desk = RelyingParty::of(&server, registered("desk", "openid admin admin:read profile")).await;
    let alice = Admin::by(&server, &desk, ("alice", SCOPE)).await;
    let redirects = json!({"redirect_uris": [CALLBACK]});
    let house = json!({"client_id": "house", "metadata": redirects, "policy": {"first_party": true}});
    assert_eq!(code(&alice.post("/clients", &house).await), "403 forbidden");
    let ruler = json!({"metadata": {"redirect_uris": [CALLBACK], "scope": "openid admin"}});
    assert_eq!(code(&alice.post("/clients", &ruler).await), "403 forbidden");
    let plain = json!({"client_id": "plain", "metadata": redirects});
    assert_eq!(alice.post("/clients", &plain).await.status, StatusCode::CREATED);
    assert_eq!(code(&alice.patch("/clients/plain", &json!({"policy": {"first_party": true}})).await), "403 forbidden");

    assert_eq!(ada.post("/clients", &house).await.status, StatusCode::CREATED);
    for (change, refused) in [
        (json!({"metadata": {"redirect_uris": ["https://evil.example/cb"]}}), "403 forbidden"),
        (json!({"policy": {"first_party": false}}), "403 forbidden"),
    ] {
        assert_eq!(code(&alice.patch("/clients/house", &change).await), refused, "{change}");
    }
    assert_eq!(code(&alice.post("/clients/house/secret", &json!({})).await), "403 forbidden");
    let off = alice.put("/clients/house/state", Some(&json!({"state": "disabled"}))).await;
    assert_eq!(off.ok()["state"], "disabled", "whoever looks after apps may stop any of them");

    // What is dangerous takes a fresh proof (RFC 9470).
    server.advance(Duration::from_mins(11));
    assert_eq!(code(&alice.post("/clients", &json!({"metadata": redirects})).await), "401 reauth_required");
    assert_eq!(code(&alice.post("/clients/plain/secret", &json!({})).await), "401 reauth_required");
}
