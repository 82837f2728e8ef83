//! S-097: how long a session lives, to within five seconds, and how many there may be of one person.

use std::time::Duration;

use symbolon::edge::store::{Beside, Reach};
use symbolon::protocol::numeric_date::NumericDate;

use crate::support::server::Setup;
use crate::support::{Browser, TestServer};

const IDLE: Duration = Duration::from_hours(12);
const ABSOLUTE: Duration = Duration::from_hours(30 * 24);

async fn is_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

#[tokio::test]
async fn s_097_the_idle_limit_counts_from_the_last_use() {
    for used_after in [0, 1, 3, 4, 5, 6, 299, 300, 4_000] {
        for (left, lives) in [(5, true), (0, false)] {
            let server = TestServer::start().await;
            let alice = Browser::signed_in(&server, "alice").await;
            server.advance(Duration::from_secs(used_after));
            assert!(is_in(&alice).await);
            server.settled().await;
            server.advance(IDLE.saturating_sub(Duration::from_secs(left)));
            assert_eq!(is_in(&alice).await, lives, "used after {used_after} s, {left} s before the limit");
        }
    }
}

async fn kept(server: &TestServer) -> Browser {
    let alice = Browser::new(server);
    let page = alice.open("/sign-in").await;
    let form = page.page().form_of("login-submit").fill("login", "alice");
    alice.submit(form.fill("password", crate::support::server::PASSWORD).fill("remember", "true")).await;
    alice
}

#[tokio::test]
async fn s_097_the_absolute_limit_holds_however_it_is_used() {
    for remembered in [false, true] {
        let server = TestServer::start().await;
        let alice = if remembered { kept(&server).await } else { Browser::signed_in(&server, "alice").await };
        let step = Duration::from_hours(11);
        let mut left = ABSOLUTE;
        while left > step {
            server.advance(step);
            left -= step;
            assert!(is_in(&alice).await, "{left:?} before the end");
            server.settled().await;
        }
        server.advance(left.saturating_sub(Duration::from_secs(5)));
        assert!(is_in(&alice).await);
        server.advance(Duration::from_secs(5));
        assert!(!is_in(&alice).await, "remembered: {remembered}");
    }
}

async fn with_at_most<const N: u32>() -> TestServer {
    TestServer::with(Setup { configure: |config| config.session.at_most = N, ..Setup::default() }).await
}

#[tokio::test]
async fn s_097_one_session_too_many_ends_the_oldest() {
    let server = with_at_most::<3>().await;
    let bob = Browser::signed_in(&server, "bob").await;
    let mut browsers = Vec::new();
    for _ in 0..5 {
        browsers.push(Browser::signed_in(&server, "alice").await);
        server.advance(Duration::from_secs(1));
    }
    let mut alive = Vec::new();
    for browser in &browsers {
        alive.push(is_in(browser).await);
    }
    assert_eq!(alive, [false, false, true, true, true]);
    assert!(is_in(&bob).await);

    // One that has ended takes no room.
    let person = server.user("alice").await.id;
    let now = NumericDate::from_seconds(server.clock.seconds());
    let newest = server.store().sessions_before(person, now, (None, 1)).await.expect("listed")[0].id;
    server.store().end_session(newest, Reach::Online, now, Beside::default()).await.expect("ended");
    let another = Browser::signed_in(&server, "alice").await;
    assert!(is_in(&browsers[2]).await && is_in(&browsers[3]).await && is_in(&another).await);
    // Nor does the same browser that signs in again.
    let page = another.open("/sign-in?other=1").await;
    another.sign_in(&page, "alice").await;
    assert!(is_in(&browsers[2]).await && is_in(&another).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_097_the_limit_holds_for_sign_ins_at_the_same_moment() {
    let server = with_at_most::<4>().await;
    // Some have lost their session again before they see a page.
    let signing_in = (0..20).map(async |_| {
        let browser = Browser::new(&server);
        let page = browser.open("/sign-in").await;
        browser.sign_in(&page, "alice").await;
        browser
    });
    let browsers = futures_util::future::join_all(signing_in).await;
    let mut alive = 0;
    for browser in &browsers {
        alive += usize::from(is_in(browser).await);
    }
    assert_eq!(alive, 4);
}
