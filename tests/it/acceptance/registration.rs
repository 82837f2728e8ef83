//! Making an account: S-001 to S-012, S-017, S-020.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::account::settings::{Answers, Presence, SignUp};
use symbolon::config::{Config, Sources};
use symbolon::model::message::MessageKind;
use symbolon::model::user::LookupName;

use crate::support::TestServer;
use crate::support::answer::{Answer, code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;

/// An address that nobody has.
const CAROL: &str = "carol@example.net";

async fn server(configure: fn(&mut Config)) -> TestServer {
    TestServer::with(Setup { configure, ..Setup::default() }).await
}

/// Begins, and gives the handle.
async fn begins(spa: &Spa, body: &Value) -> String {
    let begun = spa.post("/registrations", body).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun}");
    begun.json()["registration"].as_str().expect("a handle").to_owned()
}

async fn confirms(spa: &Spa, registration: &str, code: &str) -> Answer {
    spa.post("/registrations/confirm", &json!({"registration": registration, "code": code})).await
}

/// Makes an account, and gives its id.
pub(super) async fn registers(server: &TestServer, spa: &Spa, body: &Value) -> String {
    let handle = begins(spa, body).await;
    server.deliver().await;
    let address = body["email"].as_str().or(body["phone"].as_str()).expect("an address");
    let made = confirms(spa, &handle, &server.mailbox().code_for(address)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    made.json()["id"].as_str().expect("an id").to_owned()
}

/// Whether anybody has this name.
async fn exists(server: &TestServer, name: &str) -> bool {
    let name = LookupName::parse(name).expect("a name");
    server.store().user_by_name(&name).await.expect("the store answers").is_some()
}

fn carol() -> Value {
    json!({"email": CAROL, "password": PASSWORD})
}

/// Another code than `code`.
fn other_than(code: &str) -> String {
    let digit = code.bytes().next().map_or(0, |digit| (digit - b'0' + 1) % 10);
    format!("{digit}{}", &code[1..])
}

#[tokio::test]
async fn s_001_ids_are_not_numbers() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let first = registers(&server, &spa, &carol()).await;
    let second = registers(&server, &spa, &json!({"email": "dave@example.net", "password": PASSWORD})).await;
    for id in [&first, &second] {
        let id: uuid::Uuid = id.parse().expect("a UUID");
        assert_eq!(id.get_version_num(), 4, "drawn by chance");
    }
    assert_ne!(first[..8], second[..8]);
    let signed_in = spa.sign_in(CAROL, PASSWORD).await.ok();
    assert_eq!(signed_in["user"]["id"], first);
    for (name, value) in [
        ("email", json!(CAROL)),
        ("email_verified", json!(true)),
        ("username", Value::Null),
        ("phone", Value::Null),
        ("phone_verified", json!(false)),
        ("first_name", Value::Null),
        ("last_name", Value::Null),
        ("avatar_url", Value::Null),
        ("active", json!(true)),
        ("staff", json!(false)),
        ("created_at", json!("2027-01-15T08:00:00Z")),
        ("roles", json!([])),
        ("groups", json!([])),
    ] {
        assert_eq!(signed_in["user"].get(name), Some(&value), "{name}");
    }
    assert!(signed_in["user"].get("updated_at").is_some() && signed_in["user"].get("last_sign_in_at").is_some());
}

#[tokio::test]
async fn s_002_nothing_is_kept_before_the_code_is_typed() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let begun = spa.post("/registrations", &carol()).await.ok();
    assert_eq!((begun["expires_in"].as_u64(), begun["resend_after"].as_u64()), (Some(600), Some(60)));
    let handle = begun["registration"].as_str().expect("a handle").to_owned();
    assert!(handle.len() >= 43, "256 bits");
    assert!(!exists(&server, CAROL).await);
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(CAROL), [MessageKind::RegistrationCode]);
    let sent = server.mailbox().code_for(CAROL);
    assert!(sent.len() == 6 && sent.bytes().all(|byte| byte.is_ascii_digit()), "{sent}");

    let made = confirms(&spa, &handle, &sent).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.json()["email"], CAROL);
    assert!(exists(&server, CAROL).await);
    assert_eq!(spa.sign_in(CAROL, PASSWORD).await.ok()["user"]["email_verified"], true);
    assert_eq!(code(&confirms(&spa, &handle, &sent).await), "409 already_verified", "once");
}

#[tokio::test]
async fn s_002_after_ten_minutes_the_registration_is_over() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &carol()).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    server.advance(Duration::from_secs(601));
    assert_eq!(code(&confirms(&spa, &handle, &sent).await), "410 registration_expired");
    assert!(!exists(&server, CAROL).await);
}

#[tokio::test]
async fn s_002_a_restart_loses_no_registration() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &carol()).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    let cookie = spa.browser.cookie("symbolon_flow").expect("a browser that is known");
    drop(spa);
    let server = server.restarted(|_| ()).await;
    let spa = Spa::new(&server);
    spa.browser.set_cookie("symbolon_flow", &cookie);
    spa.get("/session").await.ok();
    assert_eq!(confirms(&spa, &handle, &sent).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn s_002_a_message_may_be_asked_for_again_after_a_minute() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &carol()).await;
    server.deliver().await;
    let first = server.mailbox().code_for(CAROL);
    let again = json!({"registration": handle});
    let refused = spa.post("/registrations/resend", &again).await;
    assert_eq!((code(&refused).as_str(), refused.header("retry-after")), ("429 code_recently_sent", "60"));
    server.advance(Duration::from_mins(1));
    assert_eq!(spa.post("/registrations/resend", &again).await.ok()["registration"], handle);
    server.deliver().await;
    let second = server.mailbox().code_for(CAROL);
    assert_eq!(server.mailbox().to(CAROL).len(), 2);
    if first != second {
        assert_eq!(code(&confirms(&spa, &handle, &first).await), "422 wrong_code", "only the newest is good");
    }
    assert_eq!(confirms(&spa, &handle, &second).await.status, StatusCode::CREATED);
}

fn by_link(config: &mut Config) {
    config.registration.mode = SignUp::Link;
}

#[tokio::test]
async fn s_003_an_account_waits_for_its_link() {
    let server = server(by_link).await;
    let spa = Spa::open(&server).await;
    begins(&spa, &carol()).await;
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(CAROL), [MessageKind::Activate]);
    let link = server.mailbox().link_for(CAROL);
    let token = link.strip_prefix("http://localhost:8080/activate?token=").expect("a page of ours").to_owned();
    assert_eq!(code(&spa.sign_in(CAROL, PASSWORD).await), "403 account_not_activated");
    assert_eq!(code(&spa.sign_in(CAROL, "another password").await), "401 invalid_credentials");

    let altered = other_than(&token);
    let activate = async |token: &str| spa.post("/registrations/activate", &json!({"token": token})).await;
    assert_eq!(code(&activate(&altered).await), "410 activation_link_invalid");
    let activated = activate(&token).await;
    assert_eq!((activated.status, activated.json()["email"].as_str()), (StatusCode::OK, Some(CAROL)));
    assert_eq!(code(&activate(&token).await), "410 activation_link_invalid", "once");
    assert_eq!(spa.sign_in(CAROL, PASSWORD).await.ok()["user"]["email_verified"], true);
}

/// Where two people registered one address and nobody activated it, whoever has the mailbox chooses the password anew: nobody knows whose
/// the last one was (PROTOCOL A22).
#[tokio::test]
async fn s_003_a_strangers_password_falls_when_the_owner_activates() {
    let server = server(by_link).await;
    let (victim, eve) = (Spa::open(&server).await, Spa::open(&server).await);
    begins(&victim, &carol()).await;
    server.deliver().await;
    server.advance(Duration::from_mins(2));
    let chosen_by_eve = "eight loud magpies at dusk";
    let handle = begins(&eve, &json!({"email": CAROL, "password": chosen_by_eve})).await;
    server.advance(Duration::from_mins(2));
    assert_eq!(eve.post("/registrations/resend", &json!({"registration": handle})).await.status, StatusCode::ACCEPTED);
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let path = link.strip_prefix(server.issuer).expect("a page of ours").to_owned();
    let page = victim.browser.open(&path).await;
    let choose = victim.browser.press(&page, "mailed-confirm").await;
    assert_eq!(code(&eve.sign_in(CAROL, chosen_by_eve).await), "401 invalid_credentials");
    let form = choose.page().form_of("new-password-submit").fill("password", "seven quiet herons at dawn");
    let done = victim.browser.submit(form).await;
    assert!(done.status.is_success(), "{done}");
    assert_eq!(victim.sign_in(CAROL, "seven quiet herons at dawn").await.ok()["user"]["email_verified"], true);
}

/// Who registers again in the same browser is the same person, with another password.
#[tokio::test]
async fn s_003_who_registers_twice_keeps_the_last_password() {
    let server = server(by_link).await;
    let spa = Spa::open(&server).await;
    begins(&spa, &carol()).await;
    server.advance(Duration::from_mins(2));
    begins(&spa, &json!({"email": CAROL, "password": "seven quiet herons at dawn"})).await;
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let page = spa.browser.open(link.strip_prefix(server.issuer).expect("a page of ours")).await;
    assert!(spa.browser.press(&page, "mailed-confirm").await.page().has("notice-activated"));
    assert_eq!(spa.sign_in(CAROL, "seven quiet herons at dawn").await.ok()["status"], "complete");
}

/// By code too, a number that somebody else has is left out; who asks is not told whether it has an owner.
#[tokio::test]
async fn s_009_a_number_of_somebody_else_is_not_told() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let mut typed = carol();
    typed["phone"] = json!("+493090182001");
    registers(&server, &spa, &typed).await;
    let user = &spa.sign_in(CAROL, PASSWORD).await.ok()["user"];
    assert!(user["phone"].is_null() && user["email_verified"] == true, "{user}");
}

/// An address that waits in somebody's registration, and a number that nobody has proven, are free for who proves them.
#[tokio::test]
async fn s_008_what_nobody_has_proven_is_free() {
    let server = server(by_link).await;
    let eve = Spa::open(&server).await;
    begins(&eve, &carol()).await;
    server.deliver().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let asked = alice.post("/me/email-changes", &json!({"new_email": CAROL})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked}");
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let token = link.split_once("token=").expect("a token").1;
    let changed = alice.post("/email-changes/confirm", &json!({"token": token})).await;
    assert_eq!(changed.ok()["email"], CAROL);
}

/// Whoever has the number, the mail comes: only the owner of the address may learn what else is taken.
#[tokio::test]
async fn s_003_a_number_of_somebody_else_is_left_out() {
    let server = server(by_link).await;
    let spa = Spa::open(&server).await;
    let mut typed = carol();
    typed["phone"] = json!("+493090182001");
    begins(&spa, &typed).await;
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let token = link.split_once("token=").expect("a token").1;
    let activated = spa.post("/registrations/activate", &json!({"token": token})).await;
    assert_eq!(activated.status, StatusCode::OK, "{activated}");
    let user = &spa.sign_in(CAROL, PASSWORD).await.ok()["user"];
    assert!(user["phone"].is_null() && user["email_verified"] == true, "{user}");
}

/// Nothing is left of the account that was made for the look of it.
#[tokio::test]
async fn s_009_by_link_the_owner_is_told_and_nothing_is_made() {
    let server = server(|config| {
        by_link(config);
        config.registration.username = Presence::Optional;
    })
    .await;
    let spa = Spa::open(&server).await;
    let typed = json!({"email": "alice@example.com", "username": "heron", "password": "seven quiet herons at dawn"});
    begins(&spa, &typed).await;
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::AccountExists]);
    let name = LookupName::parse("heron").expect("a name");
    assert!(server.store().user_by_name(&name).await.expect("the store answers").is_none());
}

#[tokio::test]
async fn s_003_the_link_is_good_for_a_day() {
    let server = server(by_link).await;
    let spa = Spa::open(&server).await;
    begins(&spa, &carol()).await;
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let token = link.split_once("token=").expect("a token").1;
    server.advance(Duration::from_hours(24));
    let late = spa.post("/registrations/activate", &json!({"token": token})).await;
    assert_eq!(code(&late), "410 activation_link_invalid");
}

#[tokio::test]
async fn s_003_opening_the_link_changes_nothing() {
    let server = server(by_link).await;
    let spa = Spa::open(&server).await;
    begins(&spa, &carol()).await;
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let path = link.strip_prefix("http://localhost:8080").expect("a page of ours");
    // A scanner opens it as often as it likes.
    for _ in 0..3 {
        let page = server.get(path).await;
        assert!(page.page().has("mailed-confirm"), "{page}");
    }
    assert_eq!(code(&spa.sign_in(CAROL, PASSWORD).await), "403 account_not_activated");
    let page = spa.browser.open(path).await;
    let done = spa.browser.press(&page, "mailed-confirm").await;
    assert!(done.page().has("notice-activated"), "{done}");
    assert_eq!(spa.sign_in(CAROL, PASSWORD).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_004_a_code_is_good_under_its_own_handle_alone() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &carol()).await;
    let other = begins(&spa, &json!({"email": "dave@example.net", "password": PASSWORD})).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    if sent != server.mailbox().code_for("dave@example.net") {
        assert_eq!(code(&confirms(&spa, &other, &sent).await), "422 wrong_code");
    }
    assert_eq!(code(&confirms(&spa, &other_than(&handle), &sent).await), "422 registration_invalid");
    let none = spa.post("/registrations/confirm", &json!({"code": sent})).await;
    assert_eq!(code(&none), "422 registration_invalid");
    let elsewhere = Spa::open(&server).await;
    assert_eq!(code(&confirms(&elsewhere, &handle, &sent).await), "422 registration_invalid", "another browser");
    // Each of them counted against the registration that it was typed for.
    let of_other = server.mailbox().code_for("dave@example.net");
    let mut wrong = of_other.clone();
    for _ in 0..5 {
        wrong = other_than(&wrong);
        confirms(&spa, &other, &wrong).await;
    }
    assert_eq!(code(&confirms(&spa, &other, &of_other).await), "410 code_attempts_exceeded");
    assert_eq!(confirms(&spa, &handle, &sent).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn s_005_after_five_wrong_codes_the_right_one_is_not_heard() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &carol()).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    let mut wrong = sent.clone();
    for _ in 0..5 {
        wrong = other_than(&wrong);
        assert_eq!(code(&confirms(&spa, &handle, &wrong).await), "422 wrong_code");
    }
    assert_eq!(code(&confirms(&spa, &handle, &sent).await), "410 code_attempts_exceeded");
    assert!(!exists(&server, CAROL).await);
    server.advance(Duration::from_mins(1));
    registers(&server, &spa, &carol()).await;
    assert!(exists(&server, CAROL).await);
}

#[tokio::test]
async fn s_006_an_account_without_a_password_answers_as_one_with_another() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    registers(&server, &spa, &json!({"email": CAROL})).await;
    let without = spa.sign_in(CAROL, PASSWORD).await;
    let wrong = spa.sign_in("alice", "another password").await;
    assert_eq!(code(&without), "401 invalid_credentials");
    let seen = |answer: &Answer| {
        let mut problem = answer.json();
        problem["request_id"] = Value::Null;
        (answer.status, problem)
    };
    assert_eq!(seen(&without), seen(&wrong));
}

fn names(presence: Presence, config: &mut Config) {
    config.registration.username = presence;
}

#[tokio::test]
async fn s_007_a_username_is_asked_for_as_the_operator_decides() {
    let required = server(|config| names(Presence::Required, config)).await;
    let spa = Spa::open(&required).await;
    for body in [carol(), json!({"email": CAROL, "password": PASSWORD, "username": " "})] {
        assert_eq!(fields(&spa.post("/registrations", &body).await), ["username required"], "{body}");
    }
    registers(&required, &spa, &json!({"email": CAROL, "password": PASSWORD, "username": "Carol"})).await;
    assert_eq!(spa.sign_in("carol", PASSWORD).await.ok()["user"]["username"], "Carol");

    let optional = server(|config| names(Presence::Optional, config)).await;
    let spa = Spa::open(&optional).await;
    let blank = json!({"email": "alice@example.net", "password": PASSWORD, "username": ""});
    registers(&optional, &spa, &blank).await;
    registers(&optional, &spa, &carol()).await;
    let made = spa.sign_in("alice@example.net", PASSWORD).await.ok()["user"]["username"].clone();
    let made = made.as_str().expect("one was made");
    assert!(made.starts_with("alice-"), "alice is taken: {made}");
    assert_eq!(spa.sign_in("carol", PASSWORD).await.ok()["user"]["email"], CAROL);

    let off = server(|config| names(Presence::Off, config)).await;
    let spa = Spa::open(&off).await;
    let with = json!({"email": CAROL, "password": PASSWORD, "username": "carol"});
    assert_eq!(fields(&spa.post("/registrations", &with).await), ["username unknown_field"]);
    registers(&off, &spa, &carol()).await;
    assert_eq!(spa.sign_in(CAROL, PASSWORD).await.ok()["user"]["username"], Value::Null);
}

#[tokio::test]
async fn s_008_the_same_name_in_another_spelling_is_the_same_name() {
    let server = server(|config| names(Presence::Required, config)).await;
    let spa = Spa::open(&server).await;
    let body = |email: &str, username: &str| json!({"email": email, "password": PASSWORD, "username": username});
    registers(&server, &spa, &body("Foo@Example.net", "BOBBY")).await;
    server.advance(Duration::from_mins(1));
    begins(&spa, &body("foo@example.net", "foo")).await;
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("foo@example.net"), [MessageKind::AccountExists]);
    assert!(!exists(&server, "foo").await);

    // Full width letters.
    let handle = begins(&spa, &body(CAROL, "ＢＯＢＢＹ")).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    assert_eq!(fields(&confirms(&spa, &handle, &sent).await), ["username username_taken"], "told to who proved CAROL");
    let again = json!({"registration": handle, "code": sent, "username": "carol"});
    let made = spa.post("/registrations/confirm", &again).await;
    assert_eq!((made.status, made.json()["username"].as_str()), (StatusCode::CREATED, Some("carol")));
}

#[tokio::test(flavor = "multi_thread")]
async fn s_008_fifty_confirms_at_once_make_one_account() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &carol()).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    let answers = futures_util::future::join_all((0..50).map(|_| confirms(&spa, &handle, &sent))).await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 1);
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert!(["409 already_verified", "409 email_taken"].contains(&code(answer).as_str()), "{answer}");
    }
    let users = server.store().users(100).await.expect("listed");
    assert_eq!(users.iter().filter(|user| user.login() == CAROL).count(), 1);
}

/// An answer without what is drawn by chance.
fn bytes(answer: &Answer) -> (StatusCode, Vec<String>, String) {
    let mut headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.retain(|header| !header.starts_with("x-request-id") && !header.starts_with("set-cookie"));
    headers.sort();
    let mut text = answer.text().to_owned();
    for name in ["registration", "flow", "request_id"] {
        if let Some(drawn) = answer.json()[name].as_str() {
            text = text.replace(drawn, &"x".repeat(drawn.len()));
        }
    }
    (answer.status, headers, text)
}

#[tokio::test]
async fn s_009_an_address_that_has_an_account_answers_as_any_other() {
    for configure in [(|_| {}) as fn(&mut Config), by_link] {
        let server = server(configure).await;
        let spa = Spa::open(&server).await;
        let known = spa.post("/registrations", &json!({"email": "alice@example.com", "password": PASSWORD})).await;
        let unknown = spa.post("/registrations", &carol()).await;
        assert_eq!(bytes(&known), bytes(&unknown));
        server.deliver().await;
        assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::AccountExists]);
        let mut codes = Vec::new();
        for begun in [&known, &unknown] {
            let handle = begun.json()["registration"].as_str().expect("a handle").to_owned();
            codes.push(bytes(&confirms(&spa, &handle, "000000").await));
            codes.push(bytes(&spa.post("/registrations/resend", &json!({"registration": handle})).await));
        }
        let (of_known, of_unknown) = codes.split_at(2);
        assert_eq!(of_known, of_unknown, "and what follows answers so, too");
    }
}

#[tokio::test]
async fn s_009_who_proves_nothing_cannot_take_an_account_over() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let handle = begins(&spa, &json!({"email": "alice@example.com", "password": "a stranger's password"})).await;
    let refused = confirms(&spa, &handle, "123456").await;
    assert_eq!(code(&refused), "422 wrong_code");
    assert_eq!(spa.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
}

fn explicit(config: &mut Config) {
    config.registration.answers = Answers::Explicit;
    config.registration.username = Presence::Optional;
}

#[tokio::test]
async fn s_009_an_operator_may_choose_to_say_what_is_taken() {
    let server = server(explicit).await;
    let spa = Spa::open(&server).await;
    for (body, mistake) in [
        (json!({"email": "Alice@Example.com", "password": PASSWORD}), "email email_taken"),
        (json!({"email": CAROL, "username": "ALICE", "password": PASSWORD}), "username username_taken"),
        (json!({"phone": "+493090182001", "password": PASSWORD}), "phone phone_taken"),
    ] {
        let refused = spa.post("/registrations", &body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused}");
        assert_eq!(fields(&refused), [mistake]);
    }
    server.deliver().await;
    assert!(server.mailbox().to("alice@example.com").is_empty());
}

#[tokio::test]
async fn s_010_a_number_is_written_in_one_way() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let body = |phone: &str| json!({"phone": phone, "password": PASSWORD});
    for wrong in ["0612345678", "+31", "call me", "+999123456789"] {
        assert_eq!(fields(&spa.post("/registrations", &body(wrong)).await), ["phone invalid_phone_number"], "{wrong}");
    }
    let handle = begins(&spa, &body("+310612345678")).await;
    server.deliver().await;
    let sent = server.mailbox().code_for("+31612345678");
    let made = confirms(&spa, &handle, &sent).await;
    assert_eq!(made.json()["phone"], "+31612345678");
    let user = spa.sign_in("+31 (0)6 1234 5678", PASSWORD).await.ok()["user"].clone();
    assert_eq!((&user["phone"], &user["phone_verified"]), (&json!("+31612345678"), &json!(true)));
    assert_eq!(user["email"], Value::Null);

    server.advance(Duration::from_mins(1));
    begins(&spa, &body("+31 6 1234 5678")).await;
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("+31612345678").pop(), Some(MessageKind::AccountExists), "no second account");
}

fn attributes(config: &mut Config) {
    config.account.attributes = serde_json::from_value(json!([
        {"name": "company", "required": true, "max_length": 8, "pattern": "[A-Z].*", "claim": "org"},
        {"name": "employees", "type": "number"},
        {"name": "newsletter", "type": "boolean"},
        {"name": "founded", "type": "date", "visibility": "visible"},
        {"name": "note", "visibility": "hidden"},
    ]))
    .expect("attributes");
    config.account.view = vec!["nickname".to_owned(), "company".to_owned()];
}

#[tokio::test]
async fn s_012_what_the_operator_wants_to_know_is_asked_and_shown() {
    let server = server(attributes).await;
    let spa = Spa::open(&server).await;
    let asked = spa.get("/sign-in/options").await.ok()["registration"].clone();
    assert_eq!((&asked["mode"], &asked["username"]), (&json!("code"), &json!("off")));
    let company = json!({"name": "company", "type": "text", "required": true, "max_length": 8});
    assert_eq!((&asked["attributes"][0], asked["attributes"].as_array().map(Vec::len)), (&company, Some(4)));
    for (members, mistakes) in [
        (json!({}), vec!["company required"]),
        (json!({"company": ""}), vec!["company blank"]),
        (json!({"company": "acme"}), vec!["company invalid_value"]),
        (json!({"company": "Acme Limited"}), vec!["company too_long"]),
        (
            json!({"company": 1, "employees": "7", "newsletter": "yes", "founded": "2024-02-30", "note": "x", "x": 1}),
            vec![
                "company wrong_type",
                "employees wrong_type",
                "newsletter wrong_type",
                "founded invalid_value",
                "note unknown_field",
                "x unknown_field",
            ],
        ),
    ] {
        let mut body = carol();
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        assert_eq!(fields(&spa.post("/registrations", &body).await), mistakes, "{body}");
    }
    let body = json!({
        "email": CAROL, "password": PASSWORD, "company": "Acme", "employees": 7, "newsletter": true,
        "founded": "2024-02-29",
    });
    registers(&server, &spa, &body).await;
    let user = spa.sign_in(CAROL, PASSWORD).await.ok()["user"].clone();
    for (name, value) in [
        ("company", json!("Acme")),
        ("employees", json!(7)),
        ("newsletter", json!(true)),
        ("founded", json!("2024-02-29")),
    ] {
        assert_eq!(user[name], value, "{name}");
    }
    assert_eq!(user.get("note"), None, "hidden from the person");
}

#[tokio::test]
async fn s_013_an_operator_adds_to_the_view_of_a_person() {
    let server = server(attributes).await;
    let spa = Spa::signed_in(&server, "alice").await;
    let user = spa.get("/session").await.ok()["user"].clone();
    assert_eq!((user.get("nickname"), user.get("company")), (Some(&Value::Null), Some(&Value::Null)));
    assert_eq!(spa.sign_in("alice", PASSWORD).await.ok()["user"], user, "the same wherever it is shown");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("symbolon.toml");
    for (view, accepted) in [("nickname", true), ("password", false), ("secret", false), ("role", false)] {
        std::fs::write(&file, format!("[account]\nview = [\"{view}\"]\n")).expect("written");
        let read = Config::load(&Sources::file(&file));
        assert_eq!(read.is_ok(), accepted, "{view}");
    }
}

#[tokio::test]
async fn s_017_nobody_registers_where_the_operator_makes_accounts() {
    let server = server(|config| config.registration.mode = SignUp::Off).await;
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.post("/registrations", &carol()).await), "403 signup_not_allowed");
    let known = spa.post("/registrations", &json!({"email": "alice@example.com", "password": PASSWORD})).await;
    assert_eq!(code(&known), "403 signup_not_allowed");
    server.deliver().await;
    assert!(server.mailbox().to(CAROL).is_empty() && server.mailbox().to("alice@example.com").is_empty());
    let page = spa.browser.open("/register").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page}");
    assert!(!spa.browser.open("/sign-in").await.page().has("register"));
    assert_eq!(spa.get("/sign-in/options").await.ok()["registration"], Value::Null);
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert!(!metadata["prompt_values_supported"].to_string().contains("create"));
}

#[tokio::test]
async fn s_020_the_state_of_an_account_is_told_to_who_proves_it_is_theirs() {
    let server = server(by_link).await;
    let spa = Spa::open(&server).await;
    begins(&spa, &carol()).await;
    let bob = server.user("bob").await;
    let now = symbolon::protocol::numeric_date::NumericDate::from_seconds(server.clock.seconds());
    server.store().disable_user(bob.id, now, symbolon::edge::store::Beside::default()).await.expect("disabled");
    assert_eq!(code(&spa.sign_in("bob", PASSWORD).await), "403 account_disabled");
    assert_eq!(code(&spa.sign_in(CAROL, PASSWORD).await), "403 account_not_activated");
    let wrong = ["bob", CAROL, "nobody"].map(|login| spa.sign_in(login, "another password"));
    let wrong = futures_util::future::join_all(wrong).await;
    for answer in &wrong {
        assert_eq!(code(answer), "401 invalid_credentials");
        assert_eq!(bytes(answer), bytes(&wrong[0]));
    }
}

#[tokio::test]
async fn s_024_rules_decide_which_names_are_taken() {
    let configure = |config: &mut Config| {
        config.registration.username = Presence::Optional;
        config.identity.rules = serde_json::from_value(json!([
            {"type": "deny", "kind": "phone", "pattern": "^\\+1900"},
            {"type": "deny", "kind": "email", "pattern": "@example\\.org$"},
            {"type": "allow", "kind": "email", "pattern": "^friend@"},
            {"type": "deny", "kind": "username", "pattern": "admin"},
        ]))
        .expect("rules");
    };
    let server = server(configure).await;
    let spa = Spa::open(&server).await;
    for (body, mistakes) in [
        (json!({"phone": "+19005550123"}), vec!["phone identity_not_allowed"]),
        (json!({"email": "x@example.org"}), vec!["email identity_not_allowed"]),
        (json!({"email": "friend@example.org"}), vec![]),
        (json!({"email": CAROL, "username": "TheAdmin"}), vec!["username identity_not_allowed"]),
    ] {
        let answer = spa.post("/registrations", &body).await;
        assert_eq!(fields(&answer), mistakes, "{body}: {answer}");
    }
    // Neither is a code sent there to sign in with, nor to take it as a factor.
    let body = json!({"method": "sms_code", "identifier": "+1 900 555 0123"});
    assert_eq!(code(&spa.post("/sign-in", &body).await), "422 identity_not_allowed");
    let body = json!({"method": "email_code", "identifier": "x@example.org"});
    spa.post("/sign-in", &body).await.of(StatusCode::ACCEPTED);
    let alice = Spa::signed_in(&server, "alice").await;
    let factor = json!({"type": "sms", "address": "+19005550123"});
    assert_eq!(fields(&alice.post("/me/authenticators", &factor).await), ["address identity_not_allowed"]);
    assert_eq!(
        fields(&alice.post("/me/phones", &json!({"phone": "+19005550123"})).await),
        ["phone identity_not_allowed"]
    );
    server.deliver().await;
    for denied in ["+19005550123", "x@example.org"] {
        assert!(server.mailbox().to(denied).is_empty(), "{denied}");
    }
}

/// Nor is anything sent for a caller who is not heard, whatever it would be for.
#[tokio::test]
async fn s_024_nothing_is_sent_for_a_caller_whom_a_rule_denies() {
    let server = server(|config| {
        config.identity.rules =
            serde_json::from_value(json!([{"type": "deny", "kind": "ip", "pattern": "^192\\.0\\.2\\."}]))
                .expect("rules");
    })
    .await;
    let trapped = Spa::at(&server, [192, 0, 2, 7]).await;
    for (method, identifier) in [
        ("email_code", "alice@example.com"),
        ("email_code", "nobody@example.org"),
        ("sms_code", "+493090182001"),
        ("magic_link", "alice@example.com"),
    ] {
        let refused = trapped.post("/sign-in", &json!({"method": method, "identifier": identifier})).await;
        assert_eq!(code(&refused), "403 forbidden", "{method} {identifier}");
    }
    for method in ["email_code", "sms_code", "magic_link"] {
        let page = trapped.browser.open(&format!("/sign-in/{method}")).await;
        let form = page.page().form_of("send-code-submit").fill("login", "alice@example.com");
        let refused = trapped.browser.submit(form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method}: {refused}");
        assert!(refused.page().words("#form-error").contains("where you are"), "{method}: {refused}");
    }
    let page = trapped.browser.open("/register").await;
    let form = page.page().form_of("register-submit").fill("email", CAROL).fill("password", PASSWORD);
    assert_eq!(trapped.browser.submit(form).await.status, StatusCode::FORBIDDEN);
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty());

    // Who began elsewhere is not heard from there either.
    let spa = Spa::open(&server).await;
    let registration = begins(&spa, &carol()).await;
    let begun = spa.post("/sign-in", &json!({"method": "email_code", "identifier": "new@example.org"})).await;
    let flow = begun.of(StatusCode::ACCEPTED).json()["flow"].clone();
    server.deliver().await;
    let right = server.mailbox().code_for("new@example.org");
    trapped.browser.set_cookie("symbolon_flow", &spa.browser.cookie("symbolon_flow").expect("a browser"));
    trapped.set_csrf(spa.csrf().as_deref());
    server.advance(Duration::from_secs(61));
    let resend = json!({"registration": registration});
    assert_eq!(code(&trapped.post("/registrations/resend", &resend).await), "403 forbidden");
    let again = json!({"flow": flow, "id": "email_code"});
    assert_eq!(code(&trapped.post("/sign-in/challenge/send", &again).await), "403 forbidden");
    let answer = json!({"flow": flow, "type": "email_code", "value": right});
    assert_eq!(code(&trapped.post("/sign-in/challenge", &answer).await), "401 wrong_code", "nobody is made there");
    assert!(!exists(&server, "new@example.org").await);
    server.deliver().await;
    assert_eq!((server.mailbox().to(CAROL).len(), server.mailbox().to("new@example.org").len()), (1, 1));
    assert_eq!(spa.post("/registrations/resend", &resend).await.status, StatusCode::ACCEPTED, "others are heard");
}

#[tokio::test]
async fn s_024_a_caller_may_be_refused_and_files_may_name_what_is_not_taken() {
    let honey_trap = server(|config| {
        config.identity.rules =
            serde_json::from_value(json!([{"type": "deny", "kind": "ip", "pattern": "^127\\."}])).expect("rules");
    })
    .await;
    let spa = Spa::open(&honey_trap).await;
    assert_eq!(code(&spa.post("/registrations", &carol()).await), "403 forbidden");

    let files = server(|config| {
        let folder = std::env::temp_dir().join(format!("symbolon-rules-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (domains, words) = (folder.join("domains.txt"), folder.join("words.txt"));
        std::fs::write(&domains, "# throw-away\nmailinator.com\n").expect("written");
        std::fs::write(&words, "badword\n").expect("written");
        config.registration.username = Presence::Optional;
        config.identity.disposable_domains = Some(domains);
        config.identity.offensive_usernames = Some(words);
    })
    .await;
    let spa = Spa::open(&files).await;
    for email in ["x@mailinator.com", "x@Sub.Mailinator.com"] {
        let refused = spa.post("/registrations", &json!({"email": email})).await;
        assert_eq!(fields(&refused), ["email identity_not_allowed"], "{email}");
    }
    let refused = spa.post("/registrations", &json!({"email": CAROL, "username": "BadWord7"})).await;
    assert_eq!(fields(&refused), ["username identity_not_allowed"]);
    let _ = std::fs::remove_dir_all(std::env::temp_dir().join(format!("symbolon-rules-{}", std::process::id())));
}

#[tokio::test]
async fn s_011_people_sign_in_by_the_names_that_the_operator_lists() {
    use symbolon::model::user::IdentifierKind::{Email, Phone, Username};
    type Case = (fn(&mut Config), [bool; 3], &'static str);
    let cases: [Case; 3] = [
        (|config| config.identity.fields = vec![Email], [true, false, false], "Email"),
        (|config| config.identity.fields = vec![Phone, Username], [false, true, true], "Username or phone number"),
        (|_| {}, [true, true, true], "Email or username"),
    ];
    for (configure, heard, label) in cases {
        let server = server(configure).await;
        for (identifier, heard) in ["alice@example.com", "alice", "+49 30 90182001"].into_iter().zip(heard) {
            let answer = Spa::open(&server).await.sign_in(identifier, PASSWORD).await;
            let expected = if heard { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(answer.status, expected, "{identifier}: {answer}");
        }
        let page = Spa::new(&server).browser.open("/sign-in").await;
        assert_eq!(page.page().words("label[for=login]"), label);
    }
}

#[tokio::test]
async fn s_002_who_typed_the_code_is_signed_in_where_they_wish_it() {
    let server = TestServer::start().await;
    for (sign_in, is_in) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let spa = Spa::open(&server).await;
        let email = format!("carol-{is_in}-{}@example.net", sign_in.is_null());
        let handle = begins(&spa, &json!({"email": email, "password": PASSWORD})).await;
        server.deliver().await;
        let body = json!({"registration": handle, "code": server.mailbox().code_for(&email), "sign_in": sign_in});
        let before = spa.browser.cookie("symbolon_session");
        let made = spa.post("/registrations/confirm", &body).await;
        assert_eq!((made.status, &made.json()["email"]), (StatusCode::CREATED, &json!(email)), "{made}");
        assert_eq!(made.json()["csrf_token"].is_string(), is_in);
        let user = spa.get("/session").await.ok()["user"].clone();
        assert_eq!(user["email"] == email.as_str(), is_in, "{user}");
        assert_eq!(spa.browser.cookie("symbolon_session") != before, is_in);
        server.advance(Duration::from_mins(1));
    }
}

/// A session begins where a page of ours asks for it, and not where a caller without a cookie does.
#[tokio::test]
async fn s_002_a_caller_without_a_browser_gets_no_session() {
    let server = TestServer::start().await;
    let post =
        async |path: &str, body: Value| server.json((http::Method::POST, &format!("/api/v1{path}")), &body, None).await;
    let begun = post("/registrations", carol()).await.of(StatusCode::ACCEPTED).json();
    server.deliver().await;
    let mut body =
        json!({"registration": begun["registration"], "code": server.mailbox().code_for(CAROL), "sign_in": true});
    assert_eq!(code(&post("/registrations/confirm", body.clone()).await), "403 csrf_failed");
    body["sign_in"] = json!(false);
    let made = post("/registrations/confirm", body).await;
    assert_eq!((made.status, made.headers.get("set-cookie")), (StatusCode::CREATED, None), "{made}");
}
