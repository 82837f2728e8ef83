//! Leaving: asked for by an app, or by the person.
//!
//! OIDC RP-Initiated Logout 1.0.

use http::StatusCode;
use url::form_urlencoded::Serializer;

use crate::support::{Answer, Browser, RelyingParty, TestServer};

const BYE: &str = "https://shop.example/bye";

async fn story() -> (TestServer, RelyingParty, Browser, String) {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let tokens = shop.tokens(&alice, "alice", "openid").await;
    let hint = tokens["id_token"].as_str().expect("an ID token").to_owned();
    (server, shop, alice, hint)
}

fn target(parameters: &[(&str, &str)]) -> String {
    format!("/oauth2/logout?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.open("/account").await.page().has("sign-out")
}

/// §2: the hint proves that the request comes from an app this person uses.
#[tokio::test]
async fn with_a_hint_of_this_session_nobody_is_asked() {
    let (_server, _, alice, hint) = story().await;
    let parameters = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "s t&=")];
    let answer = alice.open(&target(&parameters)).await;
    assert_eq!(answer.location(), "https://shop.example/bye?state=s%20t%26%3D");
    assert!(!is_signed_in(&alice).await);
}

#[tokio::test]
async fn an_app_may_post() {
    let (_server, _, alice, hint) = story().await;
    let fields = [("id_token_hint".to_owned(), hint)];
    let answer = alice.post("/oauth2/logout", &fields).await;
    assert!(answer.page().has("logged-out"), "{answer}");
    assert!(!is_signed_in(&alice).await);
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked() {
    let (_server, _, alice, _) = story().await;
    let parameters = [("client_id", "shop"), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let page = alice.open(&target(&parameters)).await;
    assert!(page.page().has("logout-confirm") && is_signed_in(&alice).await, "{page}");

    let stayed = alice.press(&page, "logout-stay").await;
    assert!(stayed.status == StatusCode::OK && is_signed_in(&alice).await, "{stayed}");
    let left = alice.press(&page, "logout-confirm").await;
    assert_eq!(left.location(), "https://shop.example/bye?state=s");
    assert!(!is_signed_in(&alice).await);
}

#[tokio::test]
async fn with_nothing_at_all_the_person_is_asked_and_stays_here() {
    let (_server, _, alice, _) = story().await;
    let page = alice.open("/oauth2/logout").await;
    let left = alice.press(&page, "logout-confirm").await;
    assert!(left.page().has("logged-out"), "{left}");
    let again = alice.open("/oauth2/logout").await;
    assert!(again.page().has("logged-out"), "nobody is signed in: {again}");
}

/// A hint of another person, or of a session that ended, is no proof for this one.
#[tokio::test]
async fn a_hint_of_another_session_is_asked_about() {
    let (server, _, alice, hint) = story().await;
    let bob = Browser::signed_in(&server, "bob").await;
    let page = bob.open(&target(&[("id_token_hint", &hint)])).await;
    assert!(page.page().has("logout-confirm") && is_signed_in(&bob).await, "{page}");
    alice.open(&target(&[("id_token_hint", &hint)])).await;
    let page = alice.open("/sign-in").await;
    alice.sign_in(&page, "alice").await;
    let page = alice.open(&target(&[("id_token_hint", &hint)])).await;
    assert!(page.page().has("logout-confirm"), "a session that ended: {page}");
}

/// §3: byte for byte; §4: what does not fit is said on a page.
#[tokio::test]
async fn nobody_is_sent_where_the_client_did_not_register() {
    let (server, _, alice, hint) = story().await;
    RelyingParty::web(&server, "other").await;
    let refused = |answer: &Answer| {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
        assert_eq!(answer.page().heading(), "We cannot sign you out that way");
    };
    for uri in [
        "https://evil.example/",
        "https://shop.example/bye/",
        "https://shop.example/bye?x",
        "https://other.example/bye",
        "javascript:x",
    ] {
        refused(&alice.open(&target(&[("id_token_hint", &hint), ("post_logout_redirect_uri", uri)])).await);
        refused(&alice.open(&target(&[("client_id", "shop"), ("post_logout_redirect_uri", uri)])).await);
    }
    refused(&alice.open(&target(&[("post_logout_redirect_uri", BYE)])).await);
    refused(&alice.open(&target(&[("id_token_hint", "nonsense")])).await);
    refused(&alice.open(&target(&[("id_token_hint", &hint), ("client_id", "other")])).await);
    refused(&alice.open(&target(&[("client_id", "nobody"), ("post_logout_redirect_uri", BYE)])).await);
    refused(&alice.open(&target(&[("state", "a"), ("state", "b")])).await);
    assert!(is_signed_in(&alice).await, "none of that signed anybody out");
}

/// A logout cannot be forged: the confirmation is a form of ours.
#[tokio::test]
async fn another_site_cannot_sign_anybody_out() {
    let (_server, _, alice, _) = story().await;
    let answer = alice.post("/sign-out", &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(is_signed_in(&alice).await);
}
