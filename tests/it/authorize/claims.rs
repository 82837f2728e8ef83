//! The `claims` parameter: single claims, in the ID token or from userinfo, wished or essential.
//!
//! OIDC Core §5.5.

use serde_json::{Value, json};

use crate::support::{Browser, Exchange, RelyingParty, TestServer};

fn asking(shop: &RelyingParty, claims: &Value) -> Exchange {
    shop.begin("openid").with("claims", &claims.to_string())
}

#[tokio::test]
async fn claims_arrive_where_they_were_asked_for() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = asking(
        &shop,
        &json!({"userinfo": {"email": {"essential": true}, "nickname": null}, "id_token": {"given_name": null, "email": null}}),
    );
    let consent = alice.begin(&exchange).await;
    let consent = alice.sign_in(&consent, "alice").await;
    assert!(
        consent.page().text.contains("given name") || consent.page().words(".asked").len() > 10,
        "the person sees what is asked"
    );
    let answered = alice.press(&consent, "consent-accept").await;
    let code = shop.code(&exchange, answered.location());
    let tokens = shop.redeem(&exchange, &code).await.ok();
    let id = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!((&id["given_name"], &id["email"]), (&json!("Alice"), &json!("alice@example.com")));
    assert!(id.get("family_name").is_none(), "{id}");
    let person = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!(person["email"], "alice@example.com");
    assert!(person.get("given_name").is_none() && person.get("nickname").is_none(), "{person}");
}

/// A single claim is consent too: remembered, and asked again when it is new.
#[tokio::test]
async fn a_new_claim_is_asked_for() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens_for(&alice, "alice", asking(&shop, &json!({"userinfo": {"email": null}}))).await;
    alice.begin(&asking(&shop, &json!({"userinfo": {"email": null}}))).await.location();
    let page = alice.begin(&asking(&shop, &json!({"userinfo": {"phone_number": null}}))).await;
    assert!(page.page().has("consent-accept"), "{page}");
}

#[tokio::test]
async fn an_essential_acr_is_met_or_refused() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let acr = |value: Value| json!({"id_token": {"acr": value}});
    for met in [
        json!({"essential": true, "values": ["urn:symbolon:acr:2", "urn:symbolon:acr:1"]}),
        json!({"essential": true, "value": "urn:symbolon:acr:1"}),
        json!({"essential": true}),
        json!({"values": ["urn:symbolon:acr:2"]}),
    ] {
        shop.tokens_for(&alice, "alice", asking(&shop, &acr(met))).await;
    }
    let exchange = asking(&shop, &acr(json!({"essential": true, "values": ["gold"]})));
    let answer = alice.begin(&exchange).await;
    assert_eq!(shop.error(&exchange, answer.location()), "unmet_authentication_requirements");
    // What they can still reach is asked of them.
    let more = json!({"essential": true, "value": "urn:symbolon:acr:2"});
    let page = alice.begin(&asking(&shop, &acr(more.clone()))).await;
    assert!(page.page().has("setup-begin"), "{page}");
    let silent = asking(&shop, &acr(more)).with("prompt", "none");
    assert_eq!(shop.error(&silent, alice.begin(&silent).await.location()), "login_required");
}

/// OIDC Core §5.5.1: a `sub` that is asked for names the person who must be signed in.
#[tokio::test]
async fn a_sub_that_is_asked_for_names_the_person() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid").await;
    let (own, other) = (server.user("alice").await.id.to_string(), server.user("bob").await.id.to_string());
    for wish in [json!({"value": own}), json!({"values": [other, own]})] {
        for member in ["id_token", "userinfo"] {
            let exchange = asking(&shop, &json!({member: {"sub": wish}})).with("prompt", "none");
            let answer = alice.begin(&exchange).await;
            shop.code(&exchange, answer.location());
        }
    }
    for wish in [json!({"value": other}), json!({"values": ["nobody"]})] {
        let exchange = asking(&shop, &json!({"id_token": {"sub": wish}})).with("prompt", "none");
        let answer = alice.begin(&exchange).await;
        assert_eq!(shop.error(&exchange, answer.location()), "login_required", "{wish}");
    }
    // What is no string is the `sub` of nobody.
    for wish in [json!({"value": 7}), json!({"values": [null, true, [own]]}), json!({"value": {"sub": own}})] {
        let exchange = asking(&shop, &json!({"id_token": {"sub": wish}})).with("prompt", "none");
        let answer = alice.begin(&exchange).await;
        assert_eq!(shop.error(&exchange, answer.location()), "login_required", "{wish}");
    }
}

/// OIDC Core §5.5.1: a claim is asked for with its values; another value than those is not told, and that is no error.
#[tokio::test]
async fn a_claim_with_another_value_than_the_wished_one_is_left_out() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let wishes = json!({
        "email": {"essential": true, "value": "alice@example.com"},
        "email_verified": {"value": "true"},
        "given_name": {"values": ["Bob", "Alice"]},
        "family_name": {"values": ["Nobody"]},
        "sub": {"value": server.user("alice").await.id.to_string()},
    });
    let exchange =
        shop.begin("openid email").with("claims", &json!({"id_token": wishes, "userinfo": wishes}).to_string());
    let tokens = shop.tokens_for(&alice, "alice", exchange).await;
    let id = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    let person = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    for told in [id, person] {
        assert_eq!((&told["email"], &told["given_name"]), (&json!("alice@example.com"), &json!("Alice")));
        assert!(told.get("family_name").is_none(), "{told}");
        assert!(
            told.get("email_verified").is_none(),
            "a text is no truth value, also where the scope tells it: {told}"
        );
        assert!(told["sub"].is_string(), "{told}");
    }
}

#[tokio::test]
async fn what_is_no_claims_request_is_refused() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    for wrong in [
        "{",
        "[]",
        "7",
        r#"{"id_token": 7}"#,
        r#"{"userinfo": {"email": 7}}"#,
        r#"{"id_token":{"acr":{"essential":"yes"}}}"#,
    ] {
        let exchange = shop.begin("openid").with("claims", wrong);
        let answer = browser.begin(&exchange).await;
        assert_eq!(shop.error(&exchange, answer.location()), "invalid_request", "{wrong}");
    }
    let page = browser.begin(&asking(&shop, &json!({"id_token": {"favourite_colour": null}, "other": {"a": 1}}))).await;
    assert!(page.page().has("login"), "what we do not know is ignored: {page}");
}
