//! Signing in by name and password.
//!
//! PROTOCOL A4, A17; NIST SP 800-63B-4 §3.2.2.

use std::time::Duration;

use http::StatusCode;
use symbolon::authn::limit::Limit;
use symbolon::config::Config;
use symbolon::oauth::policy::Mode;

use crate::support::server::{PASSWORD, Setup};
use crate::support::{Answer, Browser, TestServer};

async fn attempt(browser: &Browser, login: &str, password: &str) -> Answer {
    let page = browser.open("/sign-in").await;
    browser.submit(page.page().form_of("login-submit").fill("login", login).fill("password", password)).await
}

/// Each of a person's names is theirs, however it is written.
#[tokio::test]
async fn any_name_of_a_person_will_do() {
    let server = TestServer::start().await;
    for login in ["alice", "ALICE", "  alice ", "alice@example.com", "Alice@Example.COM", "+493090182001", "ａｌｉｃｅ"]
    {
        let answer = attempt(&Browser::new(&server), login, PASSWORD).await;
        assert!(answer.page().has("sign-out"), "{login}: {answer}");
    }
}

/// PROTOCOL A17: the same answer, whether the name is known or not.
#[tokio::test]
async fn a_refusal_tells_nobody_who_exists() {
    let server = TestServer::start().await;
    let mut seen = Vec::new();
    for (login, password) in
        [("alice", "wrong"), ("nobody", "wrong"), ("nobody", PASSWORD), ("alice", ""), ("", ""), ("\u{b}", "x")]
    {
        let answer = attempt(&Browser::new(&server), login, password).await;
        if answer.status == StatusCode::BAD_REQUEST {
            assert_eq!(login, "\u{b}", "{answer}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{login:?} {password:?}: {answer}");
        let page = answer.page();
        assert_eq!(page.attribute("login", "value"), login, "the name stays, the password does not");
        assert!(!page.text.contains(PASSWORD));
        seen.push(page.words("#sign-in-error"));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    for password in ["p".repeat(1_024), "p".repeat(1_025), "p".repeat(60_000), "\u{301}".repeat(500)] {
        let answer = attempt(&Browser::new(&server), "alice", &password).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", password.len());
    }
}

/// A4, A5: guesses are slowed down by account, over all of its names; time heals it.
#[tokio::test]
async fn guesses_are_slowed_down() {
    // What counts by address stands aside: everybody here comes from the same.
    let configure = |config: &mut Config| {
        config.limits.sign_in = Some(Limit::Off);
        config.limits.block_after = Some(100);
    };
    let setup = Setup { issuer: "https://id.example", mode: Mode::Production, configure, ..Setup::default() };
    let server = TestServer::with(setup).await;
    for number in 0..10 {
        let login = ["alice", "alice@example.com"][number % 2];
        let answer = attempt(&Browser::new(&server), login, "wrong").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
    }
    let answer = attempt(&Browser::new(&server), "+493090182001", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(attempt(&Browser::new(&server), "bob", PASSWORD).await.page().has("sign-out"), "others come in");
    server.advance(Duration::from_secs(seconds));
    assert!(attempt(&Browser::new(&server), "alice", PASSWORD).await.page().has("sign-out"));
}

/// No open redirect: a sign-in leads to pages of ours only.
#[tokio::test]
async fn a_sign_in_without_an_app_leads_to_our_own_pages() {
    let server = TestServer::start().await;
    for (to, lands) in [
        ("account", "/account"),
        ("admin", "/admin"),
        ("//evil.example", "/account"),
        ("https://evil.example", "/account"),
    ] {
        let browser = Browser::new(&server);
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
        let page = browser.open(&format!("/sign-in?{query}")).await;
        let form = page.page().form_of("login-submit").fill("login", "ada").fill("password", PASSWORD);
        assert_eq!(browser.post(&form.action, &form.fields).await.location(), lands);
    }
}
