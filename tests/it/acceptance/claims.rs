//! What apps are told of groups, roles and permissions: S-147, S-148.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use symbolon::admin::role::NewRole;
use symbolon::edge::store::{Give, Holder};
use symbolon::model::claim_mapper::{ClaimMapper, Destination};
use symbolon::model::client::{AccessTokenFormat, Client};
use symbolon::oauth::token::mapped::Explained;
use symbolon::oauth::token::preview::preview;

use super::groups::{Story, admin, registered};
use crate::support::{Browser, RelyingParty, TestServer, clients, tokens};

const SCOPE: &str = "openid profile email offline_access groups roles permissions";

/// Alice buys: she is in `/Staff/Buyers`, has the roles `editor` and `seller` of the shop, and may read orders.
async fn alice_buys() -> Story {
    let story = Story::begin().await;
    story.member(Give::To, ("alice", &story.buyers)).await;
    let admin = admin(&story.server);
    let client = clients::web("other");
    story.server.store().create_client(&client).await.expect("stored");
    let editor = admin.create_role(NewRole { name: "editor", ..NewRole::default() }).await.expect("made");
    let foreign = NewRole { client: Some(client.id), name: "seller", ..NewRole::default() };
    let seller = admin.create_role(foreign).await.expect("made");
    let read = admin.create_permission("shop:orders:read", "").await.expect("made");
    admin.change_permission_of(Give::To, (&read, Holder::Role(editor.id))).await.expect("given");
    admin.change_role_of_group(Give::To, (&editor, &story.staff)).await.expect("given");
    let alice = story.server.user("alice").await;
    admin.change_role_of(Give::To, (&seller, &alice)).await.expect("given");
    story
}

fn mapper(claim: &str, scope: Option<&str>, source: &Value) -> ClaimMapper {
    ClaimMapper {
        id: None,
        scope: scope.map(str::to_owned),
        client: None,
        claim: claim.to_owned(),
        source: serde_json::from_value(source.clone()).expect("a source"),
        into: Destination::ALL.iter().copied().collect(),
    }
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

/// What the app learns: ID token, access token, userinfo, introspection.
async fn told(server: &TestServer, app: &RelyingParty, given: &Value) -> [Value; 4] {
    let access = text(given, "access_token");
    let of_access = tokens::verify(server, access).await.claims;
    [
        app.verified(text(given, "id_token")).await,
        of_access,
        app.userinfo(access).await.ok(),
        app.introspect(access).await.ok(),
    ]
}

#[tokio::test]
async fn s_147_groups_and_permissions_are_told_by_scope() {
    let story = alice_buys().await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
    for claims in told(&story.server, &shop, &given).await {
        assert_eq!(claims["groups"], json!(["/Staff", "/Staff/Buyers"]), "{claims}");
        assert_eq!(claims["permissions"], json!(["shop:orders:read"]), "{claims}");
    }
    let given = shop.tokens(&Browser::new(&story.server), "bob", SCOPE).await;
    for claims in told(&story.server, &shop, &given).await {
        assert_eq!((&claims["groups"], &claims["permissions"]), (&json!([]), &json!([])), "{claims}");
    }
    let few = shop.tokens(&Browser::new(&story.server), "alice", "openid roles").await;
    for claims in told(&story.server, &shop, &few).await {
        assert!(claims["groups"].is_null() && claims["permissions"].is_null(), "{claims}");
    }
}

#[tokio::test]
async fn s_148_roles_are_told_flat_or_by_client() {
    let story = alice_buys().await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let access = mapper("resource_access", Some("roles"), &json!({"from": "roles", "form": "by_client"}));
    admin(&story.server).create_claim_mapper(access).await.expect("made");
    let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
    for claims in told(&story.server, &shop, &given).await {
        assert_eq!(claims["roles"], json!(["editor"]), "the seller is one of the other app: {claims}");
        assert_eq!(claims["resource_access"], json!({"other": {"roles": ["seller"]}}), "{claims}");
    }
}

#[tokio::test]
async fn s_147_what_is_told_is_asked_again() {
    let story = alice_buys().await;
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
    story.member(Give::From, ("alice", &story.buyers)).await;
    let access = text(&given, "access_token");
    for claims in [shop.userinfo(access).await.ok(), shop.introspect(access).await.ok()] {
        assert_eq!((&claims["groups"], &claims["roles"]), (&json!([]), &json!([])), "{claims}");
    }
    let next = shop.refresh(text(&given, "refresh_token")).await.ok();
    for token in ["access_token", "id_token"] {
        assert_eq!(tokens::part(text(&next, token), 1)["groups"], json!([]), "{token}");
    }
}

#[tokio::test]
async fn s_147_mappers_say_what_is_told_and_where() {
    let story = alice_buys().await;
    let admin = admin(&story.server);
    let shop = RelyingParty::of(&story.server, registered("shop", SCOPE)).await;
    let named = mapper("groups", Some("groups"), &json!({"from": "groups", "form": "name", "prefix": "/staff/buyers"}));
    let into = BTreeSet::from([Destination::IdToken, Destination::Introspection]);
    let named = admin.create_claim_mapper(ClaimMapper { into, ..named }).await.expect("made");
    let constant = json!({"from": "constant", "value": {"tenant": 7}});
    let for_shop = ClaimMapper { client: Some("shop".parse().expect("an id")), ..mapper("house", None, &constant) };
    admin.create_claim_mapper(for_shop.clone()).await.expect("made");
    admin.create_claim_mapper(mapper("house", None, &json!({"from": "constant", "value": "any"}))).await.expect("made");
    admin
        .create_claim_mapper(mapper("zone", None, &json!({"from": "attribute", "name": "zoneinfo"})))
        .await
        .expect("made");
    assert!(admin.create_claim_mapper(for_shop).await.is_err(), "one tells it already");

    let given = shop.tokens(&Browser::new(&story.server), "alice", SCOPE).await;
    let [id_token, access_token, userinfo, introspection] = told(&story.server, &shop, &given).await;
    for claims in [&id_token, &introspection] {
        assert_eq!(claims["groups"], json!(["Buyers"]), "{claims}");
    }
    for claims in [&access_token, &userinfo] {
        assert_eq!(claims["groups"], json!(["/Staff", "/Staff/Buyers"]), "what every server begins with: {claims}");
    }
    for claims in [&id_token, &access_token, &userinfo, &introspection] {
        assert_eq!((&claims["house"], &claims["zone"]), (&json!({"tenant": 7}), &json!("Europe/Berlin")), "{claims}");
    }
    let id = named.id.expect("it is recorded");
    admin.delete_claim_mapper((id, &named)).await.expect("deleted");
    let next = shop.refresh(text(&given, "refresh_token")).await.ok();
    assert_eq!(tokens::part(text(&next, "id_token"), 1)["groups"], json!(["/Staff", "/Staff/Buyers"]));
}

#[tokio::test]
async fn s_147_who_registered_itself_learns_nothing_of_the_house() {
    use symbolon::config::client_registration::ClientRegistrationMode;
    let setup = crate::support::server::Setup {
        client_registration: ClientRegistrationMode::Open,
        ..crate::support::server::Setup::default()
    };
    let server = TestServer::with(setup).await;
    for scope in [json!("openid groups roles"), Value::Null] {
        let mut body = json!({"redirect_uris": ["https://new.example/cb"], "token_endpoint_auth_method": "none"});
        if scope.is_string() {
            body["scope"] = scope;
        }
        let made = server.json((http::Method::POST, "/oauth2/register"), &body, None).await;
        let client_id = made.json()["client_id"].as_str().expect("an id").to_owned();
        let new = RelyingParty::registered(
            &server,
            &client_id,
            "https://new.example/cb",
            crate::support::relying_party::Proof::Name,
        );
        let given = new.tokens(&Browser::new(&server), "alice", "openid groups roles").await;
        assert_eq!(given["scope"], "openid");
    }
}

/// What a preview says is what is then issued, but for what differs each time.
#[tokio::test]
async fn s_147_a_preview_is_equal_to_the_token() {
    const EACH_TIME: &[&str] = &["iat", "exp", "jti", "sid", "auth_time", "nonce", "at_hash"];
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let story = alice_buys().await;
        admin(&story.server)
            .create_claim_mapper(mapper("zone", None, &json!({"from": "attribute", "name": "zoneinfo"})))
            .await
            .expect("made");
        let mut client: Client = registered("shop", SCOPE);
        client.policy.access_token = format;
        let shop = RelyingParty::of(&story.server, client).await;
        let asked = format!("{SCOPE} orders:write gone");
        let given = shop.tokens(&Browser::new(&story.server), "alice", &asked).await;
        let client = story.server.store().client(&"shop".parse().expect("an id")).await.expect("read").expect("there");
        let alice = story.server.user("alice").await;
        let shown = preview(story.server.provider(), (&client, &alice), &asked.parse().expect("a scope")).await;
        let shown = shown.expect("shown");
        assert_eq!(json!(shown.scope), given["scope"]);
        let left_out: Vec<&str> = shown.left_out.iter().map(|one| one.scope.as_str()).collect();
        assert_eq!(left_out, ["orders:write", "gone"]);
        let plain = |claims: &[Explained]| -> Value {
            let kept = claims.iter().filter(|one| !EACH_TIME.contains(&one.claim.as_str()));
            kept.map(|one| (one.claim.clone(), one.value.clone())).collect()
        };
        let real = |mut claims: Value| {
            claims.as_object_mut().expect("an object").retain(|name, _| !EACH_TIME.contains(&name.as_str()));
            claims
        };
        let id_token = shop.verified(text(&given, "id_token")).await;
        assert_eq!(plain(&shown.id_token.expect("with openid")), real(id_token));
        let userinfo = shop.userinfo(text(&given, "access_token")).await.ok();
        assert_eq!(plain(&shown.userinfo.expect("with openid")), real(userinfo));
        if format == AccessTokenFormat::Jwt {
            let claims = tokens::verify(&story.server, text(&given, "access_token")).await.claims;
            assert_eq!(plain(&shown.access_token), real(claims));
        }
        let because = |name: &str| {
            shown.access_token.iter().find(|one| one.claim == name).map(|one| one.because.as_str()).unwrap_or_default()
        };
        assert_eq!(because("groups"), "groups by path, by the scope groups");
        assert_eq!(because("zone"), "the attribute zoneinfo");
        assert_eq!(because("aud"), "of every access token (RFC 9068 2.2)");
    }
}
