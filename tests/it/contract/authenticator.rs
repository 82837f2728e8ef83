//! What is good once, of second factors, is good once on every node.

use futures_util::future::join_all;
use symbolon::edge::store::{Beside, LastOne, Removal};
use symbolon::model::authenticator::{Authenticator, AuthenticatorKind};
use symbolon::model::id::AuthenticatorId;

use crate::contract::sample::{self, House, at, hash};

on_each_engine! {
    a_time_step_is_used_once_and_none_before_it: of_alice_and_shop,
    a_backup_code_is_used_once: of_alice_and_shop,
    one_that_waits_takes_the_place_of_another: of_alice_and_shop,
    the_last_one_stays_while_it_is_required: of_alice_and_shop,
    failures_are_counted_to_their_end: of_alice_and_shop,
}

fn totp(number: u8) -> Authenticator {
    Authenticator {
        id: AuthenticatorId::new(at(0), [number; 10]),
        user: sample::alice().id,
        kind: AuthenticatorKind::Totp,
        target: String::new(),
        name: "Phone".to_owned(),
        secret: Some(vec![number; 20]),
        created_at: at(0),
        expires_at: Some(at(600)),
        confirmed_at: None,
        last_used_at: None,
    }
}

async fn confirmed(house: &House) -> Authenticator {
    let own = totp(1);
    assert!(house.store.add_authenticator(own.clone()).await.expect("stored"));
    let codes = vec![hash("one"), hash("two")];
    let first = (own.user, own.id, Some(100));
    let done = house.store.confirm_authenticator(first, codes, (None, at(1)), Beside::default()).await;
    assert_eq!(done.expect("stored").map(|epoch| epoch.count), Some(1));
    own
}

async fn a_time_step_is_used_once_and_none_before_it(house: House) {
    let own = confirmed(&house).await;
    let neighbour = house.neighbour().await;
    for (step, expected) in [(100, false), (99, false), (101, true), (101, false), (100, false)] {
        assert_eq!(neighbour.use_totp_step(own.id, step, at(2)).await.expect("stored"), expected, "{step}");
    }
    let at_once = (0..20).map(|number| {
        let store = if number % 2 == 0 { &house.store } else { &neighbour };
        store.use_totp_step(own.id, 102, at(3))
    });
    let outcomes = join_all(at_once).await;
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome.as_ref().expect("stored")).count(), 1);
    // One that nobody confirmed proves nothing.
    let waiting = AuthenticatorId::new(at(0), [9; 10]);
    assert!(!house.store.use_totp_step(waiting, 200, at(3)).await.expect("stored"));
}

async fn a_backup_code_is_used_once(house: House) {
    let own = confirmed(&house).await;
    let neighbour = house.neighbour().await;
    let at_once = (0..10).map(|number| {
        let store = if number % 2 == 0 { &house.store } else { &neighbour };
        store.use_backup_code(own.user, hash("one"), at(2), |_| Ok(Beside::default()))
    });
    let left: Vec<u32> = join_all(at_once).await.into_iter().filter_map(|outcome| outcome.expect("stored")).collect();
    assert_eq!(left, [1]);
    let stranger = symbolon::model::id::UserId::new([77; 16]);
    let used = house.store.use_backup_code(stranger, hash("two"), at(2), |_| Ok(Beside::default())).await;
    assert_eq!(used.expect("stored"), None, "it is of somebody else");
    let codes = house.store.second_factor(own.user).await.expect("read").backup_codes;
    assert_eq!((codes.total, codes.remaining, codes.generated_at), (2, 1, Some(at(1))));
}

async fn one_that_waits_takes_the_place_of_another(house: House) {
    let (first, second) = (totp(1), totp(2));
    assert!(house.store.add_authenticator(first.clone()).await.expect("stored"));
    assert!(house.store.add_authenticator(second.clone()).await.expect("stored"));
    let own = house.store.authenticators(first.user).await.expect("read");
    assert_eq!(own.as_slice(), std::slice::from_ref(&second));
    for (own, now, expected) in [(&first, at(1), false), (&second, at(600), false), (&second, at(1), true)] {
        let done = house
            .store
            .confirm_authenticator((own.user, own.id, None), Vec::new(), (None, now), Beside::default())
            .await;
        assert_eq!(done.expect("stored").is_some(), expected);
    }
    assert!(!house.store.add_authenticator(first).await.expect("stored"), "one is confirmed");
}

async fn the_last_one_stays_while_it_is_required(house: House) {
    let own = confirmed(&house).await;
    let remove = |last| house.store.remove_authenticator((own.user, own.id), last, (None, at(2)), Beside::default());
    assert_eq!(remove(LastOne::UnlessRequired).await.expect("stored"), Removal::Last);
    house.store.release_second_factor(own.user, None, at(2), Beside::default()).await.expect("stored");
    assert_eq!(house.store.authenticators(own.user).await.expect("read"), []);
    assert_eq!(remove(LastOne::UnlessRequired).await.expect("stored"), Removal::Missing);
    let standing = house.store.second_factor(own.user).await.expect("read");
    assert_eq!((standing.required_at, standing.backup_codes.total), (None, 0));
    assert_eq!(house.store.user(own.user).await.expect("read").expect("there").auth_epoch.count, 2);
}

async fn failures_are_counted_to_their_end(house: House) {
    let alice = sample::alice().id;
    let neighbour = house.neighbour().await;
    let mut heard = 0;
    for number in 0..9 {
        let store = if number % 2 == 0 { &house.store } else { &neighbour };
        heard += u32::from(store.count_second_factor(alice, 5).await.expect("stored"));
    }
    assert_eq!(heard, 5);
    house.store.clear_second_factor_failures(alice).await.expect("stored");
    assert!(neighbour.count_second_factor(alice, 5).await.expect("stored"));
}
