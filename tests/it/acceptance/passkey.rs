//! S-113: passkeys, as a way to sign in and as a second factor.

use serde_json::{Value, json};
use symbolon::model::message::MessageKind;

use super::second_factor::enrol;
use crate::support::answer::{code, fields};
use crate::support::passkey::Device;
use crate::support::server::{ISSUER, PASSWORD};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

/// Registers a passkey of who is signed in.
pub(super) async fn register(spa: &Spa, device: &mut Device) -> Answer {
    let setup = spa.post("/me/authenticators", &json!({"type": "passkey"})).await;
    assert_eq!(setup.status, 201, "{setup}");
    let setup = setup.json();
    let credential = device.create(&setup["public_key"]);
    let id = setup["id"].as_str().expect("an id");
    spa.post(&format!("/me/authenticators/{id}/confirm"), &json!({"credential": credential})).await
}

pub(super) async fn with_passkey() -> (TestServer, Device) {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let mut device = Device::new(1, ISSUER);
    register(&alice, &mut device).await.ok();
    (server, device)
}

/// What a sign-in by passkey begins with: its handle, and what the browser is asked.
pub(super) async fn asked(spa: &Spa) -> (String, Value) {
    let begun = spa.post("/sign-in", &json!({"method": "passkey"})).await.ok();
    assert_eq!((&begun["status"], &begun["expires_in"]), (&json!("challenge"), &json!(300)), "{begun}");
    (begun["flow"].as_str().expect("a handle").to_owned(), begun["public_key"].clone())
}

pub(super) async fn answers(spa: &Spa, flow: &str, credential: &Value) -> Answer {
    spa.post("/sign-in/challenge", &json!({"flow": flow, "type": "passkey", "credential": credential})).await
}

#[tokio::test]
async fn s_113_a_passkey_signs_in_without_a_name_and_is_two_factors() {
    let (server, mut device) = with_passkey().await;
    let spa = Spa::open(&server).await;
    let (flow, options) = asked(&spa).await;
    assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("localhost"), &json!("required")));
    assert!(options["challenge"].as_str().is_some_and(|challenge| challenge.len() >= 22), "128 bits: {options}");
    let done = answers(&spa, &flow, &device.get(&options)).await.ok();
    assert_eq!((&done["status"], &done["user"]["username"]), (&json!("complete"), &json!("alice")));
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["hwk", "user"]));
    let list = spa.get("/me/authenticators").await.ok();
    let own = &list["items"][0];
    assert_eq!((&own["type"], &own["name"], &own["confirmed"]), (&json!("passkey"), &json!("Passkey"), &json!(true)));
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("alice@example.com").first(), Some(&MessageKind::MfaChanged));
}

#[tokio::test]
async fn s_113_what_is_not_of_this_page_and_this_moment_is_refused() {
    let (server, mut device) = with_passkey().await;
    let spa = Spa::open(&server).await;
    let refused = async |credential: &Value, flow: &str| code(&answers(&spa, flow, credential).await);
    // Another origin.
    let (flow, options) = asked(&spa).await;
    device.origin = "https://evil.example".to_owned();
    assert_eq!(refused(&device.get(&options), &flow).await, "401 invalid_credentials");
    device.origin = ISSUER.to_owned();
    assert_eq!(refused(&device.get(&options), &flow).await, "401 invalid_credentials", "the first failure ended it");
    // Another relying party, and another challenge.
    for change in [("rpId", json!("evil.example")), ("challenge", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))]
    {
        let (flow, mut options) = asked(&spa).await;
        options[change.0] = change.1.clone();
        assert_eq!(refused(&device.get(&options), &flow).await, "401 invalid_credentials", "{change:?}");
    }
    // Nobody verified.
    let (flow, options) = asked(&spa).await;
    device.verifies = false;
    assert_eq!(refused(&device.get(&options), &flow).await, "401 invalid_credentials");
    device.verifies = true;
    // Of somebody else, and of nobody.
    let (flow, options) = asked(&spa).await;
    let mut stranger = Device::new(9, ISSUER);
    stranger.create(&json!({"user": {"id": "AAAA"}, "rp": {"id": "localhost"}, "challenge": "AAAA"}));
    assert_eq!(refused(&stranger.get(&options), &flow).await, "401 invalid_credentials");
    for broken in [json!({}), json!({"id": "x"}), json!({"response": []})] {
        let (flow, _) = asked(&spa).await;
        assert_eq!(refused(&broken, &flow).await, "401 invalid_credentials", "{broken}");
    }
    // A right one, twice.
    let (flow, options) = asked(&spa).await;
    let right = device.get(&options);
    assert_eq!(answers(&spa, &flow, &right).await.ok()["status"], "complete");
    assert_eq!(refused(&right, &flow).await, "410 flow_invalid");
    let (flow, _) = asked(&spa).await;
    assert_eq!(refused(&right, &flow).await, "401 invalid_credentials", "of another challenge");
}

#[tokio::test]
async fn s_113_a_passkey_is_of_one_person() {
    let (server, mut device) = with_passkey().await;
    let bob = Spa::signed_in(&server, "bob").await;
    let taken = register(&bob, &mut device).await;
    assert_eq!(fields(&taken), ["credential invalid_value"]);
    let setup = bob.post("/me/authenticators", &json!({"type": "passkey"})).await.json();
    let id = setup["id"].as_str().expect("an id");
    let alice = Spa::signed_in(&server, "alice").await;
    let credential = Device::new(2, ISSUER).create(&setup["public_key"]);
    let path = format!("/me/authenticators/{id}/confirm");
    assert_eq!(code(&alice.post(&path, &json!({"credential": credential})).await), "409 setup_required");
}

#[tokio::test]
async fn s_113_a_passkey_is_a_second_factor_too() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    enrol(&server, &alice).await;
    let mut device = Device::new(1, ISSUER);
    register(&alice, &mut device).await.ok();
    let spa = Spa::open(&server).await;
    let begun = spa.sign_in("alice", PASSWORD).await.ok();
    let kinds: Vec<&Value> = begun["challenges"].as_array().expect("some").iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["passkey", "totp", "backup_code"]);
    let flow = begun["flow"].as_str().expect("a handle");
    let sent = spa.post("/sign-in/challenge/send", &json!({"flow": flow, "id": "passkey"})).await.ok();
    let done = answers(&spa, flow, &device.get(&sent["public_key"])).await.ok();
    assert_eq!(done["status"], "complete");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    // It is the one proof that nobody has to add anything to.
    let spa = Spa::open(&server).await;
    let (flow, options) = asked(&spa).await;
    assert_eq!(answers(&spa, &flow, &device.get(&options)).await.ok()["status"], "complete");
}

/// The pages: registration in the account, sign-in within a request of an app.
#[tokio::test]
async fn s_113_the_pages_ask_the_browser_and_take_its_answer() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let mut device = Device::new(1, ISSUER);
    let page = alice.open("/account/security").await;
    let options: Value = serde_json::from_str(page.page().attribute("passkey-form", "data-options")).expect("JSON");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    let form = page.page().form_of("passkey-submit").fill("credential", &device.create(&options).to_string());
    let page = alice.submit(form.clone()).await;
    assert!(page.page().words("main").contains("Passkey"), "{page}");
    assert!(alice.submit(form).await.page().has("form-error"), "a challenge is good once");

    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = browser.begin(&exchange).await;
    assert_eq!(page.page().attribute("login", "autocomplete"), "username webauthn");
    let options: Value = serde_json::from_str(page.page().attribute("passkey-form", "data-options")).expect("JSON");
    let form = page.page().form_of("passkey-submit").fill("credential", &device.get(&options).to_string());
    // Another browser cannot use it.
    let thief = Browser::new(&server);
    thief.begin(&exchange).await;
    assert!(!thief.submit(form.clone()).await.page().has("consent-accept"));
    let empty = browser.submit(page.page().form_of("passkey-submit")).await;
    assert!(empty.page().has("sign-in-error"), "{empty}");
    let options: Value = serde_json::from_str(empty.page().attribute("passkey-form", "data-options")).expect("JSON");
    let form = empty.page().form_of("passkey-submit").fill("credential", &device.get(&options).to_string());
    let consent = browser.submit(form).await;
    let url = browser.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = part(tokens["id_token"].as_str().expect("an ID token"), 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:symbolon:acr:2"), &json!(["hwk", "user"])));
}

#[tokio::test]
async fn s_113_password_managers_find_the_way() {
    let server = TestServer::start().await;
    let endpoints = server.get("/.well-known/passkey-endpoints").await.ok();
    assert_eq!(endpoints["enroll"], "http://localhost:8080/account/security");
    assert_eq!(endpoints["manage"], endpoints["enroll"]);
    assert!(server.get("/.well-known/change-password").await.location().starts_with("/account/"));
}
