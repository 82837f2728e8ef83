//! Many at once, over real HTTP: whatever may happen once happens once.
//!
//! PROTOCOL T2, T4, T20; RFC 6749 §4.1.2, RFC 9700 §4.14.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use symbolon::authn::one_time_link;
use tokio::sync::Barrier;
use url::form_urlencoded::Serializer;

use crate::support::answer::FilledForm;
use crate::support::server::PASSWORD;
use crate::support::wire::{Served, Wire};
use crate::support::{Answer, Browser, RelyingParty, TestServer, clients};

/// Sends all of them at the same moment.
async fn at_once(wire: &Wire, requests: impl IntoIterator<Item = Request<Body>>) -> Vec<Answer> {
    let requests: Vec<_> = requests.into_iter().collect();
    let barrier = Arc::new(Barrier::new(requests.len()));
    let sent = requests.into_iter().map(|request| {
        let (wire, barrier) = (wire.clone(), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            wire.send(request).await
        })
    });
    join_all(sent).await.into_iter().map(|answer| answer.expect("no panic")).collect()
}

fn with_status(answers: &[Answer], status: StatusCode) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status == status).collect()
}

fn posted(form: &FilledForm, cookies: &str) -> Request<Body> {
    let body = Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    Request::post(&form.action)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .header(COOKIE, cookies)
        .body(Body::from(body))
        .expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_redemptions_of_one_code_one_succeeds_and_is_revoked() {
    let server = TestServer::start().await;
    let socket = Served::new(&server);
    let shop = RelyingParty::web(&server, "shop").await;
    let exchange = shop.begin("openid offline_access");
    let code = shop.code(&exchange, &Browser::new(&server).authorize(&exchange, "alice").await);
    let redemption = || {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", &*shop.redirect_uri),
            ("code_verifier", &*exchange.verifier),
        ];
        shop.request("/oauth2/token", &fields)
    };
    let answers = at_once(&socket.wire, (0..50).map(|_| redemption())).await;
    let good = with_status(&answers, StatusCode::OK);
    assert_eq!(good.len(), 1, "{answers:?}");
    for answer in with_status(&answers, StatusCode::BAD_REQUEST) {
        assert_eq!(answer.error(), "400 invalid_grant");
    }
    assert_eq!(with_status(&answers, StatusCode::BAD_REQUEST).len(), 49);
    let tokens = good[0].json();
    let text = |name: &str| tokens[name].as_str().expect("a token");
    assert!(!shop.is_active(text("access_token")).await && !shop.is_active(text("refresh_token")).await);
    assert_eq!(shop.refresh(text("refresh_token")).await.error(), "400 invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refreshes_of_one_token_give_one_successor() {
    let server = TestServer::start().await;
    let socket = Served::new(&server);
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let refresh_token = tokens["refresh_token"].as_str().expect("a token").to_owned();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
    let answers = at_once(&socket.wire, (0..50).map(|_| shop.request("/oauth2/token", &fields))).await;
    assert_eq!(with_status(&answers, StatusCode::OK).len(), 50, "all of them are retries of one another");
    let successors: BTreeSet<String> =
        answers.iter().map(|answer| answer.json()["refresh_token"].as_str().expect("a token").to_owned()).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");

    // Fifty at once after the grace: none succeeds, and the family is gone.
    let successor = successors.first().expect("one").clone();
    server.advance(Duration::from_secs(11));
    let answers = at_once(&socket.wire, (0..50).map(|_| shop.request("/oauth2/token", &fields))).await;
    assert_eq!(with_status(&answers, StatusCode::BAD_REQUEST).len(), 50, "{answers:?}");
    assert_eq!(shop.refresh(&successor).await.error(), "400 invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_a_hundred_open_signs_one_in() {
    let server = TestServer::start().await;
    let socket = Served::new(&server);
    let ada = server.user("ada").await.id;
    let token = one_time_link::make(&server.provider().edges, ada, Duration::from_hours(1)).await.expect("made");
    let link = format!("/sign-in/link?token={}", token.expose());
    let mut forms = Vec::new();
    for _ in 0..100 {
        let browser = Browser::new(&server);
        let form = browser.open(&link).await.page().form_of("link-confirm");
        forms.push(posted(&form, &browser.cookie_header()));
    }
    let answers = at_once(&socket.wire, forms).await;
    let is_let_in = |answer: &&Answer| {
        answer.headers.get_all(SET_COOKIE).iter().any(|cookie| cookie.as_bytes().starts_with(b"symbolon_session="))
    };
    assert_eq!(answers.iter().filter(is_let_in).count(), 1);
    assert_eq!(with_status(&answers, StatusCode::SEE_OTHER).len(), 1);
    assert_eq!(with_status(&answers, StatusCode::BAD_REQUEST).len(), 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_given_twice_answers_once() {
    let server = TestServer::start().await;
    let socket = Served::new(&server);
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::signed_in(&server, "alice").await;
    for round in 0..5 {
        let exchange = shop.begin("openid").with("prompt", "consent");
        let page = alice.begin(&exchange).await.page();
        let (accept, deny) = (page.form_of("consent-accept"), page.form_of("consent-deny"));
        let cookies = alice.cookie_header();
        let forms = (0..20).map(|number| posted(if number % 2 == 0 { &accept } else { &deny }, &cookies));
        let answers = at_once(&socket.wire, forms).await;
        let sent_on = with_status(&answers, StatusCode::SEE_OTHER);
        assert_eq!(sent_on.len(), 1, "round {round}: {answers:?}");
        shop.receives(&exchange, sent_on[0].location());
        let late = with_status(&answers, StatusCode::BAD_REQUEST);
        assert_eq!(late.len(), 19, "round {round}");
        for answer in late {
            assert_eq!(answer.page().way_back(), "https://shop.example/", "round {round}: {answer}");
        }
    }
}

/// Between finding a request and going on with it lies the hash of a password: whichever tab is the first, the others lead back.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_given_in_several_tabs_answers_once() {
    let server = TestServer::start().await;
    let socket = Served::new(&server);
    let mut client = clients::web("shop");
    client.policy.first_party = true;
    let shop = RelyingParty::of(&server, client).await;
    for round in 0..5 {
        let alice = Browser::new(&server);
        let exchange = shop.begin("openid");
        let form = alice.begin(&exchange).await.page().form_of("login-submit");
        let form = form.fill("login", "alice").fill("password", PASSWORD);
        let answers = at_once(&socket.wire, (0..4).map(|_| posted(&form, &alice.cookie_header()))).await;
        let sent_on = with_status(&answers, StatusCode::SEE_OTHER);
        assert_eq!(sent_on.len(), 1, "round {round}: {answers:?}");
        shop.code(&exchange, sent_on[0].location());
        let late = with_status(&answers, StatusCode::BAD_REQUEST);
        assert_eq!(late.len(), 3, "round {round}: {answers:?}");
        for answer in late {
            assert_eq!(answer.page().way_back(), "https://shop.example/", "round {round}: {answer}");
        }
    }
}

/// Signing out wins over a code that is redeemed at the same moment: nothing is left alive (PROTOCOL S3).
#[tokio::test(flavor = "multi_thread")]
async fn a_code_redeemed_while_the_person_leaves_gives_nothing_that_lives() {
    let server = TestServer::start().await;
    let socket = Served::new(&server);
    let mut client = clients::web("shop");
    client.policy.refresh_token = symbolon::model::client::RefreshTokenPolicy::Always;
    let shop = RelyingParty::of(&server, client).await;
    for round in 0..20 {
        let alice = Browser::signed_in(&server, "alice").await;
        let exchange = shop.begin("openid");
        let code = shop.code(&exchange, &alice.authorize(&exchange, "alice").await);
        let account = alice.open("/account/apps").await.page();
        let (form, cookies) = if round % 2 == 0 {
            (account.form_of("sign-out"), alice.cookie_header())
        } else {
            (account.form_of("revoke-shop"), alice.cookie_header())
        };
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", &*shop.redirect_uri),
            ("code_verifier", &*exchange.verifier),
        ];
        let answers = at_once(&socket.wire, [posted(&form, &cookies), shop.request("/oauth2/token", &fields)]).await;
        assert!(answers[0].status.is_success() || answers[0].status == StatusCode::SEE_OTHER, "{}", answers[0]);
        if answers[1].status == StatusCode::OK {
            let tokens = answers[1].json();
            let text = |name: &str| tokens[name].as_str().expect("a token");
            assert!(!shop.is_active(text("access_token")).await, "round {round}");
            assert_eq!(shop.refresh(text("refresh_token")).await.error(), "400 invalid_grant", "round {round}");
        } else {
            assert_eq!(answers[1].error(), "400 invalid_grant");
        }
    }
}
