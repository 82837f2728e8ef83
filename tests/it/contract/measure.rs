//! How many facts the store takes in a second; run in release by
//! `cargo test --release --test it measure -- --ignored --nocapture`.

use std::time::Instant;

use symbolon::edge::ephemeral::{EphemeralKey, EphemeralStore as _, SqlStore};
use symbolon::model::id::GrantId;

use crate::contract::sample::{self, House, at, hash};

const CONNECTIONS: u8 = 64;
const ROUNDS: u32 = 300;

async fn rate<F>(name: &str, work: impl Fn(u8, u32) -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let begun = Instant::now();
    let tasks = (0..CONNECTIONS).map(|connection| {
        let work = work.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                work(connection, round).await;
            }
        })
    });
    for task in futures_util::future::join_all(tasks).await {
        task.expect("no panic");
    }
    let count = u32::from(CONNECTIONS) * ROUNDS;
    println!("{name}: {:.0} a second", f64::from(count) / begun.elapsed().as_secs_f64());
}

#[tokio::test(flavor = "current_thread")]
#[ignore = "a measurement"]
async fn facts_in_a_second() {
    let house = House::with_alice_and_shop().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ephemeral = std::sync::Arc::new(SqlStore::open(&folder.path().join("ephemeral.db")).await.expect("opens"));
    let id = |connection: u8, round: u32| {
        let mut random = [connection; 10];
        random[6..].copy_from_slice(&round.to_be_bytes());
        GrantId::new(at(0), random)
    };

    let store = house.store.clone();
    rate("redeem without refresh", move |connection, round| {
        let store = store.clone();
        async move {
            let mut grant = sample::grant(0);
            grant.id = id(connection, round);
            grant.code_hash = hash(&format!("{connection}-{round}"));
            store.redeem_code(&grant, None, None, at(0)).await.expect("recorded");
        }
    })
    .await;
    let store = house.store.clone();
    rate("redeem with refresh", move |connection, round| {
        let store = store.clone();
        async move {
            let mut grant = sample::grant(0);
            grant.id = id(connection + 64, round);
            grant.code_hash = hash(&format!("r-{connection}-{round}"));
            let mut refresh = sample::refresh_token(&format!("{connection}-{round}"), 0, 0);
            refresh.grant = grant.id;
            store.redeem_code(&grant, Some(&refresh), None, at(0)).await.expect("recorded");
        }
    })
    .await;
    rate("ephemeral put", {
        let ephemeral = ephemeral.clone();
        move |connection, round| {
            let ephemeral = ephemeral.clone();
            async move {
                let key = EphemeralKey::new("code", format!("{connection}-{round}").as_bytes());
                ephemeral.put(&key, vec![7; 600], at(60)).await.expect("kept");
            }
        }
    })
    .await;
    let store = house.store.clone();
    rate("put, then redeem", move |connection, round| {
        let (store, ephemeral) = (store.clone(), ephemeral.clone());
        async move {
            let name = format!("both-{connection}-{round}");
            let key = EphemeralKey::new("code", name.as_bytes());
            ephemeral.put(&key, vec![7; 600], at(60)).await.expect("kept");
            let mut grant = sample::grant(0);
            grant.id = id(connection + 128, round);
            grant.code_hash = hash(&name);
            store.redeem_code(&grant, None, None, at(0)).await.expect("recorded");
        }
    })
    .await;
    let store = house.store.clone();
    rate("read a held grant", move |_, _| {
        let store = store.clone();
        async move {
            for _ in 0..100 {
                assert!(store.grant(id(191, 299)).await.expect("read").is_some());
            }
        }
    })
    .await;
}
