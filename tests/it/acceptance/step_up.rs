//! S-098: before something sensitive a person proves again who they are, and that counts for ten minutes.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use symbolon::account::step_up::{Acting, STEP_UP_LIFETIME, StepUp};
use symbolon::oauth::token::access_token::inspect;
use symbolon::protocol::secret::TokenHash;

use super::session_list::{first_party, signed_in};
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
use crate::support::{Browser, TestServer};

const SECOND: Duration = Duration::from_secs(1);

fn step_up(server: &TestServer) -> StepUp {
    StepUp { edges: server.provider().edges.clone(), lifetime: STEP_UP_LIFETIME }
}

/// The session of a browser, as it stands.
async fn acting(server: &TestServer, browser: &Browser) -> Acting {
    let cookie = browser.cookie("symbolon_session").expect("signed in");
    let session = server.store().session_by_token(&TokenHash::of(&cookie)).await.expect("read");
    Acting::Session(session.expect("there"))
}

async fn is_recent(server: &TestServer, acting: &Acting) -> bool {
    step_up(server).recent(acting).await.expect("asked").is_some()
}

/// What a page asks for before something sensitive.
async fn flow(server: &TestServer, spa: &Spa) -> String {
    let acting = acting(server, &spa.browser).await;
    step_up(server).begin(&acting).await.expect("begun").expose().clone()
}

async fn reauth(spa: &Spa, body: &Value) -> (u16, Value) {
    let answer = spa.post("/me/reauth", body).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn s_098_a_proof_counts_for_ten_minutes() {
    let server = TestServer::start().await;
    let alice = signed_in(&server, "alice").await;
    assert!(is_recent(&server, &acting(&server, &alice.browser).await).await, "they signed in just now");
    server.advance(STEP_UP_LIFETIME);
    assert!(!is_recent(&server, &acting(&server, &alice.browser).await).await);

    let (status, answer) = reauth(&alice, &json!({"password": PASSWORD})).await;
    assert_eq!((status, &answer["expires_in"]), (200, &json!(600)), "{answer}");
    server.advance(STEP_UP_LIFETIME.saturating_sub(SECOND));
    assert!(is_recent(&server, &acting(&server, &alice.browser).await).await);
    server.advance(SECOND);
    assert!(!is_recent(&server, &acting(&server, &alice.browser).await).await);
}

/// The cookie and its token change with what the session may do; the sign-in stays as old as it is.
#[tokio::test]
async fn s_098_a_proof_gives_the_session_another_cookie() {
    let server = TestServer::start().await;
    let alice = signed_in(&server, "alice").await;
    let before = alice.get("/session").await.ok();
    let (cookie, csrf) = (alice.browser.cookie("symbolon_session").expect("a cookie"), alice.csrf().expect("a token"));
    server.advance(Duration::from_hours(1));
    let (status, answer) = reauth(&alice, &json!({"password": PASSWORD})).await;
    assert_eq!(status, 200, "{answer}");
    assert_ne!(answer["csrf_token"], csrf.as_str());
    let after = alice.get("/session").await.ok();
    assert_eq!((&after["user"], &after["auth_time"]), (&before["user"], &before["auth_time"]));
    assert_eq!(after["csrf_token"], answer["csrf_token"]);

    let thief = Spa::new(&server);
    thief.browser.set_cookie("symbolon_session", &cookie);
    assert_eq!(thief.get("/session").await.ok()["user"], Value::Null, "the old cookie opens nothing");
}

#[tokio::test]
async fn s_098_what_proves_nothing_lifts_nothing_and_is_told() {
    let server = TestServer::start().await;
    let alice = signed_in(&server, "alice").await;
    server.advance(Duration::from_hours(1));
    let (status, problem) = reauth(&alice, &json!({"password": "guess guess guess"})).await;
    assert_eq!((status, &problem["errors"][0]["code"]), (422, &json!("invalid_password")), "{problem}");
    assert!(!is_recent(&server, &acting(&server, &alice.browser).await).await);
    server.settled().await;
    let history = alice.get("/me/history").await.ok();
    let told = &history["items"][0];
    assert_eq!((&told["event"], &told["outcome"]), (&json!("session.step_up"), &json!("failure")), "{history}");
    assert!(!history.to_string().contains("guess"), "{history}");

    assert_eq!(Spa::open(&server).await.post("/me/reauth", &json!({"password": PASSWORD})).await.status, 401);
}

#[tokio::test]
async fn s_098_a_handle_is_of_one_place_for_five_minutes_and_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (signed_in(&server, "alice").await, signed_in(&server, "bob").await);
    let code = |(status, problem): (u16, Value)| (status, problem["code"].as_str().unwrap_or_default().to_owned());
    let said = |status: u16, code: &str| (status, code.to_owned());
    let with = |flow: &str| json!({"password": PASSWORD, "flow": flow});

    let asked = flow(&server, &alice).await;
    assert_eq!(code(reauth(&bob, &with(&asked)).await), said(410, "flow_invalid"), "of somebody else");
    assert_eq!(code(reauth(&alice, &with("x")).await), said(410, "flow_invalid"), "of nobody");
    assert_eq!(reauth(&alice, &with(&asked)).await.0, 200);
    assert_eq!(code(reauth(&alice, &with(&asked)).await), said(410, "flow_invalid"), "used");

    let asked = flow(&server, &alice).await;
    server.advance(Duration::from_mins(5));
    assert_eq!(code(reauth(&alice, &with(&asked)).await), said(401, "flow_expired"));
}

/// What an app proves counts for the tokens of its grant, and for nothing else.
#[tokio::test]
async fn s_098_an_app_proves_it_by_its_token() {
    let server = TestServer::start().await;
    let app = first_party(&server, "app").await;
    let (phone, laptop) = (Browser::new(&server), Browser::new(&server));
    let on_phone = app.tokens(&phone, "alice", "openid").await;
    let on_laptop = app.tokens(&laptop, "alice", "openid").await;
    let grant = async |tokens: &Value| {
        let token = tokens["access_token"].as_str().expect("a token");
        let live = inspect(server.provider(), token).await.expect("read").expect("good");
        Acting::Grant(live.person.expect("a person's").1)
    };
    let (here, there) = (grant(&on_phone).await, grant(&on_laptop).await);
    server.advance(STEP_UP_LIFETIME);
    assert!(!is_recent(&server, &here).await && !is_recent(&server, &there).await);

    let token = on_phone["access_token"].as_str();
    let proof = json!({"password": PASSWORD});
    let answer = server.json((Method::POST, "/api/v1/me/reauth"), &proof, token).await.ok();
    assert_eq!(answer, json!({"expires_in": 600}), "no cookie, no token for it");
    assert!(is_recent(&server, &here).await && !is_recent(&server, &there).await);
    let Acting::Grant(grant) = here else { unreachable!("made above") };
    let session = server.store().session(grant.session).await.expect("read").expect("there");
    assert!(!is_recent(&server, &Acting::Session(Arc::clone(&session))).await, "the browser proved nothing");
}

/// The same as a page: the way there and back.
#[tokio::test]
async fn s_098_a_page_asks_again_and_leads_back() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    server.advance(Duration::from_hours(1));
    let page = alice.open("/sign-in/again?to=account/history").await;
    assert!(page.page().words("main").contains("Is it still you?"), "{page}");
    let form = page.page().form_of("again-submit").fill("password", "guess guess guess");
    let wrong = alice.submit(form).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.page().has("again-error"), "{wrong}");
    assert!(!is_recent(&server, &acting(&server, &alice).await).await);

    let form = wrong.page().form_of("again-submit").fill("password", PASSWORD);
    let back = alice.submit(form).await;
    assert!(back.page().words("main").contains("Proved again that it was you"), "{back}");
    assert!(is_recent(&server, &acting(&server, &alice).await).await);
    // Nobody is asked to prove themselves to another site.
    let page = alice.open("/sign-in/again?to=//evil.example").await;
    let form = page.page().form_of("again-submit").fill("password", PASSWORD);
    assert!(alice.submit(form).await.page().has("sign-out"));
    assert!(Browser::new(&server).get("/sign-in/again?to=account").await.location().starts_with("/sign-in?"));
}

/// Every sensitive operation says so in the words of its caller, and brings the handle of the proof that lifts it.
#[tokio::test]
async fn s_098_a_refusal_brings_the_handle_that_lifts_it() {
    let server = TestServer::start().await;
    let alice = signed_in(&server, "alice").await;
    let app = first_party(&server, "app").await;
    let phone = alice.get("/me/phones").await.ok()["items"][0]["id"].as_str().expect("an id").to_owned();
    for (method, path, body) in [
        (Method::POST, "/me/email-changes".to_owned(), json!({"new_email": "alice@example.net"})),
        (Method::POST, "/me/backup-codes".to_owned(), json!({})),
        (Method::PATCH, "/me/mfa".to_owned(), json!({"required": true})),
        (Method::POST, "/me/authenticators".to_owned(), json!({"type": "totp", "name": "Phone"})),
        (Method::DELETE, "/me/identities/0190a1b2-c3d4-7000-8000-00000000000b".to_owned(), json!({})),
        (Method::POST, "/me/export".to_owned(), json!({})),
        (Method::DELETE, format!("/me/phones/{phone}"), json!({})),
        (Method::DELETE, "/me".to_owned(), json!({})),
    ] {
        let tokens = app.tokens(&Browser::new(&server), "alice", "openid").await;
        let token = tokens["access_token"].as_str();
        server.advance(STEP_UP_LIFETIME);
        let asks = async || alice.send(method.clone(), &path, Some(&body)).await;
        let refused = asks().await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (403, &json!("reauth_required")), "{path}");
        let to_app = server.json((method.clone(), &format!("/api/v1{path}")), &body, token).await;
        assert_eq!(to_app.status, 401, "{path}: {to_app}");
        let challenge = to_app.header("www-authenticate");
        assert!(challenge.contains("insufficient_user_authentication") && challenge.contains("max_age"), "{challenge}");
        let proof = json!({"password": PASSWORD, "flow": refused.json()["flow"]});
        assert_eq!(reauth(&alice, &proof).await.0, 200, "{path}");
        let answer = asks().await;
        assert!(!answer.text().contains("reauth_required"), "{path}: {answer}");
    }
}
