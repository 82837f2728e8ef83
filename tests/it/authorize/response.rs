//! How the answer comes back: by query, fragment or form; always with `state` and `iss`.
//!
//! RFC 6749 §4.1.2, OAuth 2.0 Form Post Response Mode, RFC 9207.

use http::StatusCode;

use crate::support::answer::parameters;
use crate::support::{Browser, RelyingParty, TestServer, clients};

#[tokio::test]
async fn each_response_mode_carries_code_state_and_issuer() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid").await;

    let exchange = shop.begin("openid");
    let url = alice.begin(&exchange).await.location().to_owned();
    assert!(url.starts_with("https://shop.example/callback?") && !url.contains('#'), "{url}");
    shop.code(&exchange, &url);

    let exchange = shop.begin("openid").with("response_mode", "fragment");
    let url = alice.begin(&exchange).await.location().to_owned();
    assert!(url.starts_with("https://shop.example/callback#"), "{url}");
    let code = shop.code(&exchange, &url);
    shop.redeem(&exchange, &code).await.ok();

    let exchange = shop.begin("openid").with("response_mode", "form_post");
    let answer = alice.begin(&exchange).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    let form = answer.page().form_of("form-post-submit");
    assert_eq!(form.action, "https://shop.example/callback");
    let field = |name: &str| form.fields.iter().find(|(known, _)| known == name).expect("it is there").1.clone();
    assert_eq!((field("state"), field("iss")), (exchange.state.clone(), server.issuer.to_owned()));
    shop.redeem(&exchange, &field("code")).await.ok();
}

#[tokio::test]
async fn errors_come_by_the_mode_that_was_asked_for() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);

    let exchange = shop.begin("openid").with("prompt", "none").with("response_mode", "fragment");
    let url = browser.begin(&exchange).await.location().to_owned();
    assert!(url.contains("/callback#"), "{url}");
    assert_eq!(shop.error(&exchange, &url), "login_required");

    let exchange = shop.begin("openid").with("prompt", "none").with("response_mode", "form_post");
    let form = browser.begin(&exchange).await.page().form_of("form-post-submit");
    assert!(form.fields.contains(&("error".to_owned(), "login_required".to_owned())), "{form:?}");
    assert!(form.fields.contains(&("iss".to_owned(), server.issuer.to_owned())), "{form:?}");

    let exchange = shop.begin("openid").with("response_mode", "pigeon");
    let url = browser.begin(&exchange).await.location().to_owned();
    assert_eq!(shop.error(&exchange, &url), "invalid_request", "and by the default way");
}

/// RFC 6749 §3.1.2: a query that the redirect URI has of its own stays.
#[tokio::test]
async fn the_own_query_of_a_redirect_uri_stays() {
    let server = TestServer::start().await;
    let uri = "https://shop.example/callback?tenant=7&x=%20";
    let shop = RelyingParty::of(&server, clients::client("shop", &serde_json::json!({"redirect_uris": [uri]}))).await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let url = alice.authorize(&exchange, "alice").await;
    assert!(url.starts_with(&format!("{uri}&")), "{url}");
    assert!(parameters(&url).contains(&("tenant".to_owned(), "7".to_owned())), "{url}");
    let code = shop.code(&exchange, &url);
    shop.redeem(&exchange, &code).await.ok();
}

/// OIDC Core §3.1.2.1: the endpoint takes GET and POST; RFC 9700 §4.12: 303, so that nothing is posted on.
#[tokio::test]
async fn a_request_may_be_posted() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid").await;
    let exchange = shop.begin("openid");
    let answer = alice.post("/oauth2/authorize", &exchange.parameters).await;
    let code = shop.code(&exchange, answer.location());
    shop.redeem(&exchange, &code).await.ok();
}

/// RFC 6749 §4.1.1: without `state` none comes back; without `openid` there is no ID token.
#[tokio::test]
async fn plain_oauth_works_without_openid() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("email").without("state").without("nonce").without("redirect_uri");
    let url = alice.authorize(&exchange, "alice").await;
    let answer = parameters(&url);
    assert!(answer.iter().all(|(name, _)| name != "state"), "{url}");
    assert!(answer.contains(&("iss".to_owned(), server.issuer.to_owned())), "{url}");
    let code = &answer.iter().find(|(name, _)| name == "code").expect("a code").1;
    let tokens = shop.redeem(&exchange, code).await.ok();
    assert!(tokens.get("id_token").is_none() && tokens.get("refresh_token").is_none(), "{tokens}");
    assert_eq!(
        shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.error(),
        "403 insufficient_scope"
    );
}
