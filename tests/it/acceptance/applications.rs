//! S-162: the apps that are registered here, for services that look for one another. S-163: the apps that keep profiles.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::admin::{Admin, SCOPE};
use super::groups::registered;
use crate::support::answer::code;
use crate::support::{Answer, Browser, RelyingParty, TestServer, clients};

const LIST: &str = "/api/v1/applications";

/// A service's own token with this scope, for a service that may have `may`.
async fn token(server: &TestServer, id: &str, (may, scope): (&str, &str)) -> Answer {
    let service = clients::client(id, &json!({"grant_types": ["client_credentials"], "scope": may}));
    let service = RelyingParty::of(server, service).await;
    service.post("/oauth2/token", &[("grant_type", "client_credentials"), ("scope", scope)]).await
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn s_162_services_find_one_another() {
    let server = TestServer::start().await;
    let shop = clients::client("shop", &json!({"contacts": ["ops@shop.example"], "client_name": "The Shop"}));
    server.store().create_client(&shop).await.expect("stored");
    let granted = token(&server, "gateway", ("applications:read", "applications:read")).await.ok();
    let token = granted["access_token"].as_str().expect("a token");
    let list = server.get_with(LIST, token).await.ok();
    assert_eq!(ids(&list), ["gateway", "shop"]);
    assert_eq!(
        json!([
            list["items"][1]["name"],
            list["items"][1]["base_url"],
            list["items"][1]["callbacks"],
            list["items"][1]["origins"],
            list["items"][1]["owners"],
        ]),
        json!([
            "The Shop",
            "https://shop.example/",
            ["https://shop.example/callback"],
            ["https://shop.example"],
            ["ops@shop.example"],
        ])
    );
    assert!(!list.to_string().contains("secret"), "{list}");
    let page = server.get_with(&format!("{LIST}?limit=1"), token).await.ok();
    assert_eq!((ids(&page), &page["next"]), (vec!["gateway"], &json!("gateway")));
    let rest = server.get_with(&format!("{LIST}?cursor=gateway"), token).await.ok();
    assert_eq!(ids(&rest), ["shop"]);
    assert_eq!(ids(&server.get_with(&format!("{LIST}?q=SHOP"), token).await.ok()), ["shop"]);
    assert_eq!(code(&server.get_with(&format!("{LIST}?owner=x"), token).await), "422 unknown_field");

    // One that may do nothing is not found.
    let ada = Admin::owner(&server).await;
    ada.put("/clients/shop/state", Some(&json!({"state": "disabled"}))).await.ok();
    assert!(!ids(&server.get_with(LIST, token).await.ok()).contains(&"shop"));
}

#[tokio::test]
async fn s_162_nobody_else_sees_them() {
    let server = TestServer::start().await;
    assert_eq!(code(&server.get(LIST).await), "401 sign_in_required");
    assert_eq!(code(&server.get_with(LIST, "x").await), "401 token_invalid");
    let without = token(&server, "other", ("openid orders:read applications:read", "applications:read")).await.ok();
    assert_eq!(without["scope"], "applications:read");
    let refused = token(&server, "stranger", ("openid", "applications:read")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "it is registered for something else: {refused}");

    // Of people, who administers sees them.
    let console = RelyingParty::of(&server, registered("console", "openid admin admin:read applications:read")).await;
    let person = async |login: &str, scope: &str| {
        let tokens = console.tokens(&Browser::new(&server), login, scope).await;
        server.get_with(LIST, tokens["access_token"].as_str().expect("a token")).await
    };
    assert_eq!(person("ada", SCOPE).await.status, StatusCode::OK);
    assert_eq!(person("ada", "openid admin:read").await.status, StatusCode::OK);
    assert_eq!(code(&person("alice", "openid admin").await), "403 forbidden");
    assert_eq!(code(&person("alice", "openid applications:read").await), "403 forbidden");

    let mut elsewhere =
        clients::client("elsewhere", &json!({"grant_types": ["client_credentials"], "scope": "applications:read"}));
    elsewhere.policy.audience = vec!["https://elsewhere.example".to_owned()];
    let elsewhere = RelyingParty::of(&server, elsewhere).await;
    let tokens = elsewhere.post("/oauth2/token", &[("grant_type", "client_credentials")]).await.ok();
    let foreign = server.get_with(LIST, tokens["access_token"].as_str().expect("a token")).await;
    assert_eq!(code(&foreign), "403 forbidden", "the token is for somebody else");
    let post = server.json((Method::POST, LIST), &json!({}), tokens["access_token"].as_str()).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// What of profiles was told, in the words of the administration: event and app, the oldest first.
async fn profiles(server: &TestServer, ada: &Admin) -> Vec<(String, String)> {
    server.settled().await;
    let list = ada.get("/events?limit=100").await.ok();
    let mut told: Vec<(String, String)> = Vec::new();
    for event in list["items"].as_array().expect("items").iter().rev() {
        let name = event["event"].as_str().expect("a name");
        if name.starts_with("profile.") {
            told.push((name.to_owned(), event["client_id"].as_str().expect("an app").to_owned()));
        }
    }
    told
}

#[tokio::test]
async fn s_163_an_app_that_keeps_profiles_is_told_when_one_begins_and_ends() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let mut client = clients::web("shop");
    client.policy.profile_provisioning = true;
    let shop = RelyingParty::of(&server, client).await;
    let other = RelyingParty::web(&server, "other").await;
    let alice = Browser::new(&server);
    let begun = ("profile.provision".to_owned(), "shop".to_owned());
    for _ in 0..2 {
        shop.tokens(&alice, "alice", "openid").await;
        other.tokens(&alice, "alice", "openid").await;
        assert_eq!(
            profiles(&server, &ada).await,
            std::slice::from_ref(&begun),
            "once, and only for the app that wants it"
        );
        server.advance(std::time::Duration::from_mins(1));
    }
    let id = server.user("alice").await.id;
    let events = ada.get("/events?event=profile.provision").await.ok();
    assert_eq!(events["items"][0]["user_id"], id.to_string());
    assert_eq!(ada.delete(&format!("/users/{id}")).await.status, StatusCode::NO_CONTENT);
    let ended = ("profile.delete".to_owned(), "shop".to_owned());
    assert_eq!(profiles(&server, &ada).await, [begun, ended]);
    let events = ada.get("/events?event=profile.delete").await.ok();
    assert_eq!(events["items"][0]["user_id"], id.to_string(), "whose profile it was");
    assert!(events["items"][0]["actor"]["user"].is_string(), "who deleted the account");
}
