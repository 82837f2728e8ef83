//! S-144: one catalogue of events, each with the schema of what it tells; and no secret in any of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use symbolon::edge::store::EventQuery;
use symbolon::http::api::admin::events::AdminEvent;
use symbolon::model::client::RefreshTokenPolicy;
use symbolon::model::event::EventName;

use super::admin::Admin;
use super::registration::registers;
use super::second_factor::enrol;
use crate::support::answer::code;
use crate::support::clients::{self, SECRET};
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

/// Everything that happened, as it is told.
async fn told(server: &TestServer) -> Vec<Value> {
    server.settled().await;
    let query = EventQuery { limit: 10_000, ..EventQuery::default() };
    let events = server.store().find_events(&query).await.expect("read");
    events.into_iter().map(|event| serde_json::to_value(AdminEvent::of(event)).expect("JSON")).collect()
}

/// What `value` has that `schema` does not allow, by the words of JSON Schema that ours use.
fn faults(schema: &Value, value: &Value) -> Vec<String> {
    if let Some(constant) = schema.get("const") {
        return if constant == value { vec![] } else { vec![format!("{value} is not {constant}")] };
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { vec![] } else { vec![format!("{value} is none of {words:?}")] };
    }
    if let Some(ways) = schema["oneOf"].as_array() {
        let fits = ways.iter().filter(|way| faults(way, value).is_empty()).count();
        return if fits == 1 { vec![] } else { vec![format!("{value} fits {fits} of {ways:?}")] };
    }
    let named = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "null" => value.is_null(),
        other => panic!("our schemas do not say {other}"),
    };
    let is_typed = match &schema["type"] {
        Value::String(name) => named(name),
        Value::Array(several) => several.iter().any(|name| named(name.as_str().expect("a name"))),
        other => panic!("no type: {other}"),
    };
    if !is_typed {
        return vec![format!("{value} is no {}", schema["type"])];
    }
    let mut faults_of = Vec::new();
    if let Some(object) = value.as_object() {
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        for name in schema["required"].as_array().expect("a list") {
            let name = name.as_str().expect("a name");
            faults_of.extend((!object.contains_key(name)).then(|| format!("{name} is missing in {value}")));
        }
        for (name, value) in object {
            match schema["properties"].get(name) {
                Some(schema) => faults_of.extend(faults(schema, value)),
                None => faults_of.push(format!("{name} is not described")),
            }
        }
    }
    faults_of.extend(value.as_array().into_iter().flatten().flat_map(|item| faults(&schema["items"], item)));
    faults_of
}

/// What was given to people and apps, and must not be told to anybody else.
#[derive(Default)]
struct Secrets {
    /// Long enough to be looked for anywhere.
    long: Vec<String>,
    /// Codes of few letters, which other texts may hold by chance.
    short: Vec<String>,
}

impl Secrets {
    fn add(&mut self, secret: impl Into<String>) {
        let secret = secret.into();
        let kind = if secret.len() >= 16 { &mut self.long } else { &mut self.short };
        kind.push(secret);
    }

    fn add_tokens(&mut self, tokens: &Value) {
        for name in ["access_token", "refresh_token", "id_token"] {
            if let Some(token) = tokens[name].as_str() {
                self.add(token);
                // A part of it is too much as well.
                self.long.extend(token.split('.').filter(|part| part.len() >= 16).map(str::to_owned));
            }
        }
    }
}

/// People and apps do what they do, on the right way and on wrong ones; returns every secret that was used.
async fn a_busy_day(server: &TestServer) -> Secrets {
    let mut secrets = Secrets::default();
    for secret in [PASSWORD, SECRET, "a wrong password of somebody"] {
        secrets.add(secret);
    }
    let mut shop = clients::web("shop");
    shop.policy.refresh_token = RefreshTokenPolicy::Always;
    let shop = RelyingParty::of(server, shop).await;
    let alice = Browser::new(server);
    let exchange = shop.begin("openid offline_access");
    let url = alice.authorize(&exchange, "alice").await;
    let code_of_app = shop.code(&exchange, &url);
    let tokens = shop.redeem(&exchange, &code_of_app).await.ok();
    secrets.add(code_of_app);
    secrets.add(exchange.verifier.clone());
    secrets.add_tokens(&tokens);
    let old = tokens["refresh_token"].as_str().expect("a token");
    let next = shop.refresh(old).await.ok();
    secrets.add_tokens(&next);
    server.advance(std::time::Duration::from_mins(1));
    assert_eq!(shop.refresh(old).await.error(), "400 invalid_grant", "it came again");
    secrets.add(alice.cookie("symbolon_session").expect("a session"));

    let spa = Spa::open(server).await;
    assert_eq!(code(&spa.sign_in("alice", "a wrong password of somebody").await), "401 invalid_credentials");
    let asked = spa.post("/sign-in", &json!({"method": "email_code", "identifier": "alice@example.com"})).await.json();
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    for value in ["000000", &right] {
        spa.post("/sign-in/challenge", &json!({"flow": asked["flow"], "type": "email_code", "value": value})).await;
    }
    secrets.add(right);
    secrets.add(asked["flow"].as_str().expect("a handle"));

    let bob = Spa::signed_in(server, "bob").await;
    let (app, backup) = enrol(server, &bob).await;
    secrets.add(app.0.clone());
    secrets.add(app.fresh(server));
    for code in backup {
        secrets.add(code);
    }

    let carol = Spa::open(server).await;
    let new = json!({"email": "carol@example.net", "password": PASSWORD});
    registers(server, &carol, &new).await;
    secrets.add(server.mailbox().code_for("carol@example.net"));
    carol.post("/password-resets", &json!({"identifier": "carol@example.net"})).await;
    server.deliver().await;
    let link = server.mailbox().link_for("carol@example.net");
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    let password = "tulips in the rain 42";
    let set = carol.post("/password-resets/confirm", &json!({"token": token, "password": password})).await;
    assert!(set.status.is_success(), "{set}");
    secrets.add(token);
    secrets.add(password);

    let ada = Admin::owner(server).await;
    let staff = ada.post("/groups", &json!({"name": "staff"})).await.json();
    let path = format!("/groups/{}/members/{}", staff["id"].as_str().expect("an id"), server.user("alice").await.id);
    ada.put(&path, None).await;
    ada.post("/users", &json!({"email": "dave@example.com", "name": "Dave"})).await;
    server.deliver().await;
    secrets.add(server.mailbox().link_for("dave@example.com").split("token=").nth(1).expect("a token"));
    let provider = json!({"slug": "google", "client_id": "123.apps", "client_secret": "GOCSPX-very-secret"});
    ada.post("/providers", &provider).await;
    secrets.add("GOCSPX-very-secret");
    ada.post("/invitations", &json!({"email": "erin@example.com"})).await;
    server.deliver().await;
    secrets.add(server.mailbox().link_for("erin@example.com").split(['=', '/']).next_back().expect("a token"));
    secrets
}

/// In debug builds, which tests are, nothing is written that the catalogue does not say; so every other story proves it as well.
#[tokio::test]
async fn s_144_events_are_told_as_their_schemas_say() {
    let server = TestServer::start().await;
    a_busy_day(&server).await;
    let events = told(&server).await;
    let mut seen = BTreeSet::new();
    for event in &events {
        let name = event["event"].as_str().expect("a name");
        let schema = server.get(&format!("/api/v1/event-types/{name}")).await.ok();
        assert_eq!(faults(&schema, event), [""; 0], "{event}");
        seen.insert(name);
    }
    assert!(seen.len() >= 10, "a busy day: {seen:?}");
    for name in
        ["sign_in", "user.created", "password.reset", "mfa.changed", "token.reuse_detected", "group.member_added"]
    {
        assert!(seen.contains(name), "{name} is not in {seen:?}");
    }
    let mut other = events[0].clone();
    other["details"]["secret"] = json!("x");
    let schema = server.get(&format!("/api/v1/event-types/{}", other["event"].as_str().expect("a name"))).await.ok();
    assert_eq!(faults(&schema, &other), ["secret is not described"]);
}

#[tokio::test]
async fn s_144_no_event_holds_a_secret() {
    let server = TestServer::start().await;
    let secrets = a_busy_day(&server).await;
    for event in told(&server).await {
        let text = event.to_string();
        for secret in &secrets.long {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
        let details = event["details"].to_string();
        let words: Vec<&str> = details.split(|letter: char| !letter.is_alphanumeric() && letter != '-').collect();
        for secret in &secrets.short {
            assert!(!words.contains(&secret.as_str()), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn s_144_the_catalogue_of_events_is_there_for_everybody() {
    let server = TestServer::start().await;
    let list = server.get("/api/v1/event-types").await.ok();
    let types = list["event_types"].as_array().expect("a list");
    assert_eq!(types.len(), EventName::ALL.len());
    for event_type in types {
        let name = event_type["event"].as_str().expect("a name");
        let schema = server.get(&format!("/api/v1/event-types/{name}")).await.ok();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["properties"]["event"]["const"], name);
        assert_eq!(schema["properties"]["details"]["required"], event_type["always"], "{name}");
        let described = schema["properties"]["details"]["properties"].as_object().expect("properties");
        assert!(described.values().all(|detail| detail["description"].as_str().is_some_and(|text| !text.is_empty())));
        let told = event_type["always"].as_array().into_iter().chain(event_type["maybe"].as_array()).flatten();
        assert_eq!(told.count(), described.len(), "{name}");
    }
    assert_eq!(code(&server.get("/api/v1/event-types/no.such").await), "404 not_found");
}
