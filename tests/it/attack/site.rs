//! A malicious site in another tab of the victim's browser.

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{Request, StatusCode};

use super::client::self_registered;
use crate::support::{Browser, RelyingParty, TestServer};

/// A form that another site posts: browsers leave `SameSite=Lax` cookies at home.
fn cross_site(target: &str, body: &str) -> Request<Body> {
    Request::post(target)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ORIGIN, "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

/// RP-Initiated Logout §6: a form on another site signs nobody out, and takes no cookie away.
#[tokio::test]
async fn a_foreign_form_signs_nobody_out() {
    let server = TestServer::start().await;
    let answer = server.send(cross_site("/oauth2/logout", "state=x")).await;
    assert_eq!(answer.location(), "/oauth2/logout?state=x", "asked again with cookies");
    assert!(answer.headers.get(SET_COOKIE).is_none(), "{answer}");

    let alice = Browser::signed_in(&server, "alice").await;
    let page = alice.get("/oauth2/logout?state=x").await;
    assert!(page.page().has("logout-confirm"), "without a hint of this session people are asked: {page}");
    assert_eq!(alice.get("/account").await.status, StatusCode::OK);
}

/// An app may post its request (OIDC Core §3.1.2.1): the session counts, and other tabs go on.
#[tokio::test]
async fn a_foreign_form_begins_a_flow_and_spoils_none() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let other_tab = shop.begin("openid");
    let waiting = alice.begin(&other_tab).await;

    let posted = shop.begin("openid");
    let target = posted.target();
    let (path, query) = target.split_once('?').expect("a query");
    let answer = server.send(cross_site(path, query)).await;
    assert!(answer.headers.get(SET_COOKIE).is_none(), "the flow cookie of other tabs stays: {answer}");
    let answer = alice.follow(answer).await;
    let url = alice.finish(answer, "alice").await;
    shop.code(&posted, &url);

    let url = alice.finish(waiting, "alice").await;
    shop.code(&other_tab, &url);
}

/// ASVS 3.5: no form of ours is taken from elsewhere, whatever it carries.
#[tokio::test]
async fn forms_are_taken_from_our_own_pages_alone() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let mallory = Browser::signed_in(&server, "bob").await;
    let foreign = mallory.get("/account").await.page().form_of("sign-out");
    for (target, fields) in [
        ("/sign-out", foreign.fields.clone()),
        ("/account/apps/shop/revoke", foreign.fields.clone()),
        ("/sign-in", vec![("login".to_owned(), "bob".to_owned())]),
        ("/sign-in/link", vec![("token".to_owned(), "x".to_owned())]),
        ("/sign-out", Vec::new()),
    ] {
        let answer = alice.post(target, &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target}: {answer}");
    }
    let own = alice.get("/account").await.page().form_of("sign-out");
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&own.fields).finish();
    let mut request = cross_site(&own.action, &body);
    request.headers_mut().insert(COOKIE, alice.cookie_header().parse().expect("ASCII"));
    assert_eq!(server.send(request).await.status, StatusCode::BAD_REQUEST, "the right token from the wrong site");
    assert_eq!(alice.get("/account").await.status, StatusCode::OK);
}

/// The consent of one account is not given by another that signed in meanwhile.
#[tokio::test]
async fn consent_belongs_to_the_account_that_saw_it() {
    let server = TestServer::start().await;
    let evil = self_registered(&server, "evil", serde_json::json!({})).await;
    let browser = Browser::signed_in(&server, "alice").await;
    let asked = browser.begin(&evil.begin("openid profile")).await;
    let page = browser.get("/sign-in").await;
    browser.sign_in(&page, "bob").await;
    let answer = browser.press(&asked, "consent-accept").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    let bob = server.user("bob").await;
    assert!(server.store().consents_of(bob.id).await.expect("read").is_empty());
}

/// PROTOCOL R12: every page refuses frames, scripts of others and the cache.
#[tokio::test]
async fn pages_stand_in_no_frame_and_no_cache() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    for target in [
        "/",
        "/sign-in",
        "/account",
        "/admin",
        "/consent?flow=x",
        "/oauth2/authorize",
        "/oauth2/logout",
        "/sign-in/link",
        "/sign-in/account",
    ] {
        let page = alice.get(target).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{target}: {policy}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.header(name), value, "{target} {name}");
        }
        assert!(page.headers.get("access-control-allow-origin").is_none(), "{target}");
    }
}

/// PROTOCOL A18: no header of a request names us.
#[tokio::test]
async fn the_host_header_builds_no_url() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let begun = shop.begin("openid").target();
    for target in ["/", "/sign-in", "/.well-known/openid-configuration", "/oauth2/logout", &begun] {
        let mut request = Request::get(target).header("accept", "text/html");
        for name in ["host", "x-forwarded-host", "x-original-host"] {
            request = request.header(name, "evil.example");
        }
        request = request.header("forwarded", "host=evil.example;proto=https").header("x-forwarded-proto", "https");
        let answer = server.send(request.body(Body::empty()).expect("a request")).await;
        assert!(!answer.to_string().contains("evil.example"), "{target}: {answer}");
    }
}
