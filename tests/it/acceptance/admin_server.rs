//! Keys, settings and rules by the administration: S-024, S-151; PROTOCOL T18 and §3.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use symbolon::protocol::jose::algorithm::SigningAlgorithm;

use super::admin::{Admin, SCOPE, ids};
use super::groups::registered;
use crate::support::answer::{code, fields};
use crate::support::server::Setup;
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

fn texts(answer: &Value, name: &str) -> Vec<String> {
    let list = answer[name].as_array().unwrap_or_else(|| panic!("no {name}: {answer}"));
    list.iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

async fn published(server: &TestServer) -> Vec<String> {
    let set = server.get("/oauth2/jwks").await.ok();
    set["keys"].as_array().expect("keys").iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

#[tokio::test]
async fn s_151_keys_are_rotated_and_withdrawn_by_an_owner() {
    let server = TestServer::start().await;
    let console = RelyingParty::of(&server, registered("console", "openid admin admin:read profile")).await;
    let ada = async || Admin::by(&server, &console, ("ada", SCOPE)).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let token = async || {
        let tokens = shop.tokens(&Browser::new(&server), "alice", "openid").await;
        tokens["access_token"].as_str().expect("a token").to_owned()
    };
    let owner = ada().await;
    let early = owner.post("/keys/rotate", &json!({})).await;
    assert_eq!(code(&early), "409 keys_not_known", "clients have not seen the next keys");
    assert!(early.json()["from"].is_i64(), "{early}");
    assert_eq!(code(&owner.post("/keys/rotate", &json!({"alg": "HS256"})).await), "422 invalid_value");
    assert_eq!(code(&owner.post("/keys/nothing/retire", &json!({})).await), "404 not_found");

    // An hour later they have.
    server.advance(Duration::from_mins(62));
    let (owner, old) = (ada().await, token().await);
    let rotated = owner.post("/keys/rotate", &json!({})).await.ok();
    let signing = texts(&rotated, "signing");
    assert_eq!((signing.len(), &rotated["withdrawn"]), (SigningAlgorithm::ALL.len(), &json!([])), "{rotated}");
    let new = token().await;
    assert!(signing.contains(&kid(&new)) && !signing.contains(&kid(&old)), "this node follows at once");
    assert!(shop.is_active(&old).await, "what the old key signed stays good");
    let retiring = owner.post(&format!("/keys/{}/retire", kid(&old)), &json!({})).await.ok();
    assert!(retiring["expires_at"].is_string(), "{retiring}");

    // One that was stolen.
    let stolen = owner.post(&format!("/keys/{}/retire", kid(&old)), &json!({"now": true})).await.ok();
    assert_eq!(texts(&stolen, "withdrawn"), [kid(&old)]);
    assert!(!published(&server).await.contains(&kid(&old)));
    assert!(!shop.is_active(&old).await && shop.is_active(&new).await);

    // All of them: nothing that was signed before is good, the caller's own token among it.
    let owner = ada().await;
    let before = published(&server).await;
    let replaced = owner.post("/keys/rotate", &json!({"now": true})).await.ok();
    assert_eq!(texts(&replaced, "withdrawn").len(), before.len(), "{replaced}");
    assert!(published(&server).await.iter().all(|kid| !before.contains(kid)));
    assert!(!shop.is_active(&new).await);
    assert_eq!(code(&owner.get("/keys").await), "401 token_invalid");
    assert!(texts(&replaced, "signing").contains(&kid(&token().await)));

    let owner = ada().await;
    for name in ["key.activated", "key.withdrawn"] {
        let events = owner.get(&format!("/events?event={name}")).await.ok();
        assert!(events["items"][0]["details"]["kid"].is_string(), "{name}: {events}");
    }
    server.advance(Duration::from_mins(11));
    assert_eq!(code(&owner.post("/keys/rotate", &json!({"now": true})).await), "401 reauth_required");
}

#[tokio::test]
async fn s_151_the_settings_in_force_are_told_without_secrets() {
    let configure = |config: &mut symbolon::config::Config| {
        config.registration.invitations = symbolon::model::invitation::Inviters::Everybody;
    };
    let server = TestServer::configured(Setup::default(), configure).await;
    let ada = Admin::owner(&server).await;
    let all = ada.get("/settings").await.ok();
    let items = all["items"].as_array().expect("items");
    let one = |key: &str| items.iter().find(|item| item["key"] == key).unwrap_or_else(|| panic!("no {key}"));
    let lifetime = one("tokens.access_lifetime");
    assert_eq!(
        json!([lifetime["value"], lifetime["default"], lifetime["source"], lifetime["counts_after"]]),
        json!(["15m", "15m", null, "reload"])
    );
    assert!(lifetime["about"].as_str().is_some_and(|about| !about.is_empty()));
    assert_eq!(one("registration.invitations")["source"], "the program");
    assert_eq!((&one("issuer")["counts_after"], &one("database.url")["secret"]), (&json!("restart"), &json!(true)));
    let few = ada.get("/settings?q=TOKENS.&set=false").await.ok();
    let keys: Vec<&str> =
        few["items"].as_array().expect("items").iter().filter_map(|one| one["key"].as_str()).collect();
    assert!(keys.contains(&"tokens.access_lifetime") && keys.iter().all(|key| key.contains("tokens.")), "{keys:?}");
    let set = ada.get("/settings?set=true").await.ok();
    assert!(set["items"].as_array().expect("items").iter().all(|one| one["source"].is_string()), "{set}");
    assert_eq!(code(&ada.get("/settings?set=perhaps").await), "422 invalid_value");
    assert_eq!(code(&ada.get("/settings?key=x").await), "422 unknown_field");
}

#[tokio::test]
async fn s_024_rules_are_made_while_the_server_runs() {
    let configure = |config: &mut symbolon::config::Config| {
        config.identity.rules =
            serde_json::from_value(json!([{"type": "deny", "kind": "phone", "pattern": "^\\+1900"}])).expect("rules");
    };
    let server = TestServer::configured(Setup::default(), configure).await;
    let neighbour = server.neighbour().await;
    let ada = Admin::owner(&server).await;
    let registers = async |server: &TestServer, email: &str| {
        fields(&Spa::open(server).await.post("/registrations", &json!({"email": email})).await)
    };
    let denied = vec!["email identity_not_allowed".to_owned()];

    let new = json!({"type": "deny", "kind": "email", "pattern": "@evil\\.example$", "note": "sent us junk"});
    let made = ada.post("/identity-rules", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    assert_eq!(code(&ada.post("/identity-rules", &new).await), "409 already_exists");
    assert_eq!(registers(&server, "x@evil.example").await, denied, "at once");
    let friend = json!({"type": "allow", "kind": "email", "pattern": "^friend@"});
    assert_eq!(ada.post("/identity-rules", &friend).await.status, StatusCode::CREATED);
    assert!(registers(&server, "friend@evil.example").await.is_empty(), "one that allows beats all that deny");

    // Another node follows with its next look.
    let rules = &neighbour.provider().accounts.settings.rules;
    rules.follow(neighbour.store()).await.expect("the store answers");
    assert_eq!(registers(&neighbour, "y@evil.example").await, denied);

    let list = ada.get("/identity-rules").await.ok();
    // What is made within one second has no order.
    let junk =
        list["items"].as_array().expect("items").iter().find(|rule| rule["id"] == made["id"]).expect("it is there");
    assert_eq!((&junk["note"], ids(&list).len()), (&json!("sent us junk"), 2));
    assert_eq!(list["settings"], json!([{"type": "deny", "kind": "phone", "pattern": "^\\+1900"}]));
    assert_eq!(ids(&ada.get("/identity-rules?kind=phone").await.ok()).len(), 0);
    for (body, field) in [
        (json!({"type": "deny", "kind": "email", "pattern": "("}), "pattern"),
        (json!({"type": "deny", "kind": "email", "pattern": "x".repeat(1_001)}), "pattern"),
        (json!({"type": "deny", "kind": "email"}), "pattern"),
        (json!({"type": "drop", "kind": "email", "pattern": "x"}), "type"),
        (json!({"type": "deny", "kind": "car", "pattern": "x"}), "kind"),
    ] {
        let refused = ada.post("/identity-rules", &body).await;
        assert_eq!(refused.json()["errors"][0]["field"], field, "{body}: {refused}");
    }
    let path = format!("/identity-rules/{}", made["id"].as_str().expect("an id"));
    assert_eq!(ada.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&ada.delete(&path).await), "404 not_found");
    assert!(registers(&server, "z@evil.example").await.is_empty());
    let events = ada.get("/events?event=identity_rule.deleted").await.ok();
    assert_eq!(events["items"][0]["details"]["pattern"], "@evil\\.example$", "{events}");
}
