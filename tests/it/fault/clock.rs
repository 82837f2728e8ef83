//! A clock that jumps an hour ahead and comes back.
//!
//! PROTOCOL.md §3: no panic, and going back makes nothing good again that was used.

use std::time::Duration;

use super::tell;
use crate::support::{Browser, RelyingParty, TestServer};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_clock_that_jumps_makes_nothing_good_again() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid offline_access");
    let code = shop.code(&exchange, &alice.authorize(&exchange, "alice").await);
    let tokens = shop.redeem(&exchange, &code).await.ok();
    let first = tokens["refresh_token"].as_str().expect("text").to_owned();
    let second = shop.refresh(&first).await.ok()["refresh_token"].as_str().expect("text").to_owned();
    let waiting = shop.begin("openid");
    let late = shop.code(&waiting, &alice.authorize(&waiting, "alice").await);
    let access = tokens["access_token"].as_str().expect("text").to_owned();
    assert!(shop.is_active(&access).await);

    server.advance(HOUR);
    assert!(!shop.is_active(&access).await, "it has expired, by this clock");
    assert_eq!(shop.redeem(&waiting, &late).await.error(), "400 invalid_grant", "a minute has passed");
    // What has expired is cleared away while the clock is wrong.
    let now = server.provider().now();
    server.store().clear_expired(now, 1_000).await.expect("cleared");
    server.provider().edges.ephemeral.clear_expired(now, 1_000).await.expect("cleared");

    server.clock.set_back(HOUR);
    assert_eq!(shop.redeem(&exchange, &code).await.error(), "400 invalid_grant", "a used code stays used");
    assert!(!shop.is_active(&access).await, "and its replay takes back what it gave");
    assert_eq!(shop.refresh(&second).await.error(), "400 invalid_grant");
    let again = shop.begin("openid");
    let code = shop.code(&again, &alice.authorize(&again, "alice").await);
    shop.redeem(&again, &code).await.ok();
    // Far behind the beginning of everything.
    server.clock.set_back(Duration::from_hours(24 * 365));
    let before = shop.begin("openid");
    let url = alice.authorize(&before, "alice").await;
    let code = shop.code(&before, &url);
    shop.redeem(&before, &code).await.ok();
    assert_eq!(shop.redeem(&before, &code).await.error(), "400 invalid_grant");
    tell("a clock an hour ahead and back, then a year back: nothing used was good again, 0 failed sign-ins");
}
