//! S-075: one step ends everything older of a person, on every node, and nothing that comes after.

use serde_json::Value;
use symbolon::edge::store::{Beside, Kept};
use symbolon::model::client::AccessTokenFormat;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::secret::TokenHash;

use crate::support::{Browser, Exchange, RelyingParty, TestServer, clients};

struct Story {
    server: TestServer,
    shop: RelyingParty,
    alice: Browser,
    tokens: Value,
    waiting: (Exchange, String),
}

impl Story {
    async fn new(format: AccessTokenFormat) -> Self {
        let server = TestServer::start().await;
        let mut client = clients::web("shop");
        client.policy.access_token = format;
        let shop = RelyingParty::of(&server, client).await;
        let alice = Browser::new(&server);
        let tokens = shop.tokens(&alice, "alice", "openid offline_access").await;
        let exchange = shop.begin("openid offline_access");
        let code = shop.code(&exchange, &alice.authorize(&exchange, "alice").await);
        Self { server, shop, alice, tokens, waiting: (exchange, code) }
    }

    fn text(&self, name: &str) -> &str {
        self.tokens[name].as_str().expect("a token")
    }

    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(self.server.clock.seconds())
    }

    async fn sign_out_everywhere(&self, kept: Option<Kept>) {
        let alice = self.server.user("alice").await.id;
        let kept = self.server.store().sign_out_everywhere(alice, kept, self.now(), Beside::default()).await;
        kept.expect("done");
    }

    async fn nothing_older_is_left(&self) {
        assert!(!self.shop.is_active(self.text("access_token")).await);
        assert!(!self.shop.is_active(self.text("refresh_token")).await);
        assert_eq!(self.shop.userinfo(self.text("access_token")).await.error(), "401 invalid_token");
        assert_eq!(self.shop.refresh(self.text("refresh_token")).await.error(), "400 invalid_grant");
        let (exchange, code) = &self.waiting;
        assert_eq!(self.shop.redeem(exchange, code).await.error(), "400 invalid_grant", "a code that waited");
    }
}

/// All of it within one second of the clock, which never moves here.
#[tokio::test]
async fn s_075_what_is_older_ends_and_what_is_later_works_within_the_same_second() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let story = Story::new(format).await;
        story.sign_out_everywhere(None).await;
        story.nothing_older_is_left().await;
        let page = story.alice.begin(&story.shop.begin("openid")).await;
        assert!(page.page().has("login"), "the session is over: {page}");

        let later = story.shop.tokens(&story.alice, "alice", "openid offline_access").await;
        let text = |name: &str| later[name].as_str().expect("a token").to_owned();
        assert!(story.shop.is_active(&text("access_token")).await);
        story.shop.refresh(&text("refresh_token")).await.ok();
    }
}

/// The browser that asked stays, with another cookie; its older tokens do not, later ones do.
#[tokio::test]
async fn s_075_the_acting_session_stays_under_a_new_name() {
    let story = Story::new(AccessTokenFormat::Jwt).await;
    let other = Browser::signed_in(&story.server, "alice").await;
    let cookie = story.alice.cookie("symbolon_session").expect("signed in");
    let session = story.server.store().session_by_token(&TokenHash::of(&cookie)).await.expect("read").expect("there");
    let fresh = "f".repeat(43);
    story.sign_out_everywhere(Some(Kept { session: session.id, token: TokenHash::of(&fresh) })).await;

    story.nothing_older_is_left().await;
    assert_eq!(other.get("/account").await.location(), "/sign-in?to=account");
    assert_eq!(story.alice.get("/account").await.location(), "/sign-in?to=account", "the old cookie");
    story.alice.set_cookie("symbolon_session", &fresh);
    assert!(story.alice.open("/account").await.page().has("sign-out"));
    let later = story.shop.tokens(&story.alice, "alice", "openid offline_access").await;
    story.shop.refresh(later["refresh_token"].as_str().expect("a token")).await.ok();
}
