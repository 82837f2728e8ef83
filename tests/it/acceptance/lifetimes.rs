//! S-182: what the settings say of times is what happens, to the second.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::model::message::MessageKind;

use super::first_party::app;
use super::registration::registers;
use crate::support::answer::{Answer, code};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

const ALICE: &str = "alice@example.com";
const CAROL: &str = "carol@example.net";
const NEW: &str = "another battery staple horse";

/// Unlike every default.
const SET: Duration = Duration::from_mins(47);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A story that is told twice: with a second left, and when the time is over. It waits where it is told to, and says whether it went well.
macro_rules! ends_after {
    ($set:expr, $configure:expr, |$server:ident, $wait:ident| $story:block) => {
        for (left, goes) in [(SECOND, true), (Duration::ZERO, false)] {
            let $server = TestServer::with(Setup { configure: $configure, ..Setup::default() }).await;
            let $wait = || $server.advance($set - left);
            let went: bool = $story;
            assert_eq!(went, goes, "with {left:?} left of {:?}", $set);
        }
    };
}

async fn asks(spa: &Spa, path: &str, body: Value) -> Value {
    let answer = spa.post(path, &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    if answer.text().is_empty() { Value::Null } else { answer.json() }
}

/// The token of the newest link to `address`.
async fn token(server: &TestServer, address: &str) -> String {
    server.deliver().await;
    let link = server.mailbox().link_for(address);
    link.split_once("token=").expect("a link").1.to_owned()
}

/// Whether it went well; what is too late is told as such.
fn is_in_time(answer: &Answer) -> bool {
    let refusals = [StatusCode::GONE, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    assert!(answer.status.is_success() || refusals.contains(&answer.status), "{answer}");
    answer.status.is_success()
}

/// Whether the page of the link still has its button.
async fn opens(server: &TestServer, path: &str, token: &str) -> bool {
    is_in_time(&Browser::new(server).open(&format!("{path}?token={token}")).await)
}

#[tokio::test]
async fn s_182_times_of_a_new_account_are_the_operators() {
    ends_after!(SET, |config| config.registration.code_lifetime = SET, |server, wait| {
        let spa = Spa::open(&server).await;
        let begun = asks(&spa, "/registrations", json!({"email": CAROL, "password": PASSWORD})).await;
        assert_eq!(begun["expires_in"], SET.as_secs());
        server.deliver().await;
        let code = server.mailbox().code_for(CAROL);
        assert!(server.mailbox().last_to(CAROL).text.contains("47 minutes"), "the mail says so");
        wait();
        let body = json!({"registration": begun["registration"], "code": code});
        is_in_time(&spa.post("/registrations/confirm", &body).await)
    });
    let by_link = |config: &mut Config| {
        config.registration.mode = SignUp::Link;
        config.registration.link_lifetime = SET;
    };
    ends_after!(SET, by_link, |server, wait| {
        let spa = Spa::open(&server).await;
        asks(&spa, "/registrations", json!({"email": CAROL, "password": PASSWORD})).await;
        let token = token(&server, CAROL).await;
        wait();
        is_in_time(&spa.post("/registrations/activate", &json!({"token": token})).await)
    });
}

#[tokio::test]
async fn s_182_times_of_a_forgotten_password_are_the_operators() {
    ends_after!(SET, |config| config.account.reset_lifetime = SET, |server, wait| {
        let spa = Spa::open(&server).await;
        asks(&spa, "/password-resets", json!({"identifier": ALICE})).await;
        let token = token(&server, ALICE).await;
        wait();
        is_in_time(&spa.post("/password-resets/confirm", &json!({"token": token, "password": NEW})).await)
    });
    ends_after!(SET, |config| config.account.code_lifetime = SET, |server, wait| {
        let spa = Spa::open(&server).await;
        let begun = asks(&spa, "/password-resets", json!({"identifier": ALICE, "channel": "email_code"})).await;
        server.deliver().await;
        let code = server.mailbox().code_for(ALICE);
        wait();
        let body = json!({"flow": begun["flow"], "code": code, "password": NEW});
        is_in_time(&spa.post("/password-resets/confirm", &body).await)
    });
}

/// The code itself, and the sign-in that it belongs to.
#[tokio::test]
async fn s_182_times_of_a_sign_in_are_the_operators() {
    let codes = |config: &mut Config| {
        config.otp.lifetime = SET;
        config.session.sign_in_lifetime = 60 * MINUTE;
    };
    ends_after!(SET, codes, |server, wait| {
        let spa = Spa::open(&server).await;
        let begun = asks(&spa, "/sign-in", json!({"method": "email_code", "identifier": ALICE})).await;
        server.deliver().await;
        let mail = server.mailbox().last_to(ALICE);
        assert!(mail.text.contains("47 minutes"), "the mail says so: {}", mail.text);
        let code = server.mailbox().code_for(ALICE);
        wait();
        let body = json!({"flow": begun["flow"], "type": "email_code", "value": code});
        is_in_time(&spa.post("/sign-in/challenge", &body).await)
    });
    let flows = |config: &mut Config| {
        config.otp.lifetime = SET;
        config.session.sign_in_lifetime = SET;
    };
    ends_after!(SET, flows, |server, wait| {
        let spa = Spa::open(&server).await;
        let begun = asks(&spa, "/sign-in", json!({"method": "email_code", "identifier": ALICE})).await;
        assert_eq!(begun["expires_in"], SET.as_secs());
        server.deliver().await;
        let code = server.mailbox().code_for(ALICE);
        wait();
        let body = json!({"flow": begun["flow"], "type": "email_code", "value": code});
        is_in_time(&spa.post("/sign-in/challenge", &body).await)
    });
    let pause = |config: &mut Config| config.otp.resend_after = SET;
    for (left, status) in [(SECOND, StatusCode::TOO_MANY_REQUESTS), (Duration::ZERO, StatusCode::ACCEPTED)] {
        let server = TestServer::with(Setup { configure: pause, ..Setup::default() }).await;
        let spa = Spa::open(&server).await;
        let body = json!({"method": "email_code", "identifier": ALICE});
        assert_eq!(asks(&spa, "/sign-in", body.clone()).await["resend_after"], SET.as_secs());
        server.advance(SET.saturating_sub(left));
        assert_eq!(spa.post("/sign-in", &body).await.status, status, "{left:?} before it");
    }
}

#[tokio::test]
async fn s_182_times_of_another_address_are_the_operators() {
    // The proof of who asks lasts longer than what is looked at here.
    ends_after!(SET, |config| config.account.contact_lifetime = SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        let added = asks(&alice, "/me/emails", json!({"email": CAROL})).await;
        server.deliver().await;
        let code = server.mailbox().code_for(CAROL);
        wait();
        let path = format!("/me/emails/{}/confirm", added["id"].as_str().expect("an id"));
        is_in_time(&alice.post(&path, &json!({"code": code})).await)
    });
    ends_after!(SET, |config| config.account.email_change_lifetime = SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        asks(&alice, "/me/email-changes", json!({"new_email": CAROL})).await;
        let token = token(&server, CAROL).await;
        wait();
        is_in_time(&alice.post("/email-changes/confirm", &json!({"token": token})).await)
    });
    ends_after!(2 * SET, |config| config.account.email_change_undo_lifetime = 2 * SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        asks(&alice, "/me/email-changes", json!({"new_email": CAROL})).await;
        let token = token(&server, ALICE).await;
        wait();
        opens(&server, "/email-change/undo", &token).await
    });
}

#[tokio::test]
async fn s_182_times_of_ones_own_account_are_the_operators() {
    ends_after!(SET, |config| config.account.deletion_grace = SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        assert_eq!(alice.delete("/me").await.status, StatusCode::ACCEPTED);
        let token = token(&server, ALICE).await;
        wait();
        opens(&server, "/account/restore", &token).await
    });
    ends_after!(SET, |config| config.account.export_lifetime = SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        asks(&alice, "/me/export", json!({})).await;
        let provider = server.provider();
        provider.accounts.make_exports(&provider.vault).await.expect("made");
        let token = token(&server, ALICE).await;
        wait();
        opens(&server, "/account/export", &token).await
    });
    ends_after!(2 * SET, |config| config.account.new_device_lifetime = 2 * SET, |server, wait| {
        Browser::signed_in(&server, "alice").await;
        let other = Browser::new(&server).calling_itself("Another/1.0");
        other.sign_in(&other.open("/sign-in").await, "alice").await;
        let token = token(&server, ALICE).await;
        assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::NewDevice]);
        wait();
        opens(&server, "/account/not-me", &token).await
    });
}

#[tokio::test]
async fn s_182_times_of_sessions_are_the_operators() {
    async fn is_in(spa: &Spa) -> bool {
        spa.get("/session").await.ok()["user"].is_object()
    }
    ends_after!(SET, |config| config.session.idle_lifetime = SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        wait();
        is_in(&alice).await
    });
    let absolute = |config: &mut Config| {
        config.session.idle_lifetime = SET;
        config.session.lifetime = SET;
    };
    ends_after!(SET, absolute, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        wait();
        is_in(&alice).await
    });
    ends_after!(SET, |config| config.session.step_up_lifetime = SET, |server, wait| {
        let alice = Spa::signed_in(&server, "alice").await;
        wait();
        is_in_time(&alice.post("/me/email-changes", &json!({"new_email": CAROL})).await)
    });
}

#[tokio::test]
async fn s_182_times_of_tokens_are_the_operators() {
    async fn pair(server: &TestServer) -> Value {
        let mut phone = app("phone");
        phone.policy.direct_tokens = true;
        RelyingParty::of(server, phone).await;
        let body = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": PASSWORD,
            "scope": "openid offline_access"});
        server.json((http::Method::POST, "/api/v1/tokens"), &body, None).await.ok()
    }
    async fn refreshes(server: &TestServer, pair: &Value) -> bool {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "phone"),
            ("refresh_token", pair["refresh_token"].as_str().expect("a token")),
        ];
        server.post("/oauth2/token", &fields).await.status == StatusCode::OK
    }
    ends_after!(SET, |config| config.tokens.access_lifetime = SET, |server, wait| {
        let pair = pair(&server).await;
        assert_eq!(pair["expires_in"], SET.as_secs());
        wait();
        let token = pair["access_token"].as_str().expect("a token");
        is_in_time(&server.get_with("/api/v1/tokens/claims", token).await)
    });
    ends_after!(SET, |config| config.tokens.refresh_idle_lifetime = SET, |server, wait| {
        let pair = pair(&server).await;
        wait();
        refreshes(&server, &pair).await
    });
    let absolute = |config: &mut Config| {
        config.tokens.refresh_idle_lifetime = SET;
        config.tokens.refresh_lifetime = SET;
    };
    ends_after!(SET, absolute, |server, wait| {
        let pair = pair(&server).await;
        wait();
        refreshes(&server, &pair).await
    });
}

/// What the operator leaves alone is as the documents say.
#[tokio::test]
async fn s_182_a_registration_is_remembered_for_ten_minutes_unless_it_is_said() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    registers(&server, &spa, &json!({"email": CAROL, "password": PASSWORD})).await;
    let begun = asks(&spa, "/registrations", json!({"email": "dave@example.net", "password": PASSWORD})).await;
    assert_eq!((begun["expires_in"].as_u64(), begun["resend_after"].as_u64()), (Some(600), Some(60)));
    server.advance(Duration::from_mins(10));
    let late =
        spa.post("/registrations/confirm", &json!({"registration": begun["registration"], "code": "000000"})).await;
    assert_eq!(code(&late), "410 registration_expired");
}
