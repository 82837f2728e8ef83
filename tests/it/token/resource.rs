//! APIs: whom an access token is for, as a client says it by `resource` and as an operator set it.
//!
//! RFC 8707, RFC 9068 §3; PROTOCOL T14.

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::model::api::ApiSettings;
use symbolon::model::client::AccessTokenFormat;
use symbolon::protocol::jose::algorithm::SigningAlgorithm;

use crate::acceptance::groups::admin;
use crate::support::tokens::verify;
use crate::support::{Browser, RelyingParty, TestServer, clients};

const ORDERS: &str = "https://orders.example";
const BILLS: &str = "urn:bills";
const SCOPE: &str = "openid offline_access orders:read bills:pay";

async fn api(server: &TestServer, audience: &str, set: impl FnOnce(&mut ApiSettings)) {
    let mut settings = ApiSettings { name: audience.to_owned(), ..ApiSettings::default() };
    set(&mut settings);
    admin(server).create_api(audience, settings).await.expect("made");
}

/// Two APIs, and an app that is registered for scopes of both.
async fn begin() -> (TestServer, RelyingParty) {
    let server = TestServer::start().await;
    api(&server, ORDERS, |set| set.scopes = "orders:read orders:write".parse().expect("a scope")).await;
    api(&server, BILLS, |set| set.scopes = "bills:pay".parse().expect("a scope")).await;
    let shop = RelyingParty::of(&server, clients::client("shop", &json!({"scope": SCOPE}))).await;
    (server, shop)
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

async fn access(server: &TestServer, tokens: &Value) -> Value {
    verify(server, text(tokens, "access_token")).await.claims
}

#[tokio::test]
async fn a_token_is_for_every_api_that_a_scope_of_it_belongs_to() {
    let (server, shop) = begin().await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", SCOPE).await;
    let claims = access(&server, &tokens).await;
    assert_eq!(claims["aud"], json!([server.provider().issuer.as_str(), ORDERS, BILLS]));
    assert_eq!(tokens["scope"], SCOPE);
    let plain = shop.tokens(&Browser::new(&server), "bob", "openid").await;
    assert_eq!(access(&server, &plain).await["aud"], server.provider().issuer.as_str());
    let narrowed =
        [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token")), ("resource", ORDERS)];
    let narrowed = shop.post("/oauth2/token", &narrowed).await.ok();
    let claims = access(&server, &narrowed).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(ORDERS), &json!("openid offline_access orders:read")));
    assert_eq!(narrowed["scope"], "openid offline_access orders:read", "RFC 6749 §5.1: what is given is told");
    // The next one may be for another.
    let other =
        [("grant_type", "refresh_token"), ("refresh_token", text(&narrowed, "refresh_token")), ("resource", BILLS)];
    let claims = access(&server, &shop.post("/oauth2/token", &other).await.ok()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(BILLS), &json!("openid offline_access bills:pay")));
}

#[tokio::test]
async fn what_is_named_when_the_person_agrees_is_all_that_it_is_for() {
    let (server, shop) = begin().await;
    let alice = Browser::new(&server);
    let exchange = shop.begin(SCOPE).and("resource", ORDERS);
    let code = shop.code(&exchange, &alice.authorize(&exchange, "alice").await);
    let tokens = shop.redeem(&exchange, &code).await.ok();
    let claims = access(&server, &tokens).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(ORDERS), &json!("openid offline_access orders:read")));
    let introspected = shop.introspect(text(&tokens, "access_token")).await.ok();
    assert_eq!(introspected["aud"], ORDERS);
    let beyond =
        [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token")), ("resource", BILLS)];
    assert_eq!(shop.post("/oauth2/token", &beyond).await.error(), "400 invalid_target");
    // A refusal uses nothing up.
    assert_eq!(shop.refresh(text(&tokens, "refresh_token")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_resource_of_nobody_or_of_others_is_refused() {
    let (server, shop) = begin().await;
    let other = RelyingParty::of(&server, clients::client("other", &json!({"scope": "openid orders:read"}))).await;
    let alice = Browser::new(&server);
    for (app, resource) in [(&shop, "https://nobody.example"), (&other, BILLS), (&shop, "orders"), (&shop, "urn:x#y")] {
        let exchange = app.begin("openid").and("resource", resource);
        let url = alice.begin(&exchange).await.location().to_owned();
        assert_eq!(app.error(&exchange, &url), "invalid_target", "{resource}");
    }
    let robot = clients::client(
        "robot",
        &json!({"scope": "orders:write", "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}),
    );
    let robot = RelyingParty::of(&server, robot).await;
    let own = |resource| [("grant_type", "client_credentials"), ("resource", resource)];
    let claims = access(&server, &robot.post("/oauth2/token", &own(ORDERS)).await.ok()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(ORDERS), &json!("orders:write")));
    assert_eq!(robot.post("/oauth2/token", &own(BILLS)).await.error(), "400 invalid_target");
}

#[tokio::test]
async fn an_api_has_tokens_of_its_own_kind() {
    let server = TestServer::start().await;
    api(&server, ORDERS, |set| {
        set.scopes = "orders:read".parse().expect("a scope");
        set.access_token_lifetime = Some(3_600);
        set.signing_alg = Some(SigningAlgorithm::ES256);
    })
    .await;
    api(&server, BILLS, |set| {
        set.scopes = "bills:pay".parse().expect("a scope");
        set.access_token_lifetime = Some(120);
        set.access_token = AccessTokenFormat::Opaque;
    })
    .await;
    let shop = RelyingParty::of(&server, clients::client("shop", &json!({"scope": SCOPE}))).await;
    let alice = Browser::new(&server);
    let orders = shop.begin("openid orders:read").and("resource", ORDERS);
    let code = shop.code(&orders, &alice.authorize(&orders, "alice").await);
    let tokens = shop.redeem(&orders, &code).await.ok();
    assert_eq!(tokens["expires_in"], 3_600);
    assert_eq!(verify(&server, text(&tokens, "access_token")).await.header["alg"], "ES256");
    // Without refresh tokens the grant outlives its token, and no longer.
    server.advance(std::time::Duration::from_secs(3_500));
    assert!(shop.is_active(text(&tokens, "access_token")).await);

    let both = shop.begin("openid orders:read bills:pay");
    let code = shop.code(&both, &alice.authorize(&both, "alice").await);
    let tokens = shop.redeem(&both, &code).await.ok();
    assert_eq!(tokens["expires_in"], 120, "the shortest");
    assert!(!text(&tokens, "access_token").contains('.'), "who wants no content gets none");
    assert_eq!(shop.introspect(text(&tokens, "access_token")).await.ok()["scope"], "openid orders:read bills:pay");
}

#[tokio::test]
async fn an_api_that_is_gone_has_no_tokens() {
    let (server, shop) = begin().await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", SCOPE).await;
    let directory = server.store().directory().await.expect("read");
    admin(&server).delete_api(directory.api(BILLS).expect("there")).await.expect("deleted");
    let refreshed = shop.refresh(text(&tokens, "refresh_token")).await.ok();
    let claims = access(&server, &refreshed).await;
    assert_eq!(claims["scope"], "openid offline_access orders:read", "S-150");
    assert!(!claims["aud"].to_string().contains(BILLS), "{claims}");
}
