//! New passwords by the API: S-027 to S-031.

use std::path::PathBuf;
use std::sync::OnceLock;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::authn::limit::Limit;
use symbolon::authn::password::breached;
use symbolon::config::Config;
use symbolon::config::password::{OtherSessions, Unreadable};
use symbolon::model::event::EventName;
use symbolon::model::message::MessageKind;
use symbolon::protocol::numeric_date::NumericDate;

use super::first_party::app;
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, RelyingParty, TestServer, clients};

/// Good by every rule.
const NEW: &str = "seven quiet herons at dawn";

/// The codes at `field`, in the order they were told.
fn codes<'a>(problem: &'a Value, field: &str) -> Vec<&'a str> {
    let errors = problem["errors"].as_array().expect("field errors");
    errors.iter().filter(|error| error["field"] == field).map(|error| error["code"].as_str().expect("a code")).collect()
}

async fn check(spa: &Spa, body: &Value) -> Answer {
    spa.post("/password-checks", body).await
}

async fn change(spa: &Spa, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    spa.send(Method::PUT, "/me/password", Some(&body)).await
}

#[tokio::test]
async fn s_027_every_rule_that_a_password_breaks_is_told_at_once() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    for (password, expected) in [
        ("1234567", &["password_too_short", "password_too_common", "password_entirely_numeric"][..]),
        ("short1", &["password_too_short"]),
        ("12345678901", &["password_too_common", "password_entirely_numeric"]),
        ("carol", &["password_too_short", "password_too_similar"]),
        ("carol.jones", &["password_too_similar"]),
        ("Password123", &["password_too_common"]),
        ("qwertzuiop2026", &["password_too_common"]),
        ("ａｂｃ", &["password_too_short"]),
    ] {
        let body = json!({"password": password, "email": "carol.jones@example.com", "username": "carol"});
        let problem = check(&spa, &body).await.of(StatusCode::UNPROCESSABLE_ENTITY).json();
        let mut told = codes(&problem, "password");
        told.retain(|code| expected.contains(code));
        assert_eq!(told, expected, "{password}: {problem}");
    }
    let own = json!({"password": "bob@example.com", "email": "bob@example.com"});
    let problem = check(&spa, &own).await.of(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert!(codes(&problem, "password").contains(&"password_too_similar"), "{problem}");
    let short = check(&spa, &json!({"password": "abc"})).await.of(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert_eq!(short["errors"][0]["params"]["min"], 8);
}

#[tokio::test]
async fn s_029_a_password_can_be_tried_before_it_is_set() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    for good in [NEW, "Übergroße Zebras 🦓 tanzen", "   leading spaces count   "] {
        assert_eq!(check(&spa, &json!({"password": good})).await.ok(), json!({"valid": true}), "{good}");
    }
    assert_eq!(code(&check(&spa, &json!({})).await), "422 required");
    assert_eq!(code(&check(&spa, &json!({"password": 1})).await), "422 wrong_type");
    let long = "ß".repeat(600);
    let problem = check(&spa, &json!({"password": long})).await.of(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert_eq!(codes(&problem, "password"), ["too_long"]);
}

/// A list with one stolen password.
fn stolen_list() -> &'static PathBuf {
    static LIST: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIST.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let (hashes, list) = (folder.path().join("hashes.txt"), folder.path().join("stolen.list"));
        // SHA-1 of `seven quiet herons at dawn`.
        std::fs::write(&hashes, "F97AA36C0E6728C9D5DEF0B0D61967668A172E45:3\n").expect("written");
        let mut file = std::fs::File::create(&list).expect("made");
        breached::build(&hashes, &mut file, 1).expect("built");
        (folder, list)
    });
    path
}

#[tokio::test]
async fn s_028_a_stolen_password_is_refused_and_a_lost_list_is_the_operators_choice() {
    fn listed(config: &mut Config) {
        config.password.breached_list = Some(stolen_list().clone());
    }
    fn lost(config: &mut Config) {
        config.password.breached_list = Some("/nowhere/stolen.list".into());
    }
    fn lost_and_closed(config: &mut Config) {
        lost(config);
        config.password.breached_unreadable = Unreadable::Closed;
    }
    for (configure, expected) in [
        (listed as fn(&mut Config), Some("password_breached")),
        (lost, None),
        (lost_and_closed, Some("password_unchecked")),
    ] {
        let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
        let spa = Spa::open(&server).await;
        let answer = check(&spa, &json!({"password": NEW})).await;
        match expected {
            None => assert_eq!(answer.ok(), json!({"valid": true})),
            Some(expected) => {
                assert_eq!(codes(&answer.of(StatusCode::UNPROCESSABLE_ENTITY).json(), "password"), [expected]);
            }
        }
    }
}

#[tokio::test]
async fn s_030_two_entries_have_to_be_the_same() {
    let server = TestServer::start().await;
    let spa = Spa::signed_in(&server, "alice").await;
    let body = json!({"current_password": "wrong", "new_password": "alice", "confirm_password": "alicia"});
    let answer = spa.send(Method::PUT, "/me/password", Some(&body)).await;
    let problem = answer.of(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert_eq!(codes(&problem, "current_password"), ["invalid_password"], "everything at once");
    assert!(codes(&problem, "new_password").contains(&"password_too_similar"), "{problem}");
    assert_eq!(codes(&problem, "confirm_password"), ["passwords_not_identical"]);
    let body = json!({"current_password": PASSWORD, "new_password": NEW, "confirm_password": NEW});
    spa.send(Method::PUT, "/me/password", Some(&body)).await.of(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s_031_a_change_ends_everything_but_the_session_that_asked() {
    let server = TestServer::start().await;
    let shop = RelyingParty::of(&server, clients::web("shop")).await;
    let elsewhere = Spa::signed_in(&server, "alice").await;
    let tokens = shop.tokens(&elsewhere.browser, "alice", "openid offline_access").await;
    let here = Spa::signed_in(&server, "alice").await;
    let cookie = here.browser.cookie("symbolon_session").expect("a session");

    change(&here, PASSWORD, NEW).await.of(StatusCode::NO_CONTENT);
    let fresh = here.browser.cookie("symbolon_session").expect("a session");
    assert_ne!(fresh, cookie, "the session goes on under a new cookie");
    assert_eq!(here.get("/session").await.ok()["user"]["username"], "alice");
    here.browser.set_cookie("symbolon_session", &cookie);
    assert_eq!(here.get("/session").await.ok()["user"], Value::Null, "the old cookie is void");
    assert_eq!(elsewhere.get("/session").await.ok()["user"], Value::Null);
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(shop.refresh(refresh).await.error(), "400 invalid_grant");

    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "401 invalid_credentials");
    assert_eq!(spa.sign_in("alice", NEW).await.ok()["status"], "complete");
    let events = server.store().events_of(server.user("alice").await.id, NumericDate::from_seconds(0), (None, 9));
    let events = events.await.expect("read");
    assert!(events.iter().any(|event| event.name == EventName::PasswordChanged), "{events:?}");
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::PasswordChanged], "and a mail");
}

#[tokio::test]
async fn s_031_what_is_wrong_changes_nothing_and_counts() {
    let server = TestServer::start().await;
    let spa = Spa::signed_in(&server, "alice").await;
    assert_eq!(code(&change(&spa, "wrong", NEW).await), "422 invalid_password");
    assert_eq!(code(&change(&spa, PASSWORD, "password1").await), "422 password_too_common");
    let other = Spa::signed_in(&server, "alice").await;
    assert_eq!(other.get("/session").await.ok()["user"]["username"], "alice", "nothing ended");

    let stranger = Spa::new(&server);
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let answer = stranger.send(Method::PUT, "/me/password", Some(&body)).await;
    assert_eq!(code(&answer), "401 sign_in_required");

    let configure = |config: &mut Config| config.limits.challenge = Some(Limit::Off);
    let production = Setup { mode: symbolon::oauth::policy::Mode::Production, configure, ..Setup::default() };
    let server = TestServer::with(production).await;
    let spa = Spa::signed_in(&server, "alice").await;
    let mut refused = false;
    for _ in 0..40 {
        let answer = change(&spa, "wrong", NEW).await;
        if code(&answer) == "429 too_many_attempts" {
            refused = true;
            break;
        }
        assert_eq!(code(&answer), "422 invalid_password");
    }
    assert!(refused, "guesses at the present password count as those at sign-in");
}

#[tokio::test]
async fn s_031_others_stay_where_the_operator_lets_people_choose() {
    fn choice(config: &mut Config) {
        config.password.other_sessions = OtherSessions::Choice;
    }
    let body = json!({"current_password": PASSWORD, "new_password": NEW, "sign_out_others": false});
    for (configure, expected) in [((|_| {}) as fn(&mut Config), false), (choice, true)] {
        let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
        let (here, elsewhere) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "alice").await);
        let answer = here.send(Method::PUT, "/me/password", Some(&body)).await;
        if expected {
            answer.of(StatusCode::NO_CONTENT);
        } else {
            assert_eq!(code(&answer), "403 forbidden");
        }
        assert_eq!(elsewhere.get("/session").await.ok()["user"]["username"], "alice");
        let is_new = Spa::open(&server).await.sign_in("alice", NEW).await.status == StatusCode::OK;
        assert_eq!(is_new, expected);
    }
}

#[tokio::test]
async fn s_031_an_app_with_a_token_may_change_it_too() {
    let server = TestServer::start().await;
    let mut client = app("phone");
    client.policy.direct_tokens = true;
    RelyingParty::of(&server, client).await;
    let body = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": PASSWORD});
    let tokens = server.json((Method::POST, "/api/v1/tokens"), &body, None).await.ok();
    let token = tokens["access_token"].as_str().expect("a token");
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let answer = server.json((Method::PUT, "/api/v1/me/password"), &body, Some(token)).await;
    answer.of(StatusCode::NO_CONTENT);
    let answer = server.json((Method::PUT, "/api/v1/me/password"), &body, Some(token)).await;
    assert_eq!(code(&answer), "401 token_invalid", "the token ended with the old password");
}

/// The names of the account that a link is for count, and are not told.
#[tokio::test]
async fn s_029_a_link_stands_for_the_names_of_its_account() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    spa.post("/password-resets", &json!({"identifier": "alice"})).await.of(StatusCode::ACCEPTED);
    server.deliver().await;
    let link = server.mailbox().link_for("alice@example.com");
    let token = link.split_once("token=").expect("a link").1.to_owned();
    let like = "Alice-Example-2027";
    let problem = check(&spa, &json!({"password": like, "token": token})).await.of(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(codes(&problem.json(), "password").contains(&"password_too_similar"), "{problem}");
    assert!(!problem.text().to_lowercase().contains("alice"), "{problem}");
    assert_eq!(check(&spa, &json!({"password": NEW, "token": token})).await.ok(), json!({"valid": true}));
    assert_eq!(code(&check(&spa, &json!({"password": NEW, "token": "another"})).await), "410 link_invalid");

    let begun = json!({"email": "caroline.miller@example.net", "password": NEW});
    let handle = spa.post("/registrations", &begun).await.of(StatusCode::ACCEPTED).json()["registration"].clone();
    let body = json!({"password": "caroline.miller7", "registration": handle});
    let problem = check(&spa, &body).await.of(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert!(codes(&problem, "password").contains(&"password_too_similar"), "{problem}");
    assert_eq!(code(&check(&spa, &json!({"password": NEW, "registration": "another"})).await), "410 link_invalid");
}

#[tokio::test]
async fn s_031_a_person_changes_their_password_on_the_page() {
    let server = TestServer::start().await;
    let (alice, elsewhere) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "alice").await);
    let browser = &alice.browser;
    let page = browser.open("/account/password").await;
    for (id, autocomplete) in
        [("current_password", "current-password"), ("password", "new-password"), ("confirm_password", "new-password")]
    {
        assert_eq!(page.page().attribute(id, "autocomplete"), autocomplete);
    }
    assert!(page.header("content-security-policy").contains("connect-src 'self'"), "{page}");
    let fill = |current: &str, new: &str, again: &str| {
        let form = page.page().form_of("password-submit").fill("current_password", current);
        form.fill("password", new).fill("confirm_password", again)
    };
    let wrong = browser.submit(fill("wrong", "12345", "123456")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["current_password", "password", "confirm_password"] {
        assert_eq!(wrong.page().attribute(field, "aria-invalid"), "true", "{field}");
        assert!(wrong.page().has(&format!("{field}-mistake")));
        assert_eq!(wrong.page().attribute(field, "value"), "", "no password stands in a page");
    }
    let before = browser.cookie("symbolon_session");
    let done = browser.submit(fill(PASSWORD, NEW, NEW)).await;
    assert!(done.page().has("password-changed"), "{done}");
    assert_ne!(browser.cookie("symbolon_session"), before);
    assert_eq!(alice.get("/session").await.ok()["user"]["username"], "alice", "this browser stays signed in");
    assert_eq!(elsewhere.get("/session").await.ok()["user"], Value::Null);
    assert_eq!(Spa::open(&server).await.sign_in("alice", NEW).await.status, StatusCode::OK);
}

/// Who signs in without a password sets the first one, after they proved who they are.
#[tokio::test]
async fn s_006_the_first_password_needs_a_fresh_proof() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let begun =
        spa.post("/registrations", &json!({"email": "carol@example.net"})).await.of(StatusCode::ACCEPTED).json();
    server.deliver().await;
    let body = json!({"registration": begun["registration"], "code": server.mailbox().code_for("carol@example.net"), "sign_in": true});
    assert_eq!(spa.post("/registrations/confirm", &body).await.status, StatusCode::CREATED);
    server.advance(std::time::Duration::from_mins(11));
    let first = json!({"new_password": NEW});
    assert_eq!(code(&spa.send(Method::PUT, "/me/password", Some(&first)).await), "403 reauth_required");
    let page = spa.browser.open("/account/password").await;
    assert!(!page.page().has("current_password") && page.page().has("password"), "{page}");
    let form = page.page().form_of("password-submit").fill("password", NEW).fill("confirm_password", NEW);
    assert!(!spa.browser.submit(form).await.page().has("password-changed"), "neither on the page");

    // A message proves it, too: the way of who forgot theirs.
    spa.post("/password-resets", &json!({"identifier": "carol@example.net"})).await.of(StatusCode::ACCEPTED);
    server.deliver().await;
    let link = server.mailbox().link_for("carol@example.net");
    let token = link.split_once("token=").expect("a link").1;
    let set = spa.post("/password-resets/confirm", &json!({"token": token, "password": NEW})).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    spa.get("/session").await.ok();
    spa.sign_in("carol@example.net", NEW).await.ok();
    let missing = spa.send(Method::PUT, "/me/password", Some(&json!({"new_password": PASSWORD}))).await;
    assert_eq!(code(&missing), "422 required", "whoever has one types it");
}

#[tokio::test]
async fn s_006_who_signed_in_a_moment_ago_sets_the_first_password() {
    let server = TestServer::start().await;
    for on_the_page in [false, true] {
        let spa = Spa::open(&server).await;
        let email = format!("carol-{on_the_page}@example.net");
        let begun = spa.post("/registrations", &json!({"email": email})).await.of(StatusCode::ACCEPTED).json();
        server.deliver().await;
        let body =
            json!({"registration": begun["registration"], "code": server.mailbox().code_for(&email), "sign_in": true});
        assert_eq!(spa.post("/registrations/confirm", &body).await.status, StatusCode::CREATED);
        if on_the_page {
            let page = spa.browser.open("/account/password").await;
            let form = page.page().form_of("password-submit").fill("password", NEW).fill("confirm_password", NEW);
            let done = spa.browser.submit(form).await;
            assert!(done.page().has("password-changed"), "{done}");
        } else {
            let set = spa.send(Method::PUT, "/me/password", Some(&json!({"new_password": NEW}))).await;
            assert_eq!(set.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(Spa::open(&server).await.sign_in(&email, NEW).await.status, StatusCode::OK);
    }
}
