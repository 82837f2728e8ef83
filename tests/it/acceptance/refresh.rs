//! S-073, S-074, S-087: refresh tokens rotate, are taken back, and end with their person.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;

use serde_json::Value;
use symbolon::edge::store::Beside;
use symbolon::model::client::{AccessTokenFormat, RefreshTokenPolicy};
use symbolon::model::event::{Actor, Event, EventName, Outcome};
use symbolon::protocol::numeric_date::NumericDate;

use crate::support::{Browser, RelyingParty, TestServer, clients, tokens};

const SCOPE: &str = "openid offline_access";

struct Story {
    server: TestServer,
    shop: RelyingParty,
    alice: Browser,
    tokens: Value,
}

impl Story {
    async fn new(format: AccessTokenFormat) -> Self {
        let server = TestServer::start().await;
        let mut client = clients::web("shop");
        client.policy.access_token = format;
        client.policy.refresh_token = RefreshTokenPolicy::Always;
        let shop = RelyingParty::of(&server, client).await;
        let alice = Browser::new(&server);
        let tokens = shop.tokens(&alice, "alice", SCOPE).await;
        Self { server, shop, alice, tokens }
    }

    async fn each() -> [Self; 2] {
        [Self::new(AccessTokenFormat::Jwt).await, Self::new(AccessTokenFormat::Opaque).await]
    }

    fn text(&self, name: &str) -> &str {
        text(&self.tokens, name)
    }

    async fn events(&self, name: EventName) -> Vec<Event> {
        self.server.settled().await;
        let alice = self.server.user("alice").await.id;
        let events = self.server.store().events_of(alice, NumericDate::from_seconds(0), (None, 100)).await;
        events.expect("listed").into_iter().filter(|event| event.name == name).collect()
    }

    /// Nothing that was given is good for anything.
    async fn is_over(&self, tokens: &Value) {
        assert_eq!(self.shop.refresh(text(tokens, "refresh_token")).await.error(), "400 invalid_grant");
        for name in ["access_token", "refresh_token"] {
            assert_eq!(self.shop.introspect(text(tokens, name)).await.ok(), serde_json::json!({"active": false}));
        }
        assert_eq!(self.shop.userinfo(text(tokens, "access_token")).await.error(), "401 invalid_token");
    }
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

#[tokio::test]
async fn s_073_two_at_once_within_the_grace_get_the_same_successor() {
    for story in Story::each().await {
        let (one, two) = tokio::join!(
            story.shop.refresh(story.text("refresh_token")),
            story.shop.refresh(story.text("refresh_token"))
        );
        let (one, two) = (one.ok(), two.ok());
        assert_ne!(text(&one, "refresh_token"), story.text("refresh_token"));
        assert_eq!(text(&one, "refresh_token"), text(&two, "refresh_token"));
        story.server.advance(Duration::from_secs(10));
        let late = story.shop.refresh(story.text("refresh_token")).await.ok();
        assert_eq!(text(&late, "refresh_token"), text(&one, "refresh_token"));
        for tokens in [&one, &two, &late] {
            assert!(story.shop.is_active(text(tokens, "access_token")).await);
        }
        assert!(story.events(EventName::TokenReuseDetected).await.is_empty());
    }
}

#[tokio::test]
async fn s_073_a_later_reuse_ends_the_whole_family_and_is_told_once() {
    for story in Story::each().await {
        let second = story.shop.refresh(story.text("refresh_token")).await.ok();
        let newest = story.shop.refresh(text(&second, "refresh_token")).await.ok();
        story.server.advance(Duration::from_secs(11));
        for _ in 0..2 {
            assert_eq!(story.shop.refresh(story.text("refresh_token")).await.error(), "400 invalid_grant");
        }
        for tokens in [&story.tokens, &second, &newest] {
            story.is_over(tokens).await;
        }
        let told = story.events(EventName::TokenReuseDetected).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            (told[0].outcome, &told[0].actor),
            (Outcome::Failure, &Actor::Client("shop".parse().expect("an id")))
        );
        assert_eq!(told[0].provenance.address, "127.0.0.1");
        for tokens in [&story.tokens, &second, &newest] {
            let written = format!("{told:?}");
            assert!(!written.contains(text(tokens, "refresh_token")), "no token is told");
        }
    }
}

/// Also when the reuse comes within the grace, but after the successor was used: whoever holds that is not the one whose
/// answer was lost.
#[tokio::test]
async fn s_073_a_reuse_within_the_grace_is_told_too() {
    let story = Story::new(AccessTokenFormat::Jwt).await;
    let second = story.shop.refresh(story.text("refresh_token")).await.ok();
    story.shop.refresh(text(&second, "refresh_token")).await.ok();
    assert_eq!(story.shop.refresh(story.text("refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(story.events(EventName::TokenReuseDetected).await.len(), 1);
}

#[tokio::test]
async fn s_074_a_revoked_refresh_token_takes_everything_along() {
    for story in Story::each().await {
        assert_eq!(story.shop.revoke(story.text("refresh_token")).await.status, 200);
        story.is_over(&story.tokens).await;
    }
}

#[tokio::test]
async fn s_074_a_revoked_access_token_is_refused_at_once() {
    for story in Story::each().await {
        assert_eq!(story.shop.revoke(story.text("access_token")).await.status, 200);
        assert_eq!(story.shop.userinfo(story.text("access_token")).await.error(), "401 invalid_token");
        assert!(!story.shop.is_active(story.text("access_token")).await);
        story.shop.refresh(story.text("refresh_token")).await.ok();
    }
}

/// What was given in the browser alone ends with its session.
#[tokio::test]
async fn s_074_signing_out_takes_back_what_was_given_in_the_session() {
    for story in Story::each().await {
        let online = story.shop.tokens(&story.alice, "alice", "openid").await;
        let account = story.alice.open("/account").await;
        story.alice.press(&account, "sign-out").await;
        story.is_over(&online).await;
    }
}

/// Unsigned, foreign and damaged tokens are answered with 200 and end nothing, whatever they say.
#[tokio::test]
async fn s_074_what_was_not_issued_here_ends_nothing() {
    let story = Story::new(AccessTokenFormat::Jwt).await;
    let (header, claims) = (tokens::part(story.text("access_token"), 0), tokens::part(story.text("access_token"), 1));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut unsigned = header.clone();
    unsigned["alg"] = "none".into();
    let signed: Vec<&str> = story.text("access_token").split('.').collect();
    let mut foreign = claims.clone();
    foreign["iss"] = "https://elsewhere.example".into();
    let forged = [
        format!("{}.{}.", part(&unsigned), part(&claims)),
        format!("{}.{}.{}", part(&header), part(&foreign), signed[2]),
        format!("{}.{}.{}", signed[0], signed[1], &signed[2][..signed[2].len() - 2]),
        format!("{}x", story.text("refresh_token")),
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        claims["sub"].as_str().expect("a subject").to_owned(),
        claims["jti"].as_str().expect("an id").to_owned(),
        claims["sid"].as_str().expect("a session").to_owned(),
    ];
    for token in forged {
        assert_eq!(story.shop.revoke(&token).await.status, 200, "{token}");
    }
    assert!(story.shop.is_active(story.text("access_token")).await);
    assert!(story.alice.open("/account").await.page().has("sign-out"), "still signed in");
    story.shop.refresh(story.text("refresh_token")).await.ok();
}

#[tokio::test]
async fn s_087_a_disabled_person_s_refresh_is_refused_always() {
    for story in Story::each().await {
        let alice = story.server.user("alice").await.id;
        let now = NumericDate::from_seconds(story.server.clock.seconds());
        assert!(story.server.store().disable_user(alice, now, Beside::default()).await.expect("disabled"));
        story.is_over(&story.tokens).await;
        // Enabled again, what was ended stays ended.
        assert!(story.server.store().enable_user(alice).await.expect("enabled"));
        story.is_over(&story.tokens).await;
    }
}
