//! Every operation of the administration, as the OpenAPI document lists them, given by an owner what does not belong there: S-138, S-151,
//! S-174. Who may call is in `admin`; what is answered is described, since the server of these stories compares each answer with the
//! document.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::admin::{Admin, SCOPE};
use super::api::bodies;
use super::groups::registered;
use crate::support::answer::code;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

const BASE: &str = "/api/v1/admin";
/// Of nothing that is there.
const NOBODY: &str = "0192f0a0-0000-7000-8000-00000000abcd";

/// An operation of the administration.
struct Operation {
    method: Method,
    /// Below `/admin`, with its braces.
    template: String,
    described: Value,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// The names of its parameters that stand in `place`.
    fn parameters(&self, place: &str) -> Vec<&str> {
        let all = self.described["parameters"].as_array().into_iter().flatten();
        all.filter(|one| one["in"] == place).map(|one| one["name"].as_str().expect("a name")).collect()
    }

    /// The schema of the JSON that it takes, if it takes any.
    fn takes<'d>(&self, document: &'d Value) -> Option<&'d Value> {
        let reference = self.described["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
        document.pointer(reference.trim_start_matches('#'))
    }

    /// A body with what must be there.
    fn least(&self, document: &Value) -> Value {
        let Some(schema) = self.takes(document) else { return json!({}) };
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let filled = required.map(|name| {
            let value = match schema["properties"][name]["type"].as_str() {
                Some("array") => json!([]),
                Some("object") => json!({}),
                Some("integer") => json!(1),
                Some("boolean") => json!(true),
                _ => schema["properties"][name]["enum"].get(0).cloned().unwrap_or_else(|| json!("x")),
            };
            (name.to_owned(), value)
        });
        Value::Object(filled.collect())
    }

    fn lists(&self) -> bool {
        self.method == Method::GET && self.parameters("query").contains(&"cursor")
    }
}

/// A server with one of each thing, and Ada, who owns it.
struct House {
    server: TestServer,
    ada: Admin,
    token: String,
    document: Value,
}

impl House {
    async fn furnished() -> Self {
        let server = TestServer::start().await;
        let console = RelyingParty::of(&server, registered("console", "openid admin admin:read profile")).await;
        let tokens = console.tokens(&Browser::new(&server), "ada", SCOPE).await;
        let token = tokens["access_token"].as_str().expect("a token").to_owned();
        let desk = RelyingParty::of(&server, registered("desk", "openid admin admin:read profile")).await;
        let ada = Admin::by(&server, &desk, ("ada", SCOPE)).await;
        let document = server.get("/api/v1/openapi.json").await.ok();
        let house = Self { server, ada, token, document };
        let group = house.makes("/groups", json!({"name": "Staff"})).await;
        house
            .makes("/group-scopes", json!({"group_id": group["id"], "name": "Buying", "scopes": ["orders:write"]}))
            .await;
        house.makes("/roles", json!({"name": "editor"})).await;
        house.makes("/permissions", json!({"name": "shop:orders:read"})).await;
        let source = json!({"from": "groups", "form": "name"});
        house.makes("/claim-mappers", json!({"claim": "team", "source": source, "into": ["id_token"]})).await;
        house.makes("/apis", json!({"audience": "https://orders.example", "scopes": ["orders:read"]})).await;
        house.makes("/providers", json!({"slug": "google", "client_id": "123.apps", "client_secret": "GOCSPX"})).await;
        house.makes("/invitations", json!({"email": "erin@example.com"})).await;
        house
    }

    async fn makes(&self, path: &str, body: Value) -> Value {
        let made = self.ada.post(path, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{path}: {made}");
        made.json()
    }

    fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().expect("paths").iter();
        let below = paths.filter_map(|(path, item)| Some((path.strip_prefix(BASE)?.to_owned(), item)));
        below
            .flat_map(|(template, item)| {
                let of_path = item.as_object().expect("operations").iter();
                let operation = move |(method, described): (&String, &Value)| Operation {
                    method: method.to_ascii_uppercase().parse().expect("a method"),
                    template: template.clone(),
                    described: described.clone(),
                };
                of_path.map(operation).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The path with what is there in the place of each parameter: the first that its list shows, but of people Alice, whom an
    /// owner may do everything to. `None` where there is nothing.
    async fn real(&self, template: &str) -> Option<String> {
        let mut path = String::new();
        for segment in template.split('/').skip(1) {
            if !segment.starts_with('{') {
                path = format!("{path}/{segment}");
                continue;
            }
            let id = if path == "/users" || segment == "{user_id}" {
                self.server.user("alice").await.id.to_string()
            } else {
                let list = self.ada.get(&path).await;
                let first = list.status.is_success().then(|| list.json()["items"][0].clone())?;
                let named = ["id", "client_id", "name", "kid"].into_iter().find_map(|name| first[name].as_str());
                named?.to_owned()
            };
            path = format!("{path}/{id}");
        }
        Some(path)
    }

    /// A body of this type, as it is.
    async fn sends(&self, (method, path): (&Method, &str), (content_type, body): (&str, Vec<u8>)) -> Answer {
        let request = Request::builder().method(method.clone()).uri(format!("{BASE}{path}"));
        let request =
            request.header(AUTHORIZATION, format!("Bearer {}", self.token)).header(CONTENT_TYPE, content_type);
        self.server.send(request.body(Body::from(body)).expect("a request")).await
    }
}

#[track_caller]
fn is_clear(answer: &Answer, what: &str) {
    assert!(!answer.status.is_server_error(), "{what}: {answer}");
    let text = answer.text().to_ascii_lowercase();
    for leak in ["panicked", "sqlx", "serde", ".rs:", "expected value", "at line"] {
        assert!(!text.contains(leak), "{what}: {answer}");
    }
}

/// Bodies of every wrong shape, to things that are there: by one who may change them.
#[tokio::test]
async fn s_174_no_body_of_an_owner_breaks_an_operation() {
    let house = House::furnished().await;
    let mut tried = 0;
    for operation in house.operations().iter().filter(|one| one.takes(&house.document).is_some()) {
        let Some(path) = house.real(&operation.template).await else { continue };
        // A body that is right after all ends the key that signed the token which asks.
        let is_of_keys = operation.template.starts_with("/keys/");
        let bodies = if is_of_keys { Vec::new() } else { bodies(&house.document, &operation.described) };
        for (content_type, body) in bodies {
            let what = format!("{} {:.60}", operation.name(), String::from_utf8_lossy(&body));
            is_clear(&house.sends((&operation.method, &path), (content_type, body)).await, &what);
            tried += 1;
        }
        let strange = json!({"no_such_field": 1}).to_string().into_bytes();
        let refused = house.sends((&operation.method, &path), ("application/json", strange)).await;
        assert!(
            ["422 unknown_field", "422 required"].contains(&code(&refused).as_str()),
            "{}: {refused}",
            operation.name()
        );
        assert!(refused.text().contains("unknown_field"), "{}: {refused}", operation.name());
    }
    assert!(tried > 1_000, "{tried}");
    assert_eq!(house.ada.get("/users").await.status, StatusCode::OK, "she may still");
}

/// What is not there is not found, whatever stands in its place.
#[tokio::test]
async fn s_151_what_is_not_there_is_not_found() {
    let house = House::furnished().await;
    let alice = house.server.user("alice").await.id.to_string();
    let mut tried = 0;
    for operation in house.operations().iter().filter(|one| one.template.contains('{')) {
        let long = "x".repeat(4_000);
        // Of nothing, of something of another kind, and no ids at all.
        let others = [NOBODY, &alice, "x", "-1", "%00", "%2e%2e%2fusers", "%FF", "a%20b", "'%20OR%201=1", &long];
        for other in others {
            if other == alice && operation.template.starts_with("/users/{") {
                continue;
            }
            let parts: Vec<&str> =
                operation.template.split('/').map(|part| if part.starts_with('{') { other } else { part }).collect();
            let path = parts.join("/");
            let what = format!("{} of {other:.40}", operation.name());
            let answer = house.sends((&operation.method, &path), ("application/json", b"{}".to_vec())).await;
            is_clear(&answer, &what);
            let body_first = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT].contains(&answer.status);
            let is_refused = answer.status == StatusCode::NOT_FOUND
                || operation.described.get("requestBody").is_some() && body_first;
            assert!(is_refused, "{what}: {answer}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Whoever says what they have seen does not change what is another now.
#[tokio::test]
async fn s_138_what_was_changed_meanwhile_is_not_changed_blindly() {
    let house = House::furnished().await;
    let mut tried = 0;
    for operation in house.operations().iter().filter(|one| one.parameters("header").contains(&"If-Match")) {
        let Some(path) = house.real(&operation.template).await else { continue };
        for seen in ["\"stale\"", "stale", "W/\"x\"", "\"", ""] {
            let body = operation.least(&house.document);
            let answer = house.ada.send(operation.method.clone(), &path, (Some(&body), Some(seen))).await;
            assert_eq!(code(&answer), "412 precondition_failed", "{} with {seen:?}: {answer}", operation.name());
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

/// Each list refuses a cursor that it never gave, a page of no size, and a filter that it does not know.
#[tokio::test]
async fn s_138_lists_refuse_what_they_did_not_give() {
    let house = House::furnished().await;
    let mut tried = 0;
    for operation in house.operations().iter().filter(|one| one.method == Method::GET) {
        let Some(path) = house.real(&operation.template).await else { continue };
        let name = operation.name();
        for (parameter, value, refused) in [
            ("limit", "0", operation.lists()),
            ("limit", "-1", operation.lists()),
            ("limit", "101", operation.lists()),
            ("limit", "99999999999999999999", operation.lists()),
            ("limit", "x", operation.lists()),
            ("no_such_filter", "1", operation.lists()),
            // Some of these may be names in one list or another.
            ("cursor", "x", false),
            ("cursor", "", false),
            ("cursor", "%00", false),
            ("cursor", "-1.x", false),
            ("cursor", "9223372036854775808.x", false),
            ("cursor", NOBODY, false),
            ("cursor", "JyBPUiAxPTEgLS0", false),
            ("cursor", "%FF", false),
        ] {
            let answer = house.ada.get(&format!("{path}?{parameter}={value}")).await;
            is_clear(&answer, &format!("{name}?{parameter}={value}"));
            assert!(
                !refused || answer.status == StatusCode::UNPROCESSABLE_ENTITY,
                "{name} {parameter}={value}: {answer}"
            );
            tried += 1;
        }
        for parameter in operation.parameters("query") {
            for value in ["", "x", "%00", "-1", "1e999", "%25", "'%3B--", &"x".repeat(400), "a&cursor=x&cursor=y"] {
                let answer = house.ada.get(&format!("{path}?{parameter}={value}")).await;
                is_clear(&answer, &format!("{name}?{parameter}={value}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
    for cursor in ["x", "1", "1.x", "x.1"] {
        assert_eq!(code(&house.ada.get(&format!("/users?cursor={cursor}")).await), "422 invalid_value", "{cursor}");
    }
}
