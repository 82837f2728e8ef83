//! Many people at a time: S-138, S-141, S-142.

use http::StatusCode;
use serde_json::{Value, json};
use symbolon::model::user::Role;

use super::admin::{Admin, SCOPE, ids, set_role};
use super::groups::registered;
use super::second_factor::with_code_app;
use crate::support::answer::{code, parameters};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// What became of it: whether something changed, and why not.
fn came_to(answer: &Value) -> Vec<(bool, Option<&str>)> {
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items: {answer}"));
    items.iter().map(|item| (item["changed"] == true, item["code"].as_str())).collect()
}

#[tokio::test]
async fn s_138_one_thing_is_done_to_many_people() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let access = tokens["access_token"].as_str().expect("a token");
    let [alice, bob, own] = [server.user("alice").await.id, server.user("bob").await.id, server.user("ada").await.id];
    let (alice, bob, own) = (alice.to_string(), bob.to_string(), own.to_string());
    let bulk = async |action: &str, users: &[&str]| {
        came_to(&ada.post("/users/bulk", &json!({"users": users, "action": action})).await.ok())
            .into_iter()
            .map(|(changed, code)| (changed, code.map(str::to_owned)))
            .collect::<Vec<_>>()
    };
    let refused = |code: &str| (false, Some(code.to_owned()));

    assert_eq!(bulk("end_sessions", &[&alice]).await, [(true, None)]);
    assert!(!shop.is_active(access).await);
    assert_eq!(
        bulk("disable", &[&alice, &bob, NOBODY, "x", &own]).await,
        [(true, None), (true, None), refused("not_found"), refused("not_found"), refused("last_owner")]
    );
    assert_eq!(bulk("disable", &[&alice, &bob]).await, [(false, None), (false, None)], "a second time changes nothing");
    assert!(!server.user("bob").await.is_enabled());
    assert_eq!(bulk("enable", &[&alice, &bob]).await, [(true, None), (true, None)]);

    let staff = ada.post("/groups", &json!({"name": "Staff"})).await.json();
    let group = |action: &str, group: &str| json!({"users": [alice, bob], "action": action, "group": group});
    let put = ada.post("/users/bulk", &group("add_to_group", "Staff")).await.ok();
    assert_eq!(came_to(&put), [(true, None), (true, None)]);
    let members = ada.get(&format!("/groups/{}/members", staff["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(members["items"].as_array().map(Vec::len), Some(2), "{members}");
    let out = ada.post("/users/bulk", &group("remove_from_group", staff["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(came_to(&out), [(true, None), (true, None)]);

    for (body, expected) in [
        (json!({"users": [alice], "action": "add_to_group"}), "422 required"),
        (group("add_to_group", "Nobody"), "422 invalid_value"),
        (group("disable", "Staff"), "422 invalid_value"),
        (json!({"users": vec![NOBODY; 101], "action": "enable"}), "422 too_long"),
        (json!({"users": [alice], "action": "promote"}), "422 invalid_value"),
        (json!({"action": "enable"}), "422 required"),
    ] {
        assert_eq!(code(&ada.post("/users/bulk", &body).await), expected, "{body}");
    }

    // Each by the rank of who asks.
    set_role(&server, "bob", Role::UserSupport).await;
    let desk = RelyingParty::of(&server, registered("desk", "openid admin admin:read profile")).await;
    let support = Admin::by(&server, &desk, ("bob", SCOPE)).await;
    let away = support.post("/users/bulk", &json!({"users": [alice, own], "action": "disable"})).await.ok();
    assert_eq!(came_to(&away), [(true, None), (false, Some("forbidden"))]);
    for action in ["delete", "add_to_group"] {
        let body = json!({"users": [alice], "action": action, "group": (action != "delete").then_some("Staff")});
        assert_eq!(code(&support.post("/users/bulk", &body).await), "403 forbidden", "{action}");
    }
    assert_eq!(bulk("delete", &[&alice]).await, [(true, None)]);
    assert_eq!(bulk("delete", &[&alice]).await, [refused("not_found")]);
    assert_eq!(code(&ada.get(&format!("/users/{alice}")).await), "404 not_found");
}

#[tokio::test]
async fn s_141_who_has_a_second_factor_is_seen_and_changed_in_a_list() {
    let (server, _, codes) = with_code_app(Setup::default()).await;
    let ada = Admin::owner(&server).await;
    let bob = server.user("bob").await.id.to_string();
    let alice = server.user("alice").await.id.to_string();
    let line = async |id: &str| {
        let list = ada.get("/users/mfa").await;
        assert!(codes.iter().all(|code| !list.text().contains(code.as_str())), "no code is told: {list}");
        let list = list.ok();
        let items = list["items"].as_array().expect("items").clone();
        items.into_iter().find(|item| item["id"] == id).expect("a line")
    };
    let on = line(&alice).await;
    assert_eq!(
        json!([on["login"], on["status"], on["types"], on["has_secret"], on["backup_codes_remaining"]]),
        json!(["alice", "on", ["totp"], true, codes.len()])
    );
    assert!(on["confirmed_at"].is_string(), "{on}");
    let off = line(&bob).await;
    assert_eq!(json!([off["status"], off["has_secret"], off["backup_codes_remaining"]]), json!(["off", false, 0]));

    let all = json!({"users": [bob], "action": "require_second_factor"});
    assert_eq!(came_to(&ada.post("/users/bulk", &all).await.ok()), [(true, None)]);
    assert_eq!(line(&bob).await["status"], "required");
    let clear = json!({"users": [alice], "action": "clear_backup_codes"});
    assert_eq!(came_to(&ada.post("/users/bulk", &clear).await.ok()), [(true, None)]);
    assert_eq!(line(&alice).await["backup_codes_remaining"], 0);
    let reset = json!({"users": [alice, bob], "action": "reset_second_factor"});
    let reset = ada.post("/users/bulk", &reset).await.ok();
    assert_eq!(came_to(&reset)[0], (true, None), "{reset}");
    assert_eq!(json!([line(&alice).await["types"], line(&alice).await["has_secret"]]), json!([[], false]));

    assert_eq!(ids(&ada.get("/users/mfa?q=alice").await.ok()), [alice.as_str()]);
    let first = ada.get("/users/mfa?limit=1").await.ok();
    let cursor = first["next"].as_str().expect("there is more");
    let second = ada.get(&format!("/users/mfa?limit=1&cursor={cursor}")).await.ok();
    assert_ne!(ids(&first), ids(&second));
    assert_eq!(code(&ada.get("/users/mfa?colour=red").await), "422 unknown_field");
}

#[tokio::test]
async fn s_142_who_registers_and_who_asked_them_in_is_seen() {
    const CAROL: &str = "carol@example.net";
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let own = server.user("ada").await.id.to_string();
    assert_eq!(ada.post("/invitations", &json!({"email": CAROL})).await.status, StatusCode::CREATED);
    server.deliver().await;
    let token = parameters(&server.mailbox().link_for(CAROL)).remove(0).1;
    let body = json!({"token": token, "password": PASSWORD});
    assert_eq!(Spa::open(&server).await.post("/invitations/accept", &body).await.status, StatusCode::CREATED);
    assert_eq!(ada.post("/users", &json!({"email": "dave@example.com"})).await.status, StatusCode::CREATED);

    let waiting = ada.get("/registrations?registering=true").await.ok();
    assert_eq!(ids(&waiting).len(), 1, "{waiting}");
    let dave = &waiting["items"][0];
    assert_eq!(
        json!([dave["email"], dave["is_registering"], dave["state"], dave["invited_by"]]),
        json!(["dave@example.com", true, "pending", null])
    );
    let invited = ada.get("/registrations?invited=true").await.ok();
    let carol = &invited["items"][0];
    assert_eq!(ids(&invited).len(), 1, "{invited}");
    assert_eq!(json!([carol["email"], carol["is_registering"], carol["invited_by"]]), json!([CAROL, false, own]));
    assert!(carol["invitation_id"].is_string(), "{carol}");
    assert_eq!(ids(&ada.get(&format!("/registrations?invited_by={own}")).await.ok()), ids(&invited));
    assert_eq!(ids(&ada.get(&format!("/registrations?invited_by={NOBODY}")).await.ok()).len(), 0);
    assert_eq!(ids(&ada.get("/registrations?q=DAVE").await.ok()), ids(&waiting));
    assert_eq!(ids(&ada.get("/registrations?invited=false").await.ok()).len(), 4);

    let mut walked = Vec::new();
    let mut next = String::from("/registrations?limit=2");
    loop {
        let page = ada.get(&next).await.ok();
        walked.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("/registrations?limit=2&cursor={cursor}");
    }
    assert_eq!(walked, ids(&ada.get("/registrations").await.ok()));
    assert_eq!(walked.len(), 5);
    for (wrong, expected) in [("registering=maybe", "422 invalid_value"), ("who=me", "422 unknown_field")] {
        assert_eq!(code(&ada.get(&format!("/registrations?{wrong}")).await), expected, "{wrong}");
    }
}
