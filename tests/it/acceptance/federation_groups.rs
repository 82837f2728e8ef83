//! Groups here that follow from groups at a provider.

use serde_json::{Value, json};
use symbolon::edge::store::Give;
use symbolon::model::event::{Event, EventName};
use symbolon::model::group::Group;
use symbolon::model::identity_provider::ProviderSettings;

use super::federation::{changed, events, signs_in};
use super::groups::Story;
use crate::support::answer::code;
use crate::support::spa::Spa;
use crate::support::stand_in::{CLIENT_ID, StandIn};
use crate::support::{Browser, TestServer};

const CAROL: &str = "carol@gmail.com";

fn follows(settings: &mut ProviderSettings, story: &Story) {
    settings.trust.email_domains = vec!["gmail.com".to_owned()];
    settings.groups.claim = Some("realm_access.roles".to_owned());
    settings.groups.map.insert("corp-staff".to_owned(), story.staff.id);
    settings.groups.map.insert("corp-buyers".to_owned(), story.buyers.id);
}

fn carol(groups: &Value) -> Value {
    json!({"sub": "c-1", "email": CAROL, "email_verified": true, "name": "Carol", "realm_access": {"roles": groups}})
}

async fn is_member(server: &TestServer, group: &Group) -> bool {
    let user = server.user(CAROL).await.id;
    server.store().membership(user).await.expect("read").groups.contains(&group.id)
}

fn told(events: &[Event], name: EventName) -> Vec<Value> {
    let of = events.iter().filter(|event| event.name == name);
    of.map(|event| json!([event.details["name"], event.details["provider"]])).collect()
}

#[tokio::test]
async fn groups_follow_from_those_at_the_provider_at_each_sign_in() {
    let story = Story::begin().await;
    let server = &story.server;
    let corp = StandIn::corp(server, |settings| follows(settings, &story)).await;
    corp.person(carol(&json!(["corp-staff", "corp-buyers", "nobody knows this"])));
    signs_in(&Browser::new(server), &corp, "corp").await;
    assert!(is_member(server, &story.staff).await && is_member(server, &story.buyers).await);
    let added = told(&events(server).await, EventName::GroupMemberAdded);
    assert!(added.contains(&json!(["Staff", "corp"])) && added.contains(&json!(["Buyers", "corp"])), "{added:?}");

    // What an operator says of somebody stands, whatever a provider says.
    story.member(Give::To, (CAROL, &story.buyers)).await;
    corp.person(carol(&json!([])));
    signs_in(&Browser::new(server), &corp, "corp").await;
    assert!(!is_member(server, &story.staff).await && is_member(server, &story.buyers).await);
    assert_eq!(told(&events(server).await, EventName::GroupMemberRemoved), [json!(["Staff", "corp"])]);

    // Nothing changes, and nothing is told, while nothing changes there.
    let before = events(server).await.len();
    signs_in(&Browser::new(server), &corp, "corp").await;
    let more = events(server).await;
    assert!(more.len() <= before + 2, "{more:?}");

    // A provider that no longer tells them takes them away; so does one that is no longer asked.
    corp.person(carol(&json!("corp-staff")));
    signs_in(&Browser::new(server), &corp, "corp").await;
    assert!(is_member(server, &story.staff).await);
    corp.person(json!({"sub": "c-1", "email": CAROL, "email_verified": true}));
    signs_in(&Browser::new(server), &corp, "corp").await;
    assert!(!is_member(server, &story.staff).await);
    corp.person(carol(&json!(["corp-staff"])));
    signs_in(&Browser::new(server), &corp, "corp").await;
    changed(server, "corp", |corp| corp.settings.groups.claim = None).await;
    signs_in(&Browser::new(server), &corp, "corp").await;
    assert!(!is_member(server, &story.staff).await && is_member(server, &story.buyers).await);
}

#[tokio::test]
async fn groups_go_with_the_connection_that_brought_them() {
    let story = Story::begin().await;
    let server = &story.server;
    let corp = StandIn::corp(server, |settings| follows(settings, &story)).await;
    corp.person(carol(&json!(["corp-staff"])));
    // An app's token, which tells them, too; one that is silent changes nothing.
    let spa = Spa::open(server).await;
    let by = |token: String| json!({"method": "social_token", "provider": "corp", "id_token": token});
    spa.post("/sign-in", &by(corp.id_token(CLIENT_ID, None))).await.ok();
    assert!(is_member(server, &story.staff).await);
    server.advance(std::time::Duration::from_secs(1));
    corp.person(json!({"sub": "c-1", "email": CAROL, "email_verified": true}));
    Spa::open(server).await.post("/sign-in", &by(corp.id_token(CLIENT_ID, None))).await.ok();
    assert!(is_member(server, &story.staff).await);

    let link = spa.get("/me/identities").await.ok()["items"][0]["id"].clone();
    let cut = spa.delete(&format!("/me/identities/{}", link.as_str().expect("an id"))).await;
    assert_eq!(cut.status, 204, "{}", code(&cut));
    assert!(!is_member(server, &story.staff).await);
}

/// Which of two identities at one provider gave a group is not known: one that is cut takes it along, the other brings it back.
#[tokio::test]
async fn groups_go_with_one_of_two_connections_and_come_back_with_the_other() {
    let story = Story::begin().await;
    let server = &story.server;
    let corp = StandIn::corp(server, |settings| follows(settings, &story)).await;
    corp.person(carol(&json!(["corp-staff"])));
    let spa = Spa::open(server).await;
    let by = |token: String| json!({"method": "social_token", "provider": "corp", "id_token": token});
    spa.post("/sign-in", &by(corp.id_token(CLIENT_ID, None))).await.ok();
    assert!(is_member(server, &story.staff).await);
    let other = |groups: Option<Value>| {
        let mut other = json!({"sub": "c-2", "email": "carol@corp.example", "email_verified": true});
        if let Some(groups) = groups {
            other["realm_access"] = json!({ "roles": groups });
        }
        other
    };
    server.advance(std::time::Duration::from_secs(1));
    corp.person(other(None));
    let token = json!({"id_token": corp.id_token(CLIENT_ID, None)});
    assert_eq!(spa.post("/me/identities/corp/link", &token).await.ok()["status"], "connected");
    let links = spa.get("/me/identities").await.ok();
    assert_eq!(links["items"].as_array().map(Vec::len), Some(2), "{links}");
    let first = links["items"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(spa.delete(&format!("/me/identities/{first}")).await.status, 204);
    assert!(!is_member(server, &story.staff).await, "whoever left the company by it has nothing of it");
    server.advance(std::time::Duration::from_secs(1));
    corp.person(other(Some(json!(["corp-staff"]))));
    Spa::open(server).await.post("/sign-in", &by(corp.id_token(CLIENT_ID, None))).await.ok();
    assert!(is_member(server, &story.staff).await);
}

#[tokio::test]
async fn groups_go_with_the_provider_that_gave_them() {
    let story = Story::begin().await;
    let server = &story.server;
    let corp = StandIn::corp(server, |settings| follows(settings, &story)).await;
    corp.person(carol(&json!(["corp-staff"])));
    signs_in(&Browser::new(server), &corp, "corp").await;
    story.member(Give::To, (CAROL, &story.buyers)).await;
    let provider = server.store().identity_provider("corp").await.expect("read").expect("there");
    let gone = server.store().delete_identity_provider(provider.id, symbolon::edge::store::Beside::default()).await;
    assert!(gone.expect("removed"));
    assert!(!is_member(server, &story.staff).await && is_member(server, &story.buyers).await);
}
