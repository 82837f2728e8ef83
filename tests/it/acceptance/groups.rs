//! Groups, roles, and the scopes that only members may have: S-147 to S-150.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::admin::Administration;
use symbolon::admin::group::NewGroup;
use symbolon::admin::role::NewRole;
use symbolon::config::tokens::ScopesBeyondGroups;
use symbolon::edge::store::{Give, Holder};
use symbolon::model::client::{AccessTokenFormat, Client, RefreshTokenPolicy};
use symbolon::model::group::Group;

use super::first_party::app;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer, clients, tokens};

const SCOPE: &str = "openid offline_access orders:read orders:write";

/// A server whose staff may read orders, and whose buyers within it may write them.
pub(super) struct Story {
    pub(super) server: TestServer,
    pub(super) staff: Group,
    pub(super) buyers: Group,
}

impl Story {
    pub(super) async fn begin() -> Self {
        Self::of(TestServer::start().await).await
    }

    async fn of(server: TestServer) -> Self {
        let admin = admin(&server);
        let staff = admin.create_group(NewGroup { name: "Staff", ..NewGroup::default() }).await.expect("made");
        let within = NewGroup { name: "Buyers", parent: Some(staff.id), ..NewGroup::default() };
        let buyers = admin.create_group(within).await.expect("made");
        let scope = |text: &str| text.parse().expect("a scope");
        admin.create_group_scope(&staff, ("Orders", &scope("orders:read"))).await.expect("made");
        admin.create_group_scope(&buyers, ("Buying", &scope("orders:write"))).await.expect("made");
        Self { server, staff, buyers }
    }

    pub(super) async fn member(&self, give: Give, (login, group): (&str, &Group)) {
        let user = self.server.user(login).await;
        admin(&self.server).change_member(give, (&user, group)).await.expect("changed");
    }
}

pub(crate) fn admin(server: &TestServer) -> Administration {
    Administration::of_operator(&server.provider().edges)
}

/// An app that is registered for these scopes.
pub(super) fn registered(id: &str, scope: &str) -> Client {
    clients::client(id, &json!({"scope": scope}))
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

#[tokio::test]
async fn s_149_a_scope_of_a_group_is_for_its_members() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    for (login, scope) in [("alice", SCOPE), ("bob", "openid offline_access")] {
        let given = shop.tokens(&Browser::new(&story.server), login, SCOPE).await;
        assert_eq!(given["scope"], scope, "{login}");
        assert_eq!(tokens::verify(&story.server, text(&given, "access_token")).await.claims["scope"], scope);
        assert_eq!(shop.introspect(text(&given, "access_token")).await.ok()["scope"], scope);
    }
}

#[tokio::test]
async fn s_149_what_an_app_is_not_registered_for_it_does_not_get() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let alice = Browser::new(&story.server);
    let reader = RelyingParty::of(&story.server, registered("reader", "openid orders:read")).await;
    assert_eq!(reader.tokens(&alice, "alice", SCOPE).await["scope"], "openid orders:read");
    // An app that names no scopes may have those of the specifications only.
    let any = RelyingParty::web(&story.server, "any").await;
    assert_eq!(any.tokens(&alice, "alice", SCOPE).await["scope"], "openid offline_access");
    let exchange = any.begin("orders:write");
    let url = alice.begin(&exchange).await;
    assert_eq!(any.error(&exchange, url.location()), "invalid_scope");
}

#[tokio::test]
async fn s_149_the_consent_page_shows_what_can_be_granted() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.staff)).await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let alice = Browser::signed_in(&story.server, "alice").await;
    let exchange = shop.begin(SCOPE);
    let page = alice.begin(&exchange).await;
    let words = page.page().words("main");
    assert!(words.contains("orders:read") && !words.contains("orders:write"), "{words}");
    // She leaves the group while the page is shown.
    story.member(Give::From, ("alice", &story.staff)).await;
    let answered = alice.press(&page, "consent-accept").await;
    let given = shop.redeem(&exchange, &shop.code(&exchange, answered.location())).await.ok();
    assert_eq!(given["scope"], "openid offline_access");
}

#[tokio::test]
async fn s_149_by_policy_too_much_is_refused() {
    let refusing = |config: &mut symbolon::config::Config| {
        config.tokens.scopes_beyond_groups = ScopesBeyondGroups::Refuse;
    };
    let story = Story::of(TestServer::configured(Setup::default(), refusing).await).await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    assert_eq!(shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await["scope"], SCOPE);
    let exchange = shop.begin(SCOPE);
    let url = Browser::new(&story.server).authorize(&exchange, "bob").await;
    assert_eq!(shop.error(&exchange, &url), "invalid_scope");
    let open = shop.tokens(&Browser::new(&story.server), "bob", "openid offline_access").await;
    assert_eq!(open["scope"], "openid offline_access");
}

#[tokio::test]
async fn s_149_nothing_but_a_groups_scope_is_nothing_for_others() {
    let story = Story::begin().await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let exchange = shop.begin("orders:read");
    let url = Browser::new(&story.server).authorize(&exchange, "bob").await;
    assert_eq!(shop.error(&exchange, &url), "invalid_scope");
}

#[tokio::test]
async fn s_149_a_first_party_app_is_held_to_it_too() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let mut client = app("phone");
    client.metadata.scope = Some(SCOPE.parse().expect("a scope"));
    client.policy.direct_tokens = true;
    RelyingParty::of(&story.server, client).await;
    for (login, scope) in [("alice", "openid orders:write"), ("bob", "openid")] {
        let body = json!({
            "client_id": "phone", "method": "password", "identifier": login, "password": PASSWORD,
            "scope": "openid orders:write",
        });
        let given = story.server.json((Method::POST, "/api/v1/tokens"), &body, None).await.ok();
        assert_eq!(given["scope"], scope, "{login}");
    }
}

#[tokio::test]
async fn s_149_a_service_speaks_for_no_member() {
    let story = Story::begin().await;
    let machine = json!({
        "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [], "scope": "orders:read gone:scope",
    });
    let robot = RelyingParty::of(&story.server, clients::client("robot", &machine)).await;
    let own = robot.post("/oauth2/token", &[("grant_type", "client_credentials")]).await.ok();
    assert_eq!(own["scope"], "orders:read", "what nobody made means nothing");
    let asked = [("grant_type", "client_credentials"), ("scope", "orders:write")];
    assert_eq!(robot.post("/oauth2/token", &asked).await.error(), "400 invalid_scope");
}

#[tokio::test]
async fn s_150_who_leaves_a_group_loses_its_scope_at_once() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let story = Story::begin().await;
        story.member(Give::To, ("alice", &story.buyers)).await;
        let mut client = registered("shop", SCOPE);
        client.policy.access_token = format;
        client.policy.refresh_token = RefreshTokenPolicy::Always;
        let shop = RelyingParty::of(&story.server, client).await;
        let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
        let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
        assert_eq!(shop.introspect(access).await.ok()["scope"], SCOPE);

        story.member(Give::From, ("alice", &story.buyers)).await;
        for token in [access, refresh] {
            assert_eq!(shop.introspect(token).await.ok()["scope"], "openid offline_access");
        }
        let next = shop.refresh(refresh).await.ok();
        assert_eq!(next["scope"], "openid offline_access");
        // Who comes back has it again: it was consented to.
        story.member(Give::To, ("alice", &story.staff)).await;
        let next = shop.refresh(text(&next, "refresh_token")).await.ok();
        assert_eq!(next["scope"], "openid offline_access orders:read");
    }
}

#[tokio::test]
async fn s_150_a_code_that_waits_is_narrowed_too() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let exchange = shop.begin(SCOPE);
    let url = Browser::new(&story.server).authorize(&exchange, "alice").await;
    story.member(Give::From, ("alice", &story.buyers)).await;
    let given = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    assert_eq!(given["scope"], "openid offline_access");
}

/// A resource server that asks nobody believes a token until its end: the operator may end all of a person's at once.
#[tokio::test]
async fn s_150_all_tokens_of_a_person_can_be_ended() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
    let alice = story.server.user("alice").await;
    admin(&story.server).sign_out(&alice).await.expect("ended");
    assert!(!shop.is_active(text(&given, "access_token")).await);
    assert_eq!(shop.refresh(text(&given, "refresh_token")).await.error(), "400 invalid_grant");
}

#[tokio::test]
async fn s_150_a_scope_that_is_no_longer_kept_is_nobodys() {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
    let directory = story.server.store().directory().await.expect("read");
    let buying = directory.scopes().iter().find(|scope| scope.name == "Buying").expect("made");
    admin(&story.server).delete_group_scope(buying).await.expect("deleted");
    let next = shop.refresh(text(&given, "refresh_token")).await.ok();
    assert_eq!(next["scope"], "openid offline_access orders:read");
}

async fn page_of(server: &TestServer, login: &str) -> Spa {
    let page = Spa::open(server).await;
    page.sign_in(login, PASSWORD).await.ok();
    page
}

#[tokio::test]
async fn s_147_groups_and_permissions_of_the_person_are_shown() {
    let story = Story::begin().await;
    let admin = admin(&story.server);
    let read = admin.create_permission("shop:orders:read", "Reads orders").await.expect("made");
    admin.change_permission_of(Give::To, (&read, Holder::Group(story.staff.id))).await.expect("given");
    story.member(Give::To, ("alice", &story.buyers)).await;
    let alice = page_of(&story.server, "alice").await;
    let me = alice.get("/me").await.ok();
    assert_eq!(
        me["groups"],
        json!([
            {"name": "Staff", "path": "/Staff", "permissions": ["shop:orders:read"]},
            {"name": "Buyers", "path": "/Staff/Buyers", "permissions": []},
        ])
    );
    let history = alice.get("/me/history").await.ok();
    assert_eq!(history["items"][1]["event"], "group.member_added", "{history}");
    story.member(Give::From, ("alice", &story.buyers)).await;
    assert_eq!(alice.get("/me").await.ok()["groups"], json!([]));
}

#[tokio::test]
async fn s_148_roles_of_the_person_are_shown() {
    let story = Story::begin().await;
    let admin = admin(&story.server);
    RelyingParty::web(&story.server, "shop").await;
    let editor = admin.create_role(NewRole { name: "editor", ..NewRole::default() }).await.expect("made");
    let client = Some("shop".parse().expect("a client id"));
    let seller = admin.create_role(NewRole { client, name: "seller", ..NewRole::default() }).await.expect("made");
    let alice = story.server.user("alice").await;
    admin.change_role_of(Give::To, (&editor, &alice)).await.expect("given");
    admin.change_role_of(Give::To, (&seller, &alice)).await.expect("given");
    let me = page_of(&story.server, "alice").await.get("/me").await;
    assert_eq!(me.status, StatusCode::OK);
    assert_eq!(me.ok()["roles"], json!(["editor"]), "those of one app are told to that app");
    let reserved = admin.create_role(NewRole { name: "owner", ..NewRole::default() }).await;
    assert!(reserved.is_err(), "what somebody may do here is no role of apps");
}
