//! S-075: one step ends everything older of a person, on every node, and nothing that comes after.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::edge::store::{Beside, Elsewhere, Kept};
use symbolon::model::client::AccessTokenFormat;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::secret::TokenHash;

use super::second_factor::{CodeApp, enrol};
use super::token::tokens_of;
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
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

/// Alice in one more browser.
async fn elsewhere(server: &TestServer, app: &CodeApp) -> Spa {
    let spa = Spa::open(server).await;
    let asked = spa.sign_in("alice", PASSWORD).await.ok();
    let body = json!({"flow": asked["flow"], "type": "totp", "value": app.fresh(server)});
    assert_eq!(spa.post("/sign-in/challenge", &body).await.ok()["status"], "complete");
    spa
}

async fn user_of(spa: &Spa) -> Value {
    spa.get("/session").await.ok()["user"]["username"].clone()
}

/// Whoever is in without the second factor, or by one that is gone, is out; the browser that acts stays as it is.
#[tokio::test]
async fn s_075_a_change_of_second_factors_ends_everything_elsewhere() {
    let server = TestServer::start().await;
    let (alice, thief) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "alice").await);
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&thief.browser, "alice", "openid offline_access").await;
    let cookie = alice.browser.cookie("symbolon_session");
    let (app, _) = enrol(&server, &alice).await;
    let text = |name: &str| tokens[name].as_str().expect("a token");
    assert_eq!(user_of(&thief).await, Value::Null);
    assert_eq!(shop.userinfo(text("access_token")).await.error(), "401 invalid_token");
    assert_eq!(shop.refresh(text("refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(user_of(&alice).await, "alice");
    assert_eq!(alice.browser.cookie("symbolon_session"), cookie);

    // Another factor, its end, and new backup codes.
    let other = elsewhere(&server, &app).await;
    let body = json!({"type": "email", "address": "factor@example.net"});
    let added = alice.post("/me/authenticators", &body).await;
    let path = format!("/me/authenticators/{}", added.json()["id"].as_str().expect("an id"));
    server.deliver().await;
    assert_eq!(user_of(&other).await, "alice", "nothing is confirmed yet");
    let sent = server.mailbox().code_for("factor@example.net");
    alice.post(&format!("{path}/confirm"), &json!({"code": sent})).await.ok();
    assert_eq!(user_of(&other).await, Value::Null);
    let other = elsewhere(&server, &app).await;
    assert_eq!(alice.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(user_of(&other).await, Value::Null);
    let other = elsewhere(&server, &app).await;
    alice.post("/me/backup-codes", &json!({})).await.ok();
    assert_eq!(user_of(&other).await, Value::Null);
    assert_eq!(user_of(&alice).await, "alice");
    let later = elsewhere(&server, &app).await;
    let later = shop.tokens(&later.browser, "alice", "openid offline_access").await;
    shop.refresh(later["refresh_token"].as_str().expect("a token")).await.ok();
}

#[tokio::test]
async fn s_075_a_second_factor_on_the_page_ends_everything_elsewhere() {
    let server = TestServer::start().await;
    let (alice, thief) = (Browser::signed_in(&server, "alice").await, Browser::signed_in(&server, "alice").await);
    let page = alice.open("/account/security").await;
    let setup = alice.press(&page, "totp-begin").await;
    let app = CodeApp(setup.page().words("#totp-secret").replace(' ', ""));
    let codes = alice.submit(setup.page().form_of("otp-submit").fill("code", &app.code(&server, 0))).await;
    assert!(codes.page().has("codes-new"), "{codes}");
    assert!(alice.open("/account").await.page().has("sign-out"));
    assert_eq!(thief.get("/account").await.location(), "/sign-in?to=account");
}

/// Who acts through an app stays in it.
#[tokio::test]
async fn s_075_the_app_that_takes_a_second_factor_up_goes_on() {
    let server = TestServer::start().await;
    let thief = Spa::signed_in(&server, "alice").await;
    let tokens = tokens_of(&server, "phone").await;
    let token = tokens["access_token"].as_str().expect("a token");
    let post = async |path: &str, body: Value| {
        server.json((Method::POST, &format!("/api/v1{path}")), &body, Some(token)).await
    };
    let setup = post("/me/authenticators", json!({"type": "totp"})).await.json();
    let code = CodeApp::of(&setup).code(&server, 0);
    post("/me/authenticators/totp/confirm", json!({"code": code})).await.ok();
    assert_eq!(user_of(&thief).await, Value::Null);
    assert_eq!(server.get_with("/api/v1/me", token).await.ok()["username"], "alice");
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    server.json((Method::POST, "/api/v1/tokens/refresh"), &refresh, None).await.ok();
}

/// What begins with the factor is not ended by it: a sign-in that sets one up gets a session that goes on, and no other does.
#[tokio::test]
async fn s_075_a_second_factor_within_a_sign_in_ends_what_was_before() {
    let server = TestServer::start().await;
    let before = Spa::signed_in(&server, "alice").await;
    let (alice, now) = (server.user("alice").await.id, server.provider().now());
    let required = server.store().require_second_factor(alice, Elsewhere::Stays, now, Beside::default()).await;
    required.expect("written");
    assert_eq!(user_of(&before).await, "alice");
    let spa = Spa::open(&server).await;
    let asked = spa.sign_in("alice", PASSWORD).await.ok();
    let send = json!({"flow": asked["flow"], "id": "totp_setup"});
    let app = CodeApp::of(&spa.post("/sign-in/challenge/send", &send).await.json());
    let body = json!({"flow": asked["flow"], "type": "totp_setup", "value": app.code(&server, 0)});
    let done = spa.post("/sign-in/challenge", &body).await.ok();
    assert_eq!((&done["status"], done["backup_codes"].as_array().map(Vec::len)), (&json!("complete"), Some(10)));
    assert_eq!(user_of(&spa).await, "alice");
    assert_eq!(user_of(&before).await, Value::Null);
}
