//! S-055 to S-057: sign-in by a picture that a signed-in phone reads.

use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use http::header::ACCEPT_LANGUAGE;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::first_party::app;
use super::second_factor::{production, with_code_app};
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

/// The pause between two polls.
const PAUSE: Duration = Duration::from_secs(2);

/// A browser that shows a picture.
struct Desktop {
    spa: Spa,
    shown: Value,
}

impl Desktop {
    async fn begins(server: &TestServer) -> Self {
        let spa = Spa::open(server).await;
        let answer = spa.post("/sign-in", &json!({"method": "qr"})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
        Self { shown: answer.json(), spa }
    }

    fn body(&self) -> Value {
        json!({"flow": self.shown["flow"]})
    }

    fn typed(&self) -> Value {
        json!({"user_code": self.shown["user_code"]})
    }

    async fn polls(&self) -> Answer {
        self.spa.post("/sign-in/poll", &self.body()).await
    }
}

#[tokio::test]
async fn s_055_a_picture_is_shown_and_polled() {
    let server = TestServer::start().await;
    let options = server.get("/api/v1/sign-in/options").await.ok();
    assert!(options["methods"].as_array().expect("a list").contains(&json!("qr")), "{options}");
    let desktop = Desktop::begins(&server).await;
    let shown = &desktop.shown;
    assert!(shown["flow"].as_str().is_some_and(|flow| flow.len() >= 43), "256 bits: {shown}");
    let user_code = shown["user_code"].as_str().expect("a code");
    assert_eq!(shown["qr"]["uri"], format!("http://localhost:8080/device?user_code={user_code}"));
    assert!(shown["qr"]["svg"].as_str().is_some_and(|svg| svg.starts_with("<svg ")));
    let png = STANDARD.decode(shown["qr"]["png_base64"].as_str().expect("a picture")).expect("base64");
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!((&shown["expires_in"], &shown["interval"]), (&json!(120), &json!(2)));
    assert!(!shown["qr"].to_string().contains(shown["flow"].as_str().expect("a handle")), "the handle is not in it");

    let pending = desktop.polls().await.ok();
    assert_eq!((&pending["status"], &pending["interval"]), (&json!("pending"), &json!(2)));
    let hasty = desktop.polls().await;
    assert_eq!((code(&hasty).as_str(), hasty.header("retry-after")), ("429 slow_down", "7"));
    server.advance(Duration::from_secs(7));
    assert_eq!(desktop.polls().await.ok()["status"], "pending");
}

#[tokio::test]
async fn s_056_a_signed_in_phone_looks_and_lets_the_browser_in() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_mins(3));
    let desktop = Desktop::begins(&server).await;
    let seen = phone.post("/device/inspect", &desktop.typed()).await.ok();
    assert_eq!((&seen["kind"], &seen["client"], &seen["scope"]), (&json!("sign_in"), &Value::Null, &json!([])));
    assert_eq!((&seen["address"], &seen["is_elsewhere"]), (&json!("127.0.0.1"), &json!(false)));
    assert_eq!((&seen["number"], &seen["user_code"]), (&desktop.shown["number"], &desktop.shown["user_code"]));
    assert!(seen["requested_at"].is_string() && seen["expires_in"] == 120 && seen["device"].is_null(), "{seen}");
    assert_eq!(desktop.polls().await.ok()["status"], "scanned");
    assert_eq!(phone.post("/device/approve", &desktop.typed()).await.status, StatusCode::NO_CONTENT);

    server.advance(PAUSE);
    let complete = desktop.polls().await.ok();
    assert_eq!((&complete["status"], &complete["user"]["email"]), (&json!("complete"), &json!("alice@example.com")));
    let session = desktop.spa.get("/session").await.ok();
    assert_eq!(session["amr"], json!(["pwd"]), "nothing was proven but what the phone had proven");
    assert_eq!(session["auth_time"], phone.get("/session").await.ok()["auth_time"], "and it is as old");
    let sessions = phone.get("/me/sessions").await.ok();
    assert_eq!(sessions["items"].as_array().expect("a list").len(), 2, "the new one is the desktop's: {sessions}");

    for path in ["/device/approve", "/device/deny", "/device/inspect"] {
        assert_eq!(code(&phone.post(path, &desktop.typed()).await), "410 flow_invalid", "{path}");
    }
    assert_eq!(code(&desktop.polls().await), "410 flow_invalid", "one yes, one session");
    assert_eq!(code(&desktop.polls().await), "410 flow_invalid");
}

#[tokio::test]
async fn s_056_the_phone_says_no() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    let desktop = Desktop::begins(&server).await;
    assert_eq!(phone.post("/device/deny", &desktop.typed()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&desktop.polls().await), "403 access_denied");
    assert_eq!(code(&phone.post("/device/approve", &desktop.typed()).await), "410 flow_invalid");
    server.advance(PAUSE);
    assert_eq!(code(&desktop.polls().await), "403 access_denied");
}

/// A phone that has no cookie, but the access token of an app of the house.
#[tokio::test]
async fn s_056_an_app_lets_the_browser_in() {
    let server = TestServer::start().await;
    let mut client = app("phone");
    client.policy.direct_tokens = true;
    RelyingParty::of(&server, client).await;
    let signs_in = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": PASSWORD});
    let tokens = server.json((Method::POST, "/api/v1/tokens"), &signs_in, None).await.ok();
    let token = tokens["access"].as_str().or(tokens["access_token"].as_str()).expect("an access token");
    let desktop = Desktop::begins(&server).await;
    for (path, status) in [("/device/inspect", StatusCode::OK), ("/device/approve", StatusCode::NO_CONTENT)] {
        let target = format!("/api/v1{path}");
        let answer = server.json((Method::POST, &target), &desktop.typed(), Some(token)).await;
        assert_eq!(answer.status, status, "{answer}");
    }
    assert_eq!(desktop.polls().await.ok()["user"]["email"], "alice@example.com");
}

/// A whole session is given away: who proved a while ago who they are does it again.
#[tokio::test]
async fn s_056_a_yes_needs_a_fresh_proof() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_mins(11));
    let desktop = Desktop::begins(&server).await;
    let asked = phone.post("/device/approve", &desktop.typed()).await;
    assert_eq!(code(&asked), "403 reauth_required");
    let proof = json!({"password": PASSWORD, "flow": asked.json()["flow"]});
    phone.post("/me/reauth", &proof).await.ok();
    assert_eq!(phone.post("/device/approve", &desktop.typed()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desktop.polls().await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_057_the_result_is_for_the_browser_that_began() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    let desktop = Desktop::begins(&server).await;
    assert_eq!(phone.post("/device/approve", &desktop.typed()).await.status, StatusCode::NO_CONTENT);
    let mallory = Spa::open(&server).await;
    assert_eq!(code(&mallory.post("/sign-in/poll", &desktop.body()).await), "410 flow_invalid");
    let answers = json!({"flow": desktop.shown["flow"], "type": "qr", "value": "x"});
    assert_eq!(code(&mallory.post("/sign-in/challenge", &answers).await), "410 flow_invalid");
    // The code in the picture is no handle.
    let by_code = json!({"flow": desktop.shown["user_code"]});
    assert_eq!(code(&desktop.spa.post("/sign-in/poll", &by_code).await), "410 flow_invalid");
    let from_elsewhere =
        desktop.spa.send_from("https://evil.example", (Method::POST, "/sign-in/poll"), Some(&desktop.body())).await;
    assert_eq!(code(&from_elsewhere), "403 csrf_failed");
    assert_eq!(desktop.polls().await.ok()["status"], "complete", "nobody has used it up");
}

#[tokio::test]
async fn s_057_fifty_polls_at_once_begin_one_session() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    let desktop = Desktop::begins(&server).await;
    phone.post("/device/approve", &desktop.typed()).await;
    let answers = join_all((0..50).map(|_| desktop.polls())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1);
    assert_eq!(phone.get("/me/sessions").await.ok()["items"].as_array().expect("a list").len(), 2);
}

#[tokio::test]
async fn s_057_a_yes_and_a_no_at_once_are_one_of_them() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    let desktop = Desktop::begins(&server).await;
    let typed = desktop.typed();
    let paths = ["/device/approve", "/device/deny"];
    let answers = join_all((0..20).map(|number| phone.post(paths[number % 2], &typed))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::NO_CONTENT).count(), 1);
}

#[tokio::test]
async fn s_057_a_picture_runs_out() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    let desktop = Desktop::begins(&server).await;
    server.advance(Duration::from_mins(2));
    assert_eq!(code(&desktop.polls().await), "400 expired_token");
    assert_eq!(code(&phone.post("/device/approve", &desktop.typed()).await), "410 flow_invalid");
    server.advance(Duration::from_mins(1));
    assert_eq!(code(&desktop.polls().await), "400 expired_token");
}

#[tokio::test]
async fn s_057_guesses_are_counted() {
    let server = TestServer::with(production()).await;
    let mallory = Spa::signed_in(&server, "bob").await;
    for letter in ["C", "D", "F", "G", "H"] {
        let guess = json!({"user_code": format!("BBBBBBB{letter}")});
        assert_eq!(code(&mallory.post("/device/inspect", &guess).await), "410 flow_invalid");
    }
    let shut = mallory.post("/device/approve", &json!({"user_code": "BBBBBBBJ"})).await;
    assert_eq!((code(&shut).as_str(), shut.header("retry-after")), ("429 rate_limited", "12"));
    let elsewhere = Spa::at(&server, [192, 0, 2, 7]).await;
    elsewhere.sign_in("bob", PASSWORD).await.ok();
    let again = elsewhere.post("/device/inspect", &json!({"user_code": "BBBBBBBJ"})).await;
    assert_eq!(code(&again), "429 rate_limited", "another browser and address are no way round");
    server.advance(Duration::from_secs(12));
    assert_eq!(code(&mallory.post("/device/inspect", &json!({"user_code": "BBBBBBBJ"})).await), "410 flow_invalid");
}

#[tokio::test]
async fn s_057_who_is_half_signed_in_lets_nobody_in() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let desktop = Desktop::begins(&server).await;
    let half = Spa::open(&server).await;
    let flow = half.sign_in("alice", PASSWORD).await.ok()["flow"].clone();
    for path in ["/device/inspect", "/device/approve", "/device/deny"] {
        assert_eq!(code(&half.post(path, &desktop.typed()).await), "401 sign_in_required", "{path}");
    }
    let answer = json!({"flow": flow, "type": "totp", "value": app.fresh(&server)});
    half.post("/sign-in/challenge", &answer).await.ok();
    assert_eq!(half.post("/device/approve", &desktop.typed()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desktop.polls().await.ok()["status"], "complete");
    assert_eq!(desktop.spa.get("/session").await.ok()["amr"], json!(["pwd", "otp", "mfa"]));
}

#[tokio::test]
async fn s_057_who_signs_out_takes_the_yes_back() {
    let server = TestServer::start().await;
    let phone = Spa::signed_in(&server, "alice").await;
    let desktop = Desktop::begins(&server).await;
    assert_eq!(phone.post("/device/approve", &desktop.typed()).await.status, StatusCode::NO_CONTENT);
    phone.delete("/session").await.ok();
    assert_eq!(desktop.polls().await.status, StatusCode::UNAUTHORIZED);
}

/// The pages, without a script.
#[tokio::test]
async fn s_055_a_person_signs_in_to_an_app_by_the_picture_of_a_page() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let phone = Browser::signed_in(&server, "alice").await;
    let phone_signed_in_at = server.clock.seconds();
    server.advance(Duration::from_mins(1));
    let desktop =
        Browser::new(&server).calling_itself("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36");
    let exchange = shop.begin("openid");
    let sign_in = desktop.begin(&exchange).await;
    let start = desktop.open(sign_in.page().attribute("method-qr", "href")).await;
    let shown = desktop.press(&start, "qr-begin").await;
    assert!(shown.page().has("qr-picture") && shown.text().contains("http-equiv=\"refresh\""), "{shown}");
    assert_eq!(desktop.get("/sign-in/qr/state").await.ok()["state"], "pending");

    let user_code = shown.page().words("#qr-user-code");
    let confirm = phone.open(&format!("/device?user_code={user_code}")).await;
    assert_eq!(confirm.page().words("#device-number"), shown.page().words("#qr-number"));
    assert_eq!(confirm.page().words("#device-what"), "Chrome, Linux");
    assert!(!confirm.page().has("device-elsewhere"), "{confirm}");
    assert_eq!(desktop.get("/sign-in/qr/state").await.ok()["state"], "seen");
    let waiting = desktop.open(&format!("/sign-in/qr?{}", place(&start))).await;
    assert!(waiting.page().has("qr-picture"), "{waiting}");
    assert!(phone.press(&confirm, "device-accept").await.page().has("device-approved"));

    // Somebody else who knows the address of the page has nothing of it.
    let mallory = Browser::new(&server);
    assert_eq!(mallory.get("/sign-in/qr/state").await.ok()["state"], "start");
    assert_eq!(desktop.get("/sign-in/qr/state").await.ok()["state"], "ready");
    let consent = desktop.open(&format!("/sign-in/qr?{}", place(&start))).await;
    let answered = desktop.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &answered)).await.ok();
    let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["pwd"]), &json!("urn:symbolon:acr:1")));
    assert_eq!(claims["auth_time"], phone_signed_in_at, "the proof was that of the phone");
}

/// The query of the place that a form of a page goes back to.
fn place(page: &Answer) -> String {
    page.page().form_of("qr-begin").action.split_once('?').expect("a query").1.to_owned()
}

#[tokio::test]
async fn s_056_the_page_asks_again_who_one_is_and_comes_back() {
    let server = TestServer::start().await;
    let phone = Browser::signed_in(&server, "alice").await;
    server.advance(Duration::from_mins(11));
    let desktop = Browser::new(&server.seen_from([192, 0, 2, 7]));
    let start = desktop.open("/sign-in/qr").await;
    let shown = desktop.press(&start, "qr-begin").await;
    let typed = shown.page().words("#qr-user-code");
    let confirm = phone.open(&format!("/device?user_code={typed}")).await;
    assert!(confirm.page().has("device-elsewhere"), "another network: {confirm}");
    let again = phone.press(&confirm, "device-accept").await;
    let back = phone.submit(again.page().form_of("again-submit").fill("password", PASSWORD)).await;
    assert_eq!(back.page().words("#device-user-code"), typed, "{back}");
    assert!(phone.press(&back, "device-accept").await.page().has("device-approved"));
    let account = desktop.open("/sign-in/qr").await;
    assert!(account.page().has("sign-out"), "{account}");
    let over = desktop.open("/sign-in/qr").await;
    assert!(over.page().has("qr-begin"), "one yes, one session: {over}");
}

#[tokio::test]
async fn s_057_pages_say_when_it_is_over_or_was_refused() {
    let server = TestServer::start().await;
    let desktop = Browser::new(&server);
    let shown = desktop.press(&desktop.open("/sign-in/qr").await, "qr-begin").await;
    let phone = Browser::signed_in(&server, "alice").await;
    let confirm = phone.open(&format!("/device?user_code={}", shown.page().words("#qr-user-code"))).await;
    phone.press(&confirm, "device-deny").await;
    let denied = desktop.open("/sign-in/qr").await;
    assert!(denied.page().has("qr-error") && !denied.page().has("qr-picture"), "{denied}");
    let shown = desktop.press(&denied, "qr-begin").await;
    assert!(shown.page().has("qr-picture"), "{shown}");
    server.advance(Duration::from_mins(2));
    let over = desktop.open("/sign-in/qr").await;
    assert!(over.page().has("qr-error") && over.page().has("qr-begin"), "{over}");
}

/// Where an app wants a new proof, or a moment's, a picture is none.
#[tokio::test]
async fn s_055_a_picture_is_no_new_proof() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    for (name, value) in [("max_age", "60"), ("prompt", "login")] {
        let desktop = Browser::new(&server);
        let sign_in = desktop.begin(&shop.begin("openid").with(name, value)).await;
        assert!(sign_in.page().has("login-submit") && !sign_in.page().has("method-qr"), "{name}: {sign_in}");
        let action = sign_in.page().form_of("login-submit").action;
        let page = desktop.open(&action.replace("/sign-in?", "/sign-in/qr?")).await;
        assert!(page.page().has("login-submit"), "{name}: {page}");
    }
}

#[tokio::test]
async fn s_055_it_is_a_switch_and_speaks_german() {
    let server = TestServer::start().await;
    let german = Request::get("/sign-in/qr").header(ACCEPT_LANGUAGE, "de").body(Body::empty()).expect("a request");
    assert_eq!(server.send(german).await.page().heading(), "Mit dem Telefon anmelden");
    let server = TestServer::configured(Setup::default(), |config| config.device.qr_sign_in = false).await;
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.post("/sign-in", &json!({"method": "qr"})).await), "401 invalid_credentials");
    assert!(!spa.browser.open("/sign-in").await.page().has("method-qr"));
}
