//! Many at once: exactly one wins, and what is held in memory never tells the past.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use symbolon::edge::store::{Beside, Store};
use symbolon::model::token::{CodeRedemption, RefreshRotation};

use crate::contract::sample::{self, House, at, hash};

on_each_engine! {
    of_fifty_redemptions_of_one_code_one_is_recorded: of_alice_and_shop,
    of_fifty_rotations_of_one_refresh_token_one_rotates: of_alice_and_shop,
    one_bad_fact_does_not_spoil_its_group: of_alice_and_shop,
    readers_never_see_a_revoked_grant_as_live: of_alice_and_shop,
    what_a_neighbour_writes_is_seen_within_a_second: of_alice_and_shop,
}

/// RFC 6749 §4.1.2
async fn of_fifty_redemptions_of_one_code_one_is_recorded(house: House) {
    let stores = [house.store.clone(), house.neighbour().await];
    let attempts = (0..50).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move {
            let refresh = sample::refresh_token(&format!("r{number}"), 1, 0);
            store.redeem_code(&sample::grant(1), Some(&refresh), None, at(1)).await.expect("answered")
        })
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(|outcome| outcome.expect("no panic")).collect();
    let recorded = outcomes.iter().filter(|outcome| **outcome == CodeRedemption::Recorded).count();
    assert_eq!((recorded, outcomes.len()), (1, 50));
    let grant = house.neighbour().await.grant(sample::grant_id(1)).await.expect("read").expect("there");
    assert!(!grant.is_live(), "a replay revokes what the code gave");
}

/// RFC 9700 §4.14.2
async fn of_fifty_rotations_of_one_refresh_token_one_rotates(house: House) {
    let first = sample::refresh_token("r1", 1, 0);
    house.store.redeem_code(&sample::grant(1), Some(&first), None, at(0)).await.expect("redeemed");
    let stores = [house.store.clone(), house.neighbour().await];
    let attempts = (0..50).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(
            async move { store.rotate_refresh_token(&sample::rotation("r1", "r2", 10)).await.expect("answered") },
        )
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(|outcome| outcome.expect("no panic")).collect();
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(RefreshRotation::Rotated), count(RefreshRotation::Repeated)), (1, 49));
    let late = house.store.rotate_refresh_token(&sample::rotation("r1", "r2", 21)).await.expect("answered");
    assert_eq!(late, RefreshRotation::Reused);
    assert!(!house.store.grant(sample::grant_id(1)).await.expect("read").expect("there").is_live());
}

async fn one_bad_fact_does_not_spoil_its_group(house: House) {
    let attempts = (1..=60).map(|number| {
        let store = house.store.clone();
        tokio::spawn(async move {
            // Every third one wants a refresh token that is taken.
            let name = if number % 3 == 0 { "taken".to_owned() } else { format!("r{number}") };
            let refresh = sample::refresh_token(&name, number, 0);
            store.redeem_code(&sample::grant(number), Some(&refresh), None, at(0)).await.is_ok()
        })
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(|outcome| outcome.expect("no panic")).collect();
    assert_eq!(outcomes.iter().filter(|recorded| **recorded).count(), 41, "forty, and the first to take the name");
    let neighbour = house.neighbour().await;
    for (number, recorded) in (1..=60).zip(outcomes) {
        let grant = neighbour.grant(sample::grant_id(number)).await.expect("read");
        assert_eq!(grant.is_some(), recorded, "grant {number}");
    }
}

/// A reader that loads a row while a writer commits must not hold on to what it saw.
async fn readers_never_see_a_revoked_grant_as_live(house: House) {
    for number in 1..=40 {
        house.store.redeem_code(&sample::grant(number), None, None, at(0)).await.expect("redeemed");
    }
    // A fresh handle holds nothing: its reads go to the file while its writer revokes.
    let store = Arc::new(house.neighbour().await);
    for number in 1..=40 {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.grant(sample::grant_id(number)).await.expect("read") })
            })
            .collect();
        assert!(store.revoke_grant(sample::grant_id(number), at(1), Beside::default()).await.expect("revoked"));
        let after = store.grant(sample::grant_id(number)).await.expect("read").expect("there");
        assert!(!after.is_live(), "grant {number} right after");
        join_all(readers).await;
        let at_rest = store.grant(sample::grant_id(number)).await.expect("read").expect("there");
        assert!(!at_rest.is_live(), "grant {number} after the readers");
    }
}

async fn what_a_neighbour_writes_is_seen_within_a_second(house: House) {
    let (store, neighbour) = (&house.store, house.neighbour().await);
    store.redeem_code(&sample::grant(1), None, None, at(0)).await.expect("redeemed");
    assert!(store.grant(sample::grant_id(1)).await.expect("read").expect("held").is_live());

    neighbour.revoke_grant(sample::grant_id(1), at(5), Beside::default()).await.expect("revoked");
    neighbour.deny_access_token(&hash("jti"), at(60)).await.expect("denied");
    let mut shop = sample::shop();
    shop.disabled_at = Some(at(5));
    neighbour.update_client(&shop).await.expect("changed");

    let deadline = Instant::now() + Duration::from_secs(1);
    while !has_seen(store).await {
        assert!(Instant::now() < deadline, "still the past after a second");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn has_seen(store: &Store) -> bool {
    let grant = store.grant(sample::grant_id(1)).await.expect("read").expect("there");
    let client = store.client(&sample::shop_id()).await.expect("read").expect("there");
    !grant.is_live() && !client.is_enabled() && store.is_denied(&hash("jti")).await.expect("read")
}
