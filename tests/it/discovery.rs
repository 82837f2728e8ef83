//! What the server says about itself, and that it is true.
//!
//! OIDC Discovery §3, §4; RFC 8414 §2, §3.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::server::Setup;
use crate::support::{Browser, RelyingParty, TestServer};

#[tokio::test]
async fn both_documents_say_the_same_and_all_of_it_is_there() {
    let server = TestServer::start().await;
    let answer = server.get("/.well-known/openid-configuration").await;
    assert!(answer.header("cache-control").contains("max-age=3600"), "{answer}");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let discovery = answer.ok();
    assert_eq!(discovery, server.get("/.well-known/oauth-authorization-server").await.ok());
    assert_eq!(discovery["issuer"], server.issuer);
    assert_eq!(discovery["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(discovery["authorization_response_iss_parameter_supported"], true);
    assert_eq!(
        (&discovery["request_uri_parameter_supported"], &discovery["request_parameter_supported"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(discovery["claims_parameter_supported"], true);
    for (name, value) in discovery.as_object().expect("an object") {
        let Some(path) = value.as_str().and_then(|url| url.strip_prefix(server.issuer)) else { continue };
        if !path.is_empty() {
            let answer = server.get(path).await;
            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{name}: {path}");
        }
    }
    let jwks = server.get("/oauth2/jwks").await;
    assert_eq!(jwks.header("access-control-allow-origin"), "*");
    let keys = jwks.ok();
    let algorithms = |list: &Value, name: Option<&str>| -> BTreeSet<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|item| name.map_or(item, |name| &item[name]).as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(
        algorithms(&keys["keys"], Some("alg")),
        algorithms(&discovery["id_token_signing_alg_values_supported"], None),
        "a key for each algorithm that is announced"
    );
    for key in keys["keys"].as_array().expect("a list") {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{key}");
        }
    }
}

/// RFC 8414 §3.1, §5: an issuer with a path is found by everybody, and everything stands below it.
#[tokio::test]
async fn an_issuer_with_a_path_works_in_all_of_its_parts() {
    let server = TestServer::with(Setup { issuer: "http://localhost:8080/tenant/a", ..Setup::default() }).await;
    let places = [
        "/tenant/a/.well-known/openid-configuration",
        "/.well-known/openid-configuration/tenant/a",
        "/.well-known/oauth-authorization-server/tenant/a",
        "/tenant/a/.well-known/oauth-authorization-server",
    ];
    for place in places {
        let discovery = server.get(place).await.ok();
        assert_eq!(discovery["issuer"], "http://localhost:8080/tenant/a", "{place}");
        assert_eq!(discovery["token_endpoint"], "http://localhost:8080/tenant/a/oauth2/token", "{place}");
    }
    for place in ["/.well-known/openid-configuration", "/oauth2/token", "/sign-in", "/tenant/b/sign-in", "/tenant/a/x"]
    {
        assert_eq!(server.get(place).await.status, StatusCode::NOT_FOUND, "{place}");
    }

    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid offline_access").with("prompt", "login");
    let page = alice.begin(&exchange).await;
    assert!(page.page().form_of("login-submit").action.starts_with("/tenant/a/sign-in?"), "{page}");
    let read = page.page();
    for (selector, attribute) in [("[href]", "href"), ("[src]", "src"), ("form", "action")] {
        for target in read.attributes(selector, attribute).iter().filter(|target| target.starts_with('/')) {
            assert!(target.starts_with("/tenant/a/"), "{target} in {page}");
        }
    }
    let url = alice.finish(page, "alice").await;
    let code = shop.code(&exchange, &url);
    let tokens = shop.redeem(&exchange, &code).await.ok();
    shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(shop.userinfo(access_token).await.status, StatusCode::OK);
    assert!(shop.is_active(access_token).await);
    let account = alice.open("/tenant/a/account/apps").await;
    let account = alice.press(&account, "revoke-shop").await;
    assert!(!shop.is_active(access_token).await);
    assert!(alice.press(&account, "sign-out").await.page().has("logged-out"));
    for asset in read.attributes("link[rel=stylesheet]", "href") {
        assert_eq!(server.get(&asset).await.status, StatusCode::OK, "{asset}");
    }
}

/// PROTOCOL A18: no header builds a URL.
#[tokio::test]
async fn the_issuer_is_configured_and_not_guessed() {
    let server = TestServer::start().await;
    let request = http::Request::get("/.well-known/openid-configuration")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example;proto=https");
    let answer = server.send(request.body(axum::body::Body::empty()).expect("a request")).await;
    assert!(!answer.text().contains("evil.example"), "{answer}");
}
