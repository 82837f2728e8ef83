//! Where an answer may go.
//!
//! RFC 9700 §4.1.3, RFC 8252 §7.3 and §8.4; PROTOCOL R1–R4.

use http::StatusCode;
use serde_json::json;

use crate::support::{Browser, RelyingParty, TestServer, clients};

/// PROTOCOL R2: a page on our origin, never a redirect.
#[tokio::test]
async fn another_redirect_uri_is_a_page_and_never_a_redirect() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::signed_in(&server, "alice").await;
    for other in [
        "https://evil.example/callback",
        "https://shop.example/callback/",
        "https://shop.example/callback?x=1",
        "https://shop.example/callback#f",
        "https://shop.example/CALLBACK",
        "https://SHOP.example/callback",
        "https://shop.example:443/callback",
        "https://shop.example/./callback",
        "https://shop.example/%63allback",
        "https://user@shop.example/callback",
        "https://shop.example.evil.example/callback",
        "https://shop.example/callback ",
        "http://shop.example/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "//shop.example/callback",
        "/callback",
        "callback",
        "https://shop.example\\@evil.example/callback",
    ] {
        for mode in ["query", "form_post"] {
            let exchange = shop.begin("openid").with("redirect_uri", other).with("response_mode", mode);
            let answer = browser.begin(&exchange).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{other:?}");
            let page = answer.page();
            assert_eq!(page.heading(), "The way back to the app is not right", "{other:?}");
            assert!(page.hint().contains("https://shop.example/callback"), "it tells a developer what is registered");
        }
    }
    let exchange = shop.begin("openid").without("redirect_uri");
    assert_eq!(browser.begin(&exchange).await.status, StatusCode::BAD_REQUEST, "OIDC Core §3.1.2.1: it is required");
}

/// RFC 8252 §7.3: any port, for loopback URIs of native apps only; host, path and scheme stay as registered.
#[tokio::test]
async fn a_native_app_listens_on_any_port_of_its_own_machine() {
    let server = TestServer::start().await;
    let mut app = RelyingParty::of(&server, clients::native("app")).await;
    let alice = Browser::new(&server);
    for uri in ["http://127.0.0.1:49152/callback", "http://[::1]:8/callback", "http://127.0.0.1/callback"] {
        app.redirect_uri = uri.to_owned();
        let exchange = app.begin("openid");
        let url = alice.authorize(&exchange, "alice").await;
        let code = app.code(&exchange, &url);
        app.redeem(&exchange, &code).await.ok();
    }
    app.redirect_uri = "com.example.app:/callback".to_owned();
    let exchange = app.begin("openid");
    let url = alice.authorize(&exchange, "alice").await;
    assert!(url.starts_with("com.example.app:/callback?"), "{url}");

    for other in [
        "http://127.0.0.1:49152/other",
        "http://localhost:49152/callback",
        "http://127.0.0.2:49152/callback",
        "https://127.0.0.1:49152/callback",
        "http://127.0.0.1:49152@evil.example/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "com.example.app:/other",
    ] {
        let exchange = app.begin("openid").with("redirect_uri", other);
        assert_eq!(alice.begin(&exchange).await.status, StatusCode::BAD_REQUEST, "{other}");
    }

    // A web app has no such freedom.
    let uri = "http://127.0.0.1:3000/callback";
    let web = RelyingParty::of(&server, clients::client("web", &json!({"redirect_uris": [uri]}))).await;
    let exchange = web.begin("openid").with("redirect_uri", "http://127.0.0.1:3001/callback");
    assert_eq!(alice.begin(&exchange).await.status, StatusCode::BAD_REQUEST);
}

/// The code is for the redirect URI that it was sent to (RFC 6749 §4.1.3).
#[tokio::test]
async fn a_code_is_redeemed_with_the_redirect_uri_of_its_request() {
    let server = TestServer::start().await;
    let uris = json!({"redirect_uris": ["https://shop.example/a", "https://shop.example/b"]});
    let shop = RelyingParty::of(&server, clients::client("shop", &uris)).await;
    let alice = Browser::new(&server);
    for wrong in ["https://shop.example/b", "https://shop.example/a/"] {
        let exchange = shop.begin("openid");
        let url = alice.authorize(&exchange, "alice").await;
        let code = shop.code(&exchange, &url);
        let answer = shop.redeem(&exchange.clone().with("redirect_uri", wrong), &code).await;
        assert_eq!(answer.error(), "400 invalid_grant", "{wrong}");
    }

    // OAuth 2.1 §4.1.3 needs it no more where PKCE binds the code; without PKCE it must be repeated.
    let exchange = shop.begin("openid");
    let url = alice.authorize(&exchange, "alice").await;
    shop.redeem(&exchange.clone().without("redirect_uri"), &shop.code(&exchange, &url)).await.ok();

    let mut client = clients::client("old", &json!({"redirect_uris": ["https://old.example/a"]}));
    client.policy.require_pkce = false;
    let old = RelyingParty::of(&server, client).await;
    let exchange = old.begin("openid").without("code_challenge").without("code_challenge_method");
    let url = alice.authorize(&exchange, "alice").await;
    let fields = [("grant_type", "authorization_code"), ("code", &old.code(&exchange, &url))];
    assert_eq!(old.post("/oauth2/token", &fields).await.error(), "400 invalid_request");
    let [grant_type, code] = fields;
    let fields = [grant_type, code, ("redirect_uri", "https://old.example/a")];
    old.post("/oauth2/token", &fields).await.ok();
}
