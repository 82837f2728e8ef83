//! "Sign out everywhere", and what it does not end.

use symbolon::edge::store::{Beside, Elsewhere, Here, Kept, Reach, Room};
use symbolon::model::epoch::Epoch;
use symbolon::model::id::{SessionId, UserId};
use symbolon::model::session::Session;

use crate::contract::sample::{self, House, at, hash};

on_each_engine! {
    everything_ends_but_the_session_that_stays: of_alice_and_shop,
    where_the_person_acts_goes_on: of_alice_and_shop,
    a_stranger_s_or_ended_session_does_not_stay: of_alice_and_shop,
    two_changes_of_one_second_are_two_epochs: of_alice_and_shop,
    what_is_written_beside_it_is_written_with_it: of_alice_and_shop,
}

fn another(number: u8) -> Session {
    Session {
        id: SessionId::new(at(0), [number; 10]),
        token_hash: hash(&format!("cookie {number}")),
        ..sample::session()
    }
}

async fn everything_ends_but_the_session_that_stays(house: House) {
    let (store, alice) = (&house.store, sample::alice().id);
    store.begin_session(&another(8), Room::default(), Beside::default()).await.expect("begun");
    let mut offline = sample::grant(2);
    offline.scope = sample::scope("openid offline_access");
    store.redeem_code(&sample::grant(1), None, None, at(0)).await.expect("redeemed");
    store.redeem_code(&offline, None, None, at(0)).await.expect("redeemed");
    for held in [sample::session_id(), another(8).id] {
        assert!(store.session(held).await.expect("read").expect("there").ended_at.is_none());
    }

    let kept = Kept { session: sample::session_id(), token: hash("fresh") };
    let session = store.sign_out_everywhere(alice, Some(kept), at(9), Beside::default()).await.expect("done");
    let session = session.expect("it stays");
    assert_eq!((session.id, session.token_hash), (sample::session_id(), hash("fresh")));
    assert_eq!(session.authentication.at, at(0), "the sign-in is as old as it is");
    for store in [store.clone(), house.neighbour().await] {
        let alice = store.user(alice).await.expect("read").expect("there");
        assert_eq!(alice.auth_epoch, Epoch { count: 1, since: at(9) });
        assert_eq!(store.auth_epoch(alice.id).await.expect("read"), Some(alice.auth_epoch));
        let stays = store.session_by_token(&hash("fresh")).await.expect("read").expect("found");
        assert!(stays.is_live(at(9)) && stays.authentication.stands(&alice));
        assert!(store.session_by_token(&hash("cookie")).await.expect("read").is_none(), "its old cookie is void");
        let other = store.session(another(8).id).await.expect("read").expect("there");
        assert_eq!((other.ended_at, other.authentication.stands(&alice)), (Some(at(9)), false));
        for number in [1, 2] {
            let grant = store.grant(sample::grant_id(number)).await.expect("read").expect("there");
            assert_eq!(grant.revoked_at, Some(at(9)), "{number}");
        }
    }
}

async fn where_the_person_acts_goes_on(house: House) {
    let (store, alice) = (&house.store, sample::alice().id);
    store.begin_session(&another(8), Room::default(), Beside::default()).await.expect("begun");
    for number in [1, 2] {
        store.redeem_code(&sample::grant(number), None, None, at(0)).await.expect("redeemed");
    }
    let here = Here { session: sample::session_id(), grant: Some(sample::grant_id(1)) };
    store.require_second_factor(alice, Elsewhere::Ends(Some(here)), at(9), Beside::default()).await.expect("done");
    for store in [store.clone(), house.neighbour().await] {
        let alice = store.user(alice).await.expect("read").expect("there");
        assert_eq!(alice.auth_epoch, Epoch { count: 1, since: at(9) });
        let stays = store.session_by_token(&hash("cookie")).await.expect("read").expect("its cookie is as it was");
        assert!(stays.is_live(at(9)) && stays.authentication.stands(&alice));
        let other = store.session(another(8).id).await.expect("read").expect("there");
        assert_eq!(other.ended_at, Some(at(9)));
        let grant = async |number| store.grant(sample::grant_id(number)).await.expect("read").expect("there");
        assert!(grant(1).await.is_live() && grant(1).await.details.authentication.stands(&alice));
        assert_eq!(grant(2).await.revoked_at, Some(at(9)));
    }
    // Of somebody else nothing goes on, and nothing ends.
    let bob = sample::person([2; 16], &["bob"]);
    store.create_user(&bob, None).await.expect("created");
    store.require_second_factor(bob.id, Elsewhere::Ends(Some(here)), at(10), Beside::default()).await.expect("done");
    let alice = store.user(alice).await.expect("read").expect("there");
    let stays = store.session_by_token(&hash("cookie")).await.expect("read").expect("Alice's");
    assert!(stays.authentication.stands(&alice) && stays.authentication.user == alice.id);
}

async fn a_stranger_s_or_ended_session_does_not_stay(house: House) {
    let (store, alice) = (&house.store, sample::alice().id);
    let bob = sample::person([2; 16], &["bob"]);
    store.create_user(&bob, None).await.expect("created");
    let kept = Kept { session: sample::session_id(), token: hash("bob's") };
    assert!(store.sign_out_everywhere(bob.id, Some(kept), at(1), Beside::default()).await.expect("done").is_none());
    assert_eq!(store.session_by_token(&hash("cookie")).await.expect("read").expect("Alice's").ended_at, None);

    store.end_session(sample::session_id(), Reach::Online, at(2), Beside::default()).await.expect("ended");
    let kept = Kept { session: sample::session_id(), token: hash("again") };
    assert!(store.sign_out_everywhere(alice, Some(kept), at(3), Beside::default()).await.expect("done").is_none());
    assert!(store.session_by_token(&hash("again")).await.expect("read").is_none());
    let nobody = UserId::new([9; 16]);
    assert!(store.sign_out_everywhere(nobody, None, at(3), Beside::default()).await.expect("done").is_none());
    assert_eq!(store.auth_epoch(nobody).await.expect("read"), None);
}

async fn two_changes_of_one_second_are_two_epochs(house: House) {
    let (store, alice) = (&house.store, sample::alice().id);
    let epoch = async || store.auth_epoch(alice).await.expect("read").expect("there");
    let mut before = epoch().await;
    for _ in 0..3 {
        store.sign_out_everywhere(alice, None, at(5), Beside::default()).await.expect("done");
        let after = epoch().await;
        assert!(before < after, "{before} {after}");
        before = after;
    }
}

async fn what_is_written_beside_it_is_written_with_it(house: House) {
    use symbolon::model::event::{Event, EventName};
    use symbolon::model::id::EventId;
    let (store, alice) = (&house.store, sample::alice().id);
    let event = Event::new(EventId::new(at(4), [1; 10]), at(4), EventName::PasswordReset).of(alice);
    store.reset_password(alice, "$argon2id$new", at(4), Beside::event(event.clone())).await.expect("reset");
    assert_eq!(store.password(alice).await.expect("read").expect("set").expose(), "$argon2id$new");
    assert_eq!(store.session(sample::session_id()).await.expect("read").expect("there").ended_at, Some(at(4)));
    assert_eq!(store.events_of(alice, at(0), (None, 9)).await.expect("listed"), [event]);
}
