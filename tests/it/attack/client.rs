//! A client that registered itself, to lend our name or to learn more than it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::model::client::ClientOrigin;
use symbolon::protocol::secret::TokenHash;

use crate::support::clients;
use crate::support::relying_party::Proof;
use crate::support::{Browser, RelyingParty, TestServer};

/// A client that nobody vouches for.
pub(super) async fn self_registered(server: &TestServer, id: &str, changed: Value) -> RelyingParty {
    let mut client = clients::client(id, &changed);
    client.origin = ClientOrigin::Registered(TokenHash::of("registration token"));
    RelyingParty::of(server, client).await
}

/// RFC 9700 §4.11.2, PROTOCOL R14: our logout lends our name to nobody.
#[tokio::test]
async fn logout_is_no_open_redirect() {
    let server = TestServer::start().await;
    let evil = self_registered(&server, "evil", json!({})).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let own = evil.tokens(&Browser::new(&server), "bob", "openid").await;
    let own = own["id_token"].as_str().expect("an ID token");

    let landing = "post_logout_redirect_uri=https%3A%2F%2Fevil.example%2Fbye&state=s";
    for query in [format!("client_id=evil&{landing}"), format!("id_token_hint={own}&{landing}")] {
        let left = Browser::new(&server).get(&format!("/oauth2/logout?{query}")).await;
        assert_eq!(left.status, StatusCode::OK, "a stranger is not sent to evil.example: {left}");
        assert_eq!(left.page().attribute("back", "href"), "https://evil.example/bye?state=s");
    }
    // Whom an operator registered may rely on it, and so may the app whose session ends.
    let landing = "post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye";
    let left = Browser::new(&server).get(&format!("/oauth2/logout?client_id={}&{landing}", shop.client_id)).await;
    assert_eq!(left.location(), "https://shop.example/bye");
    let browser = Browser::new(&server);
    let tokens = evil.tokens(&browser, "alice", "openid").await;
    let hint = tokens["id_token"].as_str().expect("an ID token");
    let query = format!("id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2Fbye");
    assert_eq!(browser.get(&format!("/oauth2/logout?{query}")).await.location(), "https://evil.example/bye");
}

/// Consent covers what introspection tells: a pairwise client must not learn the name that people type.
#[tokio::test]
async fn introspection_names_nobody_beyond_the_scope() {
    let server = TestServer::start().await;
    let evil = self_registered(&server, "evil", json!({"subject_type": "pairwise"})).await;
    for (scope, told) in [
        ("openid offline_access", Value::Null),
        ("openid offline_access email", json!("alice@example.com")),
        ("openid offline_access profile", json!("alice")),
    ] {
        let tokens = evil.tokens(&Browser::new(&server), "alice", scope).await;
        for kind in ["access_token", "refresh_token"] {
            let token = tokens[kind].as_str().expect(kind);
            assert_eq!(evil.introspect(token).await.ok()["username"], told, "{scope}, {kind}");
        }
    }
}

/// RFC 9700 §2.1: an ID token of one person or another kind of token opens nothing as a hint.
#[tokio::test]
async fn only_an_id_token_is_a_hint() {
    let server = TestServer::start().await;
    let evil = self_registered(&server, "evil", json!({"userinfo_signed_response_alg": "RS256"})).await;
    let browser = Browser::new(&server);
    let tokens = evil.tokens(&browser, "alice", "openid").await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    let userinfo = evil.userinfo(access_token).await;
    for hint in [access_token, userinfo.text(), "a.b.c", "e30.e30."] {
        let asked = evil.begin("openid").with("id_token_hint", hint).with("prompt", "none");
        let answer = browser.begin(&asked).await;
        assert_eq!(evil.error(&asked, answer.location()), "invalid_request", "{hint}");
        let left = browser.get(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        assert_eq!(left.status, StatusCode::BAD_REQUEST, "{hint}: {left}");
    }
    assert_eq!(browser.get("/account").await.status, StatusCode::OK, "nobody was signed out");
}

/// A dead `jwks_uri` is asked once in a while, however often a stranger has us ask.
#[tokio::test]
async fn assertions_do_not_make_us_a_weapon() {
    let server = TestServer::start().await;
    let changed = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://victim.example/keys"});
    let mut evil = self_registered(&server, "evil", changed).await;
    let number = Arc::new(AtomicUsize::new(0));
    evil.proof = Proof::Assertion(Arc::new(move |now| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({"alg": "RS256", "kid": format!("k{number}")}));
        let claims = json!({"iss": "evil", "sub": "evil", "aud": "http://localhost:8080", "exp": now + 60, "jti": number.to_string()});
        format!("{header}.{}.AAAA", part(claims))
    }));
    let ask = async || {
        let answer = evil.post("/oauth2/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.error(), "401 invalid_client");
        answer.json()["error_description"].as_str().expect("a sentence").contains("could not be read")
    };
    assert!(ask().await, "nobody answers there");
    // Whether we ask again shows in whether we find what is there now.
    server.web.publish("https://victim.example/keys", r#"{"keys":[]}"#);
    for _ in 0..20 {
        assert!(ask().await, "we asked again at once");
    }
    server.advance(std::time::Duration::from_secs(10));
    assert!(!ask().await, "we never ask again");
}

/// PROTOCOL R3: what browsers follow from our pages is a web page.
#[tokio::test]
async fn no_link_of_ours_runs_a_script() {
    let server = TestServer::start().await;
    for member in ["client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "frontchannel_logout_uri"] {
        for uri in ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example/"]
        {
            let body = json!({"redirect_uris": ["https://evil.example/cb"], member: uri});
            let answer = server.json((Method::POST, "/oauth2/register"), &body, None).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{member} {uri}: {answer}");
        }
    }
    for member in ["redirect_uris", "post_logout_redirect_uris"] {
        for uri in ["javascript:alert(1)", "data:text/html,x", "https://a.example/cb#", "http://evil.example/"] {
            let mut body = json!({"redirect_uris": ["https://evil.example/cb"]});
            body[member] = json!([uri]);
            let answer = server.json((Method::POST, "/oauth2/register"), &body, None).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{member} {uri}: {answer}");
        }
    }
}

/// Everything a stranger may write stands on our pages as text.
#[tokio::test]
async fn reflected_values_are_text() {
    let server = TestServer::start().await;
    let evil_text = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'";
    let changed = json!({"client_name": evil_text, "policy_uri": "https://evil.example/\"><script>"});
    let evil = self_registered(&server, "evil", changed).await;
    let asked = evil
        .begin("openid profile")
        .with("state", evil_text)
        .with("login_hint", evil_text)
        .with("ui_locales", evil_text)
        .with("claims", &json!({"userinfo": {evil_text: null, "email": null}}).to_string())
        .with("response_mode", "form_post");
    let browser = Browser::new(&server);
    let sign_in = browser.begin(&asked).await;
    let form = sign_in.page().form_of("login-submit").fill("login", evil_text).fill("password", "x");
    let refused = browser.submit(form).await;
    let consent = browser.sign_in(&sign_in, "alice").await;
    let answer = browser.press(&consent, "consent-accept").await;
    for page in [&sign_in, &refused, &consent, &answer] {
        for raw in ["<script>alert", "<img src=x", "49'"] {
            assert!(!page.text().contains(raw), "{raw} in {page}");
        }
    }
    assert_eq!(answer.page().form_of("form-post-submit").fields[1].1, evil_text);
}
