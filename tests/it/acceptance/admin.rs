//! The administration by API: S-138 to S-140, S-144, S-147 to S-151, S-166.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use symbolon::edge::mail::smtp::Security;
use symbolon::edge::store::Beside;
use symbolon::model::user::Role;
use symbolon::protocol::numeric_date::NumericDate;

use super::groups::registered;
use super::message::mailing;
use crate::support::answer::code;
use crate::support::outgoing::{self, send};
use crate::support::smtp_sink::SmtpSink;
use crate::support::stand_in::{CLIENT_ID, SECRET, StandIn};
use crate::support::{Answer, Browser, RelyingParty, TestServer};

const BASE: &str = "/api/v1/admin";
pub(super) const SCOPE: &str = "openid admin";

/// Who administers, with an access token.
pub(super) struct Admin {
    server: TestServer,
    token: String,
}

impl Admin {
    /// Ada, who operates the server.
    pub(super) async fn owner(server: &TestServer) -> Self {
        let console = RelyingParty::of(server, registered("console", "openid admin admin:read profile")).await;
        Self::by(server, &console, ("ada", SCOPE)).await
    }

    pub(super) async fn by(server: &TestServer, console: &RelyingParty, (login, scope): (&str, &str)) -> Self {
        let tokens = console.tokens(&Browser::new(server), login, scope).await;
        let token = tokens["access_token"].as_str().expect("a token").to_owned();
        Self { server: server.clone(), token }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        (body, seen): (Option<&Value>, Option<&str>),
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{BASE}{path}"));
        request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(seen) = seen {
            request = request.header(IF_MATCH, seen);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.server.send(request.header(CONTENT_TYPE, "application/json").body(body).expect("a request")).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, (None, None)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, (Some(body), None)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, (Some(body), None)).await
    }

    pub(super) async fn put(&self, path: &str, body: Option<&Value>) -> Answer {
        self.send(Method::PUT, path, (body, None)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, (None, None)).await
    }
}

pub(super) async fn set_role(server: &TestServer, login: &str, role: Role) {
    let user = server.user(login).await;
    let now = NumericDate::from_seconds(server.clock.seconds());
    assert!(server.store().set_role(user.id, role, now, Beside::default()).await.expect("stored"));
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn s_151_only_who_has_a_role_here_administers() {
    let server = TestServer::start().await;
    let console = RelyingParty::of(&server, registered("console", "openid admin admin:read profile")).await;
    assert_eq!(code(&server.get("/api/v1/admin/users").await), "401 sign_in_required");
    let alice = Admin::by(&server, &console, ("alice", SCOPE)).await;
    assert_eq!(code(&alice.get("/users").await), "403 forbidden", "she has no role");
    let owner = Admin::by(&server, &console, ("ada", SCOPE)).await;
    assert_eq!(owner.get("/users").await.status, StatusCode::OK);
    let few = Admin::by(&server, &console, ("ada", "openid profile")).await;
    assert_eq!(code(&few.get("/users").await), "403 forbidden", "the token lacks the scope");
    let reader = Admin::by(&server, &console, ("ada", "openid admin:read")).await;
    assert_eq!(reader.get("/users").await.status, StatusCode::OK);
    let group = json!({"name": "staff"});
    assert_eq!(code(&reader.post("/groups", &group).await), "403 forbidden", "it changes nothing");
    // An app that is not registered for it by name does not get it.
    let any = RelyingParty::web(&server, "any").await;
    let other = any.tokens(&Browser::new(&server), "ada", SCOPE).await;
    assert_eq!(other["scope"], "openid");
    // What was taken from the person is gone at once.
    set_role(&server, "bob", Role::Owner).await;
    set_role(&server, "ada", Role::Member).await;
    assert_eq!(code(&owner.get("/users").await), "403 forbidden");
}

/// PROTOCOL O6: every operation of the OpenAPI document, tried by everybody.
#[tokio::test]
async fn s_151_a_matrix_of_every_operation_and_every_role() {
    let server = TestServer::start().await;
    let console = RelyingParty::of(&server, registered("console", "openid admin admin:read profile")).await;
    let mut foreign = registered("foreign", "openid admin");
    foreign.policy.audience = vec!["https://elsewhere.example".to_owned()];
    let foreign = RelyingParty::of(&server, foreign).await;
    let foreign = Admin::by(&server, &foreign, ("ada", SCOPE)).await;
    let member = Admin::by(&server, &console, ("alice", SCOPE)).await;
    let reader = Admin::by(&server, &console, ("ada", "openid admin:read")).await;
    let mut ranked = Vec::new();
    for role in [Role::Auditor, Role::UserSupport, Role::Admin, Role::Owner] {
        set_role(&server, "bob", role).await;
        ranked.push((role, Admin::by(&server, &console, ("bob", SCOPE)).await.token));
    }
    let document = server.get("/api/v1/openapi.json").await.ok();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(template) = path.strip_prefix(BASE) else { continue };
        let target = template.replace("{name}", "no:such:thing").replace(['{', '}'], "x");
        for (method, operation) in item.as_object().expect("operations") {
            let Some(needs) = operation["security"][0]["bearer"].as_array() else { continue };
            let role = needs[1].as_str().and_then(|role| Role::parse(role.strip_prefix("role:")?)).expect("a role");
            let method: Method = method.to_ascii_uppercase().parse().expect("a method");
            let body = json!({"no_such_field": 1});
            let try_as = async |admin: &Admin| admin.send(method.clone(), &target, (Some(&body), None)).await;
            let name = format!("{method} {template}");
            let anonymous = Request::builder().method(method.clone()).uri(format!("{BASE}{target}"));
            let anonymous = server.send(anonymous.body(Body::empty()).expect("a request")).await;
            assert_eq!(code(&anonymous), "401 sign_in_required", "{name}");
            assert_eq!(code(&try_as(&member).await), "403 forbidden", "{name} as a member");
            assert_eq!(code(&try_as(&foreign).await), "403 forbidden", "{name} with a token for somebody else");
            if needs[0] == "admin" {
                assert_eq!(code(&try_as(&reader).await), "403 forbidden", "{name} without the scope to change");
            }
            for (own, token) in &ranked {
                set_role(&server, "bob", *own).await;
                let admin = Admin { server: server.clone(), token: token.clone() };
                let answer = try_as(&admin).await;
                if *own < role {
                    assert_eq!(code(&answer), "403 forbidden", "{name} as {own:?}");
                } else {
                    assert_ne!(answer.status, StatusCode::FORBIDDEN, "{name} as {own:?}: {answer}");
                    assert!(!answer.status.is_server_error(), "{name} as {own:?}: {answer}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried}");
}

#[tokio::test]
async fn s_138_people_are_listed_page_by_page_filtered_and_found() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let all = admin.get("/users").await.ok();
    assert_eq!(ids(&all).len(), 3);
    let mut walked = Vec::new();
    let mut next = String::from("/users?limit=1");
    loop {
        let page = admin.get(&next).await.ok();
        walked.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("/users?limit=1&cursor={cursor}");
    }
    assert_eq!(walked, ids(&all));
    let by_email = admin.get("/users?sort=email&limit=2").await.ok();
    let cursor = by_email["next"].as_str().expect("there is more");
    let rest = admin.get(&format!("/users?sort=email&cursor={cursor}")).await.ok();
    let emails: Vec<&str> = [&by_email, &rest]
        .iter()
        .flat_map(|page| page["items"].as_array().expect("items"))
        .map(|user| user["identifiers"][1]["value"].as_str().expect("an address"))
        .collect();
    assert_eq!(emails, ["ada@example.com", "alice@example.com", "bob@example.com"]);
    let alice = server.user("alice").await;
    for (search, found) in [
        ("alice@", 1),
        ("ALICE", 1),
        ("%2B493090182001", 1),
        ("Example", 3),
        ("%25", 0),
        (&alice.id.to_string(), 1),
        ("nobody", 0),
    ] {
        let list = admin.get(&format!("/users?q={search}")).await.ok();
        assert_eq!(ids(&list).len(), found, "{search}: {list}");
    }
    assert_eq!(ids(&admin.get("/users?role=owner").await.ok()).len(), 1);
    assert_eq!(ids(&admin.get("/users?state=disabled").await.ok()).len(), 0);
    for (wrong, refusal) in [
        ("sort=name", "422 invalid_value"),
        ("cursor=x", "422 invalid_value"),
        ("sort=email&cursor=%25", "422 invalid_value"),
        ("limit=0", "422 invalid_value"),
        ("role=root", "422 invalid_value"),
        ("nmae=alice", "422 unknown_field"),
    ] {
        assert_eq!(code(&admin.get(&format!("/users?{wrong}")).await), refusal, "{wrong}");
    }
}

#[tokio::test]
async fn s_139_who_is_given_an_account_sets_its_password() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let new = json!({"email": "carol@example.com", "username": "carol", "name": "Carol Example"});
    let made = admin.post("/users", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    assert_eq!(made.json()["state"], "pending");
    server.deliver().await;
    let mails = server.mailbox().to("carol@example.com");
    assert_eq!(mails.len(), 1, "exactly one");
    let link = server.mailbox().link_for("carol@example.com");
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    let password = "tulips in the rain 42";
    let body = json!({"token": token, "password": password});
    let set = server.json((Method::POST, "/api/v1/password-resets/confirm"), &body, None).await;
    assert!(set.status.is_success(), "{set}");
    assert!(server.user("carol").await.is_enabled());
    assert!(
        !server.user("carol").await.identifiers.iter().any(|one| one.value.contains('@') && one.verified_at.is_none())
    );
}

#[tokio::test]
async fn s_140_an_address_has_one_owner() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    for (body, refusal) in [
        (json!({"email": "ALICE@example.com"}), "409 email_taken"),
        (json!({"email": "new@example.com", "username": "alice"}), "409 username_taken"),
        (json!({"email": "new@example.com", "phone": "+493090182001"}), "409 phone_taken"),
        (json!({"email": "nobody"}), "422 invalid_value"),
        (json!({}), "422 required"),
        (json!({"email": "new@example.com", "staff": true}), "422 unknown_field"),
        (json!({"email": "new@example.com", "role": "root"}), "422 invalid_value"),
    ] {
        assert_eq!(code(&admin.post("/users", &body).await), refusal, "{body}");
    }
}

#[tokio::test]
async fn s_138_an_account_is_changed_as_it_was_seen() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let alice = format!("/users/{}", server.user("alice").await.id);
    let seen = admin.get(&alice).await;
    let tag = seen.header("etag").to_owned();
    server.advance(Duration::from_secs(1));
    let changed = admin.send(Method::PATCH, &alice, (Some(&json!({"name": "Alice B"})), Some(&tag))).await;
    assert_eq!(changed.ok()["profile"]["name"], "Alice B");
    let stale = admin.send(Method::PATCH, &alice, (Some(&json!({"name": "Late"})), Some(&tag))).await;
    assert_eq!(code(&stale), "412 precondition_failed");
    assert_eq!(code(&admin.patch(&alice, &json!({"no_such_attribute": 1})).await), "422 unknown_field");
    assert_eq!(code(&admin.get("/users/x").await), "404 not_found");
    let events = admin.get("/events?event=user.updated").await.ok();
    assert!(events["items"][0]["actor"]["user"].is_string(), "{events}");
}

#[tokio::test]
async fn s_138_accounts_are_switched_off_and_deleted() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid offline_access").await;
    let alice = format!("/users/{}", server.user("alice").await.id);
    assert_eq!(ids(&admin.get(&format!("{alice}/sessions")).await.ok()).len(), 1);
    assert_eq!(admin.get(&format!("{alice}/grants")).await.ok()["items"][0]["client_id"], "shop");
    let off = admin.put(&format!("{alice}/state"), Some(&json!({"state": "disabled"}))).await;
    assert_eq!(off.ok()["state"], "disabled");
    assert!(!shop.is_active(tokens["access_token"].as_str().expect("a token")).await);
    let on = admin.put(&format!("{alice}/state"), Some(&json!({"state": "active"}))).await;
    assert_eq!(on.ok()["state"], "active");
    assert_eq!(admin.delete(&alice).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&admin.get(&alice).await), "404 not_found");
    let ada = format!("/users/{}", server.user("ada").await.id);
    for refused in [
        admin.delete(&ada).await,
        admin.put(&format!("{ada}/state"), Some(&json!({"state": "disabled"}))).await,
        admin.put(&format!("{ada}/role"), Some(&json!({"role": "member"}))).await,
    ] {
        assert_eq!(code(&refused), "409 last_owner");
    }
}

#[tokio::test]
async fn s_151_nobody_grants_above_their_own_rank() {
    let server = TestServer::start().await;
    let console = RelyingParty::of(&server, registered("console", "openid admin admin:read profile")).await;
    set_role(&server, "alice", Role::Admin).await;
    let admin = Admin::by(&server, &console, ("alice", SCOPE)).await;
    let (ada, bob) = (server.user("ada").await.id, server.user("bob").await.id);
    let role =
        async |user, role: &str| code(&admin.put(&format!("/users/{user}/role"), Some(&json!({"role": role}))).await);
    assert_eq!(role(bob, "owner").await, "403 forbidden");
    assert_eq!(role(bob, "admin").await, "403 forbidden", "nor their equals");
    assert_eq!(role(ada, "member").await, "403 forbidden");
    let made = admin.put(&format!("/users/{bob}/role"), Some(&json!({"role": "user-support"}))).await;
    assert_eq!(made.ok()["role"], "user-support");
    assert_eq!(
        code(&admin.put(&format!("/users/{ada}/state"), Some(&json!({"state": "disabled"}))).await),
        "403 forbidden"
    );
    assert_eq!(code(&admin.delete(&format!("/users/{ada}/sessions")).await), "403 forbidden");
    let new = json!({"email": "eve@example.com", "role": "owner"});
    assert_eq!(code(&admin.post("/users", &new).await), "403 forbidden");
    // What is dangerous takes a fresh proof (RFC 9470).
    server.advance(Duration::from_mins(11));
    let stale = admin.put(&format!("/users/{bob}/role"), Some(&json!({"role": "member"}))).await;
    assert_eq!(code(&stale), "401 reauth_required");
    assert!(stale.header("www-authenticate").contains("insufficient_user_authentication"), "{stale}");
}

#[tokio::test]
async fn s_147_groups_are_kept_by_api() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let staff = admin.post("/groups", &json!({"name": "Staff", "description": "Everybody"})).await;
    assert_eq!(staff.status, StatusCode::CREATED, "{staff}");
    let staff_id = staff.json()["id"].as_str().expect("an id").to_owned();
    let buyers = admin.post("/groups", &json!({"name": "Buyers", "parent_id": staff_id})).await.json();
    let buyers_id = buyers["id"].as_str().expect("an id").to_owned();
    assert_eq!(buyers["path"], "/Staff/Buyers");
    let (staff_path, buyers_path) = (format!("/groups/{staff_id}"), format!("/groups/{buyers_id}"));
    for (answer, refusal) in [
        (admin.post("/groups", &json!({"name": "STAFF"})).await, "409 already_exists"),
        (admin.post("/groups", &json!({"name": "a/b"})).await, "422 invalid_value"),
        (admin.post("/groups", &json!({"name": "x", "parent_id": "x"})).await, "422 invalid_value"),
        (admin.patch(&staff_path, &json!({"parent_id": buyers_id})).await, "409 group_circle"),
        (admin.delete(&staff_path).await, "409 group_in_use"),
        (admin.put(&format!("{buyers_path}/members/x"), None).await, "404 not_found"),
        (admin.put(&format!("{buyers_path}/permissions/a:b:c"), None).await, "404 not_found"),
    ] {
        assert_eq!(code(&answer), refusal);
    }
    let alice = server.user("alice").await.id;
    for _ in 0..2 {
        assert_eq!(admin.put(&format!("{buyers_path}/members/{alice}"), None).await.status, StatusCode::NO_CONTENT);
    }
    let members = admin.get(&format!("{buyers_path}/members")).await.ok();
    assert_eq!(members["items"][0]["login"], "alice");
    let permission = json!({"name": "shop:orders:read"});
    assert_eq!(admin.post("/permissions", &permission).await.status, StatusCode::CREATED);
    assert_eq!(
        admin.put(&format!("{buyers_path}/permissions/shop:orders:read"), None).await.status,
        StatusCode::NO_CONTENT
    );
    let role = admin.post("/roles", &json!({"name": "editor"})).await.json();
    let role_id = role["id"].as_str().expect("an id").to_owned();
    assert_eq!(admin.put(&format!("{buyers_path}/roles/{role_id}"), None).await.status, StatusCode::NO_CONTENT);
    let shown = admin.get(&buyers_path).await.ok();
    assert_eq!((&shown["permissions"], &shown["roles"]), (&json!(["shop:orders:read"]), &json!([role_id])));
    let scope = json!({"group_id": buyers_id, "name": "Buying", "scopes": ["orders:write"]});
    let scope = admin.post("/group-scopes", &scope).await;
    assert_eq!(scope.status, StatusCode::CREATED, "{scope}");
    let everybodys = json!({"group_id": buyers_id, "name": "All", "scopes": ["openid"]});
    assert_eq!(code(&admin.post("/group-scopes", &everybodys).await), "422 invalid_value");
    let mapper = json!({"claim": "team", "source": {"from": "groups", "form": "name"}, "into": ["id_token"]});
    assert_eq!(admin.post("/claim-mappers", &mapper).await.status, StatusCode::CREATED);
    assert_eq!(code(&admin.post("/claim-mappers", &mapper).await), "409 already_exists");
    let taken = json!({"claim": "sub", "source": {"from": "constant", "value": "root"}});
    assert_eq!(code(&admin.post("/claim-mappers", &taken).await), "422 invalid_value");
    let preview = json!({"user_id": alice, "client_id": "console", "scope": "openid orders:write gone"});
    let preview = admin.post("/token-preview", &preview).await.ok();
    assert_eq!(preview["scope"], "openid");
    assert_eq!(preview["left_out"][0]["because"], "the client is not registered for it");
    let team = preview["id_token"].as_array().expect("claims").iter().find(|one| one["claim"] == "team").cloned();
    assert_eq!(team.expect("told")["value"], json!(["Staff", "Buyers"]));
    assert_eq!(ids(&admin.get("/groups?q=buy").await.ok()), [buyers_id.as_str()]);
    assert_eq!(admin.delete(&buyers_path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.delete(&staff_path).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s_144_what_administrators_do_is_written_down() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let ada = server.user("ada").await.id.to_string();
    let staff = admin.post("/groups", &json!({"name": "Staff"})).await.json();
    let alice = server.user("alice").await.id;
    let member = format!("/groups/{}/members/{alice}", staff["id"].as_str().expect("an id"));
    assert_eq!(admin.put(&member, None).await.status, StatusCode::NO_CONTENT);
    server.settled().await;
    let events = admin.get(&format!("/events?user={alice}")).await.ok();
    let event = &events["items"][0];
    assert_eq!((&event["event"], &event["actor"]["user"]), (&json!("group.member_added"), &json!(ada)), "{event}");
    assert_eq!(event["details"]["group"], staff["id"]);
    assert!(event["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{event}");
    let first = admin.get("/events?limit=1").await.ok();
    let cursor = first["next"].as_str().expect("there is more");
    let second = admin.get(&format!("/events?limit=1&cursor={cursor}")).await.ok();
    assert_ne!(ids(&first), ids(&second));
    let whole = admin.get("/events").await.ok().to_string();
    assert!(!whole.contains(&admin.token), "no token is ever told");
    let names: BTreeSet<&str> =
        events["items"].as_array().expect("items").iter().filter_map(|one| one["event"].as_str()).collect();
    assert!(names.contains("group.member_added"));
}

#[tokio::test]
async fn s_166_jobs_are_seen_retried_and_discarded() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    assert_eq!(admin.post("/users", &json!({"email": "carol@example.com"})).await.status, StatusCode::CREATED);
    let jobs = admin.get("/jobs").await.ok();
    assert!(jobs["queues"][0]["waiting"].as_u64().is_some_and(|count| count >= 1), "{jobs}");
    let id = jobs["waiting"][0]["id"].as_str().expect("an id");
    assert!(!jobs.to_string().contains("carol"), "what it is about stays sealed");
    assert_eq!(code(&admin.delete(&format!("/jobs/{id}")).await), "404 not_found", "it was not given up on");
    assert_eq!(code(&admin.post(&format!("/jobs/{id}/retry"), &json!({})).await), "404 not_found");
    server.deliver().await;
    assert_eq!(admin.get("/jobs").await.ok()["waiting"], json!([]));
}

/// What a mail server refused for good is seen, gets another turn, or an end.
#[tokio::test]
async fn s_136_operators_see_what_was_given_up_on_and_try_again() {
    let sink = SmtpSink::start(Security::None, None).await;
    let server = mailing(&sink, Security::None, None).await;
    let admin = Admin::owner(&server).await;
    for refused in ["carol@example.com", "dave@example.com"] {
        sink.script("RCPT", "550 5.1.1 no such user");
        assert_eq!(admin.post("/users", &json!({"email": refused})).await.status, StatusCode::CREATED);
        assert_eq!(server.deliver().await, 1);
        server.advance(Duration::from_secs(1));
    }
    let jobs = admin.get("/jobs").await.ok();
    assert_eq!((&jobs["queues"][0]["queue"], &jobs["queues"][0]["given_up"]), (&json!("mail"), &json!(2)));
    let given_up = jobs["given_up"].as_array().expect("a list");
    assert!(given_up[0]["last_error"].as_str().is_some_and(|why| why.contains("no such user")), "{jobs}");
    assert!(given_up[0]["given_up_at"].is_string() && given_up[0]["run_at"].is_null(), "{jobs}");
    let [dave, carol] = [0, 1].map(|row| given_up[row]["id"].as_str().expect("an id"));

    assert_eq!(admin.post(&format!("/jobs/{carol}/retry"), &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&admin.post(&format!("/jobs/{carol}/retry"), &json!({})).await), "404 not_found", "it waits");
    assert_eq!(server.deliver().await, 1);
    assert_eq!(sink.taken().len(), 1);
    assert_eq!(sink.taken()[0].to, ["carol@example.com"]);
    assert_eq!(admin.delete(&format!("/jobs/{dave}")).await.status, StatusCode::NO_CONTENT);
    let jobs = admin.get("/jobs").await.ok();
    assert_eq!((&jobs["given_up"], &jobs["waiting"]), (&json!([]), &json!([])));
}

/// The same on the page, by a button.
#[tokio::test]
async fn s_136_a_button_sends_what_was_given_up_on_again() {
    let sink = SmtpSink::start(Security::None, None).await;
    let server = mailing(&sink, Security::None, None).await;
    let mut ids = Vec::new();
    for address in ["carol@example.com", "dave@example.com"] {
        sink.script("RCPT", "550 5.1.1 no such user");
        send(&server, &outgoing::code(address)).await;
        server.deliver().await;
        ids.push(server.store().dead_jobs(1).await.expect("listed")[0].id);
        server.advance(Duration::from_secs(1));
    }
    let (bob, ada) = (Browser::signed_in(&server, "bob").await, Browser::signed_in(&server, "ada").await);
    assert_eq!(bob.open("/admin").await.status, StatusCode::FORBIDDEN);
    let page = ada.open("/admin").await;
    assert!(page.text().contains("no such user") && !page.text().contains("carol@example.com"), "{page}");
    let form = page.page().form_of(&format!("retry-{}", ids[0]));
    assert_eq!(bob.post(&form.action, &form.fields).await.status, StatusCode::BAD_REQUEST, "a form of somebody else");
    let page = ada.press(&page, &format!("retry-{}", ids[0])).await;
    assert!(!page.page().has(&format!("retry-{}", ids[0])), "it waits: {page}");
    server.deliver().await;
    assert_eq!(sink.taken()[0].to, ["carol@example.com"]);
    let page = ada.press(&page, &format!("discard-{}", ids[1])).await;
    assert!(page.page().has("undelivered-none"), "{page}");
    assert_eq!(ada.post(&form.action, &form.fields).await.status, StatusCode::NOT_FOUND, "it went out");
}

#[tokio::test]
async fn s_151_clients_and_keys_are_seen_without_their_secrets() {
    let server = TestServer::start().await;
    let admin = Admin::owner(&server).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let list = admin.get("/clients?q=SHOP").await.ok();
    assert_eq!(list["items"][0]["client_id"], "shop");
    assert!(!list.to_string().contains("secret_hash") && !list.to_string().contains(crate::support::clients::SECRET));
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid").await;
    let access = tokens["access_token"].as_str().expect("a token");
    assert_eq!(admin.put("/clients/shop/state", Some(&json!({"state": "disabled"}))).await.ok()["state"], "disabled");
    assert_eq!(shop.userinfo(access).await.error(), "401 invalid_token");
    assert_eq!(admin.put("/clients/shop/state", Some(&json!({"state": "active"}))).await.ok()["state"], "active");
    assert_eq!(admin.delete("/clients/shop").await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&admin.get("/clients/shop").await), "404 not_found");
    let keys = admin.get("/keys").await.ok();
    assert!(keys["items"].as_array().is_some_and(|keys| keys.len() >= 3), "{keys}");
    assert!(!keys.to_string().contains("private"));
}

#[tokio::test]
async fn s_146_the_administration_can_be_switched_off() {
    let off = |config: &mut symbolon::config::Config| config.endpoints.admin = false;
    let server = TestServer::configured(crate::support::server::Setup::default(), off).await;
    let admin = Admin::owner(&server).await;
    assert_eq!(code(&admin.get("/users").await), "404 not_found");
    assert_eq!(Browser::signed_in(&server, "ada").await.open("/admin").await.status, StatusCode::NOT_FOUND);
    let document = server.get("/api/v1/openapi.json").await.ok();
    assert!(document["paths"].as_object().expect("paths").keys().all(|path| !path.starts_with(BASE)));
}

/// APIs as objects: whom tokens are for, by the API.
#[tokio::test]
async fn an_api_is_kept_over_the_api() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let new = json!({"audience": "https://orders.example", "scopes": ["orders:read"], "access_token_lifetime": 300});
    let made = ada.post("/apis", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    assert_eq!(
        json!([made["name"], made["access_token"], made["signing_alg"]]),
        json!([made["audience"], "jwt", null])
    );
    assert_eq!(code(&ada.post("/apis", &json!({"audience": "https://orders.example"})).await), "409 already_exists");
    for (body, field) in [
        (json!({"audience": "orders"}), "audience"),
        (json!({"audience": "urn:x", "scopes": ["openid"]}), "scopes"),
        (json!({"audience": "urn:x", "scopes": ["orders:read"]}), "scopes"),
        (json!({"audience": "urn:x", "scopes": ["a b"]}), "scopes"),
        (json!({"audience": "urn:x", "access_token_lifetime": 5}), "access_token_lifetime"),
        (json!({"audience": "urn:x", "signing_alg": "HS256"}), "signing_alg"),
        (json!({"audience": "urn:x", "name": "\n"}), "name"),
    ] {
        let refused = ada.post("/apis", &body).await;
        assert_eq!(refused.json()["errors"][0]["field"], field, "{body}: {refused}");
    }
    let path = format!("/apis/{}", made["id"].as_str().expect("an id"));
    let seen = ada.get(&path).await;
    let tag = seen.header("etag").to_owned();
    let change = json!({"name": "Orders", "access_token_lifetime": null, "signing_alg": "ES256"});
    let changed = ada.send(Method::PATCH, &path, (Some(&change), Some(&tag))).await.ok();
    assert_eq!(
        json!([changed["name"], changed["access_token_lifetime"], changed["signing_alg"], changed["scopes"]]),
        json!(["Orders", null, "ES256", ["orders:read"]])
    );
    assert_eq!(code(&ada.send(Method::PATCH, &path, (Some(&change), Some(&tag))).await), "412 precondition_failed");
    assert_eq!(ids(&ada.get("/apis").await.ok()), [made["id"].as_str().expect("an id")]);
    assert_eq!(ada.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&ada.get(&path).await), "404 not_found");
}

/// S-152, S-154: a provider is made over the API and offered without a restart; its secret goes in and never comes out.
#[tokio::test]
async fn s_152_a_provider_is_kept_over_the_api() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    let new =
        json!({"slug": "google", "client_id": "123.apps", "client_secret": "GOCSPX-very-secret", "notes": "ask Ada"});
    let made = ada.post("/providers", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    assert_eq!(
        json!([made["kind"], made["issuer"], made["enabled"], made["notes"], made["misconfigured"]]),
        json!(["google", "https://accounts.google.com", true, "ask Ada", null])
    );
    assert_eq!(made["trusted_domains"], json!(["gmail.com", "googlemail.com"]));
    assert!(Browser::new(&server).open("/sign-in").await.page().has("provider-google"), "without a restart");
    assert_eq!(code(&ada.post("/providers", &new).await), "409 already_exists");

    let path = format!("/providers/{}", made["id"].as_str().expect("an id"));
    let seen = ada.get(&path).await;
    let tag = seen.header("etag").to_owned();
    let change = json!({"label": "Work", "notes": null, "auto_link": true, "home_domains": ["corp.example"]});
    let changed = ada.send(Method::PATCH, &path, (Some(&change), Some(&tag))).await.ok();
    assert_eq!(
        json!([changed["label"], changed["notes"], changed["auto_link"], changed["client_secret_set"]]),
        json!(["Work", null, true, true])
    );
    let stale = ada.send(Method::PATCH, &path, (Some(&json!({"label": "Home"})), Some(&tag))).await;
    assert_eq!(code(&stale), "412 precondition_failed");
    ada.patch("/providers/google", &json!({"enabled": false})).await.ok();
    assert!(!Browser::new(&server).open("/sign-in").await.page().has("provider-google"), "S-155");
    let listed = ada.get("/providers").await;
    for answer in [&listed, &seen, &ada.get("/events").await] {
        assert!(!answer.text().contains("GOCSPX"), "S-154: {answer}");
    }
    assert_eq!(ids(&listed.ok()), [made["id"].as_str().expect("an id")]);
    assert_eq!(ada.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&ada.get(&path).await), "404 not_found");
}

/// S-154: it is sealed, told by nothing, and stays when it is left out.
#[tokio::test]
async fn s_154_a_secret_goes_in_and_never_comes_out() {
    let server = TestServer::start().await;
    let google = StandIn::at(&server, "https://accounts.google.com", "https://accounts.google.com");
    let ada = Admin::owner(&server).await;
    let new =
        json!({"slug": "google", "client_id": CLIENT_ID, "client_secret": SECRET, "client_secret_source": "PLAIN"});
    let made = ada.post("/providers", &new).await;
    let changed = ada.patch("/providers/google", &json!({"label": "Work"})).await;
    let (list, one) = (ada.get("/providers").await, ada.get("/providers/google").await);
    for answer in [&made, &changed, &list, &one] {
        assert!(!answer.text().contains(SECRET), "{answer}");
        assert!(answer.text().contains(r#""client_secret_set":true"#), "{answer}");
    }
    for file in server.files() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{}", file.display());
    }
    // Left out, it stayed: the provider takes it.
    let carol = Browser::new(&server);
    let page = carol.open("/sign-in").await;
    let there = carol.get(page.page().attribute("provider-google", "href")).await;
    assert!(carol.open(&google.visit(&there)).await.page().has("sign-out"));
    ada.patch("/providers/google", &json!({"client_secret": null})).await.ok();
    let dave = Browser::new(&server);
    let there = dave.get("/federation/google/start").await;
    assert_eq!(dave.open(&google.visit(&there)).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// Which groups here follow from groups there is set over the API, by path or id.
#[tokio::test]
async fn s_152_the_groups_of_a_provider_are_set_over_the_api() {
    let story = super::groups::Story::begin().await;
    let ada = Admin::owner(&story.server).await;
    let staff = story.staff.id.to_string();
    let new = json!({
        "slug": "corp", "kind": "oidc", "issuer": "https://idp.corp.example", "client_id": "x",
        "groups_claim": "realm_access.roles", "groups": {"corp-staff": "Staff", "corp-buyers": story.buyers.id},
    });
    let made = ada.post("/providers", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    assert_eq!(
        json!([made["groups_claim"], made["groups"], made["backchannel_logout_uri"]]),
        json!([
            "realm_access.roles",
            {"corp-staff": staff, "corp-buyers": story.buyers.id},
            "http://localhost:8080/federation/corp/backchannel-logout",
        ])
    );
    let unknown = ada.patch("/providers/corp", &json!({"groups": {"x": "Nobody"}})).await;
    assert_eq!(unknown.json()["errors"][0]["field"], "groups", "{unknown}");
    let cleared = ada.patch("/providers/corp", &json!({"groups_claim": null, "groups": {}})).await.ok();
    assert_eq!(json!([cleared["groups_claim"], cleared["groups"]]), json!([null, {}]));
}

#[tokio::test]
async fn s_152_what_a_provider_cannot_be_is_told_by_field() {
    let server = TestServer::start().await;
    let ada = Admin::owner(&server).await;
    for (body, field, expected) in [
        (json!({"slug": "Corp", "client_id": "x"}), "slug", "invalid_value"),
        (json!({"slug": "corp", "client_id": "x"}), "kind", "required"),
        (json!({"slug": "corp", "kind": "oidc", "client_id": "x"}), "issuer", "required"),
        (json!({"slug": "apple", "client_id": "x"}), "team_id", "required"),
        (json!({"slug": "google", "client_id": "x", "issuer": "http://evil.example"}), "issuer", "invalid_value"),
        (json!({"slug": "google", "client_id": "x", "claims": {"name": 1}}), "claims", "invalid_value"),
        (json!({"slug": "google", "client_id": "x", "client_secret_source": "PLAIN"}), "client_secret", "required"),
        // S-153; and nobody has another secret of the environment sent away.
        (
            json!({"slug": "google", "client_id": "x", "client_secret": "PATH", "client_secret_source": "ENVIRONMENT"}),
            "client_secret",
            "invalid_value",
        ),
    ] {
        let refused = ada.post("/providers", &body).await;
        let error = refused.json()["errors"][0].clone();
        assert_eq!(
            (error["field"].as_str(), error["code"].as_str()),
            (Some(field), Some(expected)),
            "{body}: {refused}"
        );
    }
    let named = json!({
        "slug": "corp", "kind": "oidc", "issuer": "https://idp.corp.example", "client_id": "x",
        "client_secret": "CORP_CLIENT_SECRET", "client_secret_source": "ENVIRONMENT",
    });
    let made = ada.post("/providers", &named).await.json();
    assert_eq!(made["client_secret_variable"], "CORP_CLIENT_SECRET");
    let wrong = made["misconfigured"].as_str().expect("S-153: it is told");
    assert!(wrong.contains("CORP_CLIENT_SECRET is not set"), "{wrong}");
    let test = ada.post("/providers/corp/test", &json!({})).await.ok();
    assert_eq!(test["ok"], false, "{test}");

    // Whom the server believes is decided by an owner alone.
    set_role(&server, "alice", Role::Admin).await;
    let console = RelyingParty::of(&server, registered("desk", "openid admin admin:read profile")).await;
    let alice = Admin::by(&server, &console, ("alice", SCOPE)).await;
    alice.get("/providers").await.ok();
    assert_eq!(code(&alice.post("/providers", &named).await), "403 forbidden");
    assert_eq!(code(&alice.patch("/providers/corp", &json!({"auto_link": true})).await), "403 forbidden");
}
