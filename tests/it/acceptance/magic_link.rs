//! S-052 to S-054: links that sign in once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::edge::store::Beside;
use symbolon::model::message::MessageKind;
use symbolon::model::user::LookupName;
use symbolon::protocol::numeric_date::NumericDate;

use super::second_factor::enrol;
use crate::attack::stranger::strangers_close;
use crate::support::answer::{Answer, code, fields, parameters};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

const ALICE: &str = "alice@example.com";

async fn asks(spa: &Spa, more: &Value) -> Value {
    let mut body = json!({"method": "magic_link", "identifier": ALICE});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = spa.post("/sign-in", &body).await;
    assert_eq!(answer.status, 202, "{answer}");
    answer.json()
}

/// The path of the link in the newest mail.
async fn link(server: &TestServer, address: &str) -> String {
    server.deliver().await;
    let link = server.mailbox().link_for(address);
    link.strip_prefix(server.issuer).unwrap_or_else(|| panic!("not a page of ours: {link}")).to_owned()
}

fn token(link: &str) -> String {
    parameters(&format!("http://localhost{link}")).remove(0).1
}

async fn answers(spa: &Spa, flow: &Value, token: &str) -> Answer {
    spa.post("/sign-in/challenge", &json!({"flow": flow, "type": "magic_link", "value": token})).await
}

#[tokio::test]
async fn s_052_a_link_signs_in_once_in_the_browser_that_asked() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let asked = asks(&spa, &json!({})).await;
    assert_eq!((&asked["expires_in"], &asked["resend_after"]), (&json!(600), &json!(60)));
    assert_eq!(asked["challenges"], json!([{"id": "magic_link", "type": "magic_link"}]));
    let link = link(&server, ALICE).await;
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::MagicLink]);
    assert_eq!(token(&link).len(), 43, "256 bits");
    // Opening it changes nothing: scanners do, from anywhere.
    for _ in 0..3 {
        assert!(spa.browser.get(&link).await.page().has("magic-submit"));
        assert!(Browser::new(&server).get(&link).await.page().has("magic-submit"));
    }
    let page = spa.browser.open(&link).await;
    assert!(!page.page().has("otp"), "nothing to be typed where it was asked for: {page}");
    let form = page.page().form_of("magic-submit");
    let account = spa.browser.submit(form.clone()).await;
    assert!(account.page().has("sign-out"), "{account}");
    let session = spa.get("/session").await.ok();
    assert_eq!((&session["amr"], &session["user"]["email"]), (&json!(["otp"]), &json!(ALICE)));
    let again = spa.browser.submit(form).await;
    assert_eq!(again.status, 410, "{again}");
    assert_eq!(code(&answers(&spa, &asked["flow"], &token(&link)).await), "410 magic_link_invalid");
}

/// S-124, PROTOCOL A5: who reads the mailbox comes in, and the password is heard again.
#[tokio::test]
async fn s_124_a_link_opens_a_password_that_strangers_have_closed() {
    let setup =
        Setup { issuer: "https://id.example", mode: symbolon::oauth::policy::Mode::Production, ..Setup::default() };
    let server = TestServer::with(setup).await;
    strangers_close(&server, "alice").await;
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "401 invalid_credentials", "it is closed");
    let asked = asks(&spa, &json!({})).await;
    let link = link(&server, ALICE).await;
    assert_eq!(answers(&spa, &asked["flow"], &token(&link)).await.ok()["status"], "complete");
    assert_eq!(Spa::open(&server).await.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_052_a_link_is_good_for_ten_minutes_and_only_the_latest() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let asked = asks(&spa, &json!({})).await;
    let first = link(&server, ALICE).await;
    server.advance(Duration::from_mins(1));
    let send = json!({"flow": asked["flow"], "id": "magic_link"});
    assert_eq!(spa.post("/sign-in/challenge/send", &send).await.json(), json!({"resend_after": 60}));
    assert_eq!(code(&spa.post("/sign-in/challenge/send", &send).await), "429 code_recently_sent");
    let second = link(&server, ALICE).await;
    assert_eq!(spa.browser.get(&first).await.status, 410, "another one took its place");
    assert!(spa.browser.get(&second).await.page().has("magic-submit"));
    server.advance(Duration::from_mins(9));
    assert_eq!(
        code(&answers(&spa, &asked["flow"], &token(&second)).await),
        "410 magic_link_invalid",
        "it took too long"
    );
    server.advance(Duration::from_mins(1));
    assert_eq!(spa.browser.get(&second).await.status, 410);
}

#[tokio::test]
async fn s_052_another_browser_is_asked_what_the_first_one_shows() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let shown = asks(&spa, &json!({})).await["confirm_code"].as_str().expect("a code").to_owned();
    let link = link(&server, ALICE).await;
    let phone = Browser::new(&server);
    let page = phone.open(&link).await;
    assert!(page.page().has("otp"), "{page}");
    let with = |typed: &str| page.page().form_of("magic-submit").fill("code", typed);
    let other = if shown == "000000" { "000001" } else { "000000" };
    for typed in [other, ""] {
        let wrong = phone.submit(with(typed)).await;
        assert_eq!((wrong.status.as_u16(), wrong.page().has("magic-error")), (422, true), "{typed}");
    }
    let account = phone.submit(with(&shown)).await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null, "nobody is signed in where nobody pressed");
}

/// What the first browser shows cannot be guessed: five tries, and the link is of no use.
#[tokio::test]
async fn s_052_whoever_has_the_link_alone_guesses_five_times() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let shown = asks(&spa, &json!({})).await["confirm_code"].as_str().expect("a code").to_owned();
    let link = link(&server, ALICE).await;
    let stranger = Browser::new(&server);
    let page = stranger.open(&link).await;
    let guesses = (0..9).map(|number| format!("{number}{number}0000")).filter(|guess| *guess != shown).take(5);
    for guess in guesses {
        stranger.submit(page.page().form_of("magic-submit").fill("code", &guess)).await;
    }
    let right = stranger.submit(page.page().form_of("magic-submit").fill("code", &shown)).await;
    assert!(!right.page().has("sign-out") && right.status.is_client_error(), "{right}");
}

#[tokio::test]
async fn s_052_an_app_answers_with_the_token_in_the_sign_in_that_it_began() {
    let server = TestServer::start().await;
    let (spa, other) = (Spa::open(&server).await, Spa::open(&server).await);
    let asked = asks(&spa, &json!({"redirect_path": "/dash"})).await;
    let token = token(&link(&server, ALICE).await);
    server.advance(Duration::from_mins(1));
    let elsewhere = asks(&other, &json!({})).await;
    assert_eq!(
        code(&answers(&other, &elsewhere["flow"], &token).await),
        "410 magic_link_invalid",
        "of another sign-in"
    );
    assert_eq!(code(&answers(&other, &asked["flow"], &token).await), "410 flow_invalid", "of another browser");
    assert_eq!(code(&answers(&spa, &asked["flow"], "x").await), "410 magic_link_invalid");
    let done = answers(&spa, &asked["flow"], &token).await.ok();
    assert_eq!((&done["status"], &done["next"]), (&json!("complete"), &json!("/dash")));
    assert_eq!(code(&answers(&spa, &asked["flow"], &token).await), "410 flow_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_052_a_link_pressed_a_hundred_times_at_once_signs_in_once() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    asks(&spa, &json!({})).await;
    let page = spa.browser.open(&link(&server, ALICE).await).await;
    let form = page.page().form_of("magic-submit");
    let pressed = join_all((0..100).map(|_| spa.browser.post(&form.action, &form.fields))).await;
    let won = pressed.iter().filter(|answer| answer.status == 303).count();
    assert_eq!(won, 1, "{:?}", pressed.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>());
    let sessions = spa.get("/me/sessions").await.ok()["items"].as_array().expect("a list").len();
    assert_eq!(sessions, 1);
}

#[tokio::test]
async fn s_052_what_ends_everything_ends_waiting_links_and_a_disabled_account_stays_so() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
    let now = || NumericDate::from_seconds(server.clock.seconds());
    let spa = Spa::open(&server).await;
    asks(&spa, &json!({})).await;
    let form = spa.browser.open(&link(&server, ALICE).await).await.page().form_of("magic-submit");
    server.store().sign_out_everywhere(alice, None, now(), Beside::default()).await.expect("done");
    assert_eq!(spa.browser.submit(form).await.status, 410);

    let spa = Spa::open(&server).await;
    asks(&spa, &json!({"identifier": "bob@example.com"})).await;
    let form = spa.browser.open(&link(&server, "bob@example.com").await).await.page().form_of("magic-submit");
    server.store().disable_user(bob, now(), Beside::default()).await.expect("disabled");
    let refused = spa.browser.submit(form).await;
    assert!(refused.status.is_client_error(), "{refused}");
    server.advance(Duration::from_mins(2));
    asks(&Spa::open(&server).await, &json!({"identifier": "bob@example.com"})).await;
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("bob@example.com").len(), 1, "nothing is sent to whom it would not help");
}

#[tokio::test]
async fn s_018_a_link_makes_an_account_when_it_is_used_where_accounts_may_be_made() {
    fn closed(config: &mut Config) {
        config.registration.mode = SignUp::Off;
        config.otp.auto_create_account = false;
    }
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let asked = asks(&spa, &json!({"identifier": "new@example.org"})).await;
    let link = link(&server, "new@example.org").await;
    let name = LookupName::parse("new@example.org").expect("a name");
    assert!(server.store().user_by_name(&name).await.expect("read").is_none());
    let done = answers(&spa, &asked["flow"], &token(&link)).await.ok();
    assert_eq!((&done["is_new_user"], &done["user"]["email_verified"]), (&json!(true), &json!(true)));

    let server = TestServer::with(Setup { configure: closed, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    asks(&spa, &json!({"identifier": "new@example.org"})).await;
    server.deliver().await;
    assert!(server.mailbox().to("new@example.org").is_empty(), "the answer is the same, and nothing is sent");
}

/// A link is one factor: whoever has a second one is asked for it.
#[tokio::test]
async fn s_052_a_second_factor_is_asked_for_after_a_link() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let spa = Spa::open(&server).await;
    asks(&spa, &json!({"redirect_path": "/account/history"})).await;
    let page = spa.browser.open(&link(&server, ALICE).await).await;
    let second = spa.browser.submit(page.page().form_of("magic-submit")).await;
    let second = spa.browser.open(second.page().attribute("second-totp", "href")).await;
    assert!(second.page().has("otp"), "{second}");
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null);
    let form = second.page().form_of("otp-submit").fill("code", &app.fresh(&server));
    let done = spa.browser.post(&form.action, &form.fields).await;
    assert_eq!(done.location(), "/account/history");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["otp", "mfa"]));
}

#[tokio::test]
async fn s_053_a_link_leads_within_this_server() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\tx", "dash"] {
        let body = json!({"method": "magic_link", "identifier": ALICE, "redirect_path": bad});
        assert_eq!(fields(&spa.post("/sign-in", &body).await), ["redirect_path invalid_redirect"], "{bad}");
    }
    asks(&spa, &json!({"redirect_path": "/dash?x=1"})).await;
    let page = spa.browser.open(&link(&server, ALICE).await).await;
    let form = page.page().form_of("magic-submit");
    assert_eq!(spa.browser.post(&form.action, &form.fields).await.location(), "/dash?x=1");
}

#[tokio::test]
async fn s_054_the_link_tells_neither_address_nor_code() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let shown = asks(&spa, &json!({})).await["confirm_code"].as_str().expect("a code").to_owned();
    let first = link(&server, ALICE).await;
    assert!(!first.contains("alice") && !first.contains(&shown), "{first}");
    assert!(!server.mailbox().last_to(ALICE).text.contains(&shown), "the mail opens nothing in a foreign browser");
    server.advance(Duration::from_mins(1));
    asks(&Spa::open(&server).await, &json!({})).await;
    let (first, second) = (token(&first), token(&link(&server, ALICE).await));
    let parts: Vec<&str> = (0..first.len() - 8).map(|start| &first[start..start + 8]).collect();
    assert!(!parts.iter().any(|part| second.contains(part)), "two links of one address share nothing");
}

#[tokio::test]
async fn s_054_a_mail_of_the_operators_has_the_url() {
    let server = TestServer::start().await;
    let theme = tempfile::tempdir().expect("a folder");
    let folder = theme.path().join("mail/magic_link");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("body.txt"), "Here: {{ url }} for {{ valid_minutes }}").expect("written");
    let path = theme.path().to_owned();
    let server = server.restarted(|config| config.theme.folder = Some(path)).await;
    asks(&Spa::open(&server).await, &json!({})).await;
    server.deliver().await;
    let text = server.mailbox().last_to(ALICE).text;
    let own = text.trim().strip_prefix(&format!("Here: {}/sign-in/magic?token=", server.issuer));
    assert!(own.is_some_and(|rest| rest.ends_with(" for 10")), "{text}");
}

/// The pages: back into the request of an app.
#[tokio::test]
async fn s_052_a_link_resumes_the_request_of_an_app() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid").and("prompt", "login");
    let page = browser.begin(&exchange).await;
    let form = browser.open(page.page().attribute("method-magic_link", "href")).await;
    let sent = browser.submit(form.page().form_of("send-code-submit").fill("login", ALICE)).await;
    let shown = sent.page().words("#magic-code");
    assert!(shown.len() == 6 && shown.bytes().all(|byte| byte.is_ascii_digit()), "{sent}");
    let page = browser.open(&link(&server, ALICE).await).await;
    let consent = browser.submit(page.page().form_of("magic-submit")).await;
    let url = browser.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:symbolon:acr:1"), &json!(["otp"])));
}
