//! Requests that are not granted, each by its own error code.
//!
//! RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6, RFC 7636 §4.4.1, RFC 9700 §2.1.1.

use http::StatusCode;
use serde_json::json;

use crate::support::{Browser, Exchange, RelyingParty, TestServer, clients};

#[tokio::test]
async fn an_unknown_client_is_a_page() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    for exchange in [
        shop.begin("openid").with("client_id", "nobody"),
        shop.begin("openid").without("client_id"),
        shop.begin("openid").with("client_id", ""),
        shop.begin("openid").and("client_id", "shop"),
        shop.begin("openid").with("client_id", "né"),
        shop.begin("openid").with("client_id", &"x".repeat(5_000)),
    ] {
        let answer = browser.begin(&exchange).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{:?}", exchange.parameters);
        assert_eq!(answer.page().heading(), "We do not know this app", "{:?}", exchange.parameters);
    }
}

#[tokio::test]
async fn each_mistake_has_its_error_code() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::signed_in(&server, "alice").await;
    let begin = || shop.begin("openid");
    let cases: Vec<(&str, Exchange)> = vec![
        ("request_not_supported", begin().with("request", "a.b.c")),
        ("request_uri_not_supported", begin().with("request_uri", "https://shop.example/request")),
        ("registration_not_supported", begin().with("registration", "{}")),
        ("invalid_request", begin().without("response_type")),
        ("unsupported_response_type", begin().with("response_type", "token")),
        ("unsupported_response_type", begin().with("response_type", "id_token token")),
        ("unsupported_response_type", begin().with("response_type", "code id_token")),
        ("invalid_request", begin().without("code_challenge").without("code_challenge_method")),
        ("invalid_request", begin().with("code_challenge_method", "plain")),
        ("invalid_request", begin().without("code_challenge_method")),
        ("invalid_request", begin().without("code_challenge")),
        ("invalid_request", begin().with("code_challenge", "short")),
        ("invalid_request", begin().with("code_challenge", &"*".repeat(43))),
        ("invalid_request", begin().with("prompt", "dance")),
        ("invalid_scope", begin().with("scope", "money")),
        ("invalid_scope", begin().with("scope", "open\"id")),
        ("invalid_request", begin().with("nonce", &"n".repeat(2_000))),
        ("invalid_request", begin().with("id_token_hint", "x")),
    ];
    for (expected, exchange) in cases {
        let answer = browser.begin(&exchange).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{:?}", exchange.parameters);
        assert_eq!(shop.error(&exchange, answer.location()), expected, "{:?}", exchange.parameters);
    }
}

/// PROTOCOL R8: refused when repeated, ignored when unknown, absent when empty.
#[tokio::test]
async fn repeated_parameters_are_refused() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    for name in ["response_type", "scope", "nonce", "prompt", "code_challenge", "max_age", "response_mode", "unknown"] {
        let exchange = shop.begin("openid").with(name, "x").and(name, "x");
        let answer = browser.begin(&exchange).await;
        if name == "unknown" {
            continue;
        }
        assert_eq!(shop.error(&exchange, answer.location()), "invalid_request", "{name}");
    }
    let exchange = shop.begin("openid").and("state", "again");
    let url = browser.begin(&exchange).await.location().to_owned();
    assert!(url.contains("error=invalid_request") && !url.contains("state="), "which state is unknown: {url}");
    let exchange = shop.begin("openid").and("redirect_uri", &shop.redirect_uri);
    assert_eq!(browser.begin(&exchange).await.status, StatusCode::BAD_REQUEST);

    let exchange = shop.begin("openid").with("prompt", "").with("max_age", "").with("unknown", "thing");
    assert!(browser.begin(&exchange).await.page().has("login"), "empty is absent, unknown is ignored");
}

/// PROTOCOL T14: what a client may ask for is what it is registered for.
#[tokio::test]
async fn a_client_gets_what_it_is_registered_for() {
    let server = TestServer::start().await;
    let narrow = RelyingParty::of(&server, clients::client("narrow", &json!({"scope": "openid email"}))).await;
    let alice = Browser::new(&server);
    let tokens = narrow.tokens(&alice, "alice", "openid email phone").await;
    assert_eq!(tokens["scope"], "openid email");
    let exchange = narrow.begin("phone");
    let answer = alice.begin(&exchange).await;
    assert_eq!(narrow.error(&exchange, answer.location()), "invalid_scope");

    let service = clients::client("service", &json!({"grant_types": ["client_credentials"], "response_types": []}));
    let service = RelyingParty::of(&server, service).await;
    let exchange = service.begin("openid");
    let answer = alice.begin(&exchange).await;
    assert_eq!(service.error(&exchange, answer.location()), "unauthorized_client");
}

/// PROTOCOL R12, R10: nobody frames a page, no script of another origin reads the endpoint.
#[tokio::test]
async fn pages_defend_themselves() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let page = browser.begin(&shop.begin("openid")).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    assert!(!policy.contains("form-action"), "browsers apply it to the redirect that follows: {policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    assert!(page.headers.get("access-control-allow-origin").is_none());
}
