//! The server under the store: its schema, who brings it up to date, and what a start says when it cannot.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::{Connection as _, PgConnection};
use symbolon::edge::store::schema::{self, MigrationState};
use symbolon::edge::store::{PostgresSettings, Store, StoreError};
use symbolon::model::fault::FaultKind;
use symbolon::model::signing_key::{KeyState, StoredSigningKey};
use symbolon::protocol::jose::algorithm::SigningAlgorithm;
use symbolon::protocol::secret::Secret;

use crate::backend::certificates::Certificates;
use crate::backend::postgres;
use crate::contract::sample::{self, at};

async fn connect(url: &str) -> Result<Store, StoreError> {
    Store::connect(&settings(url, None)).await
}

fn settings(url: &str, ca: Option<Vec<u8>>) -> PostgresSettings {
    PostgresSettings { url: Secret::from(url), connections: 2, ca }
}

async fn run(url: &str, statement: &'static str) {
    let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
    sqlx::query(statement).execute(&mut connection).await.expect("done");
    connection.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_may_start_on_an_empty_database_at_once() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    for opened in join_all((0..8).map(|_| connect(&url))).await {
        assert!(opened.expect("opens").is_ready().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_or_changed_schema_is_refused() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    connect(&url).await.expect("opens").close().await;
    run(
        &url,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', TRUE, '\\x00', 0)",
    )
    .await;
    let refusal = connect(&url).await.err().expect("refused");
    assert!(matches!(refusal, StoreError::Newer { version: 9999, .. }), "{refusal}");
    let told = refusal.to_string();
    assert!(told.contains("restore your backup") && told.contains("knows those up to"), "{told}");
    run(&url, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    connect(&url).await.expect("as before").close().await;
    run(&url, "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1").await;
    let refusal = connect(&url).await.err().expect("refused");
    assert!(matches!(refusal, StoreError::Migration { .. }), "{refusal}");
    run(&url, "DELETE FROM _sqlx_migrations WHERE version = 1").await;
    let refusal = connect(&url).await.err().expect("refused").to_string();
    assert!(refusal.contains("lacks migration 1"), "{refusal}");
}

/// PROTOCOL §2.7 A2: whoever stands between us and the database sees nothing and is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn over_tls_only_the_right_certificate_is_believed() {
    let certificates = Certificates::new();
    let Some(postgres) = postgres::with_tls(&certificates) else { return };
    let url = postgres.database().await;
    let store = Store::connect(&settings(&url, Some(certificates.ca()))).await.expect("the right certificate");
    assert!(store.is_ready().await);
    sample::move_in(&store).await;
    assert!(postgres.is_encrypted(&url).await, "the connections of the store are encrypted");
    store.close().await;
    let stranger = Certificates::new();
    let refusal =
        Store::connect(&settings(&url, Some(stranger.ca()))).await.err().expect("another authority").to_string();
    assert!(refusal.contains("certificate"), "{refusal}");
    let by_address = url.replace("localhost", "127.0.0.1");
    let refusal = Store::connect(&settings(&by_address, Some(certificates.ca()))).await.err();
    assert!(refusal.is_some(), "the certificate is for another name");
}

/// PROTOCOL §3: a withdrawn key is refused within a second everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_hear_of_signing_keys() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    let (one, two) = (connect(&url).await.expect("opens"), connect(&url).await.expect("opens"));
    // The first word comes with the connection itself.
    tokio::time::timeout(Duration::from_secs(2), two.signing_keys_told()).await.expect("it listens");
    let key = StoredSigningKey {
        kid: "k".to_owned(),
        algorithm: SigningAlgorithm::ES256,
        sealed_private_key: vec![1],
        state: KeyState::Active,
        created_at: at(0),
        activated_at: None,
        expires_at: None,
    };
    one.add_signing_key(&key).await.expect("recorded");
    tokio::time::timeout(Duration::from_millis(600), two.signing_keys_told()).await.expect("an added key is told");
    one.remove_signing_keys(vec!["k".to_owned()]).await.expect("removed");
    tokio::time::timeout(Duration::from_millis(600), two.signing_keys_told()).await.expect("a removed key is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_named_at_once_without_its_password() {
    for url in ["postgres://symbolon:hunter2@127.0.0.1:1/there", "postgres://symbolon:hunter2@[::1/x"] {
        let start = Instant::now();
        let refusal = connect(url).await.err().expect("refused").to_string();
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        assert!(refusal.contains("127.0.0.1:1/there") || refusal.contains("database.url"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

/// To look leaves no trace: no table, no key.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_looked_at_without_a_change() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    let states = async || -> Vec<MigrationState> {
        let standing = schema::of_server(&settings(&url, None)).await.expect("read");
        standing.iter().map(|migration| migration.state).collect()
    };
    let before = states().await;
    assert!(before.len() > 8 && before.iter().all(|state| *state == MigrationState::Pending), "{before:?}");
    assert_eq!(tables(&url).await, 0);
    connect(&url).await.expect("opens").close().await;
    assert!(states().await.iter().all(|state| *state == MigrationState::Applied));
    let latest = "DELETE FROM _sqlx_migrations_postgresql
        WHERE version = (SELECT MAX(version) FROM _sqlx_migrations_postgresql)";
    run(&url, latest).await;
    let after = states().await;
    assert_eq!(after.iter().filter(|state| **state == MigrationState::Pending).count(), 1, "{after:?}");
}

async fn tables(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'");
    count.fetch_one(&mut connection).await.expect("counted")
}

/// PROTOCOL §3: security decisions only on the primary. A standby lags behind what was taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_changes_is_not_ready() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    let store = connect(&url).await.expect("opens");
    sample::move_in(&store).await;
    assert!(store.is_ready().await);
    // For every connection from now on, as on a standby.
    let name = url.rsplit('/').next().expect("a name");
    let mut admin = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    let statement = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut admin).await.expect("done");
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(others).execute(&mut admin).await.expect("done");
    admin.close().await.expect("closed");
    let asked = Instant::now();
    // Each connection that ended is told as such, once.
    while !store.ready().await.expect_err("read-only").to_string().contains("takes no changes") {
        assert!(asked.elapsed() < Duration::from_secs(5), "not told within five seconds");
    }
    let fault = store.create_client(&sample::client("late")).await.expect_err("read-only");
    assert_eq!(fault.kind(), FaultKind::Unavailable, "{fault}");
    assert!(store.client(&sample::shop_id()).await.expect("still read").is_some());
    connect(&url).await.expect("its schema is up to date, so nothing has to change").close().await;
}

/// An operator's own statement, and a cascade, are felt like any other change.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_by_hand_is_seen_within_a_second() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    let store = connect(&url).await.expect("opens");
    sample::move_in(&store).await;
    for number in 1..=240 {
        let mut grant = sample::grant(number);
        if number <= 120 {
            // Those that ended long ago are not told, and must not hide the others.
            grant.expires_at = at(-100_000_000);
        }
        store.redeem_code(&grant, None, None, at(0)).await.expect("redeemed");
        assert!(store.grant(sample::grant_id(number)).await.expect("read").is_some());
    }
    run(&url, "UPDATE user_account SET disabled_at = 5").await;
    run(&url, "DELETE FROM oauth_client").await;
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut left: Vec<u8> = (121..=240).collect();
    let is_enabled = async || store.user(sample::alice().id).await.expect("read").expect("there").is_enabled();
    while !left.is_empty() || is_enabled().await || store.client(&sample::shop_id()).await.expect("read").is_some() {
        assert!(Instant::now() < deadline, "{left:?} are still held");
        let mut still = Vec::new();
        for number in left {
            if store.grant(sample::grant_id(number)).await.expect("read").is_some() {
                still.push(number);
            }
        }
        left = still;
    }
}
