//! A device without a browser: its person says yes elsewhere.
//!
//! RFC 8628; PROTOCOL B3, T3, T7.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use symbolon::config::Config;
use symbolon::config::client_registration::ClientRegistrationMode;
use symbolon::model::authentication::Acr;
use symbolon::oauth::policy::Mode;
use totp_rs::{Builder, Secret};

use crate::support::relying_party::Proof;
use crate::support::server::Setup;
use crate::support::{Answer, Browser, RelyingParty, TestServer, clients};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SECOND: Duration = Duration::from_secs(1);

/// A device that has begun.
struct Device {
    app: RelyingParty,
    codes: Value,
}

impl Device {
    /// A television that asks for `scope`.
    async fn begins(server: &TestServer, scope: &str) -> Self {
        Self::of(RelyingParty::of(server, clients::device("tv")).await, scope).await
    }

    async fn of(app: RelyingParty, scope: &str) -> Self {
        let codes = app.post("/oauth2/device_authorization", &[("scope", scope)]).await.ok();
        Self { app, codes }
    }

    fn text(&self, member: &str) -> &str {
        self.codes[member].as_str().expect("a text")
    }

    async fn polls(&self) -> Answer {
        self.polls_as(&self.app).await
    }

    async fn polls_as(&self, app: &RelyingParty) -> Answer {
        app.post("/oauth2/token", &[("grant_type", GRANT), ("device_code", self.text("device_code"))]).await
    }

    /// The link in its picture, below the issuer.
    fn link(&self) -> String {
        format!("/device?user_code={}", self.text("user_code"))
    }

    /// Its person says yes in this browser.
    async fn is_let_in(&self, browser: &Browser) {
        let confirm = browser.open(&self.link()).await;
        let done = browser.press(&confirm, "device-accept").await;
        assert!(done.page().has("device-approved"), "{done}");
    }
}

/// The same app with another proof.
fn proving(mut app: RelyingParty, proof: Proof) -> RelyingParty {
    app.proof = proof;
    app
}

fn seconds(seconds: u64) -> Duration {
    SECOND * u32::try_from(seconds).expect("a short story")
}

/// RFC 8628 §3
#[tokio::test]
async fn a_person_lets_a_device_in_and_it_gets_tokens() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid email offline_access").await;
    assert_eq!(tv.codes["verification_uri"], "http://localhost:8080/device");
    let code = tv.text("user_code");
    assert_eq!(tv.codes["verification_uri_complete"], format!("http://localhost:8080/device?user_code={code}"));
    assert_eq!((&tv.codes["expires_in"], &tv.codes["interval"]), (&json!(600), &json!(5)));
    assert!(code.len() == 9 && code.chars().all(|c| "BCDFGHJKLMNPQRSTVWXZ-".contains(c)), "{code}");
    assert_eq!(tv.polls().await.error(), "400 authorization_pending");

    let phone = Browser::new(&server);
    let sign_in = phone.open(&tv.link()).await;
    let confirm = phone.sign_in(&sign_in, "alice").await;
    assert!(confirm.page().heading().contains("Allow The tv?"), "{confirm}");
    assert_eq!(confirm.page().words("#device-user-code"), code);
    assert_eq!(confirm.page().words("#device-where"), "127.0.0.1");
    assert!(confirm.text().contains("See your email address"), "{confirm}");
    server.advance(seconds(5));
    assert_eq!(tv.polls().await.error(), "400 authorization_pending", "to look decides nothing");
    let done = phone.press(&confirm, "device-accept").await;
    assert!(done.page().has("device-approved"), "{done}");

    server.advance(seconds(5));
    let tokens = tv.polls().await.ok();
    let claims = tv.app.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["sub"], server.user("alice").await.id.to_string());
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["pwd"]), &json!("urn:symbolon:acr:1")));
    assert_eq!(claims["auth_time"], server.clock.seconds() - 10);
    assert_eq!(tokens["scope"], "openid email offline_access");
    let access = tokens["access_token"].as_str().expect("a token");
    assert_eq!(tv.app.userinfo(access).await.ok()["email"], "alice@example.com");
    let refreshed = tv.app.refresh(tokens["refresh_token"].as_str().expect("a refresh token")).await.ok();
    assert!(refreshed["access_token"].is_string(), "{refreshed}");
    assert!(phone.open("/account/apps").await.text().contains("The tv"), "the person can take it back");

    server.advance(seconds(5));
    assert_eq!(tv.polls().await.error(), "400 invalid_grant", "a device code is good once");
    assert_eq!(tv.app.userinfo(access).await.status, StatusCode::OK, "and that takes nothing back");
}

/// RFC 8628 §3.3.1: a code is typed as people type.
#[tokio::test]
async fn the_code_is_typed_without_its_link() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid").await;
    let phone = Browser::signed_in(&server, "alice").await;
    let page = phone.open("/device").await;
    let typed = format!(" {} ", tv.text("user_code").to_lowercase().replace('-', " "));
    let confirm = phone.submit(page.page().form_of("device-submit").fill("user_code", &typed)).await;
    assert!(confirm.page().has("device-accept"), "{confirm}");
    let wrong = phone.submit(page.page().form_of("device-submit").fill("user_code", "BBBB-BBBB")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.page().has("device-error"), "{wrong}");
}

/// RFC 8628 §3.5
#[tokio::test]
async fn who_asks_too_often_waits_longer_each_time() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid").await;
    assert_eq!(tv.polls().await.error(), "400 authorization_pending");
    let hasty = tv.polls().await;
    assert_eq!(hasty.error(), "400 slow_down");
    assert!(hasty.text().contains("wait 10 seconds"), "{hasty}");
    server.advance(seconds(9));
    assert!(tv.polls().await.text().contains("wait 15 seconds"));
    server.advance(seconds(15));
    assert_eq!(tv.polls().await.error(), "400 authorization_pending");
    server.advance(seconds(14));
    assert_eq!(tv.polls().await.error(), "400 slow_down", "it stays as slow as it became");
}

#[tokio::test]
async fn no_is_an_answer_and_the_end_another() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid").await;
    let phone = Browser::signed_in(&server, "alice").await;
    let confirm = phone.open(&tv.link()).await;
    let done = phone.press(&confirm, "device-deny").await;
    assert!(done.page().has("device-denied"), "{done}");
    for _ in 0..2 {
        assert_eq!(tv.polls().await.error(), "400 access_denied");
        server.advance(seconds(5));
    }
    let again = phone.press(&confirm, "device-accept").await;
    assert!(again.page().has("device-error"), "no stays no: {again}");
    assert_eq!(tv.polls().await.error(), "400 access_denied");

    let tv = Device::of(tv.app, "openid").await;
    let confirm = phone.open(&tv.link()).await;
    server.advance(seconds(600));
    assert_eq!(tv.polls().await.error(), "400 expired_token");
    let late = phone.press(&confirm, "device-accept").await;
    assert!(late.page().has("device-error"), "{late}");
    assert_eq!(phone.open(&tv.link()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    server.advance(seconds(5));
    assert_eq!(tv.polls().await.error(), "400 expired_token");
}

#[tokio::test]
async fn only_clients_that_are_registered_for_it_begin_and_only_who_began_goes_on() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let begin = "/oauth2/device_authorization";
    assert_eq!(shop.post(begin, &[("scope", "openid")]).await.error(), "400 unauthorized_client");
    let tv = Device::begins(&server, "openid").await;
    assert_eq!(tv.polls_as(&shop).await.error(), "400 unauthorized_client");
    let other = RelyingParty::of(&server, clients::device("other")).await;
    tv.is_let_in(&Browser::signed_in(&server, "alice").await).await;
    assert_eq!(tv.polls_as(&other).await.error(), "400 invalid_grant");
    let unknown = tv.app.post("/oauth2/token", &[("grant_type", GRANT), ("device_code", "x")]).await;
    assert_eq!(unknown.error(), "400 invalid_grant");
    assert!(tv.polls().await.ok()["access_token"].is_string(), "nobody has used it up");

    assert_eq!(tv.app.post(begin, &[("scope", "telepathy")]).await.error(), "400 invalid_scope");
    assert_eq!(tv.app.post(begin, &[("scope", "openid"), ("scope", "email")]).await.error(), "400 invalid_request");
    let stranger = proving(shop, Proof::Basic("wrong".to_owned()));
    assert_eq!(stranger.post(begin, &[]).await.error(), "401 invalid_client");
}

/// A client that can keep a secret proves itself here as at the token endpoint (§3.1).
#[tokio::test]
async fn a_client_with_a_secret_needs_it() {
    let server = TestServer::start().await;
    let mut client = clients::web("kiosk");
    client.metadata.grant_types = vec![GRANT.parse().expect("a grant type")];
    let kiosk = RelyingParty::of(&server, client).await;
    let named = proving(kiosk.clone(), Proof::Name);
    assert_eq!(named.post("/oauth2/device_authorization", &[]).await.error(), "401 invalid_client");
    let kiosk = Device::of(kiosk, "openid offline_access").await;
    kiosk.is_let_in(&Browser::signed_in(&server, "alice").await).await;
    let tokens = kiosk.polls().await.ok();
    assert_eq!((&tokens["scope"], tokens.get("refresh_token")), (&json!("openid"), None), "it may not stay connected");
}

#[tokio::test]
async fn fifty_polls_at_once_get_one_set_of_tokens() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid").await;
    tv.is_let_in(&Browser::signed_in(&server, "alice").await).await;
    let answers = join_all((0..50).map(|_| tv.polls())).await;
    let given: Vec<Value> = answers.iter().filter(|answer| answer.status == 200).map(Answer::json).collect();
    assert_eq!(given.len(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert!(["400 slow_down", "400 invalid_grant"].contains(&refused.error().as_str()), "{refused}");
    }
    let access = given[0]["access_token"].as_str().expect("a token");
    assert_eq!(tv.app.userinfo(access).await.status, StatusCode::OK);
}

#[tokio::test]
async fn two_nodes_give_one_set_of_tokens() {
    let one = TestServer::start().await;
    let tv = Device::begins(&one, "openid").await;
    let two = one.neighbour().await;
    let there = RelyingParty::registered(&two, "tv", "", Proof::Name);
    assert_eq!(tv.polls_as(&there).await.error(), "400 authorization_pending");
    tv.is_let_in(&Browser::signed_in(&two, "alice").await).await;
    one.advance(seconds(5));
    let answers = join_all((0..20).map(|number| tv.polls_as(if number % 2 == 0 { &tv.app } else { &there }))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

/// RFC 8628 §5.4: somebody else's link does nothing by being opened, and no other site presses the button.
#[tokio::test]
async fn a_link_and_a_foreign_form_let_nobody_in() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let confirm = alice.open(&tv.link()).await;
    let form = confirm.page().form_of("device-accept");
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    for (origin, cookies, body) in [
        ("https://evil.example", alice.cookie_header(), body.clone()),
        ("http://localhost:8080", String::new(), body.clone()),
        ("http://localhost:8080", alice.cookie_header(), body.replace("csrf=", "csrf=x")),
    ] {
        let request = Request::post("/device")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, origin)
            .header(COOKIE, cookies);
        let answer = server.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{origin}: {answer}");
    }
    // The form that was shown for one code is not one for another.
    let other = Device::of(tv.app.clone(), "openid").await;
    let swapped = form.fill("user_code", other.text("user_code"));
    assert_eq!(alice.submit(swapped).await.status, StatusCode::BAD_REQUEST);
    // Nor is that of Alice one of Bob's.
    let bob = Browser::signed_in(&server, "bob").await;
    bob.set_cookie("symbolon_flow", &alice.cookie("symbolon_flow").expect("a flow"));
    assert_eq!(bob.submit(confirm.page().form_of("device-accept")).await.status, StatusCode::BAD_REQUEST);
    for device in [&tv, &other] {
        assert_eq!(device.polls().await.error(), "400 authorization_pending");
    }
}

/// RFC 8628 §5.1, PROTOCOL B3
#[tokio::test]
async fn guesses_at_codes_are_counted() {
    let setup = Setup { issuer: "https://id.example", mode: Mode::Production, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let tv = Device::begins(&server, "openid").await;
    let mallory = Browser::signed_in(&server, "bob").await;
    for number in 0..5 {
        let code = format!("BBBB-BBB{}", ["C", "D", "F", "G", "H"][number]);
        let wrong = mallory.open(&format!("/device?user_code={code}")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let shut = mallory.open(&tv.link()).await;
    assert_eq!(shut.status, StatusCode::TOO_MANY_REQUESTS, "not even the right one is heard");
    assert_eq!(shut.header("retry-after"), "12");
    let elsewhere = server.seen_from([192, 0, 2, 7]);
    let again = Browser::signed_in(&elsewhere, "bob").await;
    assert_eq!(again.open(&tv.link()).await.status, StatusCode::TOO_MANY_REQUESTS, "another address is no way round");
    let alice = Browser::signed_in(&elsewhere, "alice").await;
    for _ in 0..8 {
        assert_eq!(alice.open(&tv.link()).await.status, StatusCode::OK, "right ones are not counted");
    }
    let nobody = Browser::new(&elsewhere);
    let asked = nobody.open("/device?user_code=BBBB-BBBB").await;
    assert!(asked.page().has("login-submit"), "who is not signed in learns nothing: {asked}");
}

/// The app wants two factors: the person adds one and comes back to the same device.
#[tokio::test]
async fn a_device_asks_for_as_much_as_its_app_does() {
    let server = TestServer::start().await;
    let mut client = clients::device("tv");
    client.policy.least_acr = Some(Acr::TwoFactors);
    let tv = Device::of(RelyingParty::of(&server, client).await, "openid").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let confirm = alice.open(&tv.link()).await;
    let second = alice.press(&confirm, "device-accept").await;
    assert!(second.page().has("setup-begin"), "{second}");
    assert_eq!(tv.polls().await.error(), "400 authorization_pending");
    let setup = alice.press(&second, "setup-begin").await;
    let secret = Secret::try_from_base32(setup.page().words("#totp-secret").replace(' ', "")).expect("base32");
    let generator = Builder::new().with_secret(secret).build().expect("good numbers");
    let code = generator.generate(server.clock.seconds().try_into().expect("after 1970")).to_string();
    let codes = alice.submit(setup.page().form_of("otp-submit").fill("code", &code)).await;
    let confirm = alice.open(codes.page().attribute("backup-codes-continue", "href")).await;
    assert!(confirm.page().has("device-accept"), "back at the device: {confirm}");
    alice.press(&confirm, "device-accept").await;
    server.advance(seconds(5));
    let tokens = tv.polls().await.ok();
    let claims = tv.app.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["acr"], "urn:symbolon:acr:2");
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
}

#[tokio::test]
async fn who_signs_out_takes_the_yes_back() {
    let server = TestServer::start().await;
    let tv = Device::begins(&server, "openid").await;
    let alice = Browser::signed_in(&server, "alice").await;
    tv.is_let_in(&alice).await;
    let account = alice.open("/account").await;
    alice.press(&account, "sign-out").await;
    assert_eq!(tv.polls().await.error(), "400 invalid_grant");

    let tv = Device::of(tv.app, "openid").await;
    let alice = Browser::signed_in(&server, "alice").await;
    tv.is_let_in(&alice).await;
    let tokens = tv.polls().await.ok();
    let access = tokens["access_token"].as_str().expect("a token");
    let account = alice.open("/account").await;
    alice.press(&account, "sign-out").await;
    assert_eq!(tv.app.userinfo(access).await.error(), "401 invalid_token", "tokens end with the session");
}

#[tokio::test]
async fn a_device_registers_itself_and_discovery_leads_it() {
    let configure = |config: &mut Config| config.client_registration.mode = ClientRegistrationMode::Open;
    let server = TestServer::configured(Setup::default(), configure).await;
    let metadata = server.get("/.well-known/openid-configuration").await.ok();
    assert_eq!(metadata["device_authorization_endpoint"], "http://localhost:8080/oauth2/device_authorization");
    assert!(metadata["grant_types_supported"].as_array().expect("a list").contains(&json!(GRANT)));
    let wish = json!({"client_name": "Console", "application_type": "native", "token_endpoint_auth_method": "none", "grant_types": [GRANT]});
    let registered = server.json((http::Method::POST, "/oauth2/register"), &wish, None).await.ok();
    let id = registered["client_id"].as_str().expect("an id");
    let console = Device::of(RelyingParty::registered(&server, id, "", Proof::Name), "openid").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let confirm = alice.open(&console.link()).await;
    assert!(confirm.page().has("self-registered"), "nobody vouches for it: {confirm}");
    alice.press(&confirm, "device-accept").await;
    assert!(console.polls().await.ok()["id_token"].is_string());
}
