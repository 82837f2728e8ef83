//! S-093, S-094: where a person is signed in, and an end to it.

use serde_json::{Value, json};
use symbolon::model::client::ClientPolicy;

use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer, clients};

/// A page of the server's own origin whose person is signed in.
pub(super) async fn signed_in(server: &TestServer, login: &str) -> Spa {
    let spa = Spa::new(server);
    let page = spa.browser.open("/sign-in").await;
    let account = spa.browser.sign_in(&page, login).await;
    assert!(account.page().has("sign-out"), "{account}");
    spa.get("/session").await.ok();
    spa
}

/// A first-party app, whose tokens open the account API.
pub(super) async fn first_party(server: &TestServer, id: &str) -> RelyingParty {
    let mut client = clients::web(id);
    client.policy = ClientPolicy { first_party: true, ..client.policy };
    RelyingParty::of(server, client).await
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no items in {list}"));
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn s_093_sessions_are_listed_newest_first_with_what_tells_them_apart() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let laptop = signed_in(&server, "alice").await;
    server.advance(std::time::Duration::from_mins(1));
    let phone = Browser::new(&server)
        .calling_itself("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Mobile Safari/604.1");
    shop.tokens(&phone, "alice", "openid").await;
    signed_in(&server, "bob").await;

    let list = laptop.get("/me/sessions").await.ok();
    assert_eq!((list["items"].as_array().map(Vec::len), &list["next"]), (Some(2), &Value::Null), "{list}");
    let (newest, oldest) = (&list["items"][0], &list["items"][1]);
    assert_eq!((&newest["current"], &oldest["current"]), (&json!(false), &json!(true)));
    assert_eq!(newest["client"], json!({"client_id": "shop", "name": "The shop"}));
    assert_eq!(oldest["client"], Value::Null);
    assert_eq!(newest["device"], "Safari, iPhone");
    for session in [newest, oldest] {
        assert_eq!((&session["ip"], &session["amr"]), (&json!("127.0.0.1"), &json!(["pwd"])));
        assert!(session.get("city").is_none(), "we do not know it");
    }
    assert_eq!(
        (&oldest["created_at"], &newest["created_at"]),
        (&json!("2027-01-15T08:00:00Z"), &json!("2027-01-15T08:01:00Z"))
    );
    server.settled().await;
    let list = laptop.get("/me/sessions").await.ok();
    assert_eq!(list["items"][1]["last_seen_at"], "2027-01-15T08:01:00Z", "it was used");
}

#[tokio::test]
async fn s_093_pages_show_each_session_once() {
    let server = TestServer::start().await;
    let laptop = signed_in(&server, "alice").await;
    for _ in 0..4 {
        server.advance(std::time::Duration::from_secs(1));
        Browser::signed_in(&server, "alice").await;
    }
    let all = ids(&laptop.get("/me/sessions").await.ok());
    assert_eq!(all.len(), 5);
    let (mut seen, mut path) = (Vec::new(), "/me/sessions?limit=2".to_owned());
    for size in [2, 2, 1] {
        let page = laptop.get(&path).await.ok();
        assert_eq!(ids(&page).len(), size, "{page}");
        seen.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => path = format!("/me/sessions?limit=2&cursor={next}"),
            None => assert_eq!(seen, all),
        }
        // One that comes meanwhile moves nothing.
        server.advance(std::time::Duration::from_secs(1));
        Browser::signed_in(&server, "alice").await;
    }
    assert_eq!(seen, all);
    for wrong in ["limit=0", "limit=101", "limit=x", "cursor=x"] {
        let refused = laptop.get(&format!("/me/sessions?{wrong}")).await;
        let field = wrong.split('=').next().expect("a name");
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["field"]), (422, &json!(field)), "{wrong}");
    }
    assert_eq!(Spa::open(&server).await.get("/me/sessions").await.status, 401);
}

#[tokio::test]
async fn s_094_a_session_that_is_revoked_takes_its_browser_and_its_tokens_along() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let laptop = signed_in(&server, "alice").await;
    server.advance(std::time::Duration::from_secs(1));
    let phone = signed_in(&server, "alice").await;
    let on_laptop = shop.tokens(&laptop.browser, "alice", "openid offline_access").await;
    let on_phone = shop.tokens(&phone.browser, "alice", "openid offline_access").await;
    let id = ids(&laptop.get("/me/sessions").await.ok())[0].clone();

    let bob = signed_in(&server, "bob").await;
    for id in [id.as_str(), "x", "00000000-0000-0000-0000-000000000000"] {
        let refused = bob.delete(&format!("/me/sessions/{id}")).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (404, &json!("not_found")), "{id}");
    }
    assert_eq!(phone.get("/session").await.ok()["user"]["username"], "alice", "Bob ended nothing");

    assert_eq!(laptop.delete(&format!("/me/sessions/{id}")).await.status, 204);
    assert_eq!(laptop.delete(&format!("/me/sessions/{id}")).await.status, 404, "it is gone");
    assert_eq!(phone.get("/session").await.ok()["user"], Value::Null);
    let text = |tokens: &Value, name: &str| tokens[name].as_str().expect("a token").to_owned();
    assert_eq!(shop.refresh(&text(&on_phone, "refresh_token")).await.error(), "400 invalid_grant");
    assert!(!shop.is_active(&text(&on_phone, "access_token")).await);
    assert_eq!(laptop.get("/session").await.ok()["user"]["username"], "alice");
    shop.refresh(&text(&on_laptop, "refresh_token")).await.ok();
}

#[tokio::test]
async fn s_094_all_others_may_be_revoked_at_once() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let app = first_party(&server, "app").await;
    let (laptop, phone) = (signed_in(&server, "alice").await, signed_in(&server, "alice").await);
    let bob = signed_in(&server, "bob").await;
    let on_phone = shop.tokens(&phone.browser, "alice", "openid offline_access").await;
    let on_laptop = shop.tokens(&laptop.browser, "alice", "openid offline_access").await;

    assert_eq!(laptop.delete("/me/sessions").await.status, 204);
    assert_eq!(phone.get("/session").await.ok()["user"], Value::Null);
    assert_eq!(ids(&laptop.get("/me/sessions").await.ok()).len(), 1);
    let text = |tokens: &Value, name: &str| tokens[name].as_str().expect("a token").to_owned();
    assert_eq!(shop.refresh(&text(&on_phone, "refresh_token")).await.error(), "400 invalid_grant");
    shop.refresh(&text(&on_laptop, "refresh_token")).await.ok();
    assert_eq!(bob.get("/session").await.ok()["user"]["username"], "bob");

    // By an access token: what stays is the session that it was given in.
    let tablet = Browser::new(&server);
    let tokens = app.tokens(&tablet, "alice", "openid").await;
    let token = text(&tokens, "access_token");
    let list = server.get_with("/api/v1/me/sessions", &token).await.ok();
    let current: Vec<_> = list["items"].as_array().expect("a list").iter().map(|item| &item["current"]).collect();
    assert_eq!(current.iter().filter(|current| ***current == json!(true)).count(), 1, "{list}");
    let ended = server.json((http::Method::DELETE, "/api/v1/me/sessions"), &json!({}), Some(&token)).await;
    assert_eq!(ended.status, 204, "{ended}");
    assert_eq!(laptop.get("/session").await.ok()["user"], Value::Null);
    assert!(tablet.open("/account").await.page().has("sign-out"));
}

/// The same on the pages of the account console.
#[tokio::test]
async fn s_094_the_console_ends_one_and_others() {
    let server = TestServer::start().await;
    let browsers = [
        Browser::signed_in(&server, "alice").await,
        Browser::signed_in(&server, "alice").await,
        Browser::signed_in(&server, "alice").await,
    ];
    let page = browsers[0].open("/account/sessions").await;
    assert_eq!(page.page().attributes("form[action$='/end']", "action").len(), 3, "{page}");
    let rest = browsers[0].press(&page, "end-others").await;
    assert!(!rest.page().has("end-others"), "only this one is left: {rest}");
    assert!(browsers[1].open("/account").await.page().has("login"));
    assert!(browsers[2].open("/account").await.page().has("login"));
}
