//! Manners of the API: S-173, S-174, S-176 to S-178, S-181.

use std::collections::BTreeSet;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::server::Setup;
use crate::support::spa::Spa;

async fn document(server: &TestServer) -> Value {
    server.get("/api/v1/openapi.json").await.ok()
}

#[tokio::test]
async fn s_173_each_code_of_the_catalogue_is_explained() {
    let server = TestServer::start().await;
    let catalogue = server.get("/api/v1/errors").await.ok();
    let entries = catalogue["errors"].as_array().expect("a list").clone();
    let codes: BTreeSet<&str> = entries.iter().map(|entry| entry["code"].as_str().expect("a code")).collect();
    assert_eq!(codes.len(), entries.len(), "each stands once");
    for entry in &entries {
        let code = entry["code"].as_str().expect("a code");
        assert_eq!(entry["type"], format!("http://localhost:8080/api/v1/errors#{code}"));
        let title = entry["title"].as_str().expect("a title");
        assert!(!title.is_empty() && !title.contains(code) || code == "blank", "{code}: {title}");
    }
    for code in ["blank", "password_too_short", "invalid_credentials", "csrf_failed", "link_invalid", "rate_limited"] {
        assert!(codes.contains(code), "{code}");
    }
    for gone in ["user_does_not_exist", "unknown_user"] {
        assert!(!codes.contains(gone), "{gone} tells who exists");
    }
}

#[tokio::test]
async fn s_173_a_refusal_is_a_problem() {
    let server = TestServer::start().await;
    let answer = server.get("/api/v1/nothing").await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(
        problem,
        json!({
            "type": "http://localhost:8080/api/v1/errors#not_found", "title": "There is nothing here", "status": 404,
            "code": "not_found", "request_id": answer.header("x-request-id"),
        })
    );
    let refused = server.send(Request::patch("/api/v1/session").body(Body::empty()).expect("a request")).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.json()["code"], "method_not_allowed");
    let allow: BTreeSet<&str> = refused.header("allow").split(',').map(str::trim).collect();
    assert_eq!(allow, BTreeSet::from(["GET", "HEAD", "DELETE", "OPTIONS"]));
}

#[tokio::test]
async fn s_173_oauth_endpoints_keep_their_own_words() {
    let server = TestServer::start().await;
    let answer = server.post("/oauth2/token", &[("grant_type", "authorization_code")]).await;
    assert_eq!(answer.error(), "401 invalid_client");
    assert_eq!(answer.header("content-type"), "application/json");
}

/// Every body of every operation, filled with what does not belong there. What is answered is described, since the
/// server of these stories compares each answer with the document.
#[tokio::test]
async fn s_174_no_body_breaks_an_operation() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let method: Method = method.to_ascii_uppercase().parse().expect("a method");
            if method.is_safe() {
                continue;
            }
            let target = path.replace(['{', '}'], "");
            for (content_type, body) in bodies(&document, operation) {
                let length = body.len();
                let request = Request::builder().method(method.clone()).uri(&target).header(CONTENT_TYPE, content_type);
                let answer = server.send(request.body(Body::from(body)).expect("a request")).await;
                assert!(!answer.status.is_server_error(), "{method} {target}, {length} bytes: {answer}");
                let text = answer.text().to_ascii_lowercase();
                for leak in ["select ", "panicked", "sqlx", "serde", "stack", ".rs:", "expected value", "at line"] {
                    assert!(!text.contains(leak), "{method} {target}: {answer}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 0);
}

/// Bodies that are wrong: of the wrong shape, and of the right members with wrong values.
pub(super) fn bodies(document: &Value, operation: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let json = "application/json";
    let mut bodies: Vec<(&str, Vec<u8>)> = [
        &b""[..],
        b"{}",
        b"[]",
        b"null",
        b"1",
        b"\"x\"",
        b"{",
        b"{\"a\":1,\"a\":2}",
        b"{\"a\":\"\xff\xfe\"}",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"\0",
    ]
    .map(|body| (json, body.to_vec()))
    .into();
    bodies.push((json, "[".repeat(100_000).into_bytes()));
    bodies.push((json, format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200)).into_bytes()));
    bodies.push((json, format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)).into_bytes()));
    bodies.push(("text/plain", b"{}".to_vec()));
    bodies.push(("application/x-www-form-urlencoded", b"a=b".to_vec()));
    let reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
    let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) else { return bodies };
    let schema = &document["components"]["schemas"][name];
    let names: Vec<&String> = schema["properties"].as_object().expect("members").keys().collect();
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1.5e300),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("\u{0}\u{1}\u{202e}"),
        json!("'; DROP TABLE user_account; --"),
        json!("x".repeat(5_000)),
        json!([]),
        json!([[[]]]),
        json!({}),
        json!({"$ne": null}),
    ];
    for value in values {
        let all: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| ((*name).clone(), value.clone()))
            .chain([("unknown".to_owned(), value.clone())])
            .collect();
        bodies.push((json, Value::Object(all).to_string().into_bytes()));
        for name in &names {
            bodies.push((json, json!({ name.as_str(): value }).to_string().into_bytes()));
        }
    }
    bodies
}

#[tokio::test]
async fn s_176_the_document_is_openapi_3_1() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "http://localhost:8080");
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    assert_eq!(schemes.keys().collect::<Vec<_>>(), ["access_cookie", "bearer", "cookie", "csrf", "refresh_cookie"]);
    assert_eq!(schemes["csrf"]["name"], "X-CSRF-Token");
    assert_eq!(schemes["cookie"]["name"], "symbolon_session");
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            let responses = operation["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
            assert!(responses.keys().any(|status| status.starts_with('5')), "{method} {path}");
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn s_177_the_index_leads_to_every_operation() {
    let server = TestServer::start().await;
    let index = server.get("/api/v1").await.ok();
    assert_eq!(index["issuer"], "http://localhost:8080");
    let document = document(&server).await;
    let described: usize = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .map(|item| item.as_object().expect("operations").len())
        .sum();
    let links = index["operations"].as_array().expect("a list");
    assert_eq!(links.len(), described);
    for link in links {
        let path = link["href"].as_str().expect("a URL").trim_start_matches("http://localhost:8080");
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    for name in ["openapi", "errors"] {
        let path = index[name].as_str().expect("a URL").trim_start_matches("http://localhost:8080");
        assert_eq!(server.get(path).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn s_178_options_tell_what_may_be_done() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let target = path.replace(['{', '}'], "");
        let answer = server.send(Request::options(&target).body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{target}");
        assert!(answer.body.is_empty());
        let allowed: BTreeSet<String> =
            answer.header("allow").split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        for method in item.as_object().expect("operations").keys() {
            assert!(allowed.contains(method) && allowed.contains("options"), "{target}: {allowed:?}");
        }
    }
}

/// A server with one group switched off.
async fn without(group: &str) -> TestServer {
    TestServer::configured(Setup::default(), |config| {
        let mut set = serde_json::to_value(&config.endpoints).expect("JSON");
        set[group] = json!(false);
        config.endpoints = serde_json::from_value(set).expect("switches");
    })
    .await
}

/// Each switch by itself: what goes with it is nowhere, what does not is where it was.
#[tokio::test]
async fn s_181_what_is_switched_off_is_nowhere() {
    let full = document(&TestServer::start().await).await;
    let operations = |document: &Value| -> BTreeSet<(String, String)> {
        let paths = document["paths"].as_object().expect("paths");
        let of = |(path, item): (&String, &Value)| {
            let methods = item.as_object().expect("operations").keys().cloned().collect::<Vec<_>>();
            methods.into_iter().map(|method| (method.to_ascii_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of).collect()
    };
    let tag = |document: &Value, (method, path): &(String, String)| {
        document["paths"][path][method.to_ascii_lowercase()]["tags"][0].as_str().expect("a tag").to_owned()
    };
    let every = operations(&full);
    let switches = serde_json::to_value(symbolon::config::endpoints::Endpoints::default()).expect("JSON");
    for group in switches.as_object().expect("switches").keys() {
        let server = without(group).await;
        let document = document(&server).await;
        let there = operations(&document);
        let gone: BTreeSet<_> = every.difference(&there).cloned().collect();
        // Who cannot set a new password is not asked to.
        let goes = |tag: &str| tag == group || group == "reset" && tag == "reset_mail";
        let expected: BTreeSet<_> = every.iter().filter(|one| goes(&tag(&full, one))).cloned().collect();
        assert_eq!(gone, expected, "{group}");
        assert!(there.iter().all(|one| tag(&document, one) != *group), "{group}");
        let index = server.get("/api/v1").await.ok();
        let links = index["operations"].as_array().expect("a list").iter();
        let linked = links.map(|link| {
            let path = link["href"].as_str().expect("a URL").trim_start_matches("http://localhost:8080");
            (link["method"].as_str().expect("a method").to_owned(), path.to_owned())
        });
        assert_eq!(linked.collect::<BTreeSet<_>>(), there, "{group}");
        for (method, path) in &gone {
            let target = path.replace(['{', '}'], "");
            let request = Request::builder().method(method.as_str()).uri(&target).body(Body::empty());
            let answer = server.send(request.expect("a request")).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &json!("not_found")), "{method} {path}");
            let request = Request::options(&target).body(Body::empty()).expect("a request");
            let allowed = server.send(request).await.header("allow").to_owned();
            assert!(!allowed.split(", ").any(|allowed| allowed == method), "{method} {path}: {allowed}");
        }
        let options = server.get("/api/v1/sign-in/options").await.ok();
        assert_eq!(options["switches"][group], false, "{group}");
    }
}

/// Ways to begin have one route; each is gone all the same.
#[tokio::test]
async fn s_181_a_way_to_sign_in_is_switched_off() {
    for (group, ways) in [
        ("otp", &["email_code", "sms_code"][..]),
        ("magic", &["magic_link"]),
        ("qr", &["qr"]),
        ("social", &["social_token"]),
    ] {
        let server = without(group).await;
        let schema = &document(&server).await["components"]["schemas"]["StartSignIn"];
        let listed = schema["properties"]["method"]["enum"].to_string();
        let offered = server.get("/api/v1/sign-in/options").await.ok()["methods"].to_string();
        assert!(listed.contains("password") && offered.contains("password"), "{listed} {offered}");
        let spa = Spa::open(&server).await;
        for way in ways {
            let quoted = format!("{way:?}");
            assert!(!listed.contains(&quoted) && !offered.contains(&quoted), "{way}: {listed} {offered}");
            let body = json!({"method": way, "identifier": "alice@example.com"});
            let body = match *way {
                "social_token" => json!({"method": way, "provider": "x", "id_token": "x"}),
                "qr" => json!({"method": way}),
                _ => body,
            };
            let refused = spa.post("/sign-in", &body).await;
            assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (404, &json!("not_found")), "{way}");
        }
        server.deliver().await;
        assert!(server.mailbox().messages().is_empty());
        assert_eq!(spa.sign_in("alice", crate::support::server::PASSWORD).await.status, StatusCode::OK);
    }
}
