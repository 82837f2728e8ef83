//! The account page: apps, browsers, and who may look.
//!
//! PROTOCOL R16, S4.

use http::StatusCode;

use crate::support::{Browser, RelyingParty, TestServer};

#[tokio::test]
async fn a_person_sees_and_ends_their_sessions() {
    let server = TestServer::start().await;
    let laptop = Browser::signed_in(&server, "alice").await;
    server.advance(std::time::Duration::from_secs(1));
    let phone = Browser::signed_in(&server, "alice").await;
    let page = laptop.open("/account/sessions").await;
    let ends = page.page().attributes("form[action$='/end']", "action");
    assert_eq!(ends.len(), 2, "{page}");
    let csrf = page.page().form_of("sign-out").fields[0].clone();

    let bob = Browser::signed_in(&server, "bob").await;
    let token_of_bob = bob.open("/account").await.page().form_of("sign-out").fields[0].clone();
    for end in &ends {
        let answer = bob.post(end, std::slice::from_ref(&token_of_bob)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "not his: {answer}");
    }
    // The newest stands first; the last one ended is their own.
    for end in &ends {
        laptop.post(end, std::slice::from_ref(&csrf)).await;
    }
    for browser in [&laptop, &phone] {
        assert!(browser.open("/account").await.page().has("login"));
    }
    assert!(bob.open("/account").await.page().has("sign-out"));
}

#[tokio::test]
async fn the_admin_page_is_for_the_owner() {
    let server = TestServer::start().await;
    RelyingParty::web(&server, "shop").await;
    assert!(Browser::new(&server).open("/admin").await.page().has("login"));
    let refused = Browser::signed_in(&server, "alice").await.open("/admin").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.text().contains("shop"), "{refused}");
    let page = Browser::signed_in(&server, "ada").await.open("/admin").await;
    assert!(page.status == StatusCode::OK && page.text().contains("The shop"), "{page}");
}

/// Names of apps and people are text, whatever they hold.
#[tokio::test]
async fn names_are_shown_as_text() {
    let server = TestServer::start().await;
    let name = "<script>alert(1)</script>\"'&{{7*7}}";
    let metadata = serde_json::json!({"client_name": name, "logo_uri": "javascript:alert(1)"});
    let evil = RelyingParty::of(&server, crate::support::clients::client("evil", &metadata)).await;
    let alice = Browser::new(&server);
    let page = alice.begin(&evil.begin("openid")).await;
    let consent = alice.sign_in(&page, "alice").await;
    for page in [page, consent] {
        assert!(!page.text().contains("<script>alert"), "{page}");
        assert!(!page.text().contains("javascript:"), "{page}");
        assert!(page.page().words("body").contains("{{7*7}}"), "{page}");
        assert!(page.page().words("body").contains("alert(1)"), "{page}");
    }
}
