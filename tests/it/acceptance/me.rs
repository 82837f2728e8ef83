//! The person's own account: S-001, S-014, S-019, S-021, S-022.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::account::settings::{Presence, SignUp};
use symbolon::config::Config;
use symbolon::model::message::MessageKind;

use crate::acceptance::admin::Admin;
use crate::acceptance::registration::registers;
use crate::support::answer::{Answer, code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

const ALICE: &str = "alice@example.com";

async fn changes(spa: &Spa, body: &Value) -> Answer {
    spa.send(Method::PATCH, "/me", Some(body)).await
}

#[tokio::test]
async fn s_001_a_person_sees_themselves() {
    let server = TestServer::start().await;
    assert_eq!(code(&Spa::open(&server).await.get("/me").await), "401 sign_in_required");
    let ada = Spa::signed_in(&server, "ada").await;
    let me = ada.get("/me").await.ok();
    assert_eq!(me["id"], server.user("ada").await.id.to_string());
    assert_eq!((&me["staff"], &me["roles"], &me["groups"]), (&json!(true), &json!(["owner"]), &json!([])));
    assert_eq!((&me["first_name"], &me["last_name"]), (&json!("Ada"), &json!("Example")));
    assert_eq!(me, ada.get("/session").await.ok()["user"]);
    server.settled().await;
    assert_eq!(ada.get("/me").await.ok()["last_sign_in_at"], "2027-01-15T08:00:00Z");
}

#[tokio::test]
async fn s_014_a_person_changes_what_their_account_says() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let changed = changes(&alice, &json!({"first_name": " Alicia ", "nickname": "Al", "last_name": null})).await.ok();
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&json!("Alicia"), &Value::Null));
    assert_eq!(alice.get("/me").await.ok(), changed);
    for (body, mistakes) in [
        (json!({"email": "other@example.net"}), vec!["email verification_required"]),
        (json!({"phone": "+31612345678"}), vec!["phone verification_required"]),
        (json!({"password": "x"}), vec!["password unknown_field"]),
        (json!({"id": "x", "role": "owner"}), vec!["id unknown_field", "role unknown_field"]),
        (
            json!({"first_name": 1, "website": "javascript:alert(1)"}),
            vec!["first_name wrong_type", "website invalid_value"],
        ),
        (json!({"nickname": "x".repeat(256)}), vec!["nickname too_long"]),
    ] {
        let refused = changes(&alice, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        assert_eq!(fields(&refused), mistakes, "{body}");
    }
    let same = changes(&alice, &json!({"email": "Alice@Example.com"})).await.ok();
    assert_eq!(same["email"], ALICE, "what is proven may be named");
    assert!(!alice.get("/me").await.text().contains("password"));
}

/// A change is made as one or not at all.
#[tokio::test]
async fn s_014_a_name_that_is_taken_changes_nothing_else() {
    let configure = |config: &mut Config| config.registration.username = Presence::Optional;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let alice = Spa::signed_in(&server, "alice").await;
    let admin = Admin::owner(&server).await;
    server.settled().await;
    let before = alice.get("/me").await.ok();
    let both = |username: &str| json!({"username": username, "first_name": "Alicia", "last_name": "Beispiel"});
    let refused = changes(&alice, &both("Bob")).await;
    assert_eq!((refused.status.as_u16(), fields(&refused)), (409, vec!["username username_taken".to_owned()]));
    assert_eq!(alice.get("/me").await.ok(), before);
    let path = format!("/users/{}", server.user("alice").await.id);
    let refused = admin.patch(&path, &both("bob")).await;
    assert_eq!(fields(&refused), ["username username_taken"], "{refused}");
    assert_eq!(alice.get("/me").await.ok(), before);

    let changed = changes(&alice, &both("alicia")).await.ok();
    assert_eq!((&changed["username"], &changed["first_name"]), (&json!("alicia"), &json!("Alicia")));
    assert_eq!(changed["last_name"], "Beispiel");
    assert_eq!(alice.get("/me").await.ok(), changed);
    let found = admin.get("/users?q=alicia").await.ok();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "and is found by it: {found}");
    let name = changes(&alice, &json!({"username": "alice"})).await.ok();
    assert_eq!((&name["username"], &name["first_name"]), (&json!("alice"), &json!("Alicia")));
}

#[tokio::test]
async fn s_014_apps_see_the_change() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid profile").await;
    let alice = Spa::signed_in(&server, "alice").await;
    changes(&alice, &json!({"first_name": "Alicia"})).await.ok();
    let userinfo = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!((&userinfo["given_name"], &userinfo["name"]), (&json!("Alicia"), &json!("Alicia Example")));
}

fn attributes(config: &mut Config) {
    config.account.attributes = serde_json::from_value(json!([
        {"name": "company", "claim": "org"},
        {"name": "plan", "visibility": "visible"},
        {"name": "note", "visibility": "hidden", "claim": "note_of_us"},
    ]))
    .expect("attributes");
}

#[tokio::test]
async fn s_012_an_attribute_is_changed_and_told_to_apps_by_its_claim() {
    let server = TestServer::with(Setup { configure: attributes, ..Setup::default() }).await;
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert!(metadata["claims_supported"].as_array().is_some_and(|claims| claims.contains(&json!("org"))));
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(changes(&alice, &json!({"company": "Acme"})).await.ok()["company"], "Acme");
    for fixed in ["plan", "note"] {
        assert_eq!(fields(&changes(&alice, &json!({fixed: "x"})).await), [format!("{fixed} unknown_field")]);
    }
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid profile").await;
    let userinfo = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!((&userinfo["org"], userinfo.get("note_of_us")), (&json!("Acme"), None));
    assert_eq!(changes(&alice, &json!({"company": null})).await.ok()["company"], Value::Null);
}

async fn suspends(admin: &Admin, server: &TestServer, login: &str) {
    let path = format!("/users/{}/state", server.user(login).await.id);
    assert_eq!(admin.put(&path, Some(&json!({"state": "disabled"}))).await.status, StatusCode::OK, "{login}");
}

#[tokio::test]
async fn s_019_what_an_administrator_switched_off_nobody_else_switches_on() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "bob", "openid offline_access").await;
    let bob = Spa::signed_in(&server, "bob").await;
    let spa = Spa::open(&server).await;
    let reset = json!({"identifier": "bob@example.com", "channel": "email_code"});
    let flow = spa.post("/password-resets", &reset).await.ok()["flow"].clone();
    server.deliver().await;
    let sent = server.mailbox().code_for("bob@example.com");
    suspends(&Admin::owner(&server).await, &server, "bob").await;

    assert!(!shop.is_active(tokens["access_token"].as_str().expect("a token")).await);
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(shop.refresh(refresh).await.error(), "400 invalid_grant");
    assert_eq!(bob.get("/session").await.ok()["user"], Value::Null);
    let late = json!({"flow": flow, "code": sent, "password": "another battery staple horse"});
    assert_eq!(code(&spa.post("/password-resets/confirm", &late).await), "410 flow_invalid", "what was sent is void");
    assert_eq!(code(&spa.sign_in("bob", PASSWORD).await), "403 account_disabled");
}

/// Whatever was on its way to somebody, and whatever they do after it.
#[tokio::test]
async fn s_019_nothing_that_was_sent_opens_an_account_that_is_switched_off() {
    let by_link = |config: &mut Config| config.registration.mode = SignUp::Link;
    let server = TestServer::with(Setup { configure: by_link, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    // One that waits for its activation, and one that is in use.
    spa.post("/registrations", &json!({"email": "carol@example.net", "password": PASSWORD})).await.ok();
    server.deliver().await;
    let activation = server.mailbox().link_for("carol@example.net");
    let token = |link: &str| link.split_once("token=").expect("a link").1.to_owned();
    spa.post("/password-resets", &json!({"identifier": "bob@example.com"})).await.ok();
    server.deliver().await;
    let reset = server.mailbox().link_for("bob@example.com");
    let sign_in = json!({"method": "email_code", "identifier": "bob@example.com"});
    let flow = spa.post("/sign-in", &sign_in).await.ok()["flow"].clone();
    server.deliver().await;
    let sent = server.mailbox().code_for("bob@example.com");
    let admin = Admin::owner(&server).await;
    for login in ["bob", "carol@example.net"] {
        suspends(&admin, &server, login).await;
    }

    let activate = spa.post("/registrations/activate", &json!({"token": token(&activation)})).await;
    assert_eq!(code(&activate), "410 activation_link_invalid");
    let new = json!({"token": token(&reset), "password": "another battery staple horse"});
    assert_eq!(code(&spa.post("/password-resets/confirm", &new).await), "410 password_reset_link_invalid");
    let answer = json!({"flow": flow, "type": "email_code", "value": sent});
    assert_eq!(spa.post("/sign-in/challenge", &answer).await.status, StatusCode::UNAUTHORIZED);
    server.advance(Duration::from_mins(2));
    let before = server.mailbox().messages().len();
    for login in ["bob@example.com", "carol@example.net"] {
        spa.post("/password-resets", &json!({"identifier": login})).await.of(StatusCode::ACCEPTED);
        let sign_in = json!({"method": "email_code", "identifier": login});
        spa.post("/sign-in", &sign_in).await.of(StatusCode::ACCEPTED);
        assert_eq!(code(&spa.sign_in(login, PASSWORD).await), "403 account_disabled", "{login}: and not pending");
    }
    server.deliver().await;
    assert_eq!(server.mailbox().messages().len(), before, "and nothing more is sent");
}

#[tokio::test]
async fn s_021_an_account_is_closed_at_once_and_comes_back_by_its_link() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let alice = Spa::signed_in(&server, "alice").await;
    let closed = alice.delete("/me").await;
    assert_eq!(
        (closed.status, closed.json()["purge_at"].as_str()),
        (StatusCode::ACCEPTED, Some("2027-01-29T08:00:00Z"))
    );
    assert_eq!(alice.get("/session").await.ok()["user"], Value::Null);
    assert!(!shop.is_active(tokens["access_token"].as_str().expect("a token")).await);
    assert_eq!(code(&alice.sign_in("alice", PASSWORD).await), "403 account_disabled");
    let stranger = Spa::open(&server).await;
    stranger.post("/password-resets", &json!({"identifier": ALICE})).await.ok();
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::AccountDeletion]);

    server.advance(Duration::from_hours(13 * 24));
    server.provider().accounts.purge_accounts().await.expect("nothing is due");
    let link = server.mailbox().link_for(ALICE);
    let browser = Browser::new(&server);
    let page = browser.open(link.strip_prefix(server.issuer).expect("a page of ours")).await;
    let back = browser.press(&page, "mailed-confirm").await;
    assert!(back.page().has("notice-restored"), "{back}");
    assert_eq!(alice.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_021_after_the_grace_the_account_is_gone_and_its_id_is_never_given_again() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let id = alice.get("/me").await.ok()["id"].clone();
    assert_eq!(alice.delete("/me").await.status, StatusCode::ACCEPTED);
    server.deliver().await;
    let link = server.mailbox().link_for(ALICE);
    server.advance(Duration::from_hours(14 * 24));
    server.provider().accounts.purge_accounts().await.expect("purged");
    let late = server.get(link.strip_prefix(server.issuer).expect("a page of ours")).await;
    assert_eq!(late.status, StatusCode::GONE, "{late}");
    assert_eq!(code(&alice.sign_in("alice", PASSWORD).await), "401 invalid_credentials");
    let again = registers(&server, &alice, &json!({"email": ALICE, "password": PASSWORD})).await;
    assert_ne!(json!(again), id);
}

#[tokio::test]
async fn s_021_an_operator_may_give_no_grace() {
    let configure = |config: &mut Config| config.account.deletion_grace = Duration::ZERO;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(alice.delete("/me").await.status, StatusCode::ACCEPTED);
    assert_eq!(code(&alice.sign_in("alice", PASSWORD).await), "401 invalid_credentials", "nobody is there");
    server.deliver().await;
    assert!(!server.mailbox().last_to(ALICE).text.contains("/account/restore"), "nothing to take back");
}

#[tokio::test]
async fn s_021_the_end_needs_a_fresh_sign_in() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    server.advance(Duration::from_secs(601));
    assert_eq!(code(&alice.delete("/me").await), "403 reauth_required");
    assert_eq!(code(&alice.post("/me/export", &json!({})).await), "403 reauth_required");
    assert_eq!(alice.get("/me").await.ok()["active"], true);
}

#[tokio::test]
async fn s_022_a_person_takes_their_data_along_once() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    shop.tokens(&Browser::new(&server), "alice", "openid email").await;
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(alice.post("/me/export", &json!({})).await.status, StatusCode::ACCEPTED);
    assert_eq!(code(&alice.post("/me/export", &json!({})).await), "429 code_recently_sent");
    let provider = server.provider();
    provider.accounts.make_exports(&provider.vault).await.expect("made");
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to(ALICE), [MessageKind::ExportReady]);
    let link = server.mailbox().link_for(ALICE);
    let path = link.strip_prefix(server.issuer).expect("a page of ours").to_owned();
    let browser = Browser::new(&server);
    let page = browser.open(&path).await;
    let file = browser.press(&page, "mailed-confirm").await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"my-data.json\"");
    let data = file.ok();
    assert_eq!(data["profile"]["given_name"], "Alice");
    assert_eq!(data["identifiers"].as_array().map(Vec::len), Some(3), "{data}");
    assert!(data["sessions"].as_array().is_some_and(|sessions| sessions.len() == 2), "{data}");
    assert_eq!(data["grants"][0]["client_id"], "shop");
    assert!(data["history"].as_array().is_some_and(|history| !history.is_empty()), "{data}");
    for secret in ["argon2", "\"password\":", "token_hash"] {
        assert!(!file.text().contains(secret), "{secret}");
    }
    assert_eq!(browser.open(&path).await.status, StatusCode::GONE, "once");
}

#[tokio::test]
async fn s_022_the_link_is_good_for_a_day() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    alice.post("/me/export", &json!({})).await;
    let provider = server.provider();
    provider.accounts.make_exports(&provider.vault).await.expect("made");
    server.deliver().await;
    let link = server.mailbox().link_for(ALICE);
    server.advance(Duration::from_hours(24));
    let late = server.get(link.strip_prefix(server.issuer).expect("a page of ours")).await;
    assert_eq!(late.status, StatusCode::GONE, "{late}");
}

#[tokio::test]
async fn s_014_a_person_changes_their_profile_on_the_page() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/profile").await;
    for (field, autocomplete) in [("first_name", "given-name"), ("last_name", "family-name"), ("birthdate", "bday")] {
        assert_eq!(page.page().attribute(field, "autocomplete"), autocomplete);
    }
    let form = page.page().form_of("profile-submit").fill("first_name", "Alicia");
    let kept = alice.submit(form.clone()).await;
    assert!(kept.page().has("profile-kept"), "{kept}");
    assert_eq!(kept.page().attribute("first_name", "value"), "Alicia");
    let refused = alice.submit(form.fill("website", "nonsense")).await;
    assert_eq!(refused.page().attribute("website", "aria-describedby"), "website-mistake", "{refused}");
}

#[tokio::test]
async fn s_021_a_person_ends_their_account_on_the_page() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/data").await;
    let unsure = alice.press(&page, "delete").await;
    assert!(unsure.page().has("delete"), "nothing happens without the tick: {unsure}");
    let form = unsure.page().form_of("delete").fill("sure", "true");
    let closed = alice.submit(form).await;
    assert!(closed.page().has("notice-deleted"), "{closed}");
    assert!(alice.open("/account").await.page().has("login-submit"), "signed out");
}
