//! A process that is killed in the middle of its work keeps every word it gave.

use std::collections::HashSet;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use symbolon::edge::ephemeral::{EphemeralKey, EphemeralStore as _, SqlStore};
use symbolon::edge::store::{Beside, Creation, DatabaseSettings, EventQuery, Store};
use symbolon::model::event::{Event, EventName};
use symbolon::model::id::EventId;
use symbolon::model::token::CodeRedemption;
use symbolon::protocol::secret::MacKey;

use crate::contract::sample::{self, at, hash};

const FOLDER: &str = "SYMBOLON_TEST_KILL_FOLDER";
/// Words given before the process is killed.
const WORDS: usize = 400;

async fn open(folder: &Path) -> (Store, SqlStore) {
    let store = Store::open(&DatabaseSettings { path: folder.join("symbolon.db") }).await.expect("opens");
    let ephemeral = SqlStore::open(&folder.join("ephemeral.db")).await.expect("opens");
    (store, ephemeral)
}

fn key(number: &str) -> EphemeralKey {
    EphemeralKey::new("test", number.as_bytes())
}

fn chain_key() -> MacKey {
    MacKey::new(&[7; 32])
}

/// What is told with the fact of this number.
fn event(random: [u8; 10]) -> Event {
    Event::new(EventId::new(at(0), random), at(0), EventName::SignIn).telling("method", "password")
}

/// The process that is killed: it never stops by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_killed_process_keeps_its_word"]
async fn a_process_that_writes_until_it_is_killed() {
    let folder = env::var_os(FOLDER).expect("the folder is given by the test that kills this one");
    let (store, ephemeral) = open(Path::new(&folder)).await;
    let ephemeral = std::sync::Arc::new(ephemeral);
    assert_eq!(store.create_user(&sample::alice(), None).await.expect("created"), Creation::Created);
    assert_eq!(store.create_client(&sample::shop()).await.expect("created"), Creation::Created);
    let writers = (0..8).map(|writer| {
        let (store, ephemeral) = (store.clone(), std::sync::Arc::clone(&ephemeral));
        tokio::spawn(async move {
            for count in 0_u64.. {
                let number = format!("{writer}-{count}");
                let mut grant = sample::grant(0);
                let mut random = [writer; 10];
                random[2..].copy_from_slice(&count.to_be_bytes());
                grant.id = symbolon::model::id::GrantId::new(at(0), random);
                grant.code_hash = hash(&number);
                let mut refresh = sample::refresh_token(&number, 0, 0);
                refresh.grant = grant.id;
                let redeemed = store.redeem_code(&grant, Some(&refresh), None, at(0)).await.expect("recorded");
                assert_eq!(redeemed, CodeRedemption::Recorded);
                ephemeral.put(&key(&number), b"x".to_vec(), at(100)).await.expect("kept");
                store.record(Beside::event(event(random))).await.expect("told");
                println!("recorded {number} {} {}", grant.id, event(random).id);
            }
        })
    });
    let chained = async {
        loop {
            store.chain_events(&chain_key(), 100).await.expect("chained");
        }
    };
    futures_util::future::join(futures_util::future::join_all(writers), chained).await;
}

#[tokio::test]
async fn a_killed_process_keeps_its_word() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "contract::kill::a_process_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let words: Vec<_> =
        lines.filter_map(|line| line.split_once("recorded ").map(|(_, word)| word.to_owned())).take(WORDS).collect();
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert_eq!(words.len(), WORDS, "the process gave up by itself");

    let (store, ephemeral) = open(folder.path()).await;
    // The chain is whole as it was left, and goes on from there.
    let left = store.verify_events(&chain_key()).await.expect("verified");
    assert!(left.findings.is_empty() && left.events > 0, "{left:?}");
    while store.chain_events(&chain_key(), 1_000).await.expect("chained") > 0 {}
    let whole = store.verify_events(&chain_key()).await.expect("verified");
    assert!(whole.findings.is_empty() && whole.events >= WORDS as u64, "{whole:?}");
    let told = store.find_events(&EventQuery { limit: 1_000_000, ..EventQuery::default() }).await.expect("read");
    let told: HashSet<String> = told.into_iter().map(|event| event.id.to_string()).collect();
    for word in words {
        let [number, grant, event]: [&str; 3] =
            word.split(' ').collect::<Vec<_>>().try_into().expect("a number, a grant and an event");
        assert!(told.contains(event), "{event} was told");
        let grant = store.grant(grant.parse().expect("an id")).await.expect("read").expect("it was recorded");
        assert!(store.refresh_token(&hash(number)).await.expect("read").is_some(), "the whole fact stands");
        assert!(ephemeral.get(&key(number), at(1)).await.expect("read").is_some(), "{number} waits");
        let again = store.redeem_code(&grant, None, None, at(1)).await.expect("answered");
        assert_eq!(again, CodeRedemption::Replayed, "no code is good twice");
    }
}
