//! S-100, S-114: who needs a second factor, and who takes one away.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon::config::Config;
use symbolon::model::message::MessageKind;
use symbolon::model::user::Role;

use super::admin::{Admin, SCOPE, set_role};
use super::groups::registered;
use super::second_factor::{CodeApp, enrol, with_code_app};
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Browser, RelyingParty, TestServer};

async fn admin(server: &TestServer, login: &str) -> (RelyingParty, Admin) {
    let console = RelyingParty::of(server, registered("console", "openid admin")).await;
    let admin = Admin::by(server, &console, (login, SCOPE)).await;
    (console, admin)
}

/// By group: who is in one, or in one within it.
#[tokio::test]
async fn s_100_a_group_wants_a_second_factor_of_its_members() {
    let server = TestServer::start().await;
    let (_, admin) = admin(&server, "ada").await;
    let staff = admin.post("/groups", &json!({"name": "staff"})).await.json();
    let within = json!({"name": "night", "parent_id": staff["id"]});
    let night = admin.post("/groups", &within).await.json();
    let (staff_id, night_id) = (staff["id"].as_str().expect("an id"), night["id"].as_str().expect("an id"));
    let bob = server.user("bob").await.id;
    assert_eq!(admin.put(&format!("/groups/{night_id}/members/{bob}"), None).await.status, 204);

    let shop = RelyingParty::web(&server, "shop").await;
    let before = Browser::new(&server);
    shop.tokens(&before, "bob", "openid").await;
    let required = admin.patch(&format!("/groups/{staff_id}"), &json!({"second_factor_required": true})).await;
    assert_eq!(required.status, 200, "{required}");
    assert_ne!(required.json()["second_factor_at"], Value::Null);

    // A session from before is asked for more, before tokens are issued.
    let page = before.begin(&shop.begin("openid")).await;
    assert!(page.page().has("setup-begin"), "{page}");
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = browser.begin(&exchange).await;
    let begin = browser.sign_in(&page, "bob").await;
    let setup = browser.press(&begin, "setup-begin").await;
    let app = CodeApp(setup.page().words("#totp-secret").replace(' ', ""));
    let codes = browser.submit(setup.page().form_of("otp-submit").fill("code", &app.code(&server, 0))).await;
    let consent = browser.open(codes.page().attribute("backup-codes-continue", "href")).await;
    let url = browser.finish(consent, "bob").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    assert_eq!(part(tokens["id_token"].as_str().expect("an ID token"), 1)["acr"], "urn:symbolon:acr:2");
    // Who is not in it is not asked, and who is cannot switch it off.
    assert_eq!(Spa::open(&server).await.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
    let spa = Spa::open(&server).await;
    let asked = spa.sign_in("bob", PASSWORD).await.ok();
    server.advance(Duration::from_secs(30));
    let body = json!({"flow": asked["flow"], "type": "totp", "value": app.code(&server, 0)});
    spa.post("/sign-in/challenge", &body).await.ok();
    assert_eq!(spa.get("/me/mfa").await.ok()["required_by_policy"], true);
    assert_eq!(code(&spa.delete("/me/authenticators/totp").await), "409 last_device");

    let released = admin.patch(&format!("/groups/{staff_id}"), &json!({"second_factor_required": false})).await;
    assert_eq!(released.json()["second_factor_at"], Value::Null);
    assert_eq!(spa.get("/me/mfa").await.ok()["required_by_policy"], false);
}

/// By console: who has a role here, on the page and by the API.
#[tokio::test]
async fn s_100_the_administration_is_open_to_two_factors_alone() {
    let server = TestServer::start().await;
    let (console, before) = admin(&server, "ada").await;
    let old = Browser::signed_in(&server, "ada").await;
    assert_eq!(before.get("/users").await.status, 200);
    assert!(old.open("/admin").await.page().words("h1").len() > 1);
    drop((before, console));
    let wants = |config: &mut Config| config.second_factor.administration = true;
    let cookie = old.cookie("symbolon_session").expect("a session");
    drop(old);
    let server = server.restarted(wants).await;
    let old = Browser::new(&server);
    old.set_cookie("symbolon_session", &cookie);
    assert!(old.open("/admin").await.page().has("login-submit"), "a sign-in from before is not enough");
    let ada = Browser::new(&server);
    let page = ada.open("/sign-in?to=admin").await;
    let begin = ada.sign_in(&page, "ada").await;
    let setup = ada.press(&begin, "setup-begin").await;
    let app = CodeApp(setup.page().words("#totp-secret").replace(' ', ""));
    let codes = ada.submit(setup.page().form_of("otp-submit").fill("code", &app.code(&server, 0))).await;
    let admin = ada.open(codes.page().attribute("backup-codes-continue", "href")).await;
    assert!(!admin.page().has("login-submit") && admin.status == 200, "{admin}");
    assert_eq!(Spa::open(&server).await.sign_in("alice", PASSWORD).await.ok()["status"], "complete", "a member");
}

#[tokio::test]
async fn s_100_a_token_of_one_factor_administers_nothing_there() {
    let server = TestServer::start().await;
    let console = RelyingParty::of(&server, registered("console", "openid admin")).await;
    let tokens = console.tokens(&Browser::new(&server), "ada", SCOPE).await;
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    drop(console);
    let server = server.restarted(|config| config.second_factor.administration = true).await;
    let refused = server.get_with("/api/v1/admin/users", &token).await;
    assert_eq!(code(&refused), "401 reauth_required");
    assert!(refused.header("www-authenticate").contains("acr_values=\"urn:symbolon:acr:2\""), "{refused}");
}

#[tokio::test]
async fn s_114_an_administrator_takes_lost_factors_away_and_sees_no_secret() {
    let (server, app, codes) = with_code_app(Setup::default()).await;
    let alice = Spa::open(&server).await;
    let asked = alice.sign_in("alice", PASSWORD).await.ok();
    let body = json!({"flow": asked["flow"], "type": "totp", "value": app.fresh(&server)});
    alice.post("/sign-in/challenge", &body).await.ok();
    let (_, admin) = admin(&server, "ada").await;
    let id = server.user("alice").await.id.to_string();
    let seen = admin.get(&format!("/users/{id}/mfa")).await;
    let shown = seen.json();
    assert_eq!((&shown["backup_codes_remaining"], &shown["authenticators"][0]["type"]), (&json!(10), &json!("totp")));
    assert!(!seen.text().contains(&app.0) && !codes.iter().any(|code| seen.text().contains(code)), "{seen}");

    let body = json!({"users": [id, "00000000-0000-4000-8000-000000000000"], "change": "clear_backup_codes"});
    let cleared = admin.post("/users/mfa", &body).await.ok();
    assert_eq!((&cleared["items"][0]["changed"], &cleared["items"][1]["code"]), (&json!(true), &json!("not_found")));
    assert_eq!(alice.get("/me/backup-codes").await.ok()["remaining"], 0);
    let reset = admin.post("/users/mfa", &json!({"users": [id], "change": "reset"})).await.ok();
    assert_eq!(reset["items"][0]["changed"], true);
    assert_eq!(alice.get("/session").await.ok()["user"], Value::Null, "every session has ended");
    assert_eq!(Spa::open(&server).await.sign_in("alice", PASSWORD).await.ok()["status"], "complete");
    server.deliver().await;
    let notices = server.mailbox().kinds_to("alice@example.com");
    assert_eq!(notices.iter().filter(|kind| **kind == MessageKind::MfaChanged).count(), 3, "{notices:?}");
    let again = admin.post("/users/mfa", &json!({"users": [id], "change": "reset"})).await.ok();
    assert_eq!(again["items"][0]["changed"], false);

    // Nobody's is switched on for them: they are led to set one up.
    let bob = server.user("bob").await.id.to_string();
    admin.post("/users/mfa", &json!({"users": [bob], "change": "require"})).await.ok();
    let asked = Spa::open(&server).await.sign_in("bob", PASSWORD).await.ok();
    assert_eq!(asked["challenges"], json!([{"id": "totp_setup", "type": "totp_setup"}]));
}

#[tokio::test]
async fn s_114_nobody_touches_the_factors_of_those_above_them_or_their_own() {
    let server = TestServer::start().await;
    set_role(&server, "bob", Role::UserSupport).await;
    let (console, support) = admin(&server, "bob").await;
    let of = async |login: &'static str| server.user(login).await.id.to_string();
    let (ada, bob) = (of("ada").await, of("bob").await);
    for own_or_above in [ada, bob] {
        let refused = support.post("/users/mfa", &json!({"users": [own_or_above], "change": "reset"})).await.ok();
        assert_eq!(refused["items"][0]["code"], "forbidden");
    }
    let alice = of("alice").await;
    server.advance(Duration::from_mins(11));
    let stale = support.post("/users/mfa", &json!({"users": [alice], "change": "reset"})).await;
    assert_eq!(code(&stale), "401 reauth_required", "it is dangerous");
    let auditor = Admin::by(&server, &console, ("alice", SCOPE)).await;
    assert_eq!(code(&auditor.get(&format!("/users/{alice}/mfa")).await), "403 forbidden");
    let spa = Spa::signed_in(&server, "alice").await;
    enrol(&server, &spa).await;
}
