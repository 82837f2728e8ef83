//! What scripts of other origins may call and read.
//!
//! DECISIONS (CORS), RFC 9700 §2.6, Fetch §3.3; PROTOCOL R10.

use axum::body::Body;
use http::header::ORIGIN;
use http::{Method, Request, StatusCode};

use crate::support::{Answer, Browser, RelyingParty, TestServer};

const OWN: &str = "https://spa.example";
const ENDPOINTS: &[&str] =
    &["/oauth2/token", "/oauth2/userinfo", "/oauth2/revoke", "/oauth2/introspect", "/oauth2/register"];

async fn preflight(server: &TestServer, path: &str, origin: &str) -> Answer {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .header(ORIGIN, origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    server.send(request.body(Body::empty()).expect("a request")).await
}

fn allowed(answer: &Answer) -> &str {
    assert!(answer.headers.get("access-control-allow-credentials").is_none(), "never with credentials: {answer}");
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn a_preflight_is_answered_for_registered_origins() {
    let server = TestServer::start().await;
    for path in ENDPOINTS {
        assert_eq!(allowed(&preflight(&server, path, OWN).await), "", "{path}: nobody is registered yet");
    }
    server.advance(std::time::Duration::from_secs(1));
    RelyingParty::spa(&server, "spa").await;
    for path in ENDPOINTS {
        let answer = preflight(&server, path, OWN).await;
        assert!(answer.status.is_success(), "{path}: {answer}");
        assert_eq!(allowed(&answer), OWN, "{path}");
        assert!(answer.header("access-control-allow-headers").to_lowercase().contains("authorization"), "{answer}");
        assert_eq!(answer.header("vary"), "Origin");
        for foreign in [
            "https://evil.example",
            "null",
            "http://spa.example",
            "https://spa.example:8443",
            "https://spa.example.evil.example",
        ] {
            assert_eq!(allowed(&preflight(&server, path, foreign).await), "", "{path} {foreign}");
        }
    }
    for path in ["/oauth2/authorize", "/sign-in", "/consent", "/account"] {
        let answer = preflight(&server, path, OWN).await;
        assert_eq!(allowed(&answer), "", "{path}");
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn an_answer_is_read_by_the_clients_own_origin() {
    let server = TestServer::start().await;
    let spa = RelyingParty::spa(&server, "spa").await;
    RelyingParty::spa(&server, "other").await;
    let exchange = spa.begin("openid offline_access");
    let code = spa.code(&exchange, &Browser::new(&server).authorize(&exchange, "alice").await);
    let from = |mut request: Request<Body>, origin: &str| {
        request.headers_mut().insert(ORIGIN, origin.parse().expect("ASCII"));
        server.send(request)
    };
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", &*spa.redirect_uri),
        ("code_verifier", &*exchange.verifier),
    ];
    let answer = from(spa.request("/oauth2/token", &fields), OWN).await;
    assert_eq!(allowed(&answer), OWN);
    let tokens = answer.ok();
    let unknown = [("grant_type", "refresh_token"), ("refresh_token", "unknown")];
    let refused = from(spa.request("/oauth2/token", &unknown), OWN).await;
    assert_eq!((refused.error().as_str(), allowed(&refused)), ("400 invalid_grant", OWN), "refusals are read too");

    let userinfo = |token: &str| {
        Request::get("/oauth2/userinfo")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .expect("a request")
    };
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(allowed(&from(userinfo(access_token), OWN).await), OWN);
    assert_eq!(allowed(&from(userinfo("dead"), OWN).await), OWN, "an app learns that its token is dead");
    for foreign in ["https://evil.example", "https://other.example", "null"] {
        assert_eq!(allowed(&from(userinfo(access_token), foreign).await), "", "{foreign}");
        let request = spa.request("/oauth2/revoke", &[("token", "x")]);
        assert_eq!(allowed(&from(request, foreign).await), "", "{foreign}");
    }
    let web = RelyingParty::web(&server, "web").await;
    for (origin, read) in [("https://web.example", "https://web.example"), (OWN, ""), ("null", "")] {
        let request = web.request("/oauth2/introspect", &[("token", access_token)]);
        assert_eq!(allowed(&from(request, origin).await), read, "known by Basic, from {origin}");
    }
    let answer = from(spa.request("/oauth2/revoke", &[("token", access_token)]), OWN).await;
    assert_eq!((answer.status, allowed(&answer)), (StatusCode::OK, OWN));
}

#[tokio::test]
async fn a_registration_is_read_by_the_origin_it_is_for() {
    let server = TestServer::start().await;
    let metadata = serde_json::json!({"redirect_uris": ["https://spa.example/"], "token_endpoint_auth_method": "none"});
    let from = |request: http::request::Builder, origin: &str, body: String| {
        server.send(request.header(ORIGIN, origin).body(Body::from(body)).expect("a request"))
    };
    for (origin, read) in [("https://evil.example", ""), (OWN, OWN)] {
        let request = Request::post("/oauth2/register").header("content-type", "application/json");
        let registered = from(request, origin, metadata.to_string()).await;
        assert_eq!(registered.status, StatusCode::CREATED);
        assert_eq!(allowed(&registered), read);
        let registered: serde_json::Value = serde_json::from_slice(&registered.body).expect("JSON");
        let text = |name: &str| registered[name].as_str().expect("text").to_owned();
        let request = Request::get(format!("/oauth2/register/{}", text("client_id")));
        let request = request.header("authorization", format!("Bearer {}", text("registration_access_token")));
        assert_eq!(allowed(&from(request, origin, String::new()).await), read);
    }
}

/// A client that is gone takes its origin along.
#[tokio::test]
async fn the_origin_of_a_removed_client_is_unknown_again() {
    let server = TestServer::start().await;
    let metadata = serde_json::json!({"redirect_uris": ["https://spa.example/"], "token_endpoint_auth_method": "none"});
    let registered = server.json((Method::POST, "/oauth2/register"), &metadata, None).await.ok();
    assert_eq!(allowed(&preflight(&server, "/oauth2/token", OWN).await), OWN);
    let text = |name: &str| registered[name].as_str().expect("text").to_owned();
    let path = format!("/oauth2/register/{}", text("client_id"));
    let token = text("registration_access_token");
    server.json((Method::DELETE, &path), &serde_json::Value::Null, Some(&token)).await;
    assert_eq!(allowed(&preflight(&server, "/oauth2/token", OWN).await), "");
}
