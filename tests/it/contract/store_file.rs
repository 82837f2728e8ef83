//! The file under the store: whose it is, whether it is sound, and who may read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use symbolon::edge::store::schema::{self, MigrationState};
use symbolon::edge::store::{DatabaseSettings, Store, StoreError};
use symbolon::model::fault::FaultKind;
use symbolon::model::token::CodeRedemption;
use tempfile::TempDir;

use crate::contract::sample::{self, House};

async fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(&DatabaseSettings { path: path.to_owned() }).await
}

/// A database that was written and closed.
async fn closed_house() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("symbolon.db");
    let store = open(&path).await.expect("opens");
    store.create_client(&sample::shop()).await.expect("created");
    // With a reader open, closing has two kinds of connection to end.
    assert!(store.is_ready().await);
    store.close().await;
    (folder, path)
}

#[tokio::test]
async fn a_closed_database_opens_again() {
    let (_folder, path) = closed_house().await;
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(!path.with_extension("db-wal").exists(), "closing leaves one file");
    let store = open(&path).await.expect("opens");
    assert!(store.client(&sample::shop_id()).await.expect("read").is_some());
    assert!(store.is_ready().await);
    store.close().await;
    assert!(!store.is_ready().await);
    assert!(store.create_client(&sample::client("late")).await.is_err(), "a closed store takes no facts");
}

#[tokio::test]
async fn what_waits_is_recorded_when_the_store_closes() {
    let house = House::with_alice_and_shop().await;
    house.store.touch_session(sample::session_id(), sample::at(77));
    house.store.close().await;
    let session = house.neighbour().await.session(sample::session_id()).await.expect("read").expect("there");
    assert_eq!(session.last_seen_at, sample::at(77));
}

#[tokio::test]
async fn another_file_is_refused_by_name_and_left_alone() {
    let (folder, sound) = closed_house().await;
    let sound = fs::read(sound).expect("read");
    let mut stranger = sound.clone();
    stranger[68..72].copy_from_slice(&7_u32.to_be_bytes());
    let mut scribbled = sound.clone();
    let page = usize::from(u16::from_be_bytes([sound[16], sound[17]]));
    for at in (page..scribbled.len()).step_by(7) {
        scribbled[at] = 0xA5;
    }
    for (name, content, expected) in [
        ("text", b"dear diary".to_vec(), "is not a Symbolon database"),
        ("long text", b"dear diary, ".repeat(100), "is not a Symbolon database"),
        ("of another program", stranger, "the SQLite database of another program"),
        ("cut short", sound[..sound.len() / 2].to_vec(), "is damaged"),
        ("scribbled over", scribbled, "is damaged"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &content).expect("written");
        let refusal = open(&path).await.err().unwrap_or_else(|| panic!("{name} was opened")).to_string();
        assert!(refusal.contains(expected) && refusal.contains(name), "{refusal}");
        assert_eq!(fs::read(&path).expect("read"), content, "{name} was changed");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_folder, path) = closed_house().await;
    let options = sqlx_options(&path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.expect("connects");
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, x'00', 0)")
        .execute(&mut connection)
        .await
        .expect("written");
    sqlx::Connection::close(connection).await.expect("closed");
    let refusal = open(&path).await.err().expect("refused");
    assert!(matches!(refusal, StoreError::Newer { version: 9999, .. }), "{refusal}");
}

/// PROTOCOL §3: the way back stands beside the database; a gap and a changed migration are refused.
#[tokio::test]
async fn a_file_is_copied_before_its_schema_changes() {
    let (folder, path) = closed_house().await;
    assert_eq!(copies(folder.path()), [""; 0], "a new file has nothing to lose");
    drop(open(&path).await.expect("opens"));
    assert_eq!(copies(folder.path()), [""; 0], "nothing was to be changed");

    // As the release before the last migration left it.
    let last = newest(&path).await;
    let undo = format!("DELETE FROM _sqlx_migrations WHERE version = {last}");
    run(&path, &undo).await;
    let refusal = open(&path).await.err();
    // What the migration makes is there already; or, where it only changes rows, it is made again.
    let snapshot = format!("symbolon.db.before-migration-{last}");
    assert_eq!(copies(folder.path()), std::slice::from_ref(&snapshot), "{refusal:?}");
    let mode = fs::metadata(folder.path().join(&snapshot)).expect("there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    let copied = schema::of_file(&folder.path().join(&snapshot)).await.expect("read");
    let states: Vec<_> = copied.iter().filter(|migration| migration.state != MigrationState::Applied).collect();
    assert!(
        matches!(states.as_slice(), [one] if one.version == last && one.state == MigrationState::Pending),
        "{states:?}"
    );

    // A later release was here, from that schema on: its way back is named.
    run(&path, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    fs::rename(folder.path().join(&snapshot), folder.path().join("symbolon.db.before-migration-9999"))
        .expect("renamed");
    let refusal = open(&path).await.err().expect("refused").to_string();
    assert!(refusal.contains("9999") && refusal.contains("symbolon restore"), "{refusal}");
    assert!(refusal.contains("before-migration-9999"), "{refusal}");
    run(&path, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    let refusal = open(&path).await.err().expect("refused").to_string();
    assert!(refusal.contains("lacks migration 1"), "{refusal}");
}

/// Copies and drafts beside the database.
fn copies(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").file_name());
    let names = names.map(|name| name.into_string().expect("text"));
    names.filter(|name| name.contains("before") || name.contains(".part")).collect()
}

async fn run(path: &Path, statement: &str) {
    let mut connection = sqlx::ConnectOptions::connect(&sqlx_options(path)).await.expect("connects");
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    sqlx::query(statement).execute(&mut connection).await.expect("written");
    sqlx::Connection::close(connection).await.expect("closed");
}

async fn newest(path: &Path) -> i64 {
    let standing = schema::of_file(path).await.expect("read");
    standing.iter().map(|migration| migration.version).max().expect("some")
}

fn sqlx_options(path: &Path) -> sqlx::sqlite::SqliteConnectOptions {
    sqlx::sqlite::SqliteConnectOptions::new().filename(path)
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("missing").join("symbolon.db");
    let refusal = open(&path).await.err().expect("refused").to_string();
    assert!(refusal.contains("missing/symbolon.db"), "{refusal}");
    let refusal = open(folder.path()).await.err().expect("refused").to_string();
    assert!(refusal.contains(&*folder.path().to_string_lossy()), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_may_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("symbolon.db");
    let openings = (0..8).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { open(&path).await.map(|_| ()) })
    });
    for opening in futures_util::future::join_all(openings).await {
        opening.expect("no panic").expect("opens");
    }
}

/// PROTOCOL §3: a file that another process holds is 503 and no hang, and nothing is lost or used up.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_unavailable_and_heals() {
    let house = House::with_alice_and_shop().await;
    let mut other = sqlx::ConnectOptions::connect(&sqlx_options(&house.path())).await.expect("opens");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locks");

    let started = std::time::Instant::now();
    // The second and third wait in the queue behind the first, and share the fate of their group.
    let (first, second) = (sample::client("first"), sample::client("second"));
    let code = sample::grant(1);
    let (first, second, code) = tokio::join!(
        house.store.create_client(&first),
        house.store.create_client(&second),
        house.store.redeem_code(&code, None, None, sample::at(0))
    );
    for (fact, fault) in [first.err(), second.err(), code.err()].into_iter().enumerate() {
        let fault = fault.unwrap_or_else(|| panic!("fact {fact} was recorded in a locked file"));
        assert_eq!(fault.kind(), FaultKind::Unavailable, "fact {fact}: {fault}");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(house.store.client(&sample::shop_id()).await.expect("still read").is_some());

    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocks");
    let redeemed = house.store.redeem_code(&sample::grant(1), None, None, sample::at(0)).await.expect("recorded");
    assert_eq!(redeemed, CodeRedemption::Recorded);
}

/// PROTOCOL §3: read-only while running is not ready; what is read goes on, and it heals.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_turns_read_only_is_not_ready() {
    let house = House::with_alice_and_shop().await;
    assert!(house.store.is_ready().await);
    let folder = house.path().parent().expect("a folder").to_owned();
    let Some(sealed) = Immutable::seal(&folder) else { return };
    let reason = soon(async || house.store.ready().await.err()).await;
    assert!(reason.to_string().contains("takes no changes"), "{reason}");
    let fault = house.store.create_client(&sample::client("late")).await.expect_err("read-only");
    assert_eq!(fault.kind(), FaultKind::Unavailable, "{fault}");
    assert!(house.store.client(&sample::shop_id()).await.expect("still read").is_some());
    drop(sealed);
    soon(async || house.store.ready().await.ok()).await;
    house.store.create_client(&sample::client("later")).await.expect("recorded");
}

/// The first answer, within three seconds.
async fn soon<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(3), "not within three seconds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Files that not even those who have them open may write; only root can make them so, and not on every file system.
struct Immutable(PathBuf);

impl Immutable {
    fn seal(folder: &Path) -> Option<Self> {
        let sealed = Self(folder.to_owned());
        sealed.chattr("+i").then_some(sealed)
    }

    fn chattr(&self, flag: &str) -> bool {
        let files = fs::read_dir(&self.0).expect("the folder").map(|file| file.expect("a file").path());
        // The index of the journal is memory that processes share: to seal it kills them.
        let files = files.filter(|file| !file.to_string_lossy().ends_with("-shm"));
        let ran = std::process::Command::new("chattr").arg(flag).args(files).output();
        ran.is_ok_and(|ran| ran.status.success())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.chattr("-i");
    }
}
