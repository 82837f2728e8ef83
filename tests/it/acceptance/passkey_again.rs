//! S-098, S-113: what a passkey is good for beside signing in, and how people come to one and away from it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use symbolon::model::authentication::Acr;

use super::passkey::{register, with_passkey};
use super::second_factor::{enrol, with_code_app};
use crate::support::answer::{code, fields, parameters};
use crate::support::clients;
use crate::support::passkey::Device;
use crate::support::server::{ISSUER, PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

fn options(answer: &Answer) -> Value {
    serde_json::from_str(answer.page().attribute("passkey-form", "data-options")).expect("JSON")
}

#[tokio::test]
async fn s_098_a_passkey_proves_again_who_one_is_by_the_api() {
    let (server, mut device) = with_passkey().await;
    let alice = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_mins(11));
    let refused = alice.post("/me/export", &json!({})).await;
    assert_eq!(code(&refused), "403 reauth_required");
    assert_eq!(refused.json()["methods"], json!(["password", "passkey"]));
    let asked = alice.post("/me/reauth/passkey", &json!({})).await.ok();
    let mut stranger = Device::new(9, ISSUER);
    let body =
        |credential: Value| json!({"credential": credential, "state": asked["state"], "flow": refused.json()["flow"]});
    let wrong = alice.post("/me/reauth", &body(stranger.get(&asked["public_key"]))).await;
    assert_eq!(code(&wrong), "401 invalid_credentials");
    let used = alice.post("/me/reauth", &body(device.get(&asked["public_key"]))).await;
    assert!(used.status.is_client_error(), "a challenge is good once: {used}");
    let asked = alice.post("/me/reauth/passkey", &json!({})).await.ok();
    let proof = json!({"credential": device.get(&asked["public_key"]), "state": asked["state"]});
    // Of another session, the same answer is none.
    let bob = Spa::signed_in(&server, "bob").await;
    assert!(bob.post("/me/reauth", &proof).await.status.is_client_error());
    alice.post("/me/reauth", &proof).await.ok();
    assert_eq!(alice.post("/me/export", &json!({})).await.status, 202);
    assert_eq!(code(&bob.post("/me/reauth/passkey", &json!({})).await), "404 device_does_not_exist");
}

#[tokio::test]
async fn s_098_a_passkey_proves_again_who_one_is_on_the_page() {
    let (server, mut device) = with_passkey().await;
    let alice = Browser::signed_in(&server, "alice").await;
    server.advance(Duration::from_mins(11));
    let security = alice.open("/account/security").await;
    let again = alice.press(&security, "totp-begin").await;
    assert!(again.page().has("again-submit") && again.page().has("passkey-submit"), "{again}");
    let empty = alice.submit(again.page().form_of("passkey-submit").fill("credential", "{}")).await;
    assert_eq!((empty.status.as_u16(), empty.page().has("again-error")), (422, true), "{empty}");
    let credential = device.get(&options(&empty)).to_string();
    let back = alice.submit(empty.page().form_of("passkey-submit").fill("credential", &credential)).await;
    assert!(alice.press(&back, "totp-begin").await.page().has("totp-secret"), "{back}");
    let bob = Browser::signed_in(&server, "bob").await;
    assert!(!bob.open("/sign-in/again").await.page().has("passkey-submit"), "he has none");
}

#[tokio::test]
async fn s_113_a_passkey_has_the_name_that_its_owner_gives_it() {
    let (server, _) = with_passkey().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let id = alice.get("/me/authenticators").await.ok()["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/me/authenticators/{id}");
    let renamed = alice.send(Method::PATCH, &path, Some(&json!({"name": " My laptop "}))).await.ok();
    assert_eq!(renamed["name"], "My laptop");
    let long = "x".repeat(65);
    for bad in ["\u{7}", long.as_str()] {
        let refused = alice.send(Method::PATCH, &path, Some(&json!({"name": bad}))).await;
        assert_eq!(fields(&refused), ["name invalid_value"], "{bad:?}");
    }
    let bob = Spa::signed_in(&server, "bob").await;
    let foreign = bob.send(Method::PATCH, &path, Some(&json!({"name": "mine"}))).await;
    assert_eq!(code(&foreign), "404 device_does_not_exist");
    let browser = Browser::signed_in(&server, "alice").await;
    let page = browser.open("/account/security").await;
    let form = page.page().form_of(&format!("rename-{id}-submit")).fill("name", "The blue one");
    assert!(browser.submit(form).await.page().words("main").contains("The blue one"));
}

/// The script of the sign-in page says that this device can make one.
#[tokio::test]
async fn s_113_a_passkey_is_offered_after_a_password_and_not_now_is_remembered() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let signs_in = async |browser: &Browser, exchange: &crate::support::relying_party::Exchange| {
        let page = browser.begin(exchange).await;
        let form = page.page().form_of("login-submit").fill("login", "alice").fill("password", PASSWORD);
        browser.submit(form.fill("passkeys", "1")).await
    };
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid");
    let offer = signs_in(&browser, &exchange).await;
    assert!(offer.page().has("passkey-later"), "{offer}");
    let consent = browser.press(&offer, "passkey-later").await;
    let url = browser.finish(consent, "alice").await;
    shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let again = shop.begin("openid").with("prompt", "login");
    let next = signs_in(&browser, &again).await;
    let to_app = next.header("location").starts_with("https://shop.example/");
    assert!(to_app, "not now was said here: {next}");

    // Another device of hers takes one.
    let phone = Browser::new(&server);
    let exchange = shop.begin("openid");
    let offer = signs_in(&phone, &exchange).await;
    let mut device = Device::new(1, ISSUER);
    let form = offer.page().form_of("passkey-submit").fill("credential", &device.create(&options(&offer)).to_string());
    let url = phone.finish(phone.submit(form).await, "alice").await;
    assert!(parameters(&url).iter().any(|(name, _)| name == "code"), "on to the app: {url}");
    let third = Browser::new(&server);
    let next = signs_in(&third, &shop.begin("openid").with("prompt", "consent")).await;
    assert!(!next.page().has("passkey-later"), "who has one is not asked");
    assert!(!Browser::signed_in(&server, "bob").await.open("/account").await.page().has("passkey-later"), "no script");
}

/// DECISIONS.md (acr): `phr` where it is asked for and true.
#[tokio::test]
async fn s_113_a_passkey_is_resistant_to_phishing_and_says_so_where_that_is_asked() {
    let (server, mut device) = with_passkey().await;
    assert!(
        server.get("/.well-known/openid-configuration").await.ok()["acr_values_supported"].to_string().contains("phr")
    );
    let mut client = clients::web("bank");
    client.policy.least_acr = Some(Acr::PhishingResistant);
    client.policy.first_party = true;
    let bank = RelyingParty::of(&server, client).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = bank.begin("openid");
    let page = browser.begin(&exchange).await;
    let second = browser.sign_in(&page, "alice").await;
    assert!(second.page().has("passkey-submit"), "a password is not enough: {second}");
    let form = second.page().form_of("passkey-submit").fill("credential", &device.get(&options(&second)).to_string());
    let url = browser.finish(browser.submit(form).await, "alice").await;
    let tokens = bank.redeem(&exchange, &bank.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("phr"), &json!(["pwd", "hwk", "user", "mfa"])));

    let told = async |wish: &str| {
        let exchange = shop.begin("openid").with("acr_values", wish);
        let tokens = shop.tokens_for(&browser, "alice", exchange).await;
        part(tokens["id_token"].as_str().expect("an ID token"), 1)["acr"].clone()
    };
    assert_eq!(told("phr urn:symbolon:acr:2").await, "phr");
    assert_eq!(told("urn:symbolon:acr:2 phr").await, "urn:symbolon:acr:2");
    // Who has none is not asked for what a client only wishes for.
    let bob = Browser::new(&server);
    let wish = shop.begin("openid").with("acr_values", "phr");
    let tokens = shop.tokens_for(&bob, "bob", wish).await;
    assert_eq!(part(tokens["id_token"].as_str().expect("an ID token"), 1)["acr"], "urn:symbolon:acr:1");
}

/// An app that takes passkeys alone.
async fn bank(server: &TestServer) -> RelyingParty {
    let mut client = clients::web("bank");
    client.policy.least_acr = Some(Acr::PhishingResistant);
    client.policy.first_party = true;
    RelyingParty::of(server, client).await
}

/// Who has no passkey makes one before the app gets anything, and has it from then on.
#[tokio::test]
async fn s_113_a_passkey_is_made_within_a_sign_in_that_takes_nothing_else() {
    let server = TestServer::start().await;
    let bank = bank(&server).await;
    let browser = Browser::new(&server);
    let exchange = bank.begin("openid");
    let page = browser.begin(&exchange).await;
    let setup = browser.sign_in(&page, "alice").await;
    assert_eq!(setup.page().attribute("passkey-form", "data-passkey"), "create", "{setup}");
    assert!(!setup.page().has("otp"), "a code would not be enough");
    let mut device = Device::new(1, ISSUER);
    device.verifies = false;
    let unverified = device.create(&options(&setup)).to_string();
    let refused = browser.submit(setup.page().form_of("passkey-submit").fill("credential", &unverified)).await;
    assert_eq!((refused.status.as_u16(), refused.page().has("second-error")), (422, true), "{refused}");
    assert_eq!(server.store().authenticators(server.user("alice").await.id).await.expect("listed").len(), 0);
    device.verifies = true;
    let credential = device.create(&options(&refused)).to_string();
    let form = refused.page().form_of("passkey-submit").fill("credential", &credential);
    let url = browser.finish(browser.submit(form).await, "alice").await;
    let tokens = bank.redeem(&exchange, &bank.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("phr"), &json!(["pwd", "hwk", "user", "mfa"])));

    let next = Browser::new(&server);
    let exchange = bank.begin("openid");
    let page = next.begin(&exchange).await;
    let second = next.sign_in(&page, "alice").await;
    assert_eq!(second.page().attribute("passkey-form", "data-passkey"), "get", "she has one now: {second}");
    let form = second.page().form_of("passkey-submit").fill("credential", &device.get(&options(&second)).to_string());
    let url = next.finish(next.submit(form).await, "alice").await;
    bank.redeem(&exchange, &bank.code(&exchange, &url)).await.ok();
    server.deliver().await;
    let notices = server.mailbox().kinds_to("alice@example.com");
    assert!(notices.contains(&symbolon::model::message::MessageKind::MfaChanged), "its owner is told: {notices:?}");
}

#[tokio::test]
async fn s_113_an_app_makes_the_passkey_within_a_sign_in_too() {
    let server = TestServer::start().await;
    bank(&server).await;
    let spa = Spa::open(&server).await;
    let body = json!({"method": "password", "identifier": "alice", "password": PASSWORD, "client_id": "bank"});
    let asked = spa.post("/sign-in", &body).await.ok();
    assert_eq!(asked["challenges"], json!([{"id": "passkey_setup", "type": "passkey_setup"}]));
    let named = json!({"flow": asked["flow"], "id": "passkey_setup", "client_id": "bank"});
    let made = spa.post("/sign-in/challenge/send", &named).await.ok();
    let mut device = Device::new(1, ISSUER);
    let credential = device.create(&made["public_key"]);
    let answer = json!({"flow": asked["flow"], "type": "passkey_setup", "credential": credential, "client_id": "bank"});
    assert_eq!(spa.post("/sign-in/challenge", &answer).await.ok()["status"], "complete");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    assert!(spa.post("/sign-in/challenge", &answer).await.status.is_client_error(), "it is good once");
}

/// A second factor that is there is proven first: a stolen password makes no passkey.
#[tokio::test]
async fn s_113_who_has_another_factor_proves_it_before_a_passkey_is_made() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let bank = bank(&server).await;
    let browser = Browser::new(&server);
    let exchange = bank.begin("openid");
    let page = browser.begin(&exchange).await;
    let second = browser.sign_in(&page, "alice").await;
    assert!(second.page().has("otp") && !second.page().has("passkey-form"), "{second}");
    let setup = browser.submit(second.page().form_of("otp-submit").fill("code", &app.fresh(&server))).await;
    assert_eq!(setup.page().attribute("passkey-form", "data-passkey"), "create", "{setup}");
    let credential = Device::new(1, ISSUER).create(&options(&setup)).to_string();
    let form = setup.page().form_of("passkey-submit").fill("credential", &credential);
    let url = browser.finish(browser.submit(form).await, "alice").await;
    bank.redeem(&exchange, &bank.code(&exchange, &url)).await.ok();
}

/// Whoever signs in by two factors hears of passkeys as well.
#[tokio::test]
async fn s_113_a_passkey_is_offered_after_a_second_factor_too() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let form = page.page().form_of("login-submit").fill("login", "alice").fill("password", PASSWORD);
    let second = browser.submit(form.fill("passkeys", "1")).await;
    let offer = browser.submit(second.page().form_of("otp-submit").fill("code", &app.fresh(&server))).await;
    assert!(offer.page().has("passkey-later"), "{offer}");
    let account = browser.press(&offer, "passkey-later").await;
    assert!(account.page().has("sign-out"), "{account}");

    let without = Browser::new(&server);
    let page = without.open("/sign-in").await;
    let second = without.sign_in(&page, "alice").await;
    let account = without.submit(second.page().form_of("otp-submit").fill("code", &app.fresh(&server))).await;
    assert!(account.page().has("sign-out"), "a browser that cannot make one: {account}");
}

#[tokio::test]
async fn s_100_remembered_browsers_are_listed_and_taken_back() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let browser = Browser::new(&server).calling_itself("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0");
    let page = browser.open("/sign-in").await;
    let second = browser.sign_in(&page, "alice").await;
    let form = second.page().form_of("otp-submit").fill("code", &app.fresh(&server)).fill("remember_device", "true");
    let account = browser.submit(form).await;
    assert!(account.page().has("sign-out"), "{account}");
    let mark = browser.cookie("symbolon_remembered").expect("a mark");
    let asks = async || {
        let other = Browser::new(&server);
        other.set_cookie("symbolon_remembered", &mark);
        let page = other.open("/sign-in").await;
        other.sign_in(&page, "alice").await.page().has("otp")
    };
    assert!(!asks().await, "it is remembered");
    let security = browser.open("/account/security").await;
    let words = security.page().words("main");
    assert!(words.contains("Firefox"), "{words}");
    let id = security.page().attributes("[id^=forget-]", "id").remove(0);
    let left = browser.press(&security, &id).await;
    assert!(!left.page().words("main").contains("Firefox on Linux"), "{left}");
    assert!(asks().await, "it was taken back");

    let spa = Spa::open(&server).await;
    let asked = spa.sign_in("alice", PASSWORD).await.ok();
    let body = json!({"flow": asked["flow"], "type": "totp", "value": app.fresh(&server)});
    spa.post("/sign-in/challenge", &body).await.ok();
    assert_eq!(spa.get("/me/remembered-browsers").await.ok()["items"], json!([]));
    assert_eq!(code(&spa.delete("/me/remembered-browsers/x").await), "404 not_found");
    assert_eq!(spa.delete("/me/remembered-browsers").await.status, 204);
    // Nobody's mark is good for somebody else.
    let bob = Spa::signed_in(&server, "bob").await;
    enrol(&server, &bob).await;
    let _unused = register(&bob, &mut Device::new(3, ISSUER)).await;
}
