//! The session cookie: renewed at sign-in, worthless afterwards, and what it looks like.
//!
//! PROTOCOL S1, S2; OIDC Core §3.1.2.3.

use std::time::Duration;

use http::header::SET_COOKIE;
use symbolon::oauth::policy::Mode;

use crate::support::server::Setup;
use crate::support::{Browser, RelyingParty, TestServer};

fn cookies_of(answer: &crate::support::Answer) -> Vec<String> {
    answer.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("ASCII").to_owned()).collect()
}

#[tokio::test]
async fn a_sign_in_makes_a_new_cookie_and_the_old_one_dies() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let old = alice.cookie("symbolon_session").expect("a session");
    let page = alice.open("/sign-in").await;
    alice.sign_in(&page, "alice").await;
    let new = alice.cookie("symbolon_session").expect("a session");
    assert_ne!(old, new);
    let thief = Browser::new(&server);
    thief.set_cookie("symbolon_session", &old);
    assert!(thief.open("/account").await.page().has("login"), "the old cookie opens nothing");
    let same = Browser::new(&server);
    same.set_cookie("symbolon_session", &new);
    assert!(same.open("/account").await.page().has("sign-out"));
}

/// Session fixation: a cookie that somebody else planted never becomes a session.
#[tokio::test]
async fn a_planted_cookie_is_not_adopted() {
    let server = TestServer::start().await;
    let planted = "A".repeat(43);
    let alice = Browser::new(&server);
    alice.set_cookie("symbolon_session", &planted);
    let page = alice.open("/sign-in").await;
    alice.sign_in(&page, "alice").await;
    assert_ne!(alice.cookie("symbolon_session"), Some(planted.clone()));
    let mallory = Browser::new(&server);
    mallory.set_cookie("symbolon_session", &planted);
    assert!(mallory.open("/account").await.page().has("login"));
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_or_too_old() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    for _ in 0..5 {
        server.advance(Duration::from_hours(11));
        assert!(alice.open("/account").await.page().has("sign-out"), "used in time");
        server.settled().await;
    }
    server.advance(Duration::from_hours(12));
    assert!(alice.open("/account").await.page().has("login"), "idle for twelve hours");
}

/// "Keep me signed in" outlives the window and the night, not a month.
#[tokio::test]
async fn a_kept_session_lasts_for_thirty_days() {
    let server = TestServer::start().await;
    let alice = Browser::new(&server);
    let page = alice.open("/sign-in").await;
    let form = page.page().form_of("login-submit").fill("login", "alice");
    let form = form.fill("password", crate::support::server::PASSWORD).fill("remember", "true");
    let answer = alice.post(&form.action, &form.fields).await;
    let cookie = cookies_of(&answer).into_iter().find(|cookie| cookie.starts_with("symbolon_session=")).expect("set");
    assert!(cookie.contains("Max-Age=2592000"), "{cookie}");
    server.advance(Duration::from_hours(29 * 24));
    assert!(alice.open("/account").await.page().has("sign-out"));
    server.advance(Duration::from_hours(24));
    assert!(alice.open("/account").await.page().has("login"));
}

/// Who decides to stay when they sign in again in a live session stays; who decides nothing changes nothing.
#[tokio::test]
async fn a_session_is_kept_from_the_moment_it_is_asked_for() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let again = async |remember: bool| {
        let page = alice.open("/sign-in").await;
        let form = page.page().form_of("login-submit").fill("login", "alice");
        let form = form.fill("password", crate::support::server::PASSWORD);
        let form = if remember { form.fill("remember", "true") } else { form };
        let answer = alice.post(&form.action, &form.fields).await;
        cookies_of(&answer).into_iter().find(|cookie| cookie.starts_with("symbolon_session=")).expect("set")
    };
    assert!(!again(false).await.contains("Max-Age"));
    server.advance(Duration::from_hours(1));
    let kept = again(true).await;
    assert!(kept.contains(&format!("Max-Age={}", 2_592_000 - 3_600)), "the end of the session stays: {kept}");
    assert!(again(false).await.contains("Max-Age"), "it is kept already");
    server.advance(Duration::from_hours(28 * 24));
    assert!(alice.open("/account").await.page().has("sign-out"), "longer than an ordinary pause");
}

#[tokio::test]
async fn cookies_are_out_of_reach_for_scripts_and_other_sites() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let page = browser.get("/sign-in").await;
    let form =
        page.page().form_of("login-submit").fill("login", "alice").fill("password", crate::support::server::PASSWORD);
    let answer = browser.post(&form.action, &form.fields).await;
    for cookie in cookies_of(&page).into_iter().chain(cookies_of(&answer)) {
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }

    let secure =
        TestServer::with(Setup { issuer: "https://id.example", mode: Mode::Production, ..Setup::default() }).await;
    let shop = RelyingParty::web(&secure, "shop").await;
    let alice = Browser::new(&secure);
    let page = alice.begin(&shop.begin("openid")).await;
    let form =
        page.page().form_of("login-submit").fill("login", "alice").fill("password", crate::support::server::PASSWORD);
    let answer = alice.post(&form.action, &form.fields).await;
    let cookie =
        cookies_of(&answer).into_iter().find(|cookie| cookie.starts_with("__Host-symbolon_session=")).expect("set");
    assert!(cookie.contains("Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
    assert!(alice.cookie("__Host-symbolon_flow").is_some() && alice.cookie("symbolon_flow").is_none());
}

/// Bytes that are no cookie of ours are nobody's.
#[tokio::test]
async fn strange_cookies_are_ignored() {
    let server = TestServer::start().await;
    for value in ["", "x", "%00", "\"quoted\"", &"A".repeat(42), &"A".repeat(44), &"A".repeat(8_000)] {
        let browser = Browser::new(&server);
        browser.set_cookie("symbolon_session", value);
        browser.set_cookie("symbolon_flow", value);
        assert!(browser.open("/account").await.page().has("login"), "{value:.50}");
    }
}
