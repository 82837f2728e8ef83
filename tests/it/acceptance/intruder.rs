//! S-096, S-116: whoever says "this was not me" is rid of what somebody else set up meanwhile.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::model::message::MessageKind;

use super::contact::{adds, asks, confirms, token};
use super::passkey::{answers, asked, register};
use super::second_factor::enrol;
use crate::support::answer::{Answer, code};
use crate::support::passkey::Device;
use crate::support::server::{ISSUER, PASSWORD};
use crate::support::spa::Spa;
use crate::support::stand_in::{CLIENT_ID, StandIn};
use crate::support::{Browser, TestServer};

const ALICE: &str = "alice@example.com";
const THIEF: &str = "thief@example.net";
const NEW: &str = "seven quiet herons at dawn";
const ELSEWHERE: [u8; 4] = [192, 0, 2, 66];

/// Alice with a passkey of her own, a day later.
async fn alice() -> (TestServer, Device) {
    let server = TestServer::start().await;
    server.advance(Duration::from_hours(1));
    let alice = Spa::signed_in(&server, "alice").await;
    let mut own = Device::new(1, ISSUER);
    register(&alice, &mut own).await.ok();
    server.advance(Duration::from_hours(24));
    (server, own)
}

/// Somebody who knows her password, in another place.
async fn thief(server: &TestServer) -> Spa {
    let thief = Spa::at(server, ELSEWHERE).await;
    assert_eq!(thief.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
    thief
}

/// A sign-in by a passkey.
async fn by_passkey(server: &TestServer, device: &mut Device) -> Answer {
    let spa = Spa::open(server).await;
    let (flow, options) = asked(&spa).await;
    answers(&spa, &flow, &device.get(&options)).await
}

/// What a list of the account holds, by one member of its items.
async fn listed(spa: &Spa, path: &str, member: &str) -> Vec<Value> {
    let list = spa.get(path).await.ok();
    list["items"].as_array().expect("a list").iter().map(|item| item[member].clone()).collect()
}

#[tokio::test]
async fn s_096_this_was_not_me_takes_away_what_somebody_else_set_up() {
    let (server, mut own) = alice().await;
    let google = StandIn::google(&server).await;
    let thief = thief(&server).await;
    server.deliver().await;
    let link = server.mailbox().link_for(ALICE).replacen(ISSUER, "", 1);
    assert!(link.starts_with("/account/not-me?"), "{link}");
    let mut stolen = Device::new(2, ISSUER);
    register(&thief, &mut stolen).await.ok();
    let (_, codes) = enrol(&server, &thief).await;
    assert!(!codes.is_empty());
    let body = json!({"id_token": google.id_token(CLIENT_ID, None)});
    assert_eq!(thief.post("/me/identities/google/link", &body).await.ok()["status"], "connected");
    adds(&server, &thief, ("email", THIEF)).await;
    server.advance(Duration::from_mins(5));

    let browser = Browser::new(&server);
    let page = browser.open(&link).await;
    assert!(page.page().words("main").contains("passkeys"), "what is done is told before: {page}");
    let chosen = browser.press(&page, "mailed-confirm").await;
    let told = |what: &str| chosen.page().words(&format!("#gone-{what}"));
    assert!(told("authenticators").starts_with('2'), "{}", told("authenticators"));
    assert!(told("identities").starts_with("One") && told("addresses").starts_with("One"), "{chosen}");
    let form = chosen.page().form_of("new-password-submit").fill("password", NEW);
    assert_eq!(browser.submit(form).await.status, StatusCode::OK);

    // Whatever the thief had opens nothing.
    assert_eq!(code(&by_passkey(&server, &mut stolen).await), "401 invalid_credentials");
    server.deliver().await;
    let before = server.mailbox().to(THIEF).len();
    Spa::open(&server).await.post("/password-resets", &json!({"identifier": THIEF})).await;
    server.deliver().await;
    assert_eq!(server.mailbox().to(THIEF).len(), before, "it is not an address of hers");
    // What she had before opens her account; she never wanted a second factor, and is asked for none.
    assert_eq!(by_passkey(&server, &mut own).await.ok()["user"]["username"], "alice");
    let alice = Spa::open(&server).await;
    assert_eq!(alice.sign_in("alice", NEW).await.ok()["status"], "complete");
    assert_eq!(listed(&alice, "/me/authenticators", "type").await, ["passkey"]);
    assert_eq!(listed(&alice, "/me/identities", "provider").await, [Value::Null; 0]);
    assert_eq!(listed(&alice, "/me/emails", "value").await, [ALICE]);
    // And she gets the notices that she would get of each.
    let mut kinds = server.mailbox().kinds_to(ALICE);
    kinds.reverse();
    let told = |kind| kinds.iter().take(4).any(|sent| *sent == kind);
    assert!(told(MessageKind::MfaChanged) && told(MessageKind::IdentityUnlinked), "{kinds:?}");
}

/// A new address in the place of the old one would bring the thief back by "forgot your password?".
#[tokio::test]
async fn s_096_this_was_not_me_brings_the_address_back() {
    let (server, _) = alice().await;
    let thief = thief(&server).await;
    server.deliver().await;
    let link = server.mailbox().link_for(ALICE).replacen(ISSUER, "", 1);
    asks(&thief, THIEF).await;
    let confirmed = token(&server, THIEF, "/email-change").await;
    confirms(&thief, &confirmed).await.ok();
    let browser = Browser::new(&server);
    let page = browser.open(&link).await;
    let chosen = browser.press(&page, "mailed-confirm").await;
    let form = chosen.page().form_of("new-password-submit").fill("password", NEW);
    assert_eq!(browser.submit(form).await.status, StatusCode::OK);
    let alice = Spa::open(&server).await;
    assert_eq!(alice.sign_in(ALICE, NEW).await.ok()["user"]["email"], ALICE);
    assert_eq!(listed(&alice, "/me/emails", "value").await, [ALICE]);
}

#[tokio::test]
async fn s_116_who_takes_a_change_back_is_rid_of_what_came_with_it() {
    let (server, mut own) = alice().await;
    let thief = thief(&server).await;
    let mut stolen = Device::new(2, ISSUER);
    register(&thief, &mut stolen).await.ok();
    // An hour later, in the same session.
    server.advance(Duration::from_hours(1));
    thief.post("/me/reauth", &json!({"password": PASSWORD})).await.ok();
    asks(&thief, THIEF).await;
    let undo = token(&server, ALICE, "/email-change/undo").await;
    let first = token(&server, THIEF, "/email-change").await;
    confirms(&thief, &first).await.ok();
    // The thief's own address gets a link of the same kind, by the next change.
    server.advance(Duration::from_mins(2));
    asks(&thief, "thief@example.org").await;
    let theirs = token(&server, THIEF, "/email-change/undo").await;
    let second = token(&server, "thief@example.org", "/email-change").await;
    confirms(&thief, &second).await.ok();

    let browser = Browser::new(&server);
    let page = browser.open(&format!("/email-change/undo?token={undo}")).await;
    let done = browser.press(&page, "mailed-confirm").await;
    assert!(done.page().has("notice-email_restored") && done.page().has("gone-authenticators"), "{done}");
    assert_eq!(code(&by_passkey(&server, &mut stolen).await), "401 invalid_credentials");
    assert_eq!(by_passkey(&server, &mut own).await.ok()["user"]["username"], "alice");
    let late = Browser::new(&server).open(&format!("/email-change/undo?token={theirs}")).await;
    assert_eq!(late.status, StatusCode::GONE, "a link of the thief's takes nothing back");
    let alice = Spa::open(&server).await;
    assert_eq!(alice.sign_in(ALICE, PASSWORD).await.ok()["user"]["email"], ALICE);
    assert_eq!(listed(&alice, "/me/emails", "value").await, [ALICE]);
}
