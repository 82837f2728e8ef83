//! A forgotten password, a forgotten address: S-030, S-032 to S-037, S-121.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::edge::store::Beside;
use symbolon::model::mailed_link::{LinkPurpose, MailedLink};
use symbolon::model::message::MessageKind;
use symbolon::model::user::IdentifierKind;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::secret::TokenHash;

use super::contact::adds;
use crate::attack::stranger::strangers_close;
use crate::support::answer::{Answer, code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

const ALICE: &str = "alice@example.com";
const NEW: &str = "another battery staple horse";

async fn asks(spa: &Spa, identifier: &str, channel: &str) -> Answer {
    spa.post("/password-resets", &json!({"identifier": identifier, "channel": channel})).await
}

/// The token of the newest link to `address`.
async fn token(server: &TestServer, address: &str) -> String {
    server.deliver().await;
    let link = server.mailbox().link_for(address);
    let base = format!("{}/recover/password?token=", server.issuer);
    link.strip_prefix(&base).unwrap_or_else(|| panic!("not a page of ours: {link}")).to_owned()
}

async fn sets(spa: &Spa, proof: &[(&str, &str)], password: &str) -> Answer {
    let mut body = json!({"password": password});
    for (name, value) in proof {
        body[name] = json!(value);
    }
    spa.post("/password-resets/confirm", &body).await
}

async fn disables(server: &TestServer, login: &str) {
    let now = NumericDate::from_seconds(server.clock.seconds());
    let user = server.user(login).await;
    assert!(server.store().disable_user(user.id, now, Beside::default()).await.expect("disabled"));
}

/// An answer without what is drawn by chance.
fn bytes(answer: &Answer) -> (StatusCode, Vec<String>, String) {
    let mut headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.retain(|header| !header.starts_with("x-request-id"));
    headers.sort();
    let mut text = answer.text().to_owned();
    for name in ["flow", "request_id"] {
        if let Some(drawn) = answer.json()[name].as_str() {
            text = text.replace(drawn, &"x".repeat(drawn.len()));
        }
    }
    (answer.status, headers, text)
}

#[tokio::test]
async fn s_032_every_name_gets_the_same_answer() {
    let server = TestServer::start().await;
    disables(&server, "bob").await;
    let spa = Spa::open(&server).await;
    for channel in ["link", "email_code", "sms_code"] {
        let known = asks(&spa, ALICE, channel).await;
        assert_eq!(known.status, StatusCode::ACCEPTED, "{known}");
        for identifier in
            ["nobody@example.net", "bob@example.com", "alice", "ALICE@example.com", "a@", "+4930", "\u{fb01}"]
        {
            assert_eq!(bytes(&asks(&spa, identifier, channel).await), bytes(&known), "{identifier} by {channel}");
        }
        server.advance(Duration::from_mins(1));
    }
    server.deliver().await;
    let mailbox = server.mailbox();
    assert_eq!(
        mailbox.kinds_to(ALICE).len(),
        2 + 2,
        "by address and by username, link and code: {:?}",
        mailbox.kinds_to(ALICE)
    );
    assert!(mailbox.to("bob@example.com").is_empty() && mailbox.to("nobody@example.net").is_empty());
}

#[tokio::test]
async fn s_032_an_account_gets_few_messages_and_the_answer_stays_the_same() {
    let setup =
        Setup { issuer: "https://id.example", mode: symbolon::oauth::policy::Mode::Production, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let spa = Spa::open(&server).await;
    for _ in 0..5 {
        assert_eq!(asks(&spa, ALICE, "link").await.status, StatusCode::ACCEPTED);
        server.advance(Duration::from_mins(2));
    }
    server.deliver().await;
    assert_eq!(server.mailbox().to(ALICE).len(), 3, "three in an hour");
    for _ in 0..5 {
        asks(&spa, "nobody@example.net", "link").await;
    }
    let refused = asks(&spa, "nobody@example.net", "link").await;
    assert_eq!(code(&refused), "429 rate_limited", "five at once from one address");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
}

#[tokio::test]
async fn s_033_a_link_sets_a_password_once() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let spa = Spa::open(&server).await;
    asks(&spa, ALICE, "link").await;
    let token = token(&server, ALICE).await;
    let inspect = async |token: &str| spa.post("/password-resets/inspect", &json!({"token": token})).await;
    assert_eq!(inspect(&token).await.ok(), json!({"valid": true}));
    assert_eq!(code(&inspect("x").await), "410 password_reset_link_invalid");

    let weak = sets(&spa, &[("token", &token)], "short").await;
    assert!(fields(&weak).contains(&"password password_too_short".to_owned()), "{weak}");
    server.advance(Duration::from_secs(1));
    let set = sets(&spa, &[("token", &token)], NEW).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "the link stayed good: {set}");
    assert_eq!(code(&sets(&spa, &[("token", &token)], NEW).await), "410 password_reset_link_invalid");
    assert_eq!(code(&inspect(&token).await), "410 password_reset_link_invalid");

    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "401 invalid_credentials");
    assert_eq!(spa.sign_in("alice", NEW).await.ok()["status"], "complete");
    assert_eq!(alice.get("/session").await.ok()["user"], Value::Null, "every session has ended");
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::PasswordReset, MessageKind::PasswordChanged]);
}

#[tokio::test]
async fn s_033_tokens_of_apps_end_with_the_password() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let spa = Spa::open(&server).await;
    asks(&spa, ALICE, "link").await;
    sets(&spa, &[("token", &token(&server, ALICE).await)], NEW).await;
    let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
    assert_eq!(shop.refresh(refresh).await.error(), "400 invalid_grant");
}

#[tokio::test]
async fn s_033_a_link_is_good_for_an_hour() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    asks(&spa, ALICE, "link").await;
    let token = token(&server, ALICE).await;
    server.advance(Duration::from_hours(1));
    assert_eq!(code(&sets(&spa, &[("token", &token)], NEW).await), "410 password_reset_link_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_033_a_link_opened_a_hundred_times_at_once_sets_one_password() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    asks(&spa, ALICE, "link").await;
    let token = token(&server, ALICE).await;
    let passwords: Vec<String> = (0..100).map(|number| format!("battery staple number {number}")).collect();
    let set = passwords.iter().map(|password| {
        let (spa, token) = (&spa, &token);
        async move { (password, sets(spa, &[("token", token)], password).await) }
    });
    let answers = futures_util::future::join_all(set).await;
    let (good, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|(_, answer)| answer.status == StatusCode::NO_CONTENT);
    assert_eq!(good.len(), 1);
    for (_, answer) in refused {
        // The pool of hashes may be full: then nothing happened.
        let seen = code(answer);
        assert!(["410 password_reset_link_invalid", "503 unavailable"].contains(&seen.as_str()), "{answer}");
    }
    assert_eq!(spa.sign_in("alice", good[0].0).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_030_a_password_typed_twice_is_typed_the_same() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let twice = json!({"email": "carol@example.net", "password": NEW, "confirm_password": PASSWORD});
    let refused = spa.post("/registrations", &twice).await;
    assert_eq!(fields(&refused), ["confirm_password passwords_not_identical"]);
    asks(&spa, ALICE, "link").await;
    let token = token(&server, ALICE).await;
    let differs = sets(&spa, &[("token", &token), ("confirm_password", PASSWORD)], NEW).await;
    assert_eq!(
        (differs.status.as_u16(), fields(&differs)),
        (422, vec!["confirm_password passwords_not_identical".to_owned()])
    );
    assert_eq!(sets(&spa, &[("token", &token), ("confirm_password", NEW)], NEW).await.status, StatusCode::NO_CONTENT);
}

/// S-124, PROTOCOL A5: strangers who guess at a password close it everywhere; its owner sets another, and is heard in a new browser.
#[tokio::test]
async fn s_124_a_new_password_is_heard_where_strangers_have_closed_the_old_one() {
    for channel in ["link", "email_code"] {
        let setup =
            Setup { issuer: "https://id.example", mode: symbolon::oauth::policy::Mode::Production, ..Setup::default() };
        let server = TestServer::with(setup).await;
        strangers_close(&server, "alice").await;
        let spa = Spa::open(&server).await;
        assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "401 invalid_credentials", "{channel}: it is closed");
        let begun = asks(&spa, ALICE, channel).await.json();
        let done = if channel == "link" {
            sets(&spa, &[("token", &token(&server, ALICE).await)], NEW).await
        } else {
            server.deliver().await;
            let sent = server.mailbox().code_for(ALICE);
            sets(&spa, &[("flow", begun["flow"].as_str().expect("a handle")), ("code", &sent)], NEW).await
        };
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{channel}: {done}");
        let phone = Spa::open(&server).await;
        assert_eq!(phone.sign_in("alice", NEW).await.ok()["status"], "complete", "{channel}");
    }
}

/// S-030, ASVS 6.3.7: every address that is hers is told of it.
#[tokio::test]
async fn s_033_every_proven_address_is_told_of_a_new_password() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    adds(&server, &alice, ("email", "alice@example.net")).await;
    server.advance(Duration::from_secs(1));
    let spa = Spa::open(&server).await;
    asks(&spa, ALICE, "link").await;
    let token = token(&server, ALICE).await;
    assert_eq!(sets(&spa, &[("token", &token)], NEW).await.status, StatusCode::NO_CONTENT);
    server.deliver().await;
    for address in [ALICE, "alice@example.net"] {
        assert!(server.mailbox().kinds_to(address).contains(&MessageKind::PasswordChanged), "{address}");
    }
}

#[tokio::test]
async fn s_034_a_reset_proves_the_address() {
    let server = TestServer::with(Setup {
        configure: |config: &mut Config| config.registration.mode = SignUp::Link,
        ..Setup::default()
    })
    .await;
    let spa = Spa::open(&server).await;
    spa.post("/registrations", &json!({"email": "carol@example.net", "password": PASSWORD})).await.ok();
    // What is sent within one second has no order.
    server.deliver().await;
    asks(&spa, "carol@example.net", "link").await;
    let token = token(&server, "carol@example.net").await;
    assert_eq!(sets(&spa, &[("token", &token)], NEW).await.status, StatusCode::NO_CONTENT);
    let carol = spa.sign_in("carol@example.net", NEW).await.ok();
    assert_eq!((&carol["status"], &carol["user"]["email_verified"]), (&json!("complete"), &json!(true)));
}

#[tokio::test]
async fn s_034_a_reset_opens_no_account_that_was_switched_off() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    asks(&spa, "bob@example.com", "link").await;
    let token = token(&server, "bob@example.com").await;
    disables(&server, "bob").await;
    assert_eq!(code(&sets(&spa, &[("token", &token)], NEW).await), "410 password_reset_link_invalid");
    assert_eq!(code(&spa.sign_in("bob", PASSWORD).await), "403 account_disabled");
    server.advance(Duration::from_mins(1));
    asks(&spa, "bob@example.com", "link").await;
    server.deliver().await;
    assert_eq!(server.mailbox().to("bob@example.com").len(), 1, "nothing more is sent");
}

#[tokio::test]
async fn s_035_a_code_by_mail_or_text_message_sets_a_password() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    for (channel, to, password) in [("email_code", ALICE, NEW), ("sms_code", "+493090182001", "yet another battery")] {
        let begun = asks(&spa, "alice", channel).await.ok();
        assert_eq!(begun["expires_in"], 300);
        let flow = begun["flow"].as_str().expect("a handle").to_owned();
        server.deliver().await;
        let sent = server.mailbox().code_for(to);
        let weak = sets(&spa, &[("flow", &flow), ("code", &sent)], "short").await;
        assert!(fields(&weak).contains(&"password password_too_short".to_owned()), "{weak}");
        let done = sets(&spa, &[("flow", &flow), ("code", &sent)], password).await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{channel}: {done}");
        assert_eq!(code(&sets(&spa, &[("flow", &flow), ("code", &sent)], password).await), "410 flow_invalid");
        assert_eq!(spa.sign_in("alice", password).await.ok()["status"], "complete");
        server.advance(Duration::from_mins(1));
        spa.delete("/session").await.ok();
    }
}

#[tokio::test]
async fn s_035_a_code_has_five_tries_and_five_minutes() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let begun = asks(&spa, ALICE, "email_code").await.ok();
    let flow = begun["flow"].as_str().expect("a handle").to_owned();
    server.deliver().await;
    let sent = server.mailbox().code_for(ALICE);
    let first: u32 = sent.parse().expect("digits");
    for number in 1..=5 {
        let wrong = format!("{:06}", (first + number) % 1_000_000);
        assert_eq!(code(&sets(&spa, &[("flow", &flow), ("code", &wrong)], NEW).await), "422 wrong_code");
    }
    assert_eq!(code(&sets(&spa, &[("flow", &flow), ("code", &sent)], NEW).await), "410 code_attempts_exceeded");

    server.advance(Duration::from_mins(1));
    let begun = asks(&spa, ALICE, "email_code").await.ok();
    let flow = begun["flow"].as_str().expect("a handle").to_owned();
    server.deliver().await;
    let sent = server.mailbox().code_for(ALICE);
    server.advance(Duration::from_mins(5));
    assert_eq!(code(&sets(&spa, &[("flow", &flow), ("code", &sent)], NEW).await), "401 flow_expired");
    for (proof, mistakes) in [
        (vec![], vec!["token required"]),
        (vec![("flow", "x")], vec!["code required"]),
        (vec![("code", "x")], vec!["flow required"]),
        (vec![("token", "x"), ("flow", "x"), ("code", "y")], vec!["flow unknown_field", "code unknown_field"]),
    ] {
        assert_eq!(fields(&sets(&spa, &proof, NEW).await), mistakes);
    }
}

/// Every purpose that a link of a mail can have, with a link of Alice's of this purpose.
async fn links(server: &TestServer) -> Vec<(LinkPurpose, String)> {
    let alice = server.user("alice").await;
    let address = alice.primary(IdentifierKind::Email).expect("an address").value.clone();
    let now = NumericDate::from_seconds(server.clock.seconds());
    let mut links = Vec::new();
    for purpose in LinkPurpose::ALL {
        let token = server.provider().edges.random.token();
        let link = MailedLink {
            hash: TokenHash::of(token.expose()),
            purpose: *purpose,
            user: Some(alice.id),
            address: address.clone(),
            epoch: alice.auth_epoch,
            details: serde_json::Map::new(),
            created_at: now,
            expires_at: NumericDate::from_seconds(server.clock.seconds() + 600),
        };
        server.store().record(Beside::default().and_link(link)).await.expect("recorded");
        links.push((*purpose, token.expose().clone()));
    }
    links
}

#[tokio::test]
async fn s_036_a_link_is_good_for_what_it_was_sent_for() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let links = links(&server).await;
    for (purpose, token) in links.clone() {
        if purpose != LinkPurpose::Activation {
            let refused = spa.post("/registrations/activate", &json!({"token": token})).await;
            assert_eq!(code(&refused), "410 activation_link_invalid", "{purpose:?}");
        }
        if !matches!(purpose, LinkPurpose::PasswordReset | LinkPurpose::SetPassword) {
            let refused = sets(&spa, &[("token", &token)], NEW).await;
            assert_eq!(code(&refused), "410 password_reset_link_invalid", "{purpose:?}");
            let refused = spa.post("/password-resets/inspect", &json!({"token": token})).await;
            assert_eq!(code(&refused), "410 password_reset_link_invalid", "{purpose:?}");
            let refused = spa.post("/password-checks", &json!({"password": NEW, "token": token})).await;
            assert_eq!(code(&refused), "410 link_invalid", "{purpose:?}");
        }
        if purpose != LinkPurpose::EmailChange {
            let refused = spa.post("/email-changes/confirm", &json!({"token": token})).await;
            assert_eq!(code(&refused), "410 email_change_expired", "{purpose:?}");
        }
        let identifier = format!("{}@example.org", purpose.as_str());
        let asked = spa.post("/sign-in", &json!({"method": "magic_link", "identifier": identifier})).await.json();
        let body = json!({"flow": asked["flow"], "type": "magic_link", "value": token});
        assert_eq!(code(&spa.post("/sign-in/challenge", &body).await), "410 magic_link_invalid", "{purpose:?}");
        assert_eq!(server.get(&format!("/sign-in/magic?token={token}")).await.status, 410, "{purpose:?}");
        for (page, own) in [
            ("/activate", LinkPurpose::Activation),
            ("/email-change", LinkPurpose::EmailChange),
            ("/email-change/undo", LinkPurpose::EmailChangeUndo),
            ("/account/restore", LinkPurpose::DeletionUndo),
            ("/account/export", LinkPurpose::Export),
            ("/account/not-me", LinkPurpose::NotMe),
        ] {
            let browser = Browser::new(&server);
            let answer = browser.open(&format!("{page}?token={token}")).await;
            assert_eq!(answer.status == StatusCode::OK, own == purpose, "{page} for {purpose:?}: {answer}");
            // Nor is one taken by the form of another page.
            if own == purpose {
                let mut form = answer.page().form_of("mailed-confirm");
                for (other, wrong) in &links {
                    if *other != own {
                        form.fields.retain(|(name, _)| name != "token");
                        form.fields.push(("token".to_owned(), wrong.clone()));
                        let refused = browser.post(&form.action, &form.fields).await;
                        assert_eq!(refused.status, StatusCode::GONE, "{other:?} at {page}: {refused}");
                    }
                }
            }
        }
    }
    assert_eq!(spa.sign_in("alice", PASSWORD).await.ok()["status"], "complete", "nothing happened");
}

#[tokio::test]
async fn s_037_a_link_holds_nothing_but_chance() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        asks(&spa, ALICE, "link").await;
        tokens.push(token(&server, ALICE).await);
        server.advance(Duration::from_mins(1));
    }
    let windows = |text: &str| (0..text.len() - 7).map(|at| text[at..at + 8].to_owned()).collect::<Vec<_>>();
    let id = server.user("alice").await.id.to_string().replace('-', "");
    for window in windows(&tokens[0]) {
        assert!(!tokens[1].contains(&window) && !id.contains(&window), "{tokens:?}");
    }
    assert!(tokens.iter().all(|token| token.len() >= 43), "256 bits");
}

#[tokio::test]
async fn s_121_a_forgotten_address_is_told_masked_to_who_has_the_phone() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let asks = async |phone: &str| spa.post("/recovery/emails", &json!({"phone": phone})).await;
    assert_eq!(fields(&asks("alice").await), ["phone invalid_phone_number"]);
    let known = asks("+493090182001").await;
    let unknown = asks("+31612345678").await;
    assert_eq!(bytes(&known), bytes(&unknown));
    server.deliver().await;
    assert!(server.mailbox().to("+31612345678").is_empty());
    let sent = server.mailbox().code_for("+493090182001");
    let confirm = async |begun: &Answer, code: &str| {
        spa.post("/recovery/emails/confirm", &json!({"flow": begun.json()["flow"], "code": code})).await
    };
    assert_eq!(code(&confirm(&unknown, &sent).await), "422 wrong_code");
    assert_eq!(confirm(&known, &sent).await.ok(), json!({"emails": ["a•••@e•••.com"]}));
    assert_eq!(code(&confirm(&known, &sent).await), "410 flow_invalid", "once");
}

/// What nobody has proven may be somebody else's (PROTOCOL A22).
#[tokio::test]
async fn s_121_an_address_that_was_never_proven_is_not_told() {
    const NUMBER: &str = "+31612345678";
    let server = TestServer::start().await;
    let alice = server.user("alice").await;
    let mut dave = alice.as_ref().clone();
    dave.id = symbolon::model::id::UserId::new([7; 16]);
    dave.identifiers = vec![
        (IdentifierKind::Email, "dave@example.net", None, true),
        (IdentifierKind::Email, "dave@example.com", Some(alice.created_at), false),
        (IdentifierKind::Phone, NUMBER, Some(alice.created_at), true),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, (kind, value, verified_at, is_primary))| symbolon::model::user::Identifier {
        id: symbolon::model::id::IdentifierId::new(alice.created_at, [u8::try_from(place).expect("three") + 70; 10]),
        kind,
        value: value.to_owned(),
        verified_at,
        is_primary,
    })
    .collect();
    server.store().create_user(&dave, None).await.expect("stored");
    let spa = Spa::open(&server).await;
    let begun = spa.post("/recovery/emails", &json!({"phone": NUMBER})).await.json();
    server.deliver().await;
    let sent = server.mailbox().code_for(NUMBER);
    let told = spa.post("/recovery/emails/confirm", &json!({"flow": begun["flow"], "code": sent})).await.ok();
    assert_eq!(told, json!({"emails": ["d•••@e•••.com"]}));
}

/// A number that somebody only wrote down proves nothing; and a proven one is asked three times an hour.
#[tokio::test]
async fn s_121_an_unproven_number_is_told_nothing() {
    const NUMBER: &str = "+31612345678";
    let setup =
        Setup { issuer: "https://id.example", mode: symbolon::oauth::policy::Mode::Production, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let alice = server.user("alice").await;
    let mut dave = alice.as_ref().clone();
    dave.id = symbolon::model::id::UserId::new([7; 16]);
    dave.identifiers = vec![
        (IdentifierKind::Email, "dave@example.net", alice.identifiers[0].verified_at.or(Some(alice.created_at))),
        (IdentifierKind::Phone, NUMBER, None),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, (kind, value, verified_at))| symbolon::model::user::Identifier {
        id: symbolon::model::id::IdentifierId::new(alice.created_at, [u8::try_from(place).expect("two") + 70; 10]),
        kind,
        value: value.to_owned(),
        verified_at,
        is_primary: true,
    })
    .collect();
    server.store().create_user(&dave, None).await.expect("stored");
    for number in [NUMBER, "+493090182001"] {
        for place in 0..5_u8 {
            let spa = Spa::at(&server, [192, 0, 2, place]).await;
            spa.post("/recovery/emails", &json!({"phone": number})).await.of(StatusCode::ACCEPTED);
            server.deliver().await;
            server.advance(Duration::from_mins(2));
        }
    }
    assert!(server.mailbox().to(NUMBER).is_empty());
    assert_eq!(server.mailbox().to("+493090182001").len(), 3);
}

#[tokio::test]
async fn s_032_a_link_leads_back_into_the_request_of_the_app() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server).with_password(NEW);
    let exchange = shop.begin("openid");
    let sign_in = alice.begin(&exchange).await;
    let recover = alice.open(sign_in.page().attribute("recover", "href")).await;
    let form = recover.page().form_of("recover-submit").fill("login", "alice");
    let sent = alice.submit(form).await;
    assert!(sent.page().has("notice-reset_sent"), "{sent}");
    let token = token(&server, ALICE).await;
    let page = alice.open(&format!("/recover/password?token={token}")).await;
    assert!(!page.text().contains(ALICE), "the link names nobody");
    let form = page.page().form_of("new-password-submit").fill("password", NEW);
    let done = alice.submit(form).await;
    assert!(done.page().has("notice-password_set"), "{done}");
    let sign_in = alice.open(done.page().attribute("next", "href")).await;
    let url = alice.finish(sign_in, "alice").await;
    assert!(!shop.code(&exchange, &url).is_empty());
}
