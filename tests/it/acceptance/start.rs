//! S-128: the same wish twice, as a double click sends it, is one wish.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;

const ALICE: &str = "alice@example.com";
const CAROL: &str = "carol@example.net";
const PHONE: &str = "+493090182001";

#[tokio::test]
async fn s_128_two_identical_starts_are_one_message_and_one_handle() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let stranger = Spa::open(&server).await;
    for (spa, path, body, handle, to) in [
        (&stranger, "/registrations", json!({"email": CAROL, "password": PASSWORD}), "registration", CAROL),
        (&stranger, "/password-resets", json!({"identifier": ALICE, "channel": "email_code"}), "flow", ALICE),
        (&stranger, "/password-resets", json!({"identifier": PHONE, "channel": "sms_code"}), "flow", PHONE),
        (&stranger, "/recovery/emails", json!({"phone": PHONE}), "flow", PHONE),
        (&alice, "/me/email-changes", json!({"new_email": "new@example.net"}), "flow", "new@example.net"),
        (&alice, "/me/emails", json!({"email": "more@example.net"}), "id", "more@example.net"),
    ] {
        server.deliver().await;
        let before = server.mailbox().to(to).len();
        let first = spa.post(path, &body).await.of(StatusCode::ACCEPTED).json();
        server.advance(Duration::from_secs(4));
        let second = spa.post(path, &body).await.of(StatusCode::ACCEPTED).json();
        assert_eq!(first[handle], second[handle], "{path}");
        assert!(first[handle].as_str().is_some_and(|handle| !handle.is_empty()));
        server.deliver().await;
        assert_eq!(server.mailbox().to(to).len(), before + 1, "{path}: one message");
        server.advance(Duration::from_mins(1));
    }
}

/// Fifty at once, as nobody clicks.
#[tokio::test(flavor = "multi_thread")]
async fn s_128_fifty_starts_at_once_are_one_message() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let body = json!({"email": CAROL, "password": PASSWORD});
    let answers = futures_util::future::join_all((0..50).map(|_| spa.post("/registrations", &body))).await;
    let handles: Vec<Value> = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::ACCEPTED)
        .map(|answer| answer.json()["registration"].clone())
        .collect();
    assert_eq!(handles.len(), 50, "{:?}", answers.first());
    assert!(handles.iter().all(|handle| *handle == handles[0]));
    server.deliver().await;
    assert_eq!(server.mailbox().to(CAROL).len(), 1);
    let code = server.mailbox().code_for(CAROL);
    let made = spa.post("/registrations/confirm", &json!({"registration": handles[0], "code": code})).await;
    assert_eq!(made.status, StatusCode::CREATED);
}

/// What differs is another wish, and waits for the minute.
#[tokio::test]
async fn s_128_another_wish_is_not_the_same() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    spa.post("/registrations", &json!({"email": CAROL, "password": PASSWORD})).await.of(StatusCode::ACCEPTED);
    let other = json!({"email": CAROL, "password": "another battery staple horse"});
    let refused = spa.post("/registrations", &other).await;
    assert_eq!(code(&refused), "429 code_recently_sent");
    assert_eq!(refused.header("retry-after"), "60");
    let elsewhere = Spa::open(&server).await;
    let again = elsewhere.post("/registrations", &json!({"email": CAROL, "password": PASSWORD})).await;
    assert_eq!(code(&again), "429 code_recently_sent", "a handle is of one browser");
}

/// A start that was refused after it began left its mark: the same wish within five seconds was told 202, with nothing behind it.
#[tokio::test]
async fn s_128_a_start_that_sent_nothing_did_not_begin() {
    for (path, body, to) in [
        ("/registrations", json!({"email": CAROL, "password": PASSWORD}), CAROL),
        ("/sign-in", json!({"method": "email_code", "identifier": ALICE}), ALICE),
        ("/sign-in", json!({"method": "magic_link", "identifier": ALICE}), ALICE),
        ("/me/email-changes", json!({"new_email": "new@example.net"}), "new@example.net"),
        ("/me/emails", json!({"email": "more@example.net"}), "more@example.net"),
    ] {
        let setup = Setup { configure: |config| config.limits.code_start = "1/h".parse().ok(), ..Setup::default() };
        let server = TestServer::with(setup).await;
        let spa =
            if path.starts_with("/me") { Spa::signed_in(&server, "alice").await } else { Spa::open(&server).await };
        let first = spa.post(path, &body).await;
        assert!(first.status.is_success(), "{path}: {first}");
        server.advance(Duration::from_secs(61));
        for _ in 0..3 {
            let refused = spa.post(path, &body).await;
            assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{path}: {refused}");
        }
        server.deliver().await;
        assert_eq!(server.mailbox().to(to).len(), 1, "{path}");
        server.advance(Duration::from_hours(1));
        let later = spa.post(path, &body).await;
        assert!(later.status.is_success() || path.starts_with("/me"), "{path}: {later}");
    }
}
