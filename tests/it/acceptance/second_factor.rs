//! S-099 to S-111, S-115: codes of the time and backup codes, as second factors.

use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use symbolon::config::Config;
use symbolon::model::authentication::Acr;
use symbolon::model::message::MessageKind;
use symbolon::oauth::policy::Mode;
use totp_rs::{Builder, Secret};

use super::session_list::signed_in;
use crate::support::answer::{code, fields, parameters};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer, clients};

const STEP: Duration = Duration::from_secs(30);

/// A code app that knows one secret.
pub(super) struct CodeApp(pub(super) String);

impl CodeApp {
    pub(super) fn of(setup: &Value) -> Self {
        Self(setup["secret"].as_str().expect("a secret").to_owned())
    }

    /// The code so many steps from now.
    pub(super) fn code(&self, server: &TestServer, steps: i64) -> String {
        let secret = Secret::try_from_base32(&self.0).expect("base32");
        let generator = Builder::new().with_secret(secret).build().expect("good numbers");
        let time = server.clock.seconds() + steps * 30;
        generator.generate(time.try_into().expect("after 1970")).to_string()
    }

    /// The code of a step that nobody has used.
    pub(super) fn fresh(&self, server: &TestServer) -> String {
        server.advance(STEP);
        self.code(server, 0)
    }
}

async fn post(spa: &Spa, path: &str, body: &Value) -> Value {
    let answer = spa.post(path, body).await;
    assert!(answer.status.is_success(), "{path}: {answer}");
    answer.json()
}

async fn patch(spa: &Spa, body: &Value) -> crate::support::Answer {
    spa.send(Method::PATCH, "/me/mfa", Some(body)).await
}

/// Sets a code app up; returns it with the backup codes.
pub(super) async fn enrol(server: &TestServer, spa: &Spa) -> (CodeApp, Vec<String>) {
    let setup = post(spa, "/me/authenticators", &json!({"type": "totp", "name": "Phone"})).await;
    let app = CodeApp::of(&setup);
    let id = setup["id"].as_str().expect("an id");
    let confirmed = post(spa, &format!("/me/authenticators/{id}/confirm"), &json!({"code": app.code(server, 0)})).await;
    let codes = confirmed["backup_codes"].as_array().expect("codes").iter();
    (app, codes.map(|code| code.as_str().expect("a code").to_owned()).collect())
}

/// A server with Alice, who has a code app.
pub(super) async fn with_code_app(setup: Setup) -> (TestServer, CodeApp, Vec<String>) {
    let server = TestServer::with(setup).await;
    let alice = Spa::signed_in(&server, "alice").await;
    let (app, codes) = enrol(&server, &alice).await;
    (server, app, codes)
}

pub(super) fn production() -> Setup {
    Setup { mode: Mode::Production, issuer: "https://id.example.com", ..Setup::default() }
}

/// The first half of a sign-in.
async fn half(server: &TestServer) -> (Spa, String) {
    let spa = Spa::open(server).await;
    let answer = spa.sign_in("alice", PASSWORD).await.ok();
    assert_eq!((&answer["status"], &answer["code"]), (&json!("challenge"), &json!("2fa_required")), "{answer}");
    let flow = answer["flow"].as_str().expect("a handle").to_owned();
    (spa, flow)
}

async fn answers(spa: &Spa, flow: &str, (kind, value): (&str, &str)) -> crate::support::Answer {
    spa.post("/sign-in/challenge", &json!({"flow": flow, "type": kind, "value": value})).await
}

#[tokio::test]
async fn s_103_a_secret_is_told_once_with_a_picture() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let answer = alice.post("/me/authenticators", &json!({"type": "totp", "name": "Phone"})).await;
    assert_eq!(answer.status, 201, "{answer}");
    let setup = answer.json();
    let secret = setup["secret"].as_str().expect("a secret");
    assert!(
        secret.len() >= 32 && secret.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte))
    );
    let uri = format!(
        "otpauth://totp/localhost:alice@example.com?secret={secret}&issuer=localhost&algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(setup["otpauth_uri"], uri.as_str());
    assert!(setup["qr_svg"].as_str().is_some_and(|svg| svg.starts_with("<svg ")));
    assert!(setup["qr_png_base64"].as_str().is_some_and(|png| png.starts_with("iVBORw0KGgo")));

    let list = alice.get("/me/authenticators").await;
    assert!(!list.text().contains(secret), "{list}");
    assert_eq!(list.ok()["items"][0]["confirmed"], false);
    // The same once more is the same, with another secret.
    let again = post(&alice, "/me/authenticators", &json!({"type": "totp"})).await;
    assert_eq!(again["id"], setup["id"]);
    assert_ne!(again["secret"], setup["secret"]);
    assert_eq!(alice.get("/me/authenticators").await.ok()["items"].as_array().map(Vec::len), Some(1));

    server.advance(Duration::from_mins(10));
    alice.post("/me/reauth", &json!({"password": PASSWORD})).await.ok();
    let id = again["id"].as_str().expect("an id");
    let late = json!({"code": CodeApp::of(&again).code(&server, 0)});
    assert_eq!(code(&alice.post(&format!("/me/authenticators/{id}/confirm"), &late).await), "409 setup_required");
}

#[tokio::test]
async fn s_104_the_first_code_switches_it_on_and_gives_ten_backup_codes() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let confirm = "/me/authenticators/totp/confirm";
    assert_eq!(code(&alice.post(confirm, &json!({"code": "123456"})).await), "409 setup_required");
    let setup = post(&alice, "/me/authenticators", &json!({"type": "totp"})).await;
    let app = CodeApp::of(&setup);
    for wrong in ["000000", "12345", "abcdef", "1234567890123"] {
        let refused = alice.post(confirm, &json!({"code": wrong})).await;
        assert_eq!(
            (code(&refused), fields(&refused)),
            ("422 wrong_code".to_owned(), vec!["code wrong_code".to_owned()])
        );
    }
    assert_eq!(alice.get("/me/mfa").await.ok()["required"], false);
    let on = post(&alice, confirm, &json!({"code": app.code(&server, 0)})).await;
    assert_eq!(on["backup_codes"].as_array().map(Vec::len), Some(10));
    assert_eq!(alice.get("/me/mfa").await.ok()["required"], true);
    assert_eq!(code(&alice.post(confirm, &json!({"code": app.fresh(&server)})).await), "409 2fa_already_enabled");
    assert_eq!(code(&alice.post("/me/authenticators", &json!({"type": "totp"})).await), "409 2fa_already_enabled");
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::MfaChanged]);
}

#[tokio::test]
async fn s_101_what_is_not_ones_own_is_not_there() {
    let (server, _, _) = with_code_app(Setup::default()).await;
    let alice = server.store().authenticators(server.user("alice").await.id).await.expect("read").remove(0);
    let bob = Spa::signed_in(&server, "bob").await;
    for id in [alice.id.to_string(), "0".to_owned(), uuid::Uuid::nil().to_string()] {
        let path = format!("/me/authenticators/{id}");
        assert_eq!(code(&bob.delete(&path).await), "404 device_does_not_exist", "{id}");
        let confirm = bob.post(&format!("{path}/confirm"), &json!({"code": "123456"})).await;
        assert_eq!(code(&confirm), "404 device_does_not_exist", "{id}");
    }
    assert_eq!(bob.get("/me/authenticators").await.ok()["items"], json!([]));
    // Without a fresh proof nothing is changed.
    server.advance(Duration::from_hours(1));
    for (path, body) in [("/me/authenticators", json!({"type": "totp"})), ("/me/backup-codes", json!({}))] {
        assert_eq!(code(&bob.post(path, &body).await), "403 reauth_required", "{path}");
    }
}

#[tokio::test]
async fn s_105_a_code_is_heard_a_step_early_and_late_and_once() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    server.advance(Duration::from_mins(5));
    for (steps, expected) in [(-2, 401), (2, 401), (-1, 200), (0, 200), (1, 200)] {
        let (spa, flow) = half(&server).await;
        let answer = answers(&spa, &flow, ("totp", &app.code(&server, steps))).await;
        assert_eq!(answer.status.as_u16(), expected, "{steps}: {answer}");
    }
    // Each once, and none before it.
    for steps in [-1, 0, 1] {
        let (spa, flow) = half(&server).await;
        let again = answers(&spa, &flow, ("totp", &app.code(&server, steps))).await;
        assert_eq!(code(&again), "401 wrong_code", "{steps}");
    }
    server.advance(STEP * 3);
    let (spa, flow) = half(&server).await;
    let plain = app.code(&server, 0);
    let (first, second) = plain.split_at(3);
    assert_eq!(answers(&spa, &flow, ("totp", &format!(" {first} {second} "))).await.ok()["status"], "complete");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["pwd", "otp", "mfa"]));
}

#[tokio::test]
async fn s_106_a_password_leads_to_a_challenge_and_to_no_session() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let spa = Spa::open(&server).await;
    let first = spa.sign_in("alice", PASSWORD).await;
    assert!(first.headers.get("set-cookie").is_none(), "{first}");
    let challenge = first.ok();
    assert_eq!((&challenge["expires_in"], &challenge["user"]), (&json!(300), &Value::Null));
    let kinds: Vec<&Value> = challenge["challenges"].as_array().expect("some").iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["totp", "backup_code"]);
    assert_eq!(challenge["challenges"][0]["hint"], "Phone");
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null);
    // Several at once do not disturb one another.
    let (_, other) = half(&server).await;
    let flow = challenge["flow"].as_str().expect("a handle");
    assert_ne!(flow, other);
    let code_now = app.fresh(&server);
    assert_eq!(answers(&spa, flow, ("totp", &code_now)).await.ok()["status"], "complete");
    assert_eq!(code(&answers(&spa, flow, ("totp", &app.fresh(&server))).await), "410 flow_invalid");

    let (spa, flow) = half(&server).await;
    for left in [4, 3, 2, 1, 0] {
        let wrong = answers(&spa, &flow, ("totp", "000000")).await;
        assert_eq!((code(&wrong), wrong.json()["attempts_left"].clone()), ("401 wrong_code".to_owned(), json!(left)));
    }
    assert_eq!(code(&answers(&spa, &flow, ("totp", &app.fresh(&server))).await), "410 flow_invalid");
    let (spa, flow) = half(&server).await;
    server.advance(Duration::from_mins(5));
    assert_eq!(code(&answers(&spa, &flow, ("totp", &app.code(&server, 0))).await), "401 flow_expired");
}

#[tokio::test]
async fn s_107_a_code_may_come_with_the_password() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let body = |otp: &str| json!({"method": "password", "identifier": "alice", "password": PASSWORD, "otp": otp});
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.post("/sign-in", &body("000000")).await), "401 wrong_code");
    assert_eq!(spa.post("/sign-in", &body(&app.fresh(&server))).await.ok()["user"]["username"], "alice");
    // Who is asked for none may bring one.
    let bob = Spa::open(&server).await;
    let with = json!({"method": "password", "identifier": "bob", "password": PASSWORD, "otp": "000000"});
    assert_eq!(bob.post("/sign-in", &with).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_109_each_backup_code_works_once() {
    let (server, _, codes) = with_code_app(Setup::default()).await;
    assert!(codes.iter().all(|code| code.replace('-', "").len() == 13), "65 bits: {codes:?}");
    let (spa, flow) = half(&server).await;
    let typed = codes[0].replace('-', "").to_uppercase();
    assert_eq!(answers(&spa, &flow, ("backup_code", &typed)).await.ok()["status"], "complete");
    let left = spa.get("/me/backup-codes").await;
    assert!(codes.iter().all(|code| !left.text().contains(code.as_str())));
    let left = left.ok();
    assert_eq!((&left["total"], &left["remaining"]), (&json!(10), &json!(9)));
    server.deliver().await;
    let notice = server.mailbox().last_to("alice@example.com");
    assert_eq!(notice.kind, Some(MessageKind::BackupCodeUsed));
    assert!(notice.text.contains('9'), "{notice:?}");
    let (other, flow) = half(&server).await;
    assert_eq!(code(&answers(&other, &flow, ("backup_code", &codes[0])).await), "401 wrong_code");

    let new = post(&spa, "/me/backup-codes", &json!({})).await;
    assert_eq!(new["backup_codes"].as_array().map(Vec::len), Some(10));
    assert_eq!(code(&answers(&other, &flow, ("backup_code", &codes[1])).await), "401 wrong_code", "old ones are dead");
    let bob = Spa::signed_in(&server, "bob").await;
    assert_eq!(code(&bob.post("/me/backup-codes", &json!({})).await), "409 2fa_not_enabled");
}

#[tokio::test]
async fn s_110_there_are_as_many_backup_codes_as_the_settings_say() {
    let server = TestServer::configured(Setup::default(), |config| config.backup_codes.count = 3).await;
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(enrol(&server, &alice).await.1.len(), 3);
}

#[tokio::test]
async fn s_099_who_has_a_factor_may_be_asked_for_it() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(code(&patch(&alice, &json!({"required": true})).await), "409 no_confirmed_factor");
    assert_eq!(code(&patch(&alice, &json!({"required": false})).await), "409 2fa_not_enabled");
    enrol(&server, &alice).await;
    assert_eq!(patch(&alice, &json!({"required": true})).await.ok()["required"], true);
    server.advance(Duration::from_hours(1));
    assert_eq!(code(&patch(&alice, &json!({"required": true})).await), "403 reauth_required");
}

#[tokio::test]
async fn s_102_the_last_factor_stays_while_one_is_required() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    enrol(&server, &alice).await;
    assert_eq!(code(&alice.delete("/me/authenticators/totp").await), "409 last_device");
    assert_eq!(alice.get("/me/authenticators").await.ok()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn s_111_both_are_proven_once_more_to_switch_it_off() {
    let (server, app, codes) = with_code_app(Setup::default()).await;
    let (alice, flow) = half(&server).await;
    answers(&alice, &flow, ("totp", &app.fresh(&server))).await.ok();
    let (phone, flow) = half(&server).await;
    answers(&phone, &flow, ("backup_code", &codes[0])).await.ok();

    let off = |password: &str, code: &str| json!({"required": false, "password": password, "code": code});
    assert_eq!(fields(&patch(&alice, &json!({"required": false})).await), ["password required"]);
    let wrong = patch(&alice, &off("guess guess guess", &app.fresh(&server))).await;
    assert_eq!(code(&wrong), "401 invalid_credentials");
    assert_eq!(code(&patch(&alice, &off(PASSWORD, "000000")).await), "422 wrong_code");
    assert_eq!(patch(&alice, &off(PASSWORD, &app.fresh(&server))).await.ok()["required"], false);

    let left = alice.get("/me/authenticators").await.ok();
    assert_eq!(left["items"], json!([]), "this session goes on, and the secret is gone");
    assert_eq!(alice.get("/me/backup-codes").await.ok()["remaining"], 0);
    assert_eq!(phone.get("/session").await.ok()["user"], Value::Null, "every other has ended");
    assert_eq!(Spa::open(&server).await.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
    server.deliver().await;
    assert_eq!(server.mailbox().last_to("alice@example.com").kind, Some(MessageKind::MfaChanged));
}

#[tokio::test]
async fn s_115_the_database_holds_no_secret_in_clear() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let setup = post(&alice, "/me/authenticators", &json!({"type": "totp"})).await;
    let secret = setup["secret"].as_str().expect("a secret");
    let seed = Secret::try_from_base32(secret).expect("base32");
    let id = setup["id"].as_str().expect("an id");
    let app = CodeApp::of(&setup);
    let codes = post(&alice, &format!("/me/authenticators/{id}/confirm"), &json!({"code": app.code(&server, 0)})).await;
    let codes = codes["backup_codes"].as_array().expect("codes").clone();
    let kept = server.store().authenticators(server.user("alice").await.id).await.expect("read").remove(0);
    let sealed = kept.secret.expect("one");
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(!holds(&sealed, seed.as_bytes()) && !holds(&sealed, secret.as_bytes()));
    for file in server.files() {
        let bytes = std::fs::read(&file).expect("read");
        assert!(!holds(&bytes, secret.as_bytes()) && !holds(&bytes, seed.as_bytes()), "{}", file.display());
        for code in &codes {
            let code = code.as_str().expect("a code");
            assert!(!holds(&bytes, code.as_bytes()) && !holds(&bytes, code.replace('-', "").as_bytes()));
        }
    }
}

/// PROTOCOL T20, A7
#[tokio::test]
async fn s_106_of_a_hundred_right_codes_at_once_one_signs_in() {
    for setup in [Setup::default(), production()] {
        let (server, app, _) = with_code_app(setup).await;
        let (spa, flow) = half(&server).await;
        let right = app.fresh(&server);
        let outcomes = join_all((0..100).map(|_| answers(&spa, &flow, ("totp", &right)))).await;
        assert_eq!(outcomes.iter().filter(|answer| answer.status == 200).count(), 1, "{:?}", outcomes.first());
    }
}

/// PROTOCOL A7: ten wrong answers of an account in an hour, however many sign-ins they come from.
#[tokio::test]
async fn s_106_guesses_from_many_sign_ins_are_ten_an_hour() {
    let (server, app, codes) = with_code_app(production()).await;
    let mut heard = 0;
    for number in 0..40_u32 {
        let address = [192, 0, 2, u8::try_from(number).expect("small")];
        let body =
            json!({"method": "password", "identifier": "alice", "password": PASSWORD, "otp": format!("{number:06}")});
        heard += guesses(&server, address, &body).await;
    }
    assert!(heard <= 10 && heard > 0, "{heard} guesses were judged");
    // Not even the right one is heard, until the hour is over.
    let body = |otp: &str| json!({"method": "password", "identifier": "alice", "password": PASSWORD, "otp": otp});
    assert_eq!(guesses(&server, [198, 51, 100, 1], &body(&codes[0])).await, 0);
    server.advance(Duration::from_hours(1));
    let (spa, flow) = half(&server).await;
    assert_eq!(answers(&spa, &flow, ("totp", &app.code(&server, 0))).await.ok()["status"], "complete");
}

/// S-122: the rate is the operator's, and off is off.
#[tokio::test]
async fn s_122_how_many_codes_may_be_wrong_is_the_operators() {
    for (rate, expected) in [("4/h", 3), ("off", 12)] {
        let setup = match rate {
            "off" => Setup { configure: |config| config.limits.factor_confirm = "off".parse().ok(), ..production() },
            _ => Setup { configure: |config| config.limits.factor_confirm = "4/h".parse().ok(), ..production() },
        };
        let (server, _, _) = with_code_app(setup).await;
        let mut heard = 0;
        for number in 0..12_u8 {
            let body = json!({"method": "password", "identifier": "alice", "password": PASSWORD, "otp": "00000a"});
            heard += guesses(&server, [192, 0, 2, number], &body).await;
        }
        assert_eq!(heard, expected, "{rate}: one of four is kept for a browser that the account knows");
    }
}

/// One guess from an address of its own; one when it was judged.
async fn guesses(server: &TestServer, address: [u8; 4], body: &Value) -> u32 {
    let answer = Spa::at(server, address).await.post("/sign-in", body).await;
    match code(&answer).as_str() {
        "401 wrong_code" => 1,
        "429 too_many_attempts" => 0,
        other => panic!("{other}: {answer}"),
    }
}

/// PROTOCOL S8: what half a sign-in gives opens nothing else.
#[tokio::test]
async fn s_106_half_a_sign_in_is_a_stranger_everywhere_else() {
    let (server, _, _) = with_code_app(Setup::default()).await;
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in?to=account/security").await;
    let second = browser.sign_in(&page, "alice").await;
    assert!(second.page().has("otp") && second.page().has("otp-submit"), "{second}");
    let handle = browser.cookie("symbolon_half").expect("a cookie of its own");
    assert!(browser.cookie("symbolon_session").is_none());
    for path in ["/account", "/account/security", "/account/data", "/admin", "/sign-in/again"] {
        assert!(browser.get(path).await.location().starts_with("/sign-in?to="), "{path}");
    }
    for path in ["/api/v1/me", "/api/v1/me/sessions", "/api/v1/me/mfa", "/api/v1/me/authenticators"] {
        assert_eq!(code(&browser.get(path).await), "401 sign_in_required", "{path}");
    }
    // Nor does its handle anywhere that tokens and cookies go.
    for cookie in ["symbolon_session", "symbolon_device"] {
        let thief = Browser::new(&server);
        thief.set_cookie(cookie, &handle);
        assert_eq!(code(&thief.get("/api/v1/me").await), "401 sign_in_required", "{cookie}");
    }
    assert_eq!(server.get_with("/oauth2/userinfo", &handle).await.status, 401);
    // Another browser that has the cookie alone is nobody's.
    let thief = Browser::new(&server);
    thief.set_cookie("symbolon_half", &handle);
    assert!(thief.open("/sign-in/second").await.page().has("login-submit"));
    // Empty, and out of order.
    let empty = browser.submit(second.page().form_of("otp-submit")).await;
    assert_eq!(empty.status, 422, "{empty}");
    assert!(empty.page().has("second-error"));
    let unknown = second.page().form_of("otp-submit").fill("challenge", "password").fill("code", PASSWORD);
    assert_eq!(browser.submit(unknown).await.status, 422, "the same factor twice is none");
}

/// The pages: the whole authorization flow, with what the ID token says of it.
#[tokio::test]
async fn s_106_pages_ask_for_the_code_and_the_id_token_tells() {
    let (server, app, codes) = with_code_app(Setup::default()).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = alice.begin(&exchange).await;
    let second = alice.sign_in(&page, "alice").await;
    let wrong = alice.submit(second.page().form_of("otp-submit").fill("code", "000000")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.page().has("second-error") && wrong.page().has("otp"), "{wrong}");
    let consent = alice.submit(wrong.page().form_of("otp-submit").fill("code", &app.fresh(&server))).await;
    let url = alice.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:symbolon:acr:2"), &json!(["pwd", "otp", "mfa"])));
    assert!(alice.cookie("symbolon_half").is_none(), "it is over");

    // The other way: by a backup code, without an app.
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let second = browser.sign_in(&page, "alice").await;
    let other = second.page().attribute("second-backup_code", "href").to_owned();
    let page = browser.open(&other).await;
    let account = browser.submit(page.page().form_of("otp-submit").fill("code", &codes[3])).await;
    assert!(account.page().has("sign-out"), "{account}");
}

#[tokio::test]
async fn s_100_a_browser_is_remembered_until_everything_ends() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let second = browser.sign_in(&page, "alice").await;
    let form = second.page().form_of("otp-submit").fill("code", &app.fresh(&server)).fill("remember_device", "true");
    assert!(browser.submit(form).await.page().has("sign-out"));
    browser.forget_cookie("symbolon_session");
    let page = browser.open("/sign-in").await;
    assert!(browser.sign_in(&page, "alice").await.page().has("sign-out"), "the password is enough here");
    // It is bound to the person, and ends with the month and with everything else.
    let mark = browser.cookie("symbolon_remembered").expect("a mark");
    let asked = async |mark: &str| {
        let other = Browser::new(&server);
        other.set_cookie("symbolon_remembered", mark);
        let page = other.open("/sign-in").await;
        other.sign_in(&page, "alice").await.page().has("otp")
    };
    assert!(!asked(&mark).await);
    assert!(asked(&format!("B{}", &mark[1..])).await, "a forged one");
    let alice = server.user("alice").await;
    let now = symbolon::protocol::numeric_date::NumericDate::from_seconds(server.clock.seconds());
    server
        .store()
        .sign_out_everywhere(alice.id, None, now, symbolon::edge::store::Beside::default())
        .await
        .expect("done");
    assert!(asked(&mark).await);
}

#[tokio::test]
async fn s_100_who_has_no_factor_sets_one_up_before_tokens_are_issued() {
    let configure = |config: &mut Config| config.second_factor.required = true;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let bob = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = bob.begin(&exchange).await;
    let begin = bob.sign_in(&page, "bob").await;
    let setup = bob.press(&begin, "setup-begin").await;
    let secret = setup.page().words("#totp-secret").replace(' ', "");
    assert!(bob.cookie("symbolon_session").is_none());
    let app = CodeApp(secret);
    let wrong = bob.submit(setup.page().form_of("otp-submit").fill("code", "000000")).await;
    assert_eq!(wrong.page().words("#totp-secret").replace(' ', ""), app.0, "the secret stays for another try");
    let codes = bob.submit(wrong.page().form_of("otp-submit").fill("code", &app.code(&server, 0))).await;
    assert_eq!(codes.page().words("#backup-codes").split_whitespace().count(), 10);
    let next = codes.page().attribute("backup-codes-continue", "href").to_owned();
    let consent = bob.open(&next).await;
    let url = bob.finish(consent, "bob").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    assert_eq!(part(tokens["id_token"].as_str().expect("an ID token"), 1)["acr"], "urn:symbolon:acr:2");

    // The same by the API.
    let spa = Spa::open(&server).await;
    let asked = spa.sign_in("alice", PASSWORD).await.ok();
    assert_eq!(asked["challenges"], json!([{"id": "totp_setup", "type": "totp_setup"}]));
    let flow = asked["flow"].as_str().expect("a handle");
    let setup = post(&spa, "/sign-in/challenge/send", &json!({"flow": flow, "id": "totp_setup"})).await;
    let code_now = CodeApp::of(&setup).code(&server, 0);
    let done = answers(&spa, flow, ("totp_setup", &code_now)).await.ok();
    assert_eq!((&done["status"], done["backup_codes"].as_array().map(Vec::len)), (&json!("complete"), Some(10)));
    assert_eq!(code(&spa.delete("/me/authenticators/totp").await), "409 last_device");
}

#[tokio::test]
async fn s_100_a_client_may_want_two_factors_also_of_who_is_signed_in() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let mut client = clients::web("bank");
    client.policy.least_acr = Some(Acr::TwoFactors);
    let bank = RelyingParty::of(&server, client).await;
    // A session of one factor, from before.
    let id = server.user("alice").await.id;
    let now = symbolon::protocol::numeric_date::NumericDate::from_seconds(server.clock.seconds());
    server.store().release_second_factor(id, None, now, symbolon::edge::store::Beside::default()).await.expect("off");
    drop(app);
    let alice = signed_in(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let before = alice.get("/session").await.ok();
    assert_eq!(before["amr"], json!(["pwd"]));
    server.advance(Duration::from_mins(2));

    let exchange = bank.begin("openid").with("prompt", "none");
    let silent = alice.browser.begin(&exchange).await;
    assert_eq!(bank.error(&exchange, silent.location()), "login_required");
    let exchange = bank.begin("openid");
    let page = alice.browser.begin(&exchange).await;
    assert!(page.page().has("otp") && !page.page().text.contains("remember_device"), "{page}");
    let consent = alice.browser.submit(page.page().form_of("otp-submit").fill("code", &app.fresh(&server))).await;
    let url = alice.browser.finish(consent, "alice").await;
    let tokens = bank.redeem(&exchange, &bank.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:symbolon:acr:2"), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(claims["auth_time"], 1_800_000_000, "the sign-in stays as old as it is");

    // One that is to be new is not made new by the second proof alone.
    let strict = bank.begin("openid").with("prompt", "login");
    let page = alice.browser.begin(&strict).await;
    let place = page.page().form_of("login-submit").action.replace("/sign-in?", "/sign-in/second?raise=1&");
    assert!(alice.browser.open(&place).await.page().has("login-submit"));
    // What a client only wishes for is asked of who has it.
    let shop = RelyingParty::web(&server, "shop").await;
    let bob = Browser::new(&server);
    let wish = shop.begin("openid").with("acr_values", "urn:symbolon:acr:2");
    assert!(!parameters(&bob.authorize(&wish, "bob").await).is_empty());
}

/// OIDC Core §5.5.1.1: a voluntary `acr` in `claims` is a wish as `acr_values` is: asked of who has what it takes.
#[tokio::test]
async fn s_100_a_voluntary_acr_is_asked_of_who_can_reach_it() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = signed_in(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    server.advance(Duration::from_mins(2));
    let wish = |acr: Value| shop.begin("openid").with("claims", &json!({"id_token": {"acr": acr}}).to_string());
    let told = async |exchange, url: String| {
        let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
        part(tokens["id_token"].as_str().expect("an ID token"), 1)["acr"].clone()
    };
    let modest = wish(json!({"values": ["urn:symbolon:acr:1", "urn:symbolon:acr:2"]}));
    let url = alice.browser.authorize(&modest, "alice").await;
    assert_eq!(told(modest, url).await, "urn:symbolon:acr:1", "the first is reached");
    for (claims, values) in [
        (json!({"value": "urn:symbolon:acr:2"}), None),
        (json!({"values": ["gold"]}), Some("urn:symbolon:acr:2")),
        (json!({"values": ["urn:symbolon:acr:2"]}), Some("urn:symbolon:acr:1")),
    ] {
        let strict = match values {
            None => wish(claims),
            Some(values) => wish(claims).with("acr_values", values),
        };
        let page = alice.browser.begin(&strict).await;
        assert!(page.page().has("otp"), "{strict:?}: {page}");
    }
    let strict = wish(json!({"value": "urn:symbolon:acr:2"}));
    let page = alice.browser.begin(&strict).await;
    let next = alice.browser.submit(page.page().form_of("otp-submit").fill("code", &app.fresh(&server))).await;
    let url = alice.browser.finish(next, "alice").await;
    assert_eq!(told(strict, url).await, "urn:symbolon:acr:2");

    // Bob has one factor: an error for nobody, and no page either.
    let bob = Browser::new(&server);
    let strict = wish(json!({"value": "urn:symbolon:acr:2"}));
    let url = bob.authorize(&strict, "bob").await;
    assert_eq!(told(strict, url).await, "urn:symbolon:acr:1");
}

/// PROTOCOL A15: a session alone, which may be stolen, sets no second factor up.
#[tokio::test]
async fn s_100_an_old_session_proves_itself_before_it_sets_a_factor_up() {
    let server = TestServer::start().await;
    let mut client = clients::web("bank");
    client.policy.least_acr = Some(Acr::TwoFactors);
    let bank = RelyingParty::of(&server, client).await;
    let bob = signed_in(&server, "bob").await;
    let page = bob.browser.begin(&bank.begin("openid")).await;
    assert!(page.page().has("setup-begin"), "a moment ago he proved it: {page}");
    server.advance(Duration::from_mins(11));
    let page = bob.browser.begin(&bank.begin("openid")).await;
    assert!(page.page().has("login-submit") && !page.page().has("setup-begin"), "{page}");
    let setup = bob.browser.sign_in(&page, "bob").await;
    assert!(setup.page().has("setup-begin"), "{setup}");
}

/// PROTOCOL A13: a new password, by a link, leaves the second factor where it is.
#[tokio::test]
async fn s_100_a_reset_never_skips_the_second_factor() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let second = browser.sign_in(&page, "alice").await;
    let form = second.page().form_of("otp-submit").fill("code", &app.fresh(&server)).fill("remember_device", "true");
    browser.submit(form).await;
    let spa = Spa::open(&server).await;
    spa.post("/password-resets", &json!({"identifier": "alice@example.com"})).await;
    server.deliver().await;
    let link = server.mailbox().link_for("alice@example.com");
    let token = parameters(&link).into_iter().find(|(name, _)| name == "token").expect("a token").1;
    let new = "seven green lamps hum";
    let done = spa.post("/password-resets/confirm", &json!({"token": token, "password": new})).await;
    assert_eq!(done.status, 204, "{done}");
    assert_eq!(spa.sign_in("alice", new).await.ok()["code"], "2fa_required");
    let page = browser.open("/sign-in").await;
    let browser = browser.with_password(new);
    assert!(browser.sign_in(&page, "alice").await.page().has("otp"), "no browser is remembered any more");
}

#[tokio::test]
async fn s_098_a_code_of_the_second_factor_proves_again_who_one_is() {
    let (server, app, codes) = with_code_app(Setup::default()).await;
    let (alice, flow) = half(&server).await;
    answers(&alice, &flow, ("totp", &app.fresh(&server))).await.ok();
    server.advance(Duration::from_hours(1));
    assert_eq!(fields(&alice.post("/me/reauth", &json!({"code": "000000"})).await), ["code wrong_code"]);
    assert_eq!(alice.post("/me/reauth", &json!({"code": app.fresh(&server)})).await.ok()["expires_in"], 600);
    server.advance(Duration::from_hours(1));
    assert_eq!(alice.post("/me/reauth", &json!({"code": codes[0]})).await.ok()["expires_in"], 600);
}

/// The page of the account: set up, backup codes, and off again.
#[tokio::test]
async fn s_103_the_security_page_does_all_of_it() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/security").await;
    let setup = alice.press(&page, "totp-begin").await;
    assert!(setup.page().has("totp-qr"), "{setup}");
    let app = CodeApp(setup.page().words("#totp-secret").replace(' ', ""));
    assert!(!alice.open("/account/security").await.page().has("totp-secret"), "it is shown once");
    let wrong = alice.submit(setup.page().form_of("otp-submit").fill("code", "000000")).await;
    assert_eq!((wrong.status.as_u16(), wrong.page().has("code-mistake")), (422, true));
    let on = alice.submit(wrong.page().form_of("otp-submit").fill("code", &app.code(&server, 0))).await;
    assert_eq!(on.page().words("#backup-codes").split_whitespace().count(), 10);
    let page = alice.open("/account/security").await;
    assert!(!page.page().has("backup-codes") && page.page().words("#backup-codes-left").contains("10"), "{page}");
    let new = alice.press(&page, "codes-new").await;
    let codes = new.page().words("#backup-codes");
    let first = codes.split_whitespace().next().expect("a code").to_owned();
    let page = alice.open("/account/security").await;
    let form = page.page().form_of("mfa-off").fill("password", "guess guess guess").fill("off_code", &first);
    let wrong = alice.submit(form).await;
    assert_eq!((wrong.status.as_u16(), wrong.page().has("password-mistake")), (422, true));
    let form = page.page().form_of("mfa-off").fill("password", PASSWORD).fill("off_code", &first);
    let off = alice.submit(form).await;
    assert!(off.page().has("totp-begin") && !off.page().has("mfa-off"), "{off}");
}
