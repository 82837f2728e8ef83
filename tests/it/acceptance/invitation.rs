//! S-016: who was asked in sets their account up.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::model::invitation::Inviters;
use symbolon::model::message::MessageKind;
use symbolon::model::user::Role;

use super::admin::{Admin, SCOPE, set_role};
use super::groups::registered;
use crate::support::answer::{Answer, code, fields, parameters};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

const CAROL: &str = "carol@example.net";

/// The path of the link in the newest message.
async fn link(server: &TestServer, address: &str) -> String {
    server.deliver().await;
    let link = server.mailbox().link_for(address);
    link.strip_prefix(server.issuer).unwrap_or_else(|| panic!("not a page of ours: {link}")).to_owned()
}

async fn token(server: &TestServer, address: &str) -> String {
    let link = link(server, address).await;
    assert!(link.starts_with("/invitation?token="), "{link}");
    parameters(&format!("http://localhost{link}")).remove(0).1
}

async fn accepts(spa: &Spa, token: &str, more: &Value) -> Answer {
    let mut body = json!({"token": token, "password": PASSWORD});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    spa.post("/invitations/accept", &body).await
}

/// Ada, who operates the server, in an app of the first party.
async fn ada(server: &TestServer) -> Spa {
    Spa::signed_in(server, "ada").await
}

#[tokio::test]
async fn s_016_who_was_invited_sets_up_the_account() {
    fn closed(config: &mut Config) {
        config.registration.mode = SignUp::Off;
    }
    let server = TestServer::with(Setup { configure: closed, ..Setup::default() }).await;
    let ada = ada(&server).await;
    let made = ada.post("/invitations", &json!({"email": CAROL, "first_name": "Carol"})).await;
    assert_eq!(made.status, 201, "{made}");
    let made = made.json();
    assert_eq!(
        (&made["state"], &made["is_registering"], &made["invited_by"], &made["role"]),
        (&json!("waiting"), &json!(true), &json!(server.user("ada").await.id.to_string()), &json!("member"))
    );
    let token = token(&server, CAROL).await;
    assert_eq!(server.mailbox().kinds_to(CAROL), [MessageKind::Invitation]);
    let spa = Spa::open(&server).await;
    let seen = spa.post("/invitations/inspect", &json!({"token": token})).await.ok();
    assert_eq!((&seen["email"], &seen["first_name"]), (&json!(CAROL), &json!("Carol")));
    assert_eq!(code(&spa.sign_in(CAROL, PASSWORD).await), "401 invalid_credentials", "there is no account yet");

    let weak = accepts(&spa, &token, &json!({"password": "short1"})).await;
    assert!(fields(&weak).contains(&"password password_too_short".to_owned()), "the invitation stays good: {weak}");
    let account = accepts(&spa, &token, &json!({"last_name": "Jones", "sign_in": true})).await;
    assert_eq!(account.status, 201, "{account}");
    let me = spa.get("/me").await.ok();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!(CAROL), &json!(true)));
    assert_eq!((&me["first_name"], &me["last_name"]), (&json!("Carol"), &json!("Jones")));
    assert_eq!(code(&accepts(&spa, &token, &json!({})).await), "410 invitation_invalid");
    assert_eq!(code(&spa.post("/invitations/inspect", &json!({"token": token})).await), "410 invitation_invalid");

    let listed = ada.get("/invitations").await.ok();
    let only = &listed["items"][0];
    assert_eq!((&only["state"], &only["is_registering"]), (&json!("accepted"), &json!(false)));
    assert_eq!(only["user_id"], me["id"]);
}

#[tokio::test]
async fn s_016_the_page_makes_the_account_and_signs_in() {
    let server = TestServer::start().await;
    let console = RelyingParty::of(&server, registered("console", "openid admin")).await;
    let admin = Admin::by(&server, &console, ("ada", SCOPE)).await;
    assert_eq!(admin.post("/groups", &json!({"name": "staff"})).await.status, 201);
    let body = json!({"email": CAROL, "first_name": "Carol", "groups": ["/staff"], "locale": "de"});
    assert_eq!(admin.post("/invitations", &body).await.status, 201);
    let link = link(&server, CAROL).await;
    assert!(server.mailbox().last_to(CAROL).text.contains("eingeladen"), "in the language of the invited");
    let browser = Browser::new(&server);
    for _ in 0..3 {
        // Scanners open links.
        assert!(browser.get(&link).await.page().has("invitation-submit"));
    }
    let page = browser.open(&link).await;
    assert_eq!(page.page().attribute("first_name", "value"), "Carol");
    assert_eq!(page.page().words("#invitation-address"), CAROL);
    let form = page.page().form_of("invitation-submit");
    let bare = browser.submit(form.clone()).await;
    assert_eq!((bare.status.as_u16(), bare.page().has("password-mistake")), (422, true), "{bare}");
    let account = browser.submit(form.clone().fill("password", PASSWORD)).await;
    assert!(account.page().has("sign-out"), "{account}");
    let again = browser.submit(form.fill("password", PASSWORD)).await;
    assert_eq!(again.status, 410, "{again}");
    let spa = Spa::open(&server).await;
    spa.sign_in(CAROL, PASSWORD).await.ok();
    let groups = spa.get("/me").await.ok()["groups"].clone();
    assert!(groups.to_string().contains("staff"), "{groups}");
}

#[tokio::test]
async fn s_016_an_invitation_runs_out_and_can_be_taken_back() {
    let server = TestServer::start().await;
    let (ada, spa) = (ada(&server).await, Spa::open(&server).await);
    let made = ada.post("/invitations", &json!({"email": CAROL})).await.json();
    let first = token(&server, CAROL).await;
    let path = format!("/invitations/{}", made["id"].as_str().expect("an id"));
    assert_eq!(code(&Spa::signed_in(&server, "alice").await.delete(&path).await), "404 not_found", "not hers");
    assert_eq!(ada.delete(&path).await.status, 204);
    assert_eq!(code(&ada.delete(&path).await), "404 not_found");
    assert_eq!(code(&accepts(&spa, &first, &json!({})).await), "410 invitation_invalid");

    server.advance(Duration::from_mins(1));
    ada.post("/invitations", &json!({"email": CAROL})).await;
    let second = token(&server, CAROL).await;
    assert_eq!(code(&ada.post("/invitations", &json!({"email": CAROL})).await), "429 code_recently_sent");
    server.advance(Duration::from_mins(1));
    assert_eq!(ada.post("/invitations", &json!({"email": CAROL})).await.status, 201);
    let third = token(&server, CAROL).await;
    assert_eq!(code(&accepts(&spa, &second, &json!({})).await), "410 invitation_invalid", "another took its place");
    assert_eq!(spa.post("/invitations/inspect", &json!({"token": third})).await.status, 200);
    server.advance(Duration::from_hours(7 * 24));
    assert_eq!(code(&accepts(&spa, &third, &json!({})).await), "410 invitation_invalid");
    let states: Vec<Value> = Spa::signed_in(&server, "ada").await.get("/invitations").await.ok()["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states, ["expired", "revoked", "revoked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_016_a_hundred_at_once_make_one_account() {
    let server = TestServer::start().await;
    ada(&server).await.post("/invitations", &json!({"email": CAROL})).await;
    let token = token(&server, CAROL).await;
    let spas = join_all((0..10).map(|_| Spa::open(&server))).await;
    let answers = join_all((0..100).map(|number| {
        let spa = &spas[number % spas.len()];
        let body = json!({"token": token});
        async move { spa.post("/invitations/accept", &body).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert!(["410 invitation_invalid", "409 email_taken"].contains(&code(answer).as_str()), "{answer}");
    }
}

#[tokio::test]
async fn s_016_who_may_invite_is_the_operators_choice() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(code(&alice.post("/invitations", &json!({"email": CAROL})).await), "403 invite_not_allowed");
    let nobody = Spa::open(&server).await;
    assert_eq!(code(&nobody.post("/invitations", &json!({"email": CAROL})).await), "401 sign_in_required");

    let by_nobody = |config: &mut Config| config.registration.invitations = Inviters::Nobody;
    let server = TestServer::with(Setup { configure: by_nobody, ..Setup::default() }).await;
    let refused = ada(&server).await.post("/invitations", &json!({"email": CAROL})).await;
    assert_eq!(code(&refused), "403 invite_not_allowed");

    let by_everybody = |config: &mut Config| config.registration.invitations = Inviters::Everybody;
    let server = TestServer::with(Setup { configure: by_everybody, ..Setup::default() }).await;
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(alice.post("/invitations", &json!({"email": CAROL})).await.status, 201);
    // She learns nothing of who has an account; the owner of the address does.
    let known = alice.post("/invitations", &json!({"email": "bob@example.com"})).await;
    assert_eq!((known.status.as_u16(), &known.json()["state"]), (201, &json!("waiting")));
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("bob@example.com"), [MessageKind::AccountExists]);
    let token = token(&server, CAROL).await;
    drop(alice);
    let server = server.restarted(by_nobody).await;
    let refused = Spa::new(&server).post("/invitations/inspect", &json!({"token": token})).await;
    assert_eq!(code(&refused), "410 invitation_invalid", "nobody may invite any more");
}

/// PROTOCOL O6: nobody gives more than they have, and what they may give is looked at again when it is taken.
#[tokio::test]
async fn s_016_nobody_gives_more_than_they_have() {
    let server = TestServer::start().await;
    set_role(&server, "bob", Role::UserSupport).await;
    let console = RelyingParty::of(&server, registered("console", "openid admin")).await;
    let support = Admin::by(&server, &console, ("bob", SCOPE)).await;
    let owner = Admin::by(&server, &console, ("ada", SCOPE)).await;
    owner.post("/groups", &json!({"name": "staff"})).await;
    for above in [json!({"role": "user-support"}), json!({"role": "owner"}), json!({"groups": ["staff"]})] {
        server.advance(Duration::from_mins(2));
        let support = Admin::by(&server, &console, ("bob", SCOPE)).await;
        let mut body = json!({"email": CAROL});
        body.as_object_mut().expect("an object").extend(above.as_object().expect("an object").clone());
        assert_eq!(code(&support.post("/invitations", &body).await), "403 forbidden", "{above}");
    }
    server.advance(Duration::from_mins(2));
    assert_eq!(code(&support.post("/invitations", &json!({"email": "alice@example.com"})).await), "409 email_taken");
    let owner = Admin::by(&server, &console, ("ada", SCOPE)).await;
    let made = owner.post("/invitations", &json!({"email": CAROL, "role": "admin"})).await;
    assert_eq!(made.status, 201, "{made}");
    let path = format!("/invitations/{}", made.json()["id"].as_str().expect("an id"));
    assert_eq!(owner.get(&path).await.json()["role"], "admin");
    assert_eq!(code(&support.delete(&path).await), "403 forbidden", "it is above them");
    let token = token(&server, CAROL).await;
    // Who invited has the rank no longer.
    set_role(&server, "alice", Role::Owner).await;
    set_role(&server, "ada", Role::UserSupport).await;
    assert_eq!(code(&accepts(&Spa::open(&server).await, &token, &json!({})).await), "410 invitation_invalid");
    set_role(&server, "ada", Role::Owner).await;
    assert_eq!(accepts(&Spa::open(&server).await, &token, &json!({})).await.status, 201);
    let carol = server.store().find_users(&symbolon::edge::store::UserQuery {
        sort: symbolon::edge::store::UserSort::Created { after: None },
        role: Some(Role::Admin),
        state: None,
        group: None,
        search: None,
        limit: 10,
    });
    assert_eq!(carol.await.expect("read").len(), 1);
}

#[tokio::test]
async fn s_016_a_phone_is_invited_by_text_message() {
    let server = TestServer::start().await;
    let ada = ada(&server).await;
    let made = ada.post("/invitations", &json!({"phone": "+31 6 12345678"})).await;
    assert_eq!((made.status.as_u16(), &made.json()["phone"]), (201, &json!("+31612345678")));
    let token = token(&server, "+31612345678").await;
    let spa = Spa::open(&server).await;
    let account = accepts(&spa, &token, &json!({"sign_in": true})).await;
    assert_eq!((account.status.as_u16(), &account.json()["phone"]), (201, &json!("+31612345678")));
    assert_eq!(spa.get("/me").await.ok()["phone_verified"], true);
    for (bad, mistake) in [
        (json!({}), "email invalid_value"),
        (json!({"email": "x"}), "email invalid_value"),
        (json!({"phone": "12"}), "phone invalid_value"),
        (json!({"email": CAROL, "phone": "+31612345679"}), "phone invalid_value"),
    ] {
        let refused = ada.send(Method::POST, "/invitations", Some(&bad)).await;
        assert_eq!(fields(&refused), [mistake], "{bad}");
        server.advance(Duration::from_mins(2));
    }
}

/// The form of the page, filled in and sent.
async fn invites(browser: &Browser, contact: &str) -> Answer {
    let page = browser.open("/account/invitations").await;
    let form = page.page().form_of("invite-submit").fill("contact", contact).fill("first_name", "Carol");
    browser.submit(form).await
}

#[tokio::test]
async fn s_016_the_account_page_invites_and_takes_back() {
    let server = TestServer::start().await;
    let ada = Browser::signed_in(&server, "ada").await;
    let account = ada.open("/account").await.page();
    assert!(account.has("console-invitations"), "who may invite is led there");
    let sent = invites(&ada, CAROL).await.page();
    assert!(sent.has("invitation-sent"), "{}", sent.text);
    assert!(sent.text.contains(CAROL) && sent.text.contains("Waiting") && sent.text.contains("Carol"));
    let link = link(&server, CAROL).await;
    assert_eq!(server.mailbox().kinds_to(CAROL), [MessageKind::Invitation]);
    let carol = Browser::new(&server);
    assert!(carol.open(&link).await.page().has("invitation-submit"), "the link is good");

    let listed = Spa::signed_in(&server, "ada").await.get("/invitations").await.ok();
    let id = listed["items"][0]["id"].as_str().expect("an id").to_owned();
    let page = ada.open("/account/invitations").await;
    let after = ada.press(&page, &format!("revoke-{id}")).await.page();
    assert!(after.text.contains("Taken back") && !after.has(&format!("revoke-{id}")));
    assert_eq!(carol.open(&link).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn s_016_the_account_page_says_what_is_wrong() {
    let server = TestServer::start().await;
    let ada = Browser::signed_in(&server, "ada").await;
    for (contact, words) in [
        ("", "This is needed."),
        ("carol@", "no email address"),
        ("12", "with its country"),
        ("alice@example.com", "has an account"),
    ] {
        let answer = invites(&ada, contact).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{contact}");
        let said = answer.page().words("#contact-mistake");
        assert!(said.contains(words), "{contact}: {said}");
    }
    invites(&ada, CAROL).await;
    let again = invites(&ada, CAROL).await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS, "one message a minute");
}

#[tokio::test]
async fn s_016_who_may_not_invite_is_not_led_there_and_cannot() {
    let server = TestServer::start().await;
    let ada = Browser::signed_in(&server, "ada").await;
    invites(&ada, CAROL).await;
    let listed = Spa::signed_in(&server, "ada").await.get("/invitations").await.ok();
    let id = listed["items"][0]["id"].as_str().expect("an id").to_owned();

    let alice = Browser::signed_in(&server, "alice").await;
    assert!(!alice.open("/account").await.page().has("console-invitations"));
    let page = alice.open("/account/invitations").await.page();
    assert!(!page.has("invite-submit") && !page.text.contains(CAROL));
    let token = alice.open("/account").await.page().form_of("sign-out").fields.remove(0).1;
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let form = [field("csrf", &token), field("do", "invite"), field("contact", "dave@example.net")];
    assert_eq!(alice.post("/account/invitations", &form).await.status, StatusCode::FORBIDDEN);
    // Somebody else's is not there for her.
    let form = [field("csrf", &token), field("do", "revoke"), field("id", &id)];
    assert_eq!(alice.post("/account/invitations", &form).await.status, StatusCode::NOT_FOUND);
    let form = [field("csrf", "wrong"), field("do", "revoke"), field("id", &id)];
    assert_eq!(ada.post("/account/invitations", &form).await.status, StatusCode::BAD_REQUEST);
    server.deliver().await;
    assert!(server.mailbox().kinds_to("dave@example.net").is_empty());
    let still = Spa::signed_in(&server, "ada").await.get("/invitations").await.ok();
    assert_eq!(still["items"][0]["state"], "waiting");
}

/// Where everybody may invite, nobody learns by it who has an account.
#[tokio::test]
async fn s_016_where_everybody_invites_every_address_looks_the_same() {
    fn open(config: &mut Config) {
        config.registration.invitations = Inviters::Everybody;
    }
    let server = TestServer::with(Setup { configure: open, ..Setup::default() }).await;
    let alice = Browser::signed_in(&server, "alice").await;
    for contact in [CAROL, "bob@example.com"] {
        let answer = invites(&alice, contact).await;
        assert!(answer.page().has("invitation-sent"), "{contact}: {answer}");
    }
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("bob@example.com"), [MessageKind::AccountExists]);
}
