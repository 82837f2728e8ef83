//! Codes that are wrong silence the address that they come from: S-123.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::authn::limit::Limit;

use super::limits::{at_any_pace, attempt, production};
use crate::support::answer::{code, fields};
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
use crate::support::{Answer, TestServer};

/// A sign-in with a code that was sent; the handle of what waits for it.
pub(super) async fn waits(spa: &Spa, identifier: &str) -> String {
    let asked = spa.post("/sign-in", &json!({"method": "email_code", "identifier": identifier})).await;
    asked.of(StatusCode::ACCEPTED).json()["flow"].as_str().expect("a handle").to_owned()
}

async fn types(spa: &Spa, flow: &str, typed: &str) -> Answer {
    spa.post("/sign-in/challenge", &json!({"flow": flow, "type": "email_code", "value": typed})).await
}

/// So many wrong codes from an address, two in each sign-in, of people whom nobody asked for before.
async fn types_wrong_codes(server: &TestServer, address: [u8; 4], wrong: u32) {
    let spa = Spa::at(server, address).await;
    let mut flow = String::new();
    for number in 0..wrong {
        if number % 2 == 0 {
            flow = waits(&spa, &format!("nobody-{}@example.org", TestServer::number())).await;
        }
        assert_eq!(code(&types(&spa, &flow, &format!("00000{number}")).await), "401 wrong_code", "{number}");
    }
}

#[tokio::test]
async fn s_123_wrong_codes_of_many_sign_ins_silence_an_address() {
    let server = production(at_any_pace).await;
    let here = [192, 0, 2, 7];
    let alice = Spa::at(&server, here).await;
    let flow = waits(&alice, "alice@example.com").await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    types_wrong_codes(&server, here, 10).await;
    let refused = types(&alice, &flow, &right).await;
    assert_eq!(code(&refused), "429 too_many_attempts", "even what is right");
    assert_eq!(refused.json()["retry_after"].to_string(), refused.header("retry-after"));
    let start = alice.post("/sign-in", &json!({"method": "email_code", "identifier": "bob@example.com"})).await;
    assert_eq!(code(&start), "429 too_many_attempts", "nor is anything sent");
    assert_eq!(code(&attempt(&server, ("192.0.2.7", &[]), "alice", PASSWORD).await), "429 too_many_attempts");
    assert_eq!(attempt(&server, ("192.0.2.8", &[]), "alice", PASSWORD).await.status, StatusCode::OK, "others go on");
    server.advance(Duration::from_mins(5));
    assert_eq!(attempt(&server, ("192.0.2.7", &[]), "alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn s_123_a_right_code_forgets_the_failures_of_its_address() {
    let server = production(at_any_pace).await;
    let here = [192, 0, 2, 7];
    for _ in 0..2 {
        types_wrong_codes(&server, here, 9).await;
        let alice = Spa::at(&server, here).await;
        let flow = waits(&alice, "alice@example.com").await;
        server.deliver().await;
        let right = server.mailbox().code_for("alice@example.com");
        assert_eq!(types(&alice, &flow, &right).await.ok()["status"], "complete");
        server.advance(Duration::from_secs(61));
    }
}

/// Whatever codes are for: those of a registration, a reset and a recovery are one count.
#[tokio::test]
async fn s_123_wrong_codes_of_registrations_and_resets_count_too() {
    let server = production(|config| {
        at_any_pace(config);
        config.limits.registration = Some(Limit::Off);
        config.limits.password_reset = Some(Limit::Off);
    })
    .await;
    let spa = Spa::at(&server, [192, 0, 2, 7]).await;
    let begun = async |path: &str, body: Value| spa.post(path, &body).await.of(StatusCode::ACCEPTED).json();
    let registration = begun("/registrations", json!({"email": "carol@example.net", "password": PASSWORD})).await;
    let reset = begun("/password-resets", json!({"identifier": "bob@example.com", "channel": "email_code"})).await;
    let recovery = begun("/recovery/emails", json!({"phone": "+493090182001"})).await;
    // An impatient person who types one code again and again guesses once.
    let confirm = |typed: String| json!({"registration": registration["registration"], "code": typed});
    for _ in 0..12 {
        let answer = spa.post("/registrations/confirm", &confirm("999999".to_owned())).await;
        assert_eq!(fields(&answer), ["code wrong_code"], "{answer}");
    }
    for guess in 0..3 {
        let typed = format!("00000{guess}");
        let bodies = [
            ("/registrations/confirm", confirm(typed.clone())),
            ("/password-resets/confirm", json!({"flow": reset["flow"], "code": typed, "password": PASSWORD})),
            ("/recovery/emails/confirm", json!({"flow": recovery["flow"], "code": typed})),
        ];
        for (path, body) in bodies {
            let answer = spa.post(path, &body).await;
            assert_eq!(fields(&answer), ["code wrong_code"], "{path}: {answer}");
        }
    }
    server.deliver().await;
    let right = server.mailbox().code_for("carol@example.net");
    let refused = spa.post("/registrations/confirm", &confirm(right.clone())).await;
    assert_eq!(code(&refused), "429 too_many_attempts");
    assert_eq!(refused.json()["retry_after"].to_string(), refused.header("retry-after"));
    server.advance(Duration::from_mins(5));
    assert_eq!(spa.post("/registrations/confirm", &confirm(right)).await.status, StatusCode::CREATED);
}

/// PROTOCOL A5: a stranger at the same address, behind one router, keeps nobody out of the browser that they are known by.
#[tokio::test]
async fn s_123_a_browser_that_the_account_knows_is_heard_while_its_address_is_not() {
    let server = production(at_any_pace).await;
    let here = [192, 0, 2, 7];
    let known = Spa::at(&server, here).await;
    known.sign_in("alice", PASSWORD).await.ok();
    known.delete("/session").await.ok();
    types_wrong_codes(&server, here, 10).await;
    assert_eq!(code(&attempt(&server, ("192.0.2.7", &[]), "alice", PASSWORD).await), "429 too_many_attempts");
    let flow = waits(&known, "alice@example.com").await;
    server.deliver().await;
    assert_eq!(code(&types(&known, &flow, "000000").await), "401 wrong_code");
    let right = server.mailbox().code_for("alice@example.com");
    assert_eq!(types(&known, &flow, &right).await.ok()["status"], "complete");
    known.delete("/session").await.ok();
    assert_eq!(known.sign_in("alice", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(
        code(&attempt(&server, ("192.0.2.7", &[]), "alice", PASSWORD).await),
        "429 too_many_attempts",
        "what it does right forgives nobody else"
    );
}

/// A mark is of one person: whoever has an account of their own has nothing sent in the name of others from a blocked address.
#[tokio::test]
async fn s_123_a_mark_of_ones_own_does_not_pass_the_block() {
    let server = production(at_any_pace).await;
    let here = [192, 0, 2, 7];
    let mallory = Spa::at(&server, here).await;
    mallory.sign_in("bob", PASSWORD).await.ok();
    mallory.delete("/session").await.ok();
    types_wrong_codes(&server, here, 10).await;
    server.deliver().await;
    let before = server.mailbox().messages().len();
    for (path, body) in [
        ("/registrations", json!({"email": "carol@example.net"})),
        ("/password-resets", json!({"identifier": "alice@example.com"})),
        ("/recovery/emails", json!({"phone": "+493090182001"})),
        ("/sign-in", json!({"method": "email_code", "identifier": "alice@example.com"})),
        ("/sign-in", json!({"method": "sms_code", "identifier": "+493090182001"})),
        ("/sign-in", json!({"method": "magic_link", "identifier": "alice@example.com"})),
        ("/sign-in", json!({"method": "password", "identifier": "alice", "password": PASSWORD})),
    ] {
        let refused = mallory.post(path, &body).await;
        assert_eq!(code(&refused), "429 too_many_attempts", "{path} {body}");
        assert_eq!(refused.json()["retry_after"].to_string(), refused.header("retry-after"));
    }
    let page = mallory.browser.open("/sign-in/email_code").await;
    let form = page.page().form_of("send-code-submit").fill("login", "alice@example.com");
    let refused = mallory.browser.submit(form).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    assert!(refused.page().has("form-error") && !refused.header("retry-after").is_empty(), "{refused}");
    let page = mallory.browser.open("/register").await;
    let form = page.page().form_of("register-submit").fill("email", "carol@example.net").fill("password", PASSWORD);
    assert_eq!(mallory.browser.submit(form).await.status, StatusCode::TOO_MANY_REQUESTS);
    server.deliver().await;
    assert_eq!(server.mailbox().messages().len(), before, "nothing was sent");
    assert_eq!(mallory.sign_in("bob", PASSWORD).await.status, StatusCode::OK, "their own account knows them");
}
