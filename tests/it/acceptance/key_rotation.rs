//! S-191: an ID token is a hint for as long as its session may last, whatever became of the key that signed it.
//!
//! OIDC Core §3.1.2.1, RP-Initiated Logout §2.

use std::sync::Arc;
use std::time::Duration;

use symbolon::jobs::JOBS;
use symbolon::oauth::rotation::Rotation;
use url::form_urlencoded::Serializer;

use super::access_token::rotates;
use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

const BYE: &str = "https://shop.example/bye";

fn target(parameters: &[(&str, &str)]) -> String {
    format!("/oauth2/logout?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

async fn runs(server: &TestServer, job: &str) {
    let job = JOBS.iter().find(|known| known.name == job).expect("a job");
    (job.run)(Arc::clone(&server.app.provider)).await.expect("done");
}

/// Alice's ID token, and her browser; the key that signed it is gone from the published set.
async fn with_an_old_id_token(server: &TestServer, shop: &RelyingParty) -> (Browser, String) {
    let policy = server.provider().policy.rotation;
    rotates(server).await;
    server.advance(policy.rotate_every);
    let alice = Browser::new(server);
    let tokens = shop.tokens(&alice, "alice", "openid").await;
    let id_token = tokens["id_token"].as_str().expect("an ID token").to_owned();
    rotates(server).await;
    server.advance(policy.longest_token + Duration::from_mins(10));
    rotates(server).await;
    let kid = part(&id_token, 0)["kid"].as_str().expect("a name").to_owned();
    assert!(!server.get("/oauth2/jwks").await.text().contains(&kid), "no longer published");
    (alice, id_token)
}

/// What an app that asks without a page is told.
async fn asks_silently(shop: &RelyingParty, browser: &Browser, hint: &str) -> Result<(), String> {
    let exchange = shop.begin("openid").with("prompt", "none").with("id_token_hint", hint);
    let answer = browser.begin(&exchange).await;
    let told = shop.receives(&exchange, answer.location());
    told["error"].as_str().map_or(Ok(()), |error| Err(error.to_owned()))
}

#[tokio::test]
async fn s_191_an_old_id_token_still_signs_its_person_out() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let (alice, hint) = with_an_old_id_token(&server, &shop).await;
    let others = RelyingParty::web(&server, "other").await;
    assert_eq!(asks_silently(&shop, &alice, &hint).await, Ok(()), "it names Alice");
    let bob = Browser::signed_in(&server, "bob").await;
    assert_eq!(asks_silently(&shop, &bob, &hint).await, Err("login_required".to_owned()), "Bob is not Alice");

    let left = alice.open(&target(&[("id_token_hint", &hint), ("client_id", &others.client_id)])).await;
    assert_eq!(left.status, 400, "its audience is another: {left}");
    // It is a hint and nothing else.
    let asked = server.get_with("/oauth2/userinfo", &hint).await;
    assert_eq!(asked.status, 401, "{asked}");
    // A restart reads what is left of the key.
    drop((alice, bob, shop, others));
    let server = server.restarted(|_| ()).await;
    assert!(server.provider().keys.load().retired().any(|kid| part(&hint, 0)["kid"] == kid.as_str()));
}

#[tokio::test]
async fn s_191_nobody_is_asked_where_the_old_id_token_is_of_this_session() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let (alice, hint) = with_an_old_id_token(&server, &shop).await;
    let left = alice.open(&target(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;
    assert_eq!(left.location(), BYE, "{left}");
    assert!(!alice.open("/account").await.page().has("sign-out"));
}

/// A key that was stolen proves nothing, also after it retired: the person is asked, and signs out all the same.
#[tokio::test]
async fn s_191_a_stolen_key_is_not_believed() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let (alice, hint) = with_an_old_id_token(&server, &shop).await;
    let fresh = Browser::new(&server);
    let tokens = shop.tokens(&fresh, "alice", "openid").await;
    let recent = tokens["id_token"].as_str().expect("an ID token").to_owned();

    let provider = server.provider();
    let rotation = Rotation { edges: &provider.edges, vault: &provider.vault, policy: provider.policy.rotation };
    let is_of = |kid: &str| part(&hint, 0)["kid"] == kid || part(&recent, 0)["kid"] == kid;
    let published = server.store().signing_keys().await.expect("read");
    let retired = server.store().retired_signing_keys().await.expect("read");
    let published: Vec<_> = published.iter().filter(|key| is_of(&key.kid)).collect();
    let retired: Vec<_> = retired.iter().filter(|key| is_of(&key.kid)).collect();
    assert_eq!((published.len(), retired.len()), (1, 1));
    rotation.replace(&published, &retired).await.expect("withdrawn");
    runs(&server, "follow_keys").await;

    for (browser, hint) in [(&alice, &hint), (&fresh, &recent)] {
        assert_eq!(asks_silently(&shop, browser, hint).await, Err("login_required".to_owned()));
        let landing = [("id_token_hint", hint.as_str()), ("client_id", "shop"), ("post_logout_redirect_uri", BYE)];
        let page = browser.open(&target(&landing)).await;
        let left = browser.press(&page, "logout-confirm").await;
        assert_eq!(left.location(), BYE, "{left}");
    }
    // Without a name of its app nobody knows where to send them.
    let again = Browser::signed_in(&server, "alice").await;
    let page = again.open(&target(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;
    let left = again.press(&page, "logout-confirm").await;
    assert!(left.page().has("logged-out"), "{left}");
}

#[tokio::test]
async fn s_191_what_is_left_of_a_key_goes_when_no_session_can_be_as_old() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let (_, hint) = with_an_old_id_token(&server, &shop).await;
    server.advance(server.provider().policy.rotation.hints);
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid").await;
    assert_eq!(asks_silently(&shop, &alice, &hint).await, Err("login_required".to_owned()), "nobody can be told by it");
    // Where a page may be shown it is as none: the app compares the subject that it gets.
    let exchange = shop.begin("openid").with("id_token_hint", &hint);
    shop.code(&exchange, alice.begin(&exchange).await.location());
    assert_eq!(asks_silently(&shop, &alice, "nonsense").await, Err("invalid_request".to_owned()));
    assert!(!server.store().retired_signing_keys().await.expect("read").is_empty());
    runs(&server, "cleanup").await;
    assert!(server.store().retired_signing_keys().await.expect("read").is_empty());
    runs(&server, "follow_keys").await;
    assert_eq!(server.provider().keys.load().retired().count(), 0);
}
