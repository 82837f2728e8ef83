//! What happened is read back as it was told, the latest first and page by page.

use symbolon::edge::store::Beside;
use symbolon::model::event::{Actor, Event, EventName, Outcome, Provenance};
use symbolon::model::id::{EventId, UserId};

use crate::contract::sample::{self, House, at};

on_each_engine! {
    events_are_read_page_by_page: of_alice_and_shop,
}

fn event(number: u8) -> Event {
    let alice = UserId::new(sample::ALICE);
    let when = at(i64::from(number));
    Event {
        id: EventId::new(when, [number; 10]),
        at: when,
        name: EventName::SignIn,
        outcome: if number.is_multiple_of(2) { Outcome::Success } else { Outcome::Failure },
        user: Some(alice),
        actor: Actor::User(alice),
        client: Some(sample::shop_id()),
        session: None,
        provenance: Provenance {
            address: "192.0.2.1".to_owned(),
            user_agent: "Browser".to_owned(),
            trace_id: format!("trace-{number}"),
        },
        details: serde_json::Map::from_iter([("method".to_owned(), "password".into())]),
    }
}

async fn events_are_read_page_by_page(house: House) {
    let events: Vec<Event> = (1..=5).map(event).collect();
    let beside = events.iter().take(4).cloned().fold(Beside::default(), Beside::and_event);
    house.store.record(beside).await.expect("recorded");
    house.store.note_event(events[4].clone());
    // Facts are taken in the order they came.
    while house.store.events_of(UserId::new(sample::ALICE), at(5), (None, 1)).await.expect("read").is_empty() {
        tokio::task::yield_now().await;
    }

    let alice = UserId::new(sample::ALICE);
    let first = house.store.events_of(alice, at(2), (None, 2)).await.expect("read");
    assert_eq!(first, [events[4].clone(), events[3].clone()]);
    let second = house.store.events_of(alice, at(2), (Some(events[3].id), 9)).await.expect("read");
    assert_eq!(second, [events[2].clone(), events[1].clone()]);
    assert!(house.store.events_of(UserId::new([9; 16]), at(0), (None, 9)).await.expect("read").is_empty());
}
