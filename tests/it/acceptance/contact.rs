//! Addresses and numbers of a person: S-116 to S-120.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::model::message::MessageKind;

use crate::support::answer::{Answer, code, fields};
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
use crate::support::{RelyingParty, TestServer};

const ALICE: &str = "alice@example.com";
const NEW: &str = "alice@example.net";

/// The token of the newest link to `address`, at the page `path`.
pub(super) async fn token(server: &TestServer, address: &str, path: &str) -> String {
    server.deliver().await;
    let link = server.mailbox().link_for(address);
    let base = format!("{}{path}?token=", server.issuer);
    link.strip_prefix(&base).unwrap_or_else(|| panic!("not a page of ours: {link}")).to_owned()
}

pub(super) async fn asks(spa: &Spa, email: &str) -> Answer {
    spa.post("/me/email-changes", &json!({"new_email": email})).await
}

pub(super) async fn confirms(spa: &Spa, token: &str) -> Answer {
    spa.post("/email-changes/confirm", &json!({"token": token})).await
}

async fn email_of(spa: &Spa) -> Value {
    spa.get("/me").await.ok()["email"].clone()
}

#[tokio::test]
async fn s_116_a_change_is_asked_for_and_the_old_address_is_told() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    for wrong in ["", "alice", "alice@", "a b@example.net"] {
        let refused = asks(&alice, wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {refused}");
    }
    assert_eq!(fields(&asks(&alice, "alice@nowhere").await), ["new_email invalid_email"]);
    assert_eq!(code(&asks(&alice, ALICE).await), "409 already_verified");
    let free = asks(&alice, NEW).await;
    assert_eq!(free.status, StatusCode::ACCEPTED);
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(NEW), [MessageKind::EmailChange]);
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::EmailChangeNotice]);
    assert_eq!(email_of(&alice).await, ALICE, "nothing has changed yet");

    // An address of somebody else: the same answer, and no word to them.
    let taken = asks(&alice, "bob@example.com").await;
    assert_eq!(taken.status, StatusCode::ACCEPTED);
    let seen = |answer: &Answer| (answer.json()["expires_in"].clone(), answer.json()["resend_after"].clone());
    assert_eq!(seen(&taken), seen(&free));
    server.deliver().await;
    assert!(server.mailbox().to("bob@example.com").is_empty());
}

#[tokio::test]
async fn s_116_a_change_needs_a_fresh_sign_in() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_secs(601));
    assert_eq!(code(&asks(&alice, NEW).await), "403 reauth_required");
    assert_eq!(code(&asks(&Spa::open(&server).await, NEW).await), "401 sign_in_required");
    alice.sign_in("alice", PASSWORD).await.ok();
    assert_eq!(asks(&alice, NEW).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn s_117_the_link_changes_the_address_and_ends_every_other_session() {
    let server = TestServer::start().await;
    let (alice, elsewhere) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "alice").await);
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&elsewhere.browser, "alice", "openid email offline_access").await;
    asks(&alice, NEW).await;
    let token = token(&server, NEW, "/email-change").await;
    let page = server.get(&format!("/email-change?token={token}")).await;
    assert!(page.page().has("mailed-confirm"), "{page}");
    assert_eq!(email_of(&alice).await, ALICE, "opening the link changes nothing");

    let changed = confirms(&alice, &token).await;
    assert_eq!(changed.ok()["email"], NEW);
    let me = alice.get("/me").await.ok();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!(NEW), &json!(true)), "this session stays");
    assert_eq!(elsewhere.get("/session").await.ok()["user"], Value::Null);
    let text = |name: &str| tokens[name].as_str().expect("a token");
    assert_eq!(shop.refresh(text("refresh_token")).await.error(), "400 invalid_grant");
    assert_eq!(shop.userinfo(text("access_token")).await.error(), "401 invalid_token");
    let later = shop.tokens(&alice.browser, "alice", "openid email").await;
    let userinfo = shop.userinfo(later["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!((&userinfo["email"], &userinfo["email_verified"]), (&json!(NEW), &json!(true)));
    alice.get("/session").await.ok();
    assert_eq!(code(&confirms(&alice, &token).await), "410 email_change_expired", "once");
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.sign_in(ALICE, PASSWORD).await), "401 invalid_credentials");
    assert_eq!(spa.sign_in(NEW, PASSWORD).await.ok()["user"]["email"], NEW);
}

#[tokio::test]
async fn s_117_the_code_changes_the_address_too() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let flow = asks(&alice, NEW).await.ok()["flow"].clone();
    server.deliver().await;
    let sent = server.mailbox().code_for(NEW);
    let wrong = if sent == "000000" { "000001" } else { "000000" };
    let confirm = async |code: &str| alice.post("/email-changes/confirm", &json!({"flow": flow, "code": code})).await;
    assert_eq!(code(&confirm(wrong).await), "422 wrong_code");
    assert_eq!(confirm(&sent).await.ok()["email"], NEW);
    assert_eq!(email_of(&alice).await, NEW);
}

#[tokio::test]
async fn s_117_a_link_confirms_the_address_it_was_sent_to_and_the_last_wish_alone() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    asks(&alice, "a@example.net").await;
    let first = token(&server, "a@example.net", "/email-change").await;
    asks(&alice, "b@example.net").await;
    let second = token(&server, "b@example.net", "/email-change").await;
    assert_eq!(code(&confirms(&alice, &first).await), "410 email_change_expired");
    assert_eq!(confirms(&alice, &second).await.ok()["email"], "b@example.net");
}

#[tokio::test]
async fn s_117_a_change_runs_out_after_an_hour() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let flow = asks(&alice, NEW).await.ok()["flow"].clone();
    let token = token(&server, NEW, "/email-change").await;
    let sent = server.mailbox().code_for(NEW);
    server.advance(Duration::from_hours(1));
    assert_eq!(code(&confirms(&alice, &token).await), "410 email_change_expired");
    let late = alice.post("/email-changes/confirm", &json!({"flow": flow, "code": sent})).await;
    assert_eq!(code(&late), "410 email_change_expired");
}

#[tokio::test]
async fn s_116_the_old_address_takes_the_change_back() {
    let server = TestServer::start().await;
    let thief = Spa::signed_in(&server, "alice").await;
    asks(&thief, NEW).await;
    let undo = token(&server, ALICE, "/email-change/undo").await;
    let link = token(&server, NEW, "/email-change").await;
    assert_eq!(confirms(&thief, &link).await.ok()["email"], NEW);
    let alice = crate::support::Browser::new(&server);
    let page = alice.open(&format!("/email-change/undo?token={undo}")).await;
    let done = alice.press(&page, "mailed-confirm").await;
    assert!(done.page().has("notice-email_restored"), "{done}");
    assert_eq!(thief.get("/session").await.ok()["user"], Value::Null, "whoever asked for it is out");
    let spa = Spa::open(&server).await;
    assert_eq!(spa.sign_in(ALICE, PASSWORD).await.ok()["user"]["email"], ALICE);
    assert_eq!(code(&spa.sign_in(NEW, PASSWORD).await), "401 invalid_credentials");
}

#[tokio::test]
async fn s_118_no_address_stands_in_a_url() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    asks(&alice, NEW).await;
    server.deliver().await;
    for address in [NEW, ALICE] {
        let link = server.mailbox().link_for(address);
        for part in ["alice", "example.net", "example.com", "%40", "@"] {
            assert!(!link.contains(part), "{link}");
        }
        let path = link.strip_prefix(server.issuer).expect("a page of ours");
        let page = alice.browser.open(path).await;
        let done = alice.browser.press(&page, "mailed-confirm").await;
        assert!(!done.header("location").contains("example"), "{done}");
    }
}

#[tokio::test]
async fn s_119_an_address_that_was_taken_meanwhile_is_told_at_the_end() {
    let server = TestServer::start().await;
    let (alice, bob) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "bob").await);
    asks(&alice, "shared@example.net").await;
    let of_alice = token(&server, "shared@example.net", "/email-change").await;
    server.advance(Duration::from_mins(1));
    asks(&bob, "shared@example.net").await;
    let of_bob = token(&server, "shared@example.net", "/email-change").await;
    assert_eq!(confirms(&alice, &of_alice).await.ok()["email"], "shared@example.net");
    let late = confirms(&bob, &of_bob).await;
    assert_eq!((code(&late), fields(&late)), ("409 email_taken".to_owned(), vec!["email email_taken".to_owned()]));
    assert_eq!(email_of(&bob).await, "bob@example.com");
}

/// Adds an address or number by its code, and gives its id.
pub(super) async fn adds(server: &TestServer, spa: &Spa, (kind, value): (&str, &str)) -> String {
    let list = format!("/me/{kind}s");
    let added = spa.post(&list, &json!({kind: value})).await;
    assert_eq!(added.status, StatusCode::ACCEPTED, "{added}");
    let id = added.json()["id"].as_str().expect("an id").to_owned();
    server.deliver().await;
    let sent = server.mailbox().code_for(value);
    let confirmed = spa.post(&format!("{list}/{id}/confirm"), &json!({"code": sent})).await.ok();
    assert_eq!(confirmed, json!({"id": id, "value": value, "verified": true, "primary": false}));
    id
}

#[tokio::test]
async fn s_120_a_person_has_several_addresses_and_numbers_one_of_each_primary() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let values = async |kind: &str| {
        let listed = alice.get(&format!("/me/{kind}s")).await.ok();
        let items = listed["items"].as_array().expect("a list").clone();
        items.iter().map(|item| (item["value"].clone(), item["primary"] == true)).collect::<Vec<_>>()
    };
    for (kind, old, new) in [("email", ALICE, NEW), ("phone", "+493090182001", "+31612345678")] {
        let id = adds(&server, &alice, (kind, new)).await;
        assert_eq!(values(kind).await, [(json!(old), true), (json!(new), false)]);
        let primary = alice.send(Method::PUT, &format!("/me/{kind}s/{id}/primary"), None).await;
        assert_eq!(primary.status, StatusCode::NO_CONTENT, "{primary}");
        assert_eq!(values(kind).await, [(json!(new), true), (json!(old), false)]);
        assert_eq!(alice.get("/me").await.ok()[kind], new);
        let removed = alice.delete(&format!("/me/{kind}s/{id}")).await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT, "{removed}");
        assert_eq!(values(kind).await, [(json!(old), true)], "the other is primary in its place");
        assert_eq!(code(&alice.delete(&format!("/me/{kind}s/{id}")).await), "404 not_found");
    }
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.sign_in(NEW, PASSWORD).await), "401 invalid_credentials");
}

#[tokio::test]
async fn s_120_the_last_proven_one_stays() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let id = async |kind: &str| {
        alice.get(&format!("/me/{kind}s")).await.ok()["items"][0]["id"].as_str().expect("an id").to_owned()
    };
    let (email, phone) = (id("email").await, id("phone").await);
    assert_eq!(alice.delete(&format!("/me/phones/{phone}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&alice.delete(&format!("/me/emails/{email}")).await), "409 last_device");
    assert_eq!(code(&alice.delete(&format!("/me/phones/{email}")).await), "404 not_found", "it is no number");
}

#[tokio::test]
async fn s_120_who_adds_the_address_of_somebody_else_learns_nothing_and_keeps_nobody_out() {
    let server = TestServer::start().await;
    let (alice, bob) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "bob").await);
    let add = async |spa: &Spa, email: &str| spa.post("/me/emails", &json!({"email": email})).await;
    let taken = add(&alice, "bob@example.com").await;
    let free = add(&alice, "bobby@example.com").await;
    let seen = |answer: &Answer| {
        let body = answer.json();
        (
            answer.status,
            body["expires_in"].clone(),
            body["resend_after"].clone(),
            body.as_object().map(serde_json::Map::len),
        )
    };
    assert_eq!(seen(&taken), seen(&free));
    server.deliver().await;
    assert!(server.mailbox().to("bob@example.com").is_empty());
    let id = taken.json()["id"].as_str().expect("an id").to_owned();
    let guess = alice.post(&format!("/me/emails/{id}/confirm"), &json!({"code": "123456"})).await;
    assert_eq!(code(&guess), "422 wrong_code");
    assert_eq!(code(&add(&alice, ALICE).await), "409 already_verified");

    // Whoever proves an address first has it.
    server.advance(Duration::from_mins(1));
    let of_alice = add(&alice, "shared@example.net").await.json()["id"].as_str().expect("an id").to_owned();
    server.deliver().await;
    let sent = server.mailbox().code_for("shared@example.net");
    server.advance(Duration::from_mins(1));
    adds(&server, &bob, ("email", "shared@example.net")).await;
    let late = alice.post(&format!("/me/emails/{of_alice}/confirm"), &json!({"code": sent})).await;
    assert_eq!(code(&late), "409 email_taken");
    let strange = bob.post(&format!("/me/emails/{of_alice}/confirm"), &json!({"code": sent})).await;
    assert_eq!(code(&strange), "404 not_found", "what waits is its owner's");
}

#[tokio::test]
async fn s_049_a_number_is_connected_by_its_code() {
    let server = TestServer::start().await;
    let bob = Spa::signed_in(&server, "bob").await;
    let begun = bob.post("/me/phones", &json!({"phone": "+31 6 12345678"})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun}");
    assert!(!bob.get("/me/phones").await.text().contains("+31612345678"), "not before it is proven");
    let id = begun.json()["id"].as_str().expect("an id").to_owned();
    server.deliver().await;
    let sent = server.mailbox().code_for("+31612345678");
    let connected = bob.post(&format!("/me/phones/{id}/confirm"), &json!({"code": sent})).await.ok();
    assert_eq!(connected["value"], "+31612345678");
    bob.send(Method::PUT, &format!("/me/phones/{id}/primary"), None).await;
    let me = bob.get("/me").await.ok();
    assert_eq!((&me["phone"], &me["phone_verified"]), (&json!("+31612345678"), &json!(true)));
    let shop = crate::support::RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&crate::support::Browser::new(&server), "bob", "openid phone").await;
    let claims = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!((&claims["phone_number"], &claims["phone_number_verified"]), (&json!("+31612345678"), &json!(true)));
}

/// Whoever holds a number is told that somebody else has it, and nobody before they have proven it.
#[tokio::test]
async fn s_049_a_number_of_somebody_else_is_told_after_the_proof() {
    let server = TestServer::start().await;
    let bob = Spa::signed_in(&server, "bob").await;
    let begun = bob.post("/me/phones", &json!({"phone": "+493090182001"})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun}");
    let path = format!("/me/phones/{}/confirm", begun.json()["id"].as_str().expect("an id"));
    server.deliver().await;
    let sent = server.mailbox().code_for("+493090182001");
    let wrong = if sent == "000000" { "000001" } else { "000000" };
    assert_eq!(code(&bob.post(&path, &json!({"code": wrong})).await), "422 wrong_code");
    assert_eq!(code(&bob.post(&path, &json!({"code": sent})).await), "409 phone_taken");
    assert_eq!(Spa::signed_in(&server, "alice").await.get("/me").await.ok()["phone"], "+493090182001", "it stays hers");
}

#[tokio::test]
async fn s_120_contacts_need_a_fresh_sign_in() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let phone = alice.get("/me/phones").await.ok()["items"][0]["id"].as_str().expect("an id").to_owned();
    server.advance(Duration::from_secs(601));
    for (method, path, body) in [
        (Method::POST, "/me/emails".to_owned(), Some(json!({"email": NEW}))),
        (Method::POST, "/me/phones".to_owned(), Some(json!({"phone": "+31612345678"}))),
        (Method::PUT, format!("/me/phones/{phone}/primary"), None),
        (Method::DELETE, format!("/me/phones/{phone}"), None),
    ] {
        let refused = alice.send(method, &path, body.as_ref()).await;
        assert_eq!(code(&refused), "403 reauth_required", "{path}");
    }
}

#[tokio::test]
async fn s_120_a_person_changes_addresses_on_the_page() {
    let server = TestServer::start().await;
    let alice = crate::support::Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/contacts").await;
    let waits = alice.submit(page.page().form_of("add-email").fill("value", NEW)).await;
    assert_eq!(waits.page().attribute("code", "autocomplete"), "one-time-code", "{waits}");
    server.deliver().await;
    let sent = server.mailbox().code_for(NEW);
    let wrong = if sent == "000000" { "000001" } else { "000000" };
    let refused = alice.submit(waits.page().form_of("contact-confirm").fill("code", wrong)).await;
    assert_eq!(refused.page().attribute("code", "aria-describedby"), "code-mistake", "{refused}");
    let done = alice.submit(refused.page().form_of("contact-confirm").fill("code", &sent)).await;
    let user = server.user("alice").await;
    let added = user.identifiers.iter().find(|identifier| identifier.value == NEW).expect("it is hers").id;
    let done = alice.press(&done, &format!("primary-{added}")).await;
    assert!(!done.page().has(&format!("primary-{added}")), "{done}");
    let done = alice.press(&done, &format!("remove-{added}")).await;
    assert!(!done.text().contains(NEW), "{done}");
}

/// The page of the link keeps the session of its person, under another cookie, and ends the others.
#[tokio::test]
async fn s_117_the_page_keeps_its_person_signed_in() {
    let server = TestServer::start().await;
    let (alice, elsewhere) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "alice").await);
    asks(&alice, NEW).await;
    let token = token(&server, NEW, "/email-change").await;
    let before = alice.browser.cookie("symbolon_session");
    let page = alice.browser.open(&format!("/email-change?token={token}")).await;
    let done = alice.browser.press(&page, "mailed-confirm").await;
    assert!(done.page().has("notice-email_changed"), "{done}");
    assert_ne!(alice.browser.cookie("symbolon_session"), before);
    assert_eq!(email_of(&alice).await, NEW);
    assert_eq!(elsewhere.get("/session").await.ok()["user"], Value::Null);
}

/// A link that is opened where somebody else is signed in signs nobody out.
#[tokio::test]
async fn s_117_a_link_in_the_browser_of_somebody_else_leaves_them_signed_in() {
    let server = TestServer::start().await;
    let (alice, bob) = (Spa::signed_in(&server, "alice").await, Spa::signed_in(&server, "bob").await);
    asks(&alice, NEW).await;
    let confirm = token(&server, NEW, "/email-change").await;
    let undo = token(&server, ALICE, "/email-change/undo").await;
    for (path, token, notice) in
        [("/email-change", confirm, "notice-email_changed"), ("/email-change/undo", undo, "notice-email_restored")]
    {
        let page = bob.browser.open(&format!("{path}?token={token}")).await;
        let done = bob.browser.press(&page, "mailed-confirm").await;
        assert!(done.page().has(notice), "{done}");
        assert_eq!(bob.get("/session").await.ok()["user"]["username"], "bob", "{path}");
        assert_eq!(alice.get("/session").await.ok()["user"], Value::Null, "{path}");
    }
}

const THIEF: &str = "mallory@example.net";

/// The addresses of a person, and whether each is the primary one.
async fn emails(spa: &Spa) -> Vec<(Value, bool)> {
    let listed = spa.get("/me/emails").await.ok();
    let items = listed["items"].as_array().expect("a list");
    items.iter().map(|item| (item["value"].clone(), item["primary"] == true)).collect()
}

async fn id_of(server: &TestServer, value: &str) -> String {
    let user = server.user("alice").await;
    user.identifiers.iter().find(|identifier| identifier.value == value).expect("it is hers").id.to_string()
}

/// Presses the button of the undo link in the newest mail to `address`.
async fn takes_back(server: &TestServer, address: &str) {
    let undo = token(server, address, "/email-change/undo").await;
    let browser = crate::support::Browser::new(server);
    let page = browser.open(&format!("/email-change/undo?token={undo}")).await;
    let done = browser.press(&page, "mailed-confirm").await;
    assert!(done.page().has("notice-email_restored"), "{done}");
}

/// PROTOCOL A15: what is added, removed or comes first is told at every other address that is hers.
#[tokio::test]
async fn s_120_every_other_address_is_told_of_a_change() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let told = async |address: &str, kind: MessageKind| {
        server.deliver().await;
        server.mailbox().kinds_to(address).iter().filter(|sent| **sent == kind).count()
    };
    adds(&server, &alice, ("email", NEW)).await;
    assert_eq!(told(ALICE, MessageKind::ContactAdded).await, 1);
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(NEW), [MessageKind::ContactCode], "who reads it has just proven that");
    let phone = adds(&server, &alice, ("phone", "+31612345678")).await;
    assert_eq!(told(ALICE, MessageKind::ContactAdded).await, 2);
    assert_eq!(told(NEW, MessageKind::ContactAdded).await, 1);
    let path = format!("/me/phones/{phone}");
    let primary = async || alice.send(Method::PUT, &format!("{path}/primary"), None).await.status;
    assert_eq!(primary().await, StatusCode::NO_CONTENT);
    assert_eq!(primary().await, StatusCode::NO_CONTENT, "it is");
    assert_eq!(alice.delete(&path).await.status, StatusCode::NO_CONTENT);
    for address in [ALICE, NEW] {
        assert_eq!(told(address, MessageKind::ContactPrimary).await, 1, "{address}");
        assert_eq!(told(address, MessageKind::ContactRemoved).await, 1, "{address}");
        assert_eq!(told(address, MessageKind::EmailChangeNotice).await, 0, "{address}");
    }
    server.advance(Duration::from_secs(1));
    let new = id_of(&server, NEW).await;
    assert_eq!(alice.delete(&format!("/me/emails/{new}")).await.status, StatusCode::NO_CONTENT);
    for address in [ALICE, NEW] {
        assert_eq!(told(address, MessageKind::ContactRemoved).await, 2, "{address}");
    }
}

/// S-075, S-116, PROTOCOL A15: another address that comes first is a change of the address.
#[tokio::test]
async fn s_116_the_old_address_takes_back_that_another_comes_first() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&alice.browser, "alice", "openid offline_access").await;
    server.advance(Duration::from_hours(1));
    let thief = Spa::signed_in(&server, "alice").await;
    let cookie = thief.browser.cookie("symbolon_session");
    let id = adds(&server, &thief, ("email", THIEF)).await;
    assert_eq!(alice.get("/session").await.ok()["user"]["username"], "alice");
    server.advance(Duration::from_mins(1));
    let primary = thief.send(Method::PUT, &format!("/me/emails/{id}/primary"), None).await;
    assert_eq!(primary.status, StatusCode::NO_CONTENT, "{primary}");
    assert_eq!(alice.get("/session").await.ok()["user"], Value::Null, "everything elsewhere has ended");
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(shop.refresh(refresh).await.error(), "400 invalid_grant");
    assert_eq!(email_of(&thief).await, THIEF, "who acts stays");
    assert_eq!(thief.browser.cookie("symbolon_session"), cookie);
    server.deliver().await;
    assert!(server.mailbox().kinds_to(ALICE).contains(&MessageKind::EmailChangeNotice));

    takes_back(&server, ALICE).await;
    assert_eq!(thief.get("/session").await.ok()["user"], Value::Null);
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(emails(&alice).await, [(json!(ALICE), true)]);
}

#[tokio::test]
async fn s_116_the_old_address_takes_its_removal_back() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    adds(&server, &alice, ("email", NEW)).await;
    server.advance(Duration::from_hours(1));
    let thief = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_mins(1));
    let old = id_of(&server, ALICE).await;
    assert_eq!(thief.delete(&format!("/me/emails/{old}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get("/session").await.ok()["user"], Value::Null, "everything elsewhere has ended");
    assert_eq!(emails(&thief).await, [(json!(NEW), true)]);
    takes_back(&server, ALICE).await;
    assert_eq!(thief.get("/session").await.ok()["user"], Value::Null);
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(emails(&alice).await, [(json!(ALICE), true), (json!(NEW), false)], "what she had before stays");
}

#[tokio::test]
async fn s_116_a_change_on_the_page_ends_everything_elsewhere_and_is_told() {
    let server = TestServer::start().await;
    let spa = Spa::signed_in(&server, "alice").await;
    let added = adds(&server, &spa, ("email", NEW)).await;
    server.advance(Duration::from_mins(1));
    let alice = crate::support::Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/contacts").await;
    let done = alice.press(&page, &format!("primary-{added}")).await;
    assert!(!done.page().has(&format!("primary-{added}")), "{done}");
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null);
    let old = id_of(&server, ALICE).await;
    let done = alice.press(&done, &format!("remove-{old}")).await;
    assert!(!done.text().contains(ALICE), "{done}");
    server.deliver().await;
    let kinds = server.mailbox().kinds_to(ALICE);
    for kind in [MessageKind::ContactAdded, MessageKind::EmailChangeNotice, MessageKind::ContactRemoved] {
        assert!(kinds.contains(&kind), "{kind:?}: {kinds:?}");
    }
}
