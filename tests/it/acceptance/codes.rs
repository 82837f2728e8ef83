//! S-018, S-039 to S-051, S-108, S-112: codes that are sent, as a way to sign in and as second factors.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use symbolon::authn::otp_code::Alphabet;
use symbolon::config::Config;
use symbolon::model::message::MessageKind;
use symbolon::protocol::secret::{Secret, TokenHash};

use super::registration::registers;
use super::second_factor::{enrol, production, with_code_app};
use crate::support::answer::{Answer, code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

const MINUTE: Duration = Duration::from_mins(1);

async fn asks(spa: &Spa, method: &str, identifier: &str) -> Answer {
    spa.post("/sign-in", &json!({"method": method, "identifier": identifier})).await
}

async fn begun(spa: &Spa, method: &str, identifier: &str) -> String {
    let answer = asks(spa, method, identifier).await;
    assert_eq!(answer.status, 202, "{answer}");
    answer.json()["flow"].as_str().expect("a handle").to_owned()
}

async fn answers(spa: &Spa, flow: &str, (kind, value): (&str, &str)) -> Answer {
    spa.post("/sign-in/challenge", &json!({"flow": flow, "type": kind, "value": value})).await
}

#[tokio::test]
async fn s_039_a_code_is_sent_and_nobody_learns_who_has_an_account() {
    let server = TestServer::start().await;
    for identifier in ["alice@example.com", "stranger@example.org", "nobody"] {
        let spa = Spa::open(&server).await;
        let answer = asks(&spa, "email_code", identifier).await;
        assert_eq!(answer.status, 202, "{answer}");
        let body = answer.json();
        assert_eq!((&body["expires_in"], &body["resend_after"]), (&json!(300), &json!(60)), "{identifier}");
        assert_eq!(body["challenges"], json!([{"id": "email_code", "type": "email_code"}]));
        assert_eq!(body["flow"].as_str().map(str::len), Some(43));
    }
    server.deliver().await;
    let code = server.mailbox().code_for("alice@example.com");
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::SignInCode]);
}

#[tokio::test]
async fn s_040_the_code_signs_in_once_here() {
    let server = TestServer::start().await;
    let (spa, other) = (Spa::open(&server).await, Spa::open(&server).await);
    let flow = begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    server.advance(MINUTE);
    let elsewhere = begun(&other, "email_code", "alice@example.com").await;
    assert_eq!(
        code(&answers(&other, &elsewhere, ("email_code", &right)).await),
        "401 wrong_code",
        "of another sign-in"
    );
    assert_eq!(code(&answers(&other, &flow, ("email_code", &right)).await), "410 flow_invalid", "of another browser");
    let wrong = answers(&spa, &flow, ("email_code", "000000")).await;
    assert_eq!((code(&wrong), wrong.json()["attempts_left"].clone()), ("401 wrong_code".to_owned(), json!(4)));
    let done = answers(&spa, &flow, ("email_code", &right)).await.ok();
    assert_eq!((&done["status"], &done["is_new_user"]), (&json!("complete"), &json!(false)));
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["otp"]));
    assert_eq!(code(&answers(&spa, &flow, ("email_code", &right)).await), "410 flow_invalid");

    server.advance(MINUTE);
    let late = Spa::open(&server).await;
    let flow = begun(&late, "email_code", "alice@example.com").await;
    server.advance(Duration::from_mins(5));
    assert_eq!(code(&answers(&late, &flow, ("email_code", "000000")).await), "410 code_expired");
}

#[tokio::test]
async fn s_040_what_ends_everything_ends_waiting_codes() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    let (alice, now) = (
        server.user("alice").await.id,
        symbolon::protocol::numeric_date::NumericDate::from_seconds(server.clock.seconds()),
    );
    server.store().sign_out_everywhere(alice, None, now, symbolon::edge::store::Beside::default()).await.expect("done");
    assert_eq!(code(&answers(&spa, &flow, ("email_code", &right)).await), "401 wrong_code");
}

#[tokio::test]
async fn s_041_there_is_a_minute_between_two_codes_to_one_mailbox() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "al.ice@gmail.com").await;
    assert_eq!(begun(&spa, "email_code", "al.ice@gmail.com").await, flow, "an impatient second click");
    server.advance(Duration::from_secs(10));
    for same in ["al.ice@gmail.com", "AL.ICE@Gmail.com", "alice@googlemail.com"] {
        let refused = asks(&spa, "email_code", same).await;
        assert_eq!(
            (code(&refused), refused.header("retry-after")),
            ("429 code_recently_sent".to_owned(), "50"),
            "{same}"
        );
    }
    server.deliver().await;
    let old = server.mailbox().code_for("al.ice@gmail.com");
    server.advance(MINUTE);
    let again = spa.post("/sign-in/challenge/send", &json!({"flow": flow, "id": "email_code"})).await;
    assert_eq!((again.status.as_u16(), again.json()), (202, json!({"resend_after": 60})));
    let soon = spa.post("/sign-in/challenge/send", &json!({"flow": flow, "id": "email_code"})).await;
    assert_eq!(code(&soon), "429 code_recently_sent");
    server.deliver().await;
    let new = server.mailbox().code_for("al.ice@gmail.com");
    assert_ne!(old, new);
    assert_eq!(
        code(&answers(&spa, &flow, ("email_code", &old)).await),
        "401 wrong_code",
        "a new code replaces the old"
    );
    assert_eq!(answers(&spa, &flow, ("email_code", &new)).await.ok()["is_new_user"], true);
}

#[tokio::test]
async fn s_042_no_code_can_be_found_in_the_stores() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    let code = server.mailbox().code_for("alice@example.com");
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let hash = TokenHash::of(&code);
    let hex = hash.as_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    for file in server.files() {
        let bytes = std::fs::read(&file).expect("read");
        for clear in [format!("\"{code}\""), format!(" {code} "), hex.clone()] {
            assert!(!holds(&bytes, clear.as_bytes()), "{} holds {clear}", file.display());
        }
        assert!(!holds(&bytes, hash.as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn s_018_the_account_is_made_when_the_code_was_right() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "new@example.org").await;
    let name = symbolon::model::user::LookupName::parse("new@example.org").expect("a name");
    assert!(server.store().user_by_name(&name).await.expect("read").is_none(), "nobody yet");
    server.deliver().await;
    let right = server.mailbox().code_for("new@example.org");
    let done = answers(&spa, &flow, ("email_code", &right)).await.ok();
    assert_eq!((&done["is_new_user"], &done["user"]["email"]), (&json!(true), &json!("new@example.org")));
    assert_eq!(done["user"]["email_verified"], true);
    server.advance(MINUTE);
    let again = Spa::open(&server).await;
    let flow = begun(&again, "email_code", "new@example.org").await;
    server.deliver().await;
    let right = server.mailbox().code_for("new@example.org");
    assert_eq!(answers(&again, &flow, ("email_code", &right)).await.ok()["is_new_user"], false, "told once");
}

#[tokio::test]
async fn s_018_where_codes_make_no_accounts_strangers_get_no_mail() {
    let configure = |config: &mut Config| config.otp.auto_create_account = false;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "new@example.org").await;
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty());
    assert_eq!(code(&answers(&spa, &flow, ("email_code", "000000")).await), "401 wrong_code");
}

#[tokio::test]
async fn s_043_where_strangers_get_no_codes_there_is_no_such_way_in() {
    let configure = |config: &mut Config| config.otp.send_to_anonymous = false;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    for identifier in ["alice@example.com", "new@example.org"] {
        assert_eq!(code(&asks(&spa, "email_code", identifier).await), "401 sign_in_required", "{identifier}");
    }
    assert!(!Browser::new(&server).open("/sign-in").await.page().has("method-email_code"));
}

#[tokio::test]
async fn s_045_a_review_account_has_a_fixed_code_until_its_day() {
    let hash =
        TestServer::start().await.provider().accounts.hasher.hash(&Secret::from("424242")).await.expect("a hash");
    let server = TestServer::configured(Setup::default(), |config| {
        config.otp.review_accounts = vec![symbolon::config::otp::ReviewAccount {
            address: "alice@example.com".to_owned(),
            code: hash,
            until: "2027-01-20".to_owned(),
            from: None,
        }];
    })
    .await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty(), "no mail is sent");
    assert_eq!(code(&answers(&spa, &flow, ("email_code", "000000")).await), "401 wrong_code");
    assert_eq!(answers(&spa, &flow, ("email_code", "424242")).await.ok()["status"], "complete");
    let bob = Spa::open(&server).await;
    let flow = begun(&bob, "email_code", "bob@example.com").await;
    assert_eq!(code(&answers(&bob, &flow, ("email_code", "424242")).await), "401 wrong_code", "of that account alone");
    server.advance(Duration::from_hours(24 * 6));
    let late = Spa::open(&server).await;
    let flow = begun(&late, "email_code", "alice@example.com").await;
    assert_eq!(code(&answers(&late, &flow, ("email_code", "424242")).await), "401 wrong_code", "its day is over");
}

#[tokio::test]
async fn s_046_codes_may_be_longer_and_of_consonants() {
    let configure = |config: &mut Config| {
        config.otp.length = 8;
        config.otp.alphabet = Alphabet::Base20;
    };
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    let text = server.mailbox().last_to("alice@example.com").text;
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|byte| b"BCDFGHJKLMNPQRSTVWXZ".contains(&byte));
    let code = text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in {text}")).to_lowercase();
    assert_eq!(answers(&spa, &flow, ("email_code", &code)).await.ok()["status"], "complete");
    let mut config = Config::default();
    config.otp.length = 5;
    assert!(config.code_settings().is_ok());
}

#[tokio::test]
async fn s_048_a_code_reaches_a_phone_in_one_message() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "sms_code", "+49 30 901820 01").await;
    server.deliver().await;
    let message = server.mailbox().last_to("+493090182001");
    assert!(message.text.chars().count() <= 160, "{message:?}");
    let code = server.mailbox().code_for("+493090182001");
    assert!(message.text.trim_end().ends_with(&format!("@localhost #{code}")), "{message:?}");
    assert_eq!(answers(&spa, &flow, ("sms_code", &code)).await.ok()["status"], "complete");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["sms"]));
    // A number that nobody has gets no message, and no account.
    let stranger = Spa::open(&server).await;
    begun(&stranger, "sms_code", "+31612345678").await;
    server.deliver().await;
    assert!(server.mailbox().to("+31612345678").is_empty());
}

/// Whoever writes a number into their account does not get who holds it to sign in there (PROTOCOL A22).
#[tokio::test]
async fn s_048_a_number_that_its_account_has_not_proven_gets_no_code() {
    let server = TestServer::start().await;
    let eve = Spa::open(&server).await;
    registers(&server, &eve, &json!({"email": "eve@example.org", "phone": "+31612345678", "password": PASSWORD})).await;
    let victim = Spa::open(&server).await;
    begun(&victim, "sms_code", "+31612345678").await;
    server.deliver().await;
    assert!(server.mailbox().to("+31612345678").is_empty());
}

/// Names that are looked up as one may be two mailboxes: what is sent goes to the one that the owner has proven.
#[tokio::test]
async fn s_039_a_code_goes_to_the_address_as_its_owner_wrote_it() {
    let server = TestServer::start().await;
    for spelling in ["\u{ff41}lice@example.com", "ALICE@EXAMPLE.COM"] {
        let spa = Spa::open(&server).await;
        begun(&spa, "email_code", spelling).await;
        server.deliver().await;
        assert!(server.mailbox().to(spelling).is_empty());
        let right = server.mailbox().code_for("alice@example.com");
        assert_eq!(spa.get("/session").await.ok()["user"], Value::Null);
        server.advance(MINUTE * 2);
        assert_eq!(right.len(), 6);
    }
    assert_eq!(server.mailbox().kinds_to("alice@example.com").len(), 2);
}

#[tokio::test]
async fn s_051_text_messages_have_a_budget() {
    let server = TestServer::with(production()).await;
    let mut sent = 0;
    for number in 0..8_u8 {
        let spa = Spa::at(&server, [192, 0, 2, number]).await;
        let answer = asks(&spa, "sms_code", "+493090182001").await;
        match code(&answer).as_str() {
            "202 (no code)" => sent += 1,
            refused => assert!(["429 sms_budget_exceeded", "429 rate_limited"].contains(&refused), "{refused}"),
        }
        server.advance(Duration::from_mins(13));
    }
    assert!((5..=6).contains(&sent), "{sent} of eight: five a day");
}

#[tokio::test]
async fn s_040_of_many_right_codes_at_once_one_signs_in() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    let outcomes = join_all((0..100).map(|_| answers(&spa, &flow, ("email_code", &right)))).await;
    assert_eq!(outcomes.iter().filter(|answer| answer.status == 200).count(), 1, "{:?}", outcomes.first());
}

/// PROTOCOL A7: also over many sign-ins, each with a code of its own.
#[tokio::test]
async fn s_040_guesses_over_many_sign_ins_are_ten_an_hour() {
    let server = TestServer::with(production()).await;
    let mut judged = 0;
    for number in 0..5_u8 {
        let spa = Spa::at(&server, [192, 0, 2, number]).await;
        let flow = begun(&spa, "email_code", "alice@example.com").await;
        for guess in 0..5 {
            let answer = answers(&spa, &flow, ("email_code", &format!("{number}0000{guess}"))).await;
            judged += u32::from(code(&answer) == "401 wrong_code");
        }
        server.advance(Duration::from_mins(2));
    }
    assert!(judged <= 10, "{judged}");
}

/// PROTOCOL A5, A7: codes that anybody may type for an account are ten an hour, from however many sign-ins and addresses, and take no
/// room from the second factor of whoever has proven a password.
#[tokio::test]
async fn s_040_guesses_of_strangers_leave_the_second_factor_alone() {
    let setup = Setup { configure: |config| config.limits.code_start = "off".parse().ok(), ..production() };
    let (server, app, _) = with_code_app(setup).await;
    let mut judged = 0;
    for number in 0..40_u8 {
        let spa = Spa::at(&server, [198, 51, 100, number]).await;
        let flow = begun(&spa, "email_code", "alice@example.com").await;
        for guess in 0..5 {
            let answer = answers(&spa, &flow, ("email_code", &format!("{number:02}000{guess}"))).await;
            judged += u32::from(code(&answer) == "401 wrong_code");
        }
        server.advance(Duration::from_secs(61));
    }
    assert!((1..=10).contains(&judged), "{judged} were judged");
    let alice = Spa::at(&server, [192, 0, 2, 1]).await;
    let asked = alice.sign_in("alice", PASSWORD).await.ok();
    let flow = asked["flow"].as_str().expect("a handle");
    assert_eq!(answers(&alice, flow, ("totp", &app.fresh(&server))).await.ok()["status"], "complete");
}

/// PROTOCOL A5: strangers who ask for codes in somebody's name use up neither the room nor the pause of a browser that the account knows.
#[tokio::test]
async fn s_041_strangers_who_ask_for_codes_keep_nobody_out_of_their_own_browser() {
    let server = TestServer::with(production()).await;
    let own = Spa::signed_in(&server, "alice").await;
    own.delete("/session").await.ok();
    let mut refused = 0;
    for number in 0..8_u8 {
        let stranger = Spa::at(&server, [198, 51, 100, number]).await;
        let answer = asks(&stranger, "email_code", "alice@example.com").await;
        refused += u32::from(answer.status == 429);
        server.advance(Duration::from_secs(61));
    }
    assert!(refused > 0, "strangers are heard five times an hour");
    let unknown = Spa::at(&server, [192, 0, 2, 1]).await;
    assert_eq!(asks(&unknown, "email_code", "alice@example.com").await.status, 429, "as everybody whom nobody knows");
    let flow = begun(&own, "email_code", "alice@example.com").await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    assert_eq!(answers(&own, &flow, ("email_code", &right)).await.ok()["status"], "complete");
    // A mark is of one person: bob's opens no more messages to her.
    let bob = Spa::signed_in(&server, "bob").await;
    bob.delete("/session").await.ok();
    assert_eq!(asks(&bob, "email_code", "alice@example.com").await.status, 429);
}

/// The same for text messages, whose budget is a day's.
#[tokio::test]
async fn s_051_strangers_who_have_text_messages_sent_keep_nobody_out_of_their_own_browser() {
    let server = TestServer::with(production()).await;
    let own = Spa::signed_in(&server, "alice").await;
    own.delete("/session").await.ok();
    for number in 0..6_u8 {
        let stranger = Spa::at(&server, [198, 51, 100, number]).await;
        asks(&stranger, "sms_code", "+493090182001").await;
        server.advance(Duration::from_mins(13));
    }
    let unknown = Spa::at(&server, [192, 0, 2, 1]).await;
    assert_eq!(code(&asks(&unknown, "sms_code", "+493090182001").await), "429 sms_budget_exceeded");
    let flow = begun(&own, "sms_code", "+493090182001").await;
    server.deliver().await;
    let right = server.mailbox().code_for("+493090182001");
    assert_eq!(answers(&own, &flow, ("sms_code", &right)).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_047_a_mailbox_may_be_a_second_factor_once_it_is_confirmed() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let wrong = alice.post("/me/authenticators", &json!({"type": "email", "address": "no address"})).await;
    assert_eq!(fields(&wrong), ["address invalid_email"]);
    let add = json!({"type": "email", "address": "alice@work.example", "name": "Work"});
    let answer = alice.post("/me/authenticators", &add).await;
    assert_eq!(answer.status, 202, "{answer}");
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    let list = alice.get("/me/authenticators").await.ok();
    let first = &list["items"][0];
    assert_eq!((&first["type"], &first["name"], &first["confirmed"]), (&json!("email"), &json!("Work"), &json!(false)));
    assert_eq!(Spa::open(&server).await.sign_in("alice", PASSWORD).await.ok()["status"], "complete", "not before");

    server.deliver().await;
    let right = server.mailbox().code_for("alice@work.example");
    let confirm = format!("/me/authenticators/{id}/confirm");
    assert_eq!(fields(&alice.post(&confirm, &json!({"code": "000000"})).await), ["code wrong_code"]);
    let confirmed = alice.post(&confirm, &json!({"code": right})).await.ok();
    assert_eq!(confirmed["backup_codes"].as_array().map(Vec::len), Some(10));

    // S-112: chosen, sent, typed. It counts as a second proof and not as a second factor (PROTOCOL A10).
    let spa = Spa::open(&server).await;
    let asked = spa.sign_in("alice", PASSWORD).await.ok();
    let challenge = asked["challenges"].as_array().expect("some").iter().find(|one| one["type"] == "email_code");
    let challenge = challenge.expect("the mailbox");
    assert_eq!((&challenge["id"], &challenge["hint"]), (&json!(id), &json!("a•••@w•••.example")));
    let flow = asked["flow"].as_str().expect("a handle");
    server.advance(MINUTE);
    assert_eq!(spa.post("/sign-in/challenge/send", &json!({"flow": flow, "id": id})).await.status, 202);
    server.deliver().await;
    let right = server.mailbox().code_for("alice@work.example");
    assert_eq!(answers(&spa, flow, ("email_code", &right)).await.ok()["status"], "complete");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["pwd", "otp"]));
}

#[tokio::test]
async fn s_112_a_phone_may_be_a_second_factor() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let added = alice.post("/me/authenticators", &json!({"type": "sms"})).await;
    assert_eq!(added.json()["address"], "+493090182001", "their own number");
    let id = added.json()["id"].as_str().expect("an id").to_owned();
    server.deliver().await;
    let right = server.mailbox().code_for("+493090182001");
    alice.post(&format!("/me/authenticators/{id}/confirm"), &json!({"code": right})).await.ok();
    server.advance(MINUTE);

    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = browser.begin(&exchange).await;
    let second = browser.sign_in(&page, "alice").await;
    let sent = browser.press(&second, "otp-send").await;
    server.deliver().await;
    let right = server.mailbox().code_for("+493090182001");
    let consent = browser.submit(sent.page().form_of("otp-submit").fill("code", &right)).await;
    let url = browser.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:symbolon:acr:2"), &json!(["pwd", "sms", "mfa"])));
}

#[tokio::test]
async fn s_108_one_code_is_one_factor() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let added = alice.post("/me/authenticators", &json!({"type": "email", "address": "alice@example.com"})).await;
    let id = added.json()["id"].as_str().expect("an id").to_owned();
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    alice.post(&format!("/me/authenticators/{id}/confirm"), &json!({"code": right})).await.ok();
    server.advance(MINUTE);

    let spa = Spa::open(&server).await;
    let flow = begun(&spa, "email_code", "alice@example.com").await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    let asked = answers(&spa, &flow, ("email_code", &right)).await.ok();
    let kinds: Vec<&Value> = asked["challenges"].as_array().expect("some").iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["password", "totp", "backup_code"], "no mailbox after a mailbox");
    let flow = asked["flow"].as_str().expect("a handle");
    assert_eq!(code(&answers(&spa, flow, ("email_code", &right)).await), "401 invalid_credentials");
    assert_eq!(code(&answers(&spa, flow, ("totp", &right)).await), "401 wrong_code");
    assert_eq!(answers(&spa, flow, ("totp", &app.fresh(&server))).await.ok()["status"], "complete");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["otp", "mfa"]));
}

/// The pages, within a request of an app.
#[tokio::test]
async fn s_039_the_pages_send_a_code_and_take_it() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = browser.begin(&exchange).await;
    let link = page.page().attribute("method-email_code", "href").to_owned();
    let form = browser.open(&link).await;
    let typed = browser.submit(form.page().form_of("send-code-submit").fill("login", "alice@example.com")).await;
    assert!(typed.page().has("otp"), "{typed}");
    let soon = browser.press(&typed, "otp-resend").await;
    assert_eq!(soon.status, 429, "{soon}");
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    let wrong = browser.submit(typed.page().form_of("otp-submit").fill("code", "000000")).await;
    assert_eq!(wrong.status, 422, "{wrong}");
    let consent = browser.submit(typed.page().form_of("otp-submit").fill("code", &right)).await;
    let url = browser.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:symbolon:acr:1"), &json!(["otp"])));
}

/// The page of second factors takes the first code too, and remembers no browser for that.
#[tokio::test]
async fn s_100_a_first_code_has_no_browser_remembered() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let form = browser.open(page.page().attribute("method-email_code", "href")).await;
    let typed = browser.submit(form.page().form_of("send-code-submit").fill("login", "alice@example.com")).await;
    server.deliver().await;
    let right = server.mailbox().code_for("alice@example.com");
    let form = typed.page().form_of("otp-submit").fill("code", &right).fill("remember_device", "true");
    assert!(browser.submit(form).await.page().has("sign-out"));
    assert!(browser.cookie("symbolon_remembered").is_none());
}

#[tokio::test]
async fn s_101_the_security_page_takes_a_phone() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/security").await;
    let waiting = alice.submit(page.page().form_of("sms-add").fill("address", "+31612345678")).await;
    server.deliver().await;
    let right = server.mailbox().code_for("+31612345678");
    let done = alice.submit(waiting.page().form_of("sms-confirm").fill("code", &right)).await;
    assert_eq!(done.page().words("#backup-codes").split_whitespace().count(), 10, "{done}");
    assert!(alice.open("/account/security").await.page().text.contains("+31612345678"));
}
