//! What is taken away is gone at once: account, consent, client, session.
//!
//! PROTOCOL T6, S3; RFC 9700 §4.14.

use serde_json::Value;
use symbolon::edge::store::Beside;
use symbolon::model::client::{AccessTokenFormat, Client};
use symbolon::protocol::numeric_date::NumericDate;

use crate::support::{Browser, RelyingParty, TestServer, clients};

struct Story {
    server: TestServer,
    shop: RelyingParty,
    api: RelyingParty,
    alice: Browser,
    tokens: Value,
    code: (crate::support::Exchange, String),
}

impl Story {
    async fn new(format: AccessTokenFormat) -> Self {
        let server = TestServer::start().await;
        let mut client = clients::web("shop");
        client.policy.access_token = format;
        let shop = RelyingParty::of(&server, client).await;
        let api = RelyingParty::of(&server, clients::service("api")).await;
        let alice = Browser::new(&server);
        let tokens = shop.tokens(&alice, "alice", "openid offline_access").await;
        let exchange = shop.begin("openid offline_access");
        let code = shop.code(&exchange, &alice.authorize(&exchange, "alice").await);
        let story = Self { server, shop, api, alice, tokens, code: (exchange, code) };
        assert!(story.api.is_active(story.text("access_token")).await);
        story
    }

    async fn each() -> [Self; 2] {
        [Self::new(AccessTokenFormat::Jwt).await, Self::new(AccessTokenFormat::Opaque).await]
    }

    fn text(&self, name: &str) -> &str {
        self.tokens[name].as_str().expect("a token")
    }

    /// No token of the story is good for anything, and the waiting code gives none.
    async fn nothing_is_left(&self, refusal: &str) {
        assert!(!self.api.is_active(self.text("access_token")).await, "introspection");
        assert_eq!(self.shop.userinfo(self.text("access_token")).await.error(), "401 invalid_token");
        assert_eq!(self.shop.refresh(self.text("refresh_token")).await.error(), refusal);
        assert_eq!(self.shop.redeem(&self.code.0, &self.code.1).await.error(), refusal);
    }
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    for story in Story::each().await {
        let alice = story.server.user("alice").await;
        let now = NumericDate::from_seconds(story.server.clock.seconds());
        story.server.store().disable_user(alice.id, now, Beside::default()).await.expect("disabled");
        story.nothing_is_left("400 invalid_grant").await;
        let page = story.alice.begin(&story.shop.begin("openid")).await;
        assert!(page.page().has("login"), "the session is gone: {page}");
        let refused = story.alice.sign_in(&page, "alice").await;
        assert_eq!(refused.status.as_u16(), 403, "and nobody comes in: {refused}");
    }
}

/// The person takes the app's permission back on their account page (PROTOCOL R16).
#[tokio::test]
async fn withdrawn_consent_is_felt_at_once() {
    for story in Story::each().await {
        let account = story.alice.open("/account/apps").await;
        let account = story.alice.press(&account, "revoke-shop").await;
        assert!(!account.page().has("revoke-shop"), "{account}");
        assert!(!story.api.is_active(story.text("access_token")).await);
        assert_eq!(story.shop.userinfo(story.text("access_token")).await.error(), "401 invalid_token");
        assert_eq!(story.shop.refresh(story.text("refresh_token")).await.error(), "400 invalid_grant");
        assert_eq!(
            story.shop.redeem(&story.code.0, &story.code.1).await.error(),
            "400 invalid_grant",
            "a waiting code"
        );
        let page = story.alice.begin(&story.shop.begin("openid")).await;
        assert!(page.page().has("consent-accept"), "asked again: {page}");
    }
}

#[tokio::test]
async fn a_deleted_client_is_unknown_at_once() {
    for story in Story::each().await {
        story.server.store().delete_client(&"shop".parse().expect("an id")).await.expect("deleted");
        story.nothing_is_left("401 invalid_client").await;
    }
}

#[tokio::test]
async fn a_disabled_client_does_nothing() {
    for story in Story::each().await {
        let store = story.server.store();
        let client = store.client(&"shop".parse().expect("an id")).await.expect("read").expect("it is there");
        let now = NumericDate::from_seconds(story.server.clock.seconds());
        let disabled = Client { disabled_at: Some(now), ..client.as_ref().clone() };
        store.update_client(&disabled).await.expect("updated");
        story.nothing_is_left("401 invalid_client").await;
    }
}

/// Tokens that may outlive the browser (`offline_access`) go on when the session ends; the others die with it.
#[tokio::test]
async fn a_session_that_ends_takes_along_what_was_not_for_offline() {
    let server = TestServer::start().await;
    let mut client = clients::web("shop");
    client.policy.refresh_token = symbolon::model::client::RefreshTokenPolicy::Always;
    let shop = RelyingParty::of(&server, client).await;
    let alice = Browser::new(&server);
    let online = shop.tokens(&alice, "alice", "openid").await;
    let offline = shop.tokens(&alice, "alice", "openid offline_access").await;
    let account = alice.open("/account").await;
    alice.press(&account, "sign-out").await;
    let text = |tokens: &Value, name: &str| tokens[name].as_str().expect("a token").to_owned();
    assert!(!shop.is_active(&text(&online, "access_token")).await);
    assert_eq!(shop.refresh(&text(&online, "refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(shop.userinfo(&text(&online, "access_token")).await.error(), "401 invalid_token");
    shop.refresh(&text(&offline, "refresh_token")).await.ok();
}
