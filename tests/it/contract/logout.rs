//! Word to apps that a session is over.

use symbolon::edge::store::{Beside, Reach, Room, Store};
use symbolon::model::grant::Grant;
use symbolon::model::id::{SessionId, UserId};
use symbolon::model::job::{LogoutNotice, Queue};
use symbolon::model::session::Session;

use crate::contract::sample::{self, ALICE, House, at, hash, session_id};

on_each_engine! {
    an_app_that_hears_it_is_told_of_each_session_it_got_tokens_in: of_alice_and_shop,
    an_app_is_remembered_while_its_session_goes_on: of_alice_and_shop,
}

/// The client `shop` is told of logouts from now on.
async fn hears(store: &Store) {
    let mut shop = sample::shop();
    shop.metadata.backchannel_logout_uri = Some("https://shop.example/told".to_owned());
    assert!(store.update_client(&shop).await.expect("changed"));
}

async fn begins(store: &Store, number: u8) -> SessionId {
    let id = SessionId::new(at(0), [100 + number; 10]);
    let session = Session { id, token_hash: hash(&format!("cookie-{number}")), ..sample::session() };
    store.begin_session(&session, Room::default(), Beside::default()).await.expect("stored");
    id
}

async fn redeems(store: &Store, number: u8, session: SessionId) {
    let grant = Grant { session, ..sample::grant(number) };
    store.redeem_code(&grant, None, None, at(0)).await.expect("redeemed");
}

/// The sessions of which `shop` is told at a moment, by jobs that are done then.
async fn told(store: &Store, now: i64) -> Vec<SessionId> {
    let mut sessions = Vec::new();
    for job in store.lease_jobs(Queue::Logout, (at(now), at(now + 90)), 9).await.expect("leased") {
        assert!(job.sealed.is_empty(), "nothing in it is secret");
        let notice = store.logout_notice(job.id).await.expect("read").expect("it tells something");
        let expected = LogoutNotice { client: sample::shop_id(), user: UserId::new(ALICE), session: notice.session };
        assert_eq!(notice, expected);
        assert!(store.finish_job(job.id, job.attempt, at(now)).await.expect("done"));
        sessions.push(notice.session);
    }
    sessions.sort();
    sessions
}

async fn an_app_that_hears_it_is_told_of_each_session_it_got_tokens_in(house: House) {
    let store = &house.store;
    let deaf = begins(store, 1).await;
    redeems(store, 1, deaf).await;
    assert!(store.end_session(deaf, Reach::Online, at(1), Beside::default()).await.expect("ended"));
    assert!(told(store, 1).await.is_empty(), "it does not want to hear it");

    hears(store).await;
    let [second, third, without] = [begins(store, 2).await, begins(store, 3).await, begins(store, 4).await];
    redeems(store, 2, second).await;
    redeems(store, 3, second).await;
    redeems(store, 4, third).await;
    redeems(store, 5, session_id()).await;
    assert_eq!(store.clients_of_session(second).await.expect("read"), [sample::shop_id()]);
    assert!(store.clients_of_session(without).await.expect("read").is_empty());
    assert!(store.end_session_of(UserId::new(ALICE), second, at(2), Beside::default()).await.expect("ended"));
    assert_eq!(told(store, 2).await, [second], "once, for two grants");
    assert!(!store.end_session(second, Reach::All, at(3), Beside::default()).await.expect("it was over"));
    assert!(told(store, 3).await.is_empty());

    store.end_other_sessions(UserId::new(ALICE), Some(third), at(4), Beside::default()).await.expect("ended");
    assert_eq!(told(store, 4).await, [session_id()], "neither the one that stays nor the one without tokens");
    store.sign_out_everywhere(UserId::new(ALICE), None, at(5), Beside::default()).await.expect("ended");
    assert_eq!(told(store, 5).await, [third]);
}

async fn an_app_is_remembered_while_its_session_goes_on(house: House) {
    let store = &house.store;
    hears(store).await;
    let ended = begins(store, 1).await;
    for (number, session) in [(1, session_id()), (2, session_id()), (3, ended)] {
        let grant = Grant { session, expires_at: at(60), ..sample::grant(number) };
        store.redeem_code(&grant, None, None, at(0)).await.expect("redeemed");
    }
    assert!(store.end_session(ended, Reach::Online, at(1), Beside::default()).await.expect("ended"));
    assert_eq!(told(store, 1).await, [ended]);
    // Two at a time, so that one of a session waits while the other goes.
    let mut cleared = 0;
    for _ in 0..3 {
        cleared += store.clear_expired(at(4_000), 2).await.expect("cleared");
    }
    assert_eq!(cleared, 3, "the grants");
    assert_eq!(store.clients_of_session(session_id()).await.expect("read"), [sample::shop_id()]);
    assert!(store.clients_of_session(ended).await.expect("read").is_empty());
    assert!(store.end_session(session_id(), Reach::Online, at(4_000), Beside::default()).await.expect("ended"));
    assert_eq!(told(store, 4_000).await, [session_id()]);
}
