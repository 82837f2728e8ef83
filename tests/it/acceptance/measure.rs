//! How long lists take with a hundred thousand people, and a token with fifty groups (S-138, S-147). Run by
//! `cargo test --release --test it acceptance::measure -- --ignored --nocapture`; `SYMBOLON_TEST_PEOPLE` names another number of people.

use std::time::{Duration, Instant};

use serde_json::json;
use symbolon::admin::group::NewGroup;
use symbolon::edge::store::Give;
use symbolon::model::client::{Client, RefreshTokenPolicy};

use super::admin::Admin;
use super::groups::admin as administration;
use crate::cli::station::Station;
use crate::support::server::{PASSWORD, Setup};
use crate::support::{Browser, RelyingParty, TestServer, clients};

const PEOPLE: &str = "100000";
/// The most that a list may take.
const CEILING: Duration = Duration::from_millis(100);
/// Times that each is asked; the middle one counts.
const TIMES: usize = 9;

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn lists_of_a_hundred_thousand_people() {
    let people = std::env::var("SYMBOLON_TEST_PEOPLE").unwrap_or_else(|_| PEOPLE.to_owned());
    let station = Station::new();
    let began = Instant::now();
    station.run(&["seed", "--users", &people, "--groups", "1000"]).ok();
    println!("{people} people in 1000 groups were made in {:.1} s", began.elapsed().as_secs_f64());
    station.run_with(&format!("{PASSWORD}\n"), &["user", "create", "ada", "--email", "ada@example.com"]).ok();
    station.run(&["user", "set-role", "ada", "owner"]).ok();
    let (database, key) = (station.folder.path().join("symbolon.db"), station.folder.path().join("symbolon.key"));
    let server = TestServer::configured(Setup::default(), |config| {
        config.database.path = Some(database);
        config.keys.master_key_file = key;
    })
    .await;
    let ada = Admin::owner(&server).await;
    let groups = ada.get("/groups?q=group-00999").await.ok();
    let group = groups["items"][0]["id"].as_str().expect("a group").to_owned();
    let page = ada.get("/users?limit=100").await.ok();
    let next = page["next"].as_str().expect("there are more").to_owned();
    let one = page["items"][50]["id"].as_str().expect("somebody").to_owned();
    let middle_email = "c2VlZC0wMDUwMDAwQHNlZWQuZXhhbXBsZQ";
    let mut slow = Vec::new();
    for path in [
        "/users?limit=100".to_owned(),
        format!("/users?limit=100&cursor={next}"),
        "/users?limit=100&sort=email".to_owned(),
        format!("/users?limit=100&sort=email&cursor={middle_email}"),
        "/users?q=seed-0009999".to_owned(),
        "/users?q=seed-0009999@seed.example".to_owned(),
        "/users?q=seeded%20person%2099".to_owned(),
        "/users?q=person%201".to_owned(),
        "/users?q=person%20999&sort=email".to_owned(),
        // Everybody is called so.
        "/users?q=seed".to_owned(),
        "/users?q=seeded&sort=email".to_owned(),
        "/users?q=nobody%20is%20called%20so".to_owned(),
        format!("/users?q={one}"),
        "/users?role=owner".to_owned(),
        "/users?role=member&state=active".to_owned(),
        "/users?state=disabled".to_owned(),
        "/users?state=pending&sort=email".to_owned(),
        format!("/users?group={group}"),
        format!("/users?group={group}&q=seeded&sort=email"),
        "/users/mfa?limit=100".to_owned(),
        "/users/mfa?q=person%20999".to_owned(),
        "/registrations?limit=100".to_owned(),
        "/registrations?q=seed-0009999".to_owned(),
        "/registrations?q=seeded".to_owned(),
        "/registrations?registering=true".to_owned(),
        "/registrations?registering=false&invited=false".to_owned(),
        "/registrations?invited=true".to_owned(),
        format!("/registrations?invited_by={one}"),
        "/groups?limit=100".to_owned(),
        "/groups?q=group-005&limit=100".to_owned(),
        format!("/groups/{group}/members?limit=100"),
        format!("/groups/{group}/members?limit=100&cursor={one}"),
        format!("/users/{one}/sessions"),
        format!("/users/{one}/grants"),
        "/events?limit=100".to_owned(),
        "/events?event=sign_in&limit=100".to_owned(),
        "/events?outcome=failure".to_owned(),
        format!("/events?user={one}"),
        "/events?client_id=console".to_owned(),
        "/invitations".to_owned(),
        format!("/invitations?invited_by={one}"),
        "/clients".to_owned(),
        "/roles".to_owned(),
        "/permissions".to_owned(),
        "/group-scopes".to_owned(),
        "/jobs".to_owned(),
    ] {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..TIMES {
            let began = Instant::now();
            let answer = ada.get(&path).await;
            times.push(began.elapsed());
            found = answer.ok()["items"].as_array().map_or(0, Vec::len);
        }
        let took = middle(times);
        println!("{:>9.2} ms  {found:>3}  {path}", took.as_secs_f64() * 1_000.0);
        if took > CEILING {
            slow.push(path);
        }
    }
    assert!(slow.is_empty(), "slower than {CEILING:?}: {slow:#?}");
}

/// Tokens of an app that is told of groups.
fn shop() -> Client {
    let mut client = clients::client("shop", &json!({"scope": "openid groups offline_access"}));
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    client
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_token_of_somebody_in_fifty_nested_groups() {
    let server = TestServer::start().await;
    let admin = administration(&server);
    let mut parent = None;
    for number in 0..50 {
        let name = format!("group-{number:05}");
        let group = admin.create_group(NewGroup { name: &name, parent, ..NewGroup::default() }).await.expect("made");
        parent = Some(group.id);
        if number == 49 {
            admin.change_member(Give::To, (&*server.user("alice").await, &group)).await.expect("put into");
        }
    }
    let shop = RelyingParty::of(&server, shop()).await;
    let mut refresh_tokens = Vec::new();
    for login in ["alice", "bob"] {
        let tokens = shop.tokens(&Browser::new(&server), login, "openid groups offline_access").await;
        refresh_tokens.push(tokens["refresh_token"].as_str().expect("a token").to_owned());
    }
    let mut times = [Vec::new(), Vec::new()];
    // By turns, so that both feel the same machine.
    for _ in 0..400 {
        for (token, times) in refresh_tokens.iter_mut().zip(&mut times) {
            let began = Instant::now();
            let tokens = shop.refresh(token).await;
            times.push(began.elapsed());
            tokens.ok()["refresh_token"].as_str().expect("a token").clone_into(token);
        }
    }
    let [with, without] = times.map(middle);
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("a refresh: {with:?} with fifty nested groups, {without:?} with none: {ratio:.2} times");
    assert!(ratio <= 1.3, "{ratio}");
}
