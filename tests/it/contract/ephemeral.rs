//! What waits and what is counted, in memory and in SQLite.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use symbolon::edge::clock::SystemClock;
use symbolon::edge::ephemeral::{
    CODE, Decision, EphemeralKey, EphemeralStore, MemoryStore, Namespace, Quota, RedisStore, SqlStore,
};
use symbolon::model::authorization_code::AuthorizationCode;
use tempfile::TempDir;

use crate::backend::postgres;
use crate::backend::redis::{self, Mode};
use crate::contract::sample::{self, at};

struct Subject {
    name: &'static str,
    store: Arc<dyn EphemeralStore>,
    _home: Home,
}

/// What goes away with the subject.
#[derive(Default)]
struct Home {
    _folder: Option<TempDir>,
    _redis: Option<redis::Redis>,
}

async fn subjects() -> Vec<Subject> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = SqlStore::open(&folder.path().join("ephemeral.db")).await.expect("opens");
    let mut subjects = vec![
        Subject { name: "memory", store: Arc::new(MemoryStore::new()), _home: Home::default() },
        Subject { name: "SQLite", store: Arc::new(file), _home: Home { _folder: Some(folder), _redis: None } },
    ];
    if let Some(postgres) = postgres::shared() {
        let store = sample::connect(&postgres.database().await).await;
        subjects.push(Subject {
            name: "PostgreSQL",
            store: Arc::new(SqlStore::within(&store)),
            _home: Home::default(),
        });
    }
    for (name, mode) in [
        ("Redis", Mode::Single),
        ("Redis cluster", Mode::Cluster),
        ("Redis by sentinel", Mode::Sentinel),
        ("Redis with TLS", Mode::Tls),
    ] {
        let Some(server) = redis::own(mode) else { break };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let aside = SqlStore::open(&folder.path().join("aside.db")).await.expect("opens");
        let store = RedisStore::open(&server.settings(), aside, Arc::new(SystemClock)).expect("a URL");
        let home = Home { _folder: Some(folder), _redis: Some(server) };
        subjects.push(Subject { name, store: Arc::new(store), _home: home });
    }
    subjects
}

fn key(text: &str) -> EphemeralKey {
    EphemeralKey::new("test", text.as_bytes())
}

#[tokio::test]
async fn a_value_waits_until_it_expires() {
    for Subject { name, store, .. } in subjects().await {
        assert_eq!(store.get(&key("a"), at(0)).await.expect("read"), None, "{name}");
        store.put(&key("a"), b"first".to_vec(), at(5)).await.expect("kept");
        store.put(&key("a"), b"second".to_vec(), at(10)).await.expect("kept");
        store.put(&EphemeralKey::new("other", b"a"), b"elsewhere".to_vec(), at(10)).await.expect("kept");
        assert_eq!(store.get(&key("a"), at(9)).await.expect("read").as_deref(), Some(b"second".as_slice()), "{name}");
        assert_eq!(store.get(&key("a"), at(10)).await.expect("read"), None, "{name}");
        let elsewhere = store.get(&EphemeralKey::new("other", b"a"), at(9)).await.expect("read");
        assert_eq!(elsewhere.as_deref(), Some(b"elsewhere".as_slice()), "{name}");
    }
}

#[tokio::test]
async fn a_value_is_taken_once() {
    for Subject { name, store, .. } in subjects().await {
        store.put(&key("a"), b"x".to_vec(), at(10)).await.expect("kept");
        store.put(&key("late"), b"x".to_vec(), at(10)).await.expect("kept");
        assert_eq!(store.take(&key("a"), at(9)).await.expect("taken").as_deref(), Some(b"x".as_slice()), "{name}");
        assert_eq!(store.take(&key("a"), at(9)).await.expect("gone"), None, "{name}");
        assert_eq!(store.get(&key("a"), at(9)).await.expect("gone"), None, "{name}");
        assert_eq!(store.take(&key("late"), at(10)).await.expect("expired"), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_takers_one_gets_the_value_and_of_fifty_marks_one_is_the_first() {
    for Subject { name, store, .. } in subjects().await {
        store.put(&key("a"), b"x".to_vec(), at(10)).await.expect("kept");
        let tries = (0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let taken = store.take(&key("a"), at(0)).await.expect("answered").is_some();
                let first = store.add_if_absent(&key("mark"), at(10), at(0)).await.expect("answered");
                (usize::from(taken), usize::from(first))
            })
        });
        let tries = join_all(tries).await.into_iter().map(|outcome| outcome.expect("no panic"));
        let wins = tries.fold((0, 0), |(taken, first), one| (taken + one.0, first + one.1));
        assert_eq!(wins, (1, 1), "{name}");
        assert!(!store.add_if_absent(&key("mark"), at(20), at(9)).await.expect("answered"), "{name}");
        assert!(store.add_if_absent(&key("mark"), at(20), at(10)).await.expect("expired"), "{name}");
        store.take(&key("mark"), at(11)).await.expect("answered");
        assert!(store.add_if_absent(&key("mark"), at(20), at(11)).await.expect("taken back"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_replaced_by_one_of_those_who_saw_it() {
    for Subject { name, store, .. } in subjects().await {
        let replace = async |held: &[u8], value: &[u8]| {
            store.replace(&key("a"), held, value.to_vec(), at(10)).await.expect("answered")
        };
        assert!(!replace(b"x", b"y").await, "{name}: nothing is there");
        store.put(&key("a"), b"x".to_vec(), at(10)).await.expect("kept");
        assert!(!replace(b"another", b"y").await, "{name}");
        assert!(!replace(b"", b"y").await, "{name}");
        let tries = (0..50).map(|number: u8| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let done = store.replace(&key("a"), b"x", vec![number, 0, 255], at(20)).await.expect("answered");
                done.then_some(number)
            })
        });
        let winners: Vec<u8> =
            join_all(tries).await.into_iter().filter_map(|outcome| outcome.expect("no panic")).collect();
        let [winner] = winners[..] else { panic!("{name}: {winners:?}") };
        assert_eq!(store.get(&key("a"), at(19)).await.expect("read"), Some(vec![winner, 0, 255]), "{name}");
        assert!(replace(&[winner, 0, 255], b"z").await, "{name}");
        assert_eq!(store.take(&key("a"), at(9)).await.expect("taken").as_deref(), Some(b"z".as_slice()), "{name}");
    }
}

#[tokio::test]
async fn uses_are_counted() {
    for Subject { name, store, .. } in subjects().await {
        let quota = Quota { burst: 2, period: Duration::from_secs(30) };
        let mut decisions = Vec::new();
        for now in [0, 0, 0, 30, 31] {
            decisions.push(store.rate(&key("alice"), quota, at(now)).await.expect("counted"));
        }
        let refused = |seconds| Decision::Refused { retry_after: Duration::from_secs(seconds) };
        let expected = [Decision::Allowed, Decision::Allowed, refused(30), Decision::Allowed, refused(29)];
        assert_eq!(decisions, expected, "{name}");
        assert_eq!(store.rate(&key("bob"), quota, at(31)).await.expect("counted"), Decision::Allowed, "{name}");
    }
}

#[tokio::test]
async fn what_is_given_back_makes_room_for_one() {
    for Subject { name, store, .. } in subjects().await {
        let quota = Quota { burst: 2, period: Duration::from_secs(30) };
        store.give_back(&key("nobody"), quota).await.expect("nothing to give back");
        for _ in 0..2 {
            assert_eq!(store.rate(&key("alice"), quota, at(0)).await.expect("counted"), Decision::Allowed, "{name}");
        }
        store.give_back(&key("alice"), quota).await.expect("given back");
        assert_eq!(store.rate(&key("alice"), quota, at(0)).await.expect("counted"), Decision::Allowed, "{name}");
        let refused = Decision::Refused { retry_after: Duration::from_secs(30) };
        assert_eq!(store.rate(&key("alice"), quota, at(0)).await.expect("counted"), refused, "{name}");
        // Long after, nothing is owed: no more than a full bucket.
        store.give_back(&key("alice"), quota).await.expect("given back");
        let mut allowed = 0;
        while store.rate(&key("alice"), quota, at(1_000)).await.expect("counted") == Decision::Allowed {
            allowed += 1;
        }
        assert_eq!(allowed, 2, "{name}");
    }
}

#[tokio::test]
async fn what_has_expired_is_cleared() {
    for Subject { name, store, .. } in subjects().await {
        for number in 0..10 {
            store.put(&key(&number.to_string()), b"x".to_vec(), at(number)).await.expect("kept");
        }
        let mut cleared = Vec::new();
        for _ in 0..3 {
            cleared.push(store.clear_expired(at(4), 3).await.expect("cleared"));
        }
        // Redis clears away its own.
        let expected = if name.starts_with("Redis") { [0, 0, 0] } else { [3, 2, 0] };
        assert_eq!(cleared, expected, "{name}");
        assert!(store.get(&key("5"), at(4)).await.expect("read").is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_namespace_knows_its_type() {
    let grant = sample::grant(1);
    let code = AuthorizationCode {
        grant: grant.id,
        client: grant.client,
        session: grant.session,
        authentication: grant.details.authentication,
        redirect_uri: "https://shop.example/callback".to_owned(),
        redirect_uri_given: true,
        scope: grant.scope,
        nonce: None,
        code_challenge: None,
        claims: grant.details.claims,
        claims_locales: Vec::new(),
        resource: Vec::new(),
        issued_at: at(0),
        expires_at: at(60),
    };
    for Subject { name, store, .. } in subjects().await {
        let store = store.as_ref();
        CODE.put(store, b"c", &code, code.expires_at).await.expect("kept");
        assert_eq!(CODE.get(store, b"c", at(1)).await.expect("read").as_ref(), Some(&code), "{name}");
        assert_eq!(CODE.take(store, b"c", at(1)).await.expect("taken").as_ref(), Some(&code), "{name}");
        assert_eq!(CODE.take(store, b"c", at(1)).await.expect("gone"), None, "{name}");

        let later: Namespace<serde_json::Value> = Namespace::new("code");
        later.put(store, b"d", &json!({"of": "another release"}), at(60)).await.expect("kept");
        assert_eq!(CODE.get(store, b"d", at(1)).await.expect("passed over"), None, "{name}");
    }
}

#[tokio::test]
async fn the_file_is_shared_and_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ephemeral.db");
    let (one, two) = (SqlStore::open(&path).await.expect("opens"), SqlStore::open(&path).await.expect("opens"));
    one.put(&key("a"), b"x".to_vec(), at(10)).await.expect("kept");
    assert!(two.get(&key("a"), at(1)).await.expect("read").is_some());
    assert!(two.take(&key("a"), at(1)).await.expect("taken").is_some());
    assert_eq!(one.take(&key("a"), at(1)).await.expect("the file decides"), None);
    two.put(&key("b"), b"y".to_vec(), at(10)).await.expect("kept");
    one.close().await;
    two.close().await;
    assert!(two.put(&key("c"), b"z".to_vec(), at(10)).await.is_err(), "a closed store keeps nothing");
    let again = SqlStore::open(&path).await.expect("opens");
    assert_eq!(again.get(&key("b"), at(1)).await.expect("read").as_deref(), Some(b"y".as_slice()));
}
