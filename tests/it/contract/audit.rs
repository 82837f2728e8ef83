//! The chain of events, on both engines: what was changed, taken away or put in another order is found.

use symbolon::edge::store::Beside;
use symbolon::model::audit::Finding;
use symbolon::model::event::{Event, EventName, Provenance};
use symbolon::model::id::EventId;
use symbolon::protocol::secret::MacKey;

use crate::contract::sample::{self, House, at};

on_each_engine! {
    a_whole_chain_is_whole_and_may_lose_its_beginning: of_alice_and_shop,
    two_nodes_chain_one_after_the_other: of_alice_and_shop,
    who_is_forgotten_leaves_the_chain_whole: of_alice_and_shop,
    whatever_is_done_to_the_rows_is_found: of_alice_and_shop,
}

fn key() -> MacKey {
    MacKey::new(&[7; 32])
}

fn event(number: u8) -> Event {
    let event = Event::new(EventId::new(at(i64::from(number)), [number; 10]), at(i64::from(number)), EventName::SignIn);
    let provenance =
        Provenance { address: "192.0.2.7".to_owned(), user_agent: "Browser".to_owned(), ..Provenance::default() };
    event.of(sample::alice().id).from(provenance).telling("method", "password")
}

async fn tell(house: &House, numbers: std::ops::Range<u8>) {
    for number in numbers {
        house.store.record(Beside::event(event(number))).await.expect("recorded");
    }
}

async fn a_whole_chain_is_whole_and_may_lose_its_beginning(house: House) {
    let store = &house.store;
    assert_eq!(store.verify_events(&key()).await.expect("verified").events, 0);
    tell(&house, 1..6).await;
    assert_eq!(store.verify_events(&key()).await.expect("verified").unchained, 5);
    assert_eq!(store.clear_events(at(100), 500).await.expect("asked"), 0, "nothing is chained yet");
    assert_eq!(store.chain_events(&key(), 3).await.expect("chained"), 3);
    assert_eq!(store.chain_events(&key(), 3).await.expect("chained"), 2);
    assert_eq!(store.chain_events(&key(), 3).await.expect("chained"), 0);
    let report = store.verify_events(&key()).await.expect("verified");
    assert_eq!((report.events, report.head, report.unchained, report.findings.as_slice()), (5, 5, 0, &[][..]));
    assert_eq!(store.clear_events(at(3), 500).await.expect("cleared"), 2, "those of before the third");
    tell(&house, 6..8).await;
    store.chain_events(&key(), 500).await.expect("chained");
    let report = store.verify_events(&key()).await.expect("verified");
    assert_eq!((report.events, report.head, report.findings.as_slice()), (5, 7, &[][..]));
    assert_eq!(store.clear_events(at(100), 1).await.expect("cleared"), 1, "a batch at a time");
    let wrong = MacKey::new(&[8; 32]);
    assert_eq!(store.verify_events(&wrong).await.expect("verified").findings.len(), 4, "nobody without the key");
}

async fn two_nodes_chain_one_after_the_other(house: House) {
    let neighbour = house.neighbour().await;
    tell(&house, 1..40).await;
    let (one, other) = (key(), key());
    let (first, second) = tokio::join!(house.store.chain_events(&one, 500), neighbour.chain_events(&other, 500));
    assert_eq!(first.expect("chained") + second.expect("chained"), 39);
    let report = house.store.verify_events(&key()).await.expect("verified");
    assert_eq!((report.events, report.head, report.findings.as_slice()), (39, 39, &[][..]));
}

async fn who_is_forgotten_leaves_the_chain_whole(house: House) {
    tell(&house, 1..4).await;
    house.store.chain_events(&key(), 500).await.expect("chained");
    assert!(house.store.remove_user(sample::alice().id, Beside::default()).await.expect("deleted"));
    let report = house.store.verify_events(&key()).await.expect("verified");
    assert_eq!((report.events, report.findings.as_slice()), (3, &[][..]));
    let told = house.store.find_events(&symbolon::edge::store::EventQuery { limit: 9, ..Default::default() }).await;
    assert!(told.expect("listed").iter().all(|event| event.provenance.address.is_empty()));
}

async fn whatever_is_done_to_the_rows_is_found(house: House) {
    tell(&house, 1..9).await;
    house.store.chain_events(&key(), 500).await.expect("chained");
    for (done, findings) in [
        ("UPDATE event SET outcome = 'failure' WHERE chain_seq = 2", 1),
        ("UPDATE event SET address = '198.51.100.1' WHERE chain_seq = 3", 2),
        ("UPDATE event SET details = '{}' WHERE chain_seq = 4", 3),
        ("DELETE FROM event WHERE chain_seq = 6", 4),
        ("DELETE FROM event WHERE chain_seq = 8", 5),
    ] {
        house.execute(done).await;
        let report = house.store.verify_events(&key()).await.expect("verified");
        assert_eq!(report.findings.len(), findings, "{done}: {:?}", report.findings);
    }
    let report = house.store.verify_events(&key()).await.expect("verified");
    assert!(report.findings.contains(&Finding::Missing { from: 6, to: 6 }), "{report:?}");
    assert!(report.findings.contains(&Finding::Missing { from: 8, to: 8 }), "{report:?}");
}
