//! `/me/grants`: the apps a person let in.

use serde_json::{Value, json};

use super::session_list::{first_party, signed_in};
use crate::support::{RelyingParty, TestServer};

fn clients(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no items in {list}"));
    items.iter().map(|item| item["client"]["client_id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn apps_are_listed_and_what_they_have_is_taken_back() {
    let server = TestServer::start().await;
    let (shop, own) = (RelyingParty::web(&server, "shop").await, first_party(&server, "own").await);
    let alice = signed_in(&server, "alice").await;
    let tokens = shop.tokens(&alice.browser, "alice", "openid email offline_access").await;
    server.advance(std::time::Duration::from_secs(1));
    own.tokens(&alice.browser, "alice", "openid offline_access").await;
    assert!(clients(&signed_in(&server, "bob").await.get("/me/grants").await.ok()).is_empty());

    let list = alice.get("/me/grants").await.ok();
    assert_eq!(clients(&list), ["own", "shop"], "{list}");
    assert_eq!(list["items"][1]["scopes"], json!(["openid", "email", "offline_access"]));
    assert_eq!(list["items"][1]["granted_at"], "2027-01-15T08:00:00Z");
    let first = alice.get("/me/grants?limit=1").await.ok();
    let next = first["next"].as_str().expect("there is more");
    let second = alice.get(&format!("/me/grants?limit=1&cursor={next}")).await.ok();
    assert_eq!((clients(&first), clients(&second), &second["next"]), (vec!["own"], vec!["shop"], &Value::Null));
    assert_eq!(alice.get("/me/grants?cursor=x").await.status, 422);

    assert_eq!(alice.delete("/me/grants/shop").await.status, 204);
    assert_eq!(alice.delete("/me/grants/shop").await.status, 404);
    assert_eq!(alice.delete("/me/grants/%20").await.status, 404);
    assert_eq!(clients(&alice.get("/me/grants").await.ok()), ["own"]);
    let refresh_token = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(shop.refresh(refresh_token).await.error(), "400 invalid_grant");
    let asked = alice.browser.begin(&shop.begin("openid")).await;
    assert!(asked.page().has("consent-accept"), "asked again: {asked}");
}
