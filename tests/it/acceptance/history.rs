//! S-095: what happened to an account, told to its person.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon::protocol::numeric_date::NumericDate;

use super::session_list::signed_in;
use crate::support::{Browser, RelyingParty, TestServer};

const DAY: Duration = Duration::from_hours(24);

/// What happened, the latest first: name and outcome.
fn told(history: &Value) -> Vec<(String, String)> {
    let items = history["items"].as_array().unwrap_or_else(|| panic!("no items in {history}"));
    let text = |item: &Value, name: &str| item[name].as_str().expect("a text").to_owned();
    items.iter().map(|item| (text(item, "event"), text(item, "outcome"))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(event, outcome)| ((*event).to_owned(), (*outcome).to_owned())).collect()
}

#[tokio::test]
async fn s_095_sign_ins_are_told_whether_they_succeed_or_fail() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let mallory = Browser::new(&server).with_password("hunter2 hunter2").calling_itself("Mallory/1.0");
    let page = mallory.begin(&shop.begin("openid")).await;
    let refused = mallory.sign_in(&page, "alice").await;
    assert_eq!(refused.status, 422);
    server.advance(Duration::from_secs(1));
    let alice = signed_in(&server, "alice").await;
    server.settled().await;

    let history = alice.get("/me/history").await.ok();
    assert_eq!(told(&history), pairs(&[("sign_in", "success"), ("sign_in", "failure")]), "{history}");
    let (ok, failed) = (&history["items"][0], &history["items"][1]);
    for item in [ok, failed] {
        assert_eq!((&item["details"]["method"], &item["ip"]), (&json!("password"), &json!("127.0.0.1")), "{item}");
    }
    assert_eq!(failed["user_agent"], "Mallory/1.0");
    assert_eq!(failed["client"], json!({"client_id": "shop", "name": "The shop"}));
    assert_eq!((&failed["at"], &ok["at"]), (&json!("2027-01-15T08:00:00Z"), &json!("2027-01-15T08:00:01Z")));
    assert!(!history.to_string().contains("hunter2"), "{history}");

    let others = signed_in(&server, "bob").await.get("/me/history").await.ok();
    assert_eq!(told(&others), pairs(&[("sign_in", "success")]), "Bob sees his own");
}

#[tokio::test]
async fn s_095_what_a_person_does_is_told() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let (alice, phone) = (signed_in(&server, "alice").await, signed_in(&server, "alice").await);
    server.advance(Duration::from_secs(1));
    shop.tokens(&alice.browser, "alice", "openid").await;
    server.advance(Duration::from_secs(1));
    alice.delete("/me/grants/shop").await;
    server.advance(Duration::from_secs(1));
    let account = phone.browser.open("/account").await;
    phone.browser.press(&account, "sign-out").await;
    server.advance(Duration::from_secs(1));
    assert_eq!(alice.post("/me/reauth", &json!({"password": "correct horse battery staple"})).await.status, 200);
    server.settled().await;

    let history = alice.get("/me/history").await.ok();
    let expected = ["session.step_up", "session.ended", "consent.withdrawn", "consent.granted", "sign_in", "sign_in"];
    let expected: Vec<_> = expected.iter().map(|event| (*event, "success")).collect();
    assert_eq!(told(&history), pairs(&expected), "{history}");
    assert_eq!(history["items"][1]["details"]["reason"], "signed_out");
    assert_eq!(history["items"][3]["details"]["scope"], "openid");

    let page = alice.browser.open("/account/history").await;
    assert_eq!(page.page().attributes(".row time", "datetime").len(), 6, "{page}");
    assert!(page.page().words("main").contains("App allowed"), "{page}");
}

#[tokio::test]
async fn s_095_the_history_reaches_back_ninety_days() {
    let server = TestServer::start().await;
    Browser::signed_in(&server, "alice").await;
    server.advance(DAY * 60);
    Browser::signed_in(&server, "alice").await;
    server.advance(DAY * 30);
    let alice = signed_in(&server, "alice").await;
    assert_eq!(told(&alice.get("/me/history").await.ok()).len(), 3, "the first is ninety days old");
    server.advance(Duration::from_secs(1));
    assert_eq!(told(&alice.get("/me/history").await.ok()).len(), 2);

    let since = NumericDate::from_seconds(server.clock.seconds()).minus(DAY * 90);
    // Only what is chained goes: the chain goes on from there.
    assert_eq!(server.store().clear_events(since, 500).await.expect("cleared"), 0);
    server.store().chain_events(&server.provider().audit_key, 500).await.expect("chained");
    assert_eq!(server.store().clear_events(since, 500).await.expect("cleared"), 1, "what is not told is let go");
    assert_eq!(told(&alice.get("/me/history").await.ok()).len(), 2);
}

#[tokio::test]
async fn s_095_pages_show_each_event_once() {
    let server = TestServer::start().await;
    let alice = signed_in(&server, "alice").await;
    for _ in 0..6 {
        server.advance(Duration::from_secs(1));
        Browser::signed_in(&server, "alice").await;
    }
    let (mut ids, mut path) = (Vec::new(), "/me/history?limit=3".to_owned());
    loop {
        let page = alice.get(&path).await.ok();
        ids.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/me/history?limit=3&cursor={next}");
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (7, 7));
    assert_eq!(alice.get("/me/history?cursor=x").await.status, 422);
}
