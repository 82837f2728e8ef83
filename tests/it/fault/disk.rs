//! A disk that is full, and a file that another process holds.
//!
//! PROTOCOL.md §3: writes are 503 with Retry-After, what only reads goes on, it heals by itself, and nothing that was acknowledged is lost.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{is_root, tell};
use crate::cli::station::{Sender, Station};

/// A server whose database is where the test says, with a service client and one of its tokens.
struct Subject {
    station: Station,
    secret: String,
    token: String,
    revoked: u64,
}

/// What became of a write.
#[derive(Debug, Eq, PartialEq)]
enum Written {
    Acknowledged,
    Refused,
}

impl Subject {
    fn station(database: &Path) -> Station {
        let station = Station::new();
        station.write_settings(&format!("[database]\npath = \"{}\"", database.display()));
        station
    }

    async fn new(station: Station) -> Self {
        let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
        let secret = made["client_secret"].as_str().expect("text").to_owned();
        let mut subject = Self { station, secret, token: String::new(), revoked: 0 };
        subject.token = subject.fresh_token().await;
        subject
    }

    /// Signed, and written down nowhere.
    async fn fresh_token(&self) -> String {
        let (status, body) = self.post("/oauth2/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        answer["access_token"].as_str().expect("text").to_owned()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let (status, body, _) = self.station.post(path, form, Sender::Client("robot", &self.secret)).await;
        (status, body)
    }

    /// Takes a token back: what was acknowledged must stay refused for ever.
    async fn write(&mut self) -> Written {
        let token = self.fresh_token().await;
        let sender = Sender::Client("robot", &self.secret);
        let (status, body, headers) = self.station.post("/oauth2/revoke", &[("token", &token)], sender).await;
        match status {
            200 => {
                self.revoked += 1;
                Written::Acknowledged
            }
            503 => {
                assert!(headers.contains_key("retry-after"), "{headers:?}");
                Written::Refused
            }
            _ => panic!("{status} {body}"),
        }
    }

    /// What needs no write goes on.
    async fn reads(&self) {
        for path in ["/oauth2/jwks", "/.well-known/openid-configuration"] {
            assert!(self.station.get(path).await.is_some(), "{path}");
        }
        let (status, body) = self.post("/oauth2/introspect", &[("token", &self.token)]).await;
        assert!(status == 200 && body.contains("\"active\":true"), "{status} {body}");
    }

    /// Everything that was acknowledged is there, and the file is sound.
    async fn holds(&self, database: &Path) {
        let mut connection = connect(database).await;
        let denied = "SELECT COUNT(*) FROM denied_access_token";
        let denied: i64 = sqlx::query_scalar(denied).fetch_one(&mut connection).await.expect("read");
        let denied = u64::try_from(denied).expect("not below zero");
        assert!(denied >= self.revoked, "{} were acknowledged, {denied} are there", self.revoked);
        let verdict: String =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.expect("read");
        assert_eq!(verdict, "ok");
    }

    /// Writes until one is acknowledged; returns how long that took.
    async fn heals(&mut self, within: Duration) -> Duration {
        let began = Instant::now();
        while self.write().await == Written::Refused {
            assert!(began.elapsed() < within, "not within {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }
}

async fn connect(database: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database).busy_timeout(Duration::from_secs(5));
    options.connect().await.expect("opens")
}

/// A small file system in memory, unmounted when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(&folder).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(folder));
        }
        std::fs::remove_dir(&folder).expect("it is empty");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
        drop(std::fs::remove_dir(&self.0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_and_heals() {
    let Some(disk) = SmallDisk::mount() else {
        return tell("a full disk: skipped, only root may mount a small one");
    };
    let database = disk.0.join("symbolon.db");
    let station = Subject::station(&database);
    let _server = station.serve().await;
    let mut subject = Subject::new(station).await;
    assert_eq!(subject.write().await, Written::Acknowledged);
    let junk = disk.0.join("junk");
    // Until nothing more fits.
    let filled = std::io::copy(&mut std::io::repeat(7), &mut std::fs::File::create(&junk).expect("made"));
    assert!(filled.is_err());
    let mut refused = 0;
    while refused < 20 {
        refused += usize::from(subject.write().await == Written::Refused);
        assert!(subject.revoked < 2_000, "the disk is not full");
        if refused > 0 {
            subject.reads().await;
        }
    }
    std::fs::remove_file(&junk).expect("removed");
    let took = subject.heals(Duration::from_secs(10)).await;
    subject.holds(&database).await;
    tell(&format!(
        "a full disk: {refused} writes refused, {} acknowledged, 0 lost, well again {} ms after there was room",
        subject.revoked,
        took.as_millis()
    ));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long; tests/all faults runs it"]
async fn a_file_that_another_process_holds_is_unavailable_and_heals() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = folder.path().join("symbolon.db");
    let station = Subject::station(&database);
    let _server = station.serve().await;
    let mut subject = Subject::new(station).await;
    let mut other = connect(&database).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locks");
    let (began, held) = (Instant::now(), Duration::from_secs(30));
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    while began.elapsed() < held {
        let asked = Instant::now();
        assert_eq!(subject.write().await, Written::Refused);
        slowest = slowest.max(asked.elapsed());
        refused += 1;
        subject.reads().await;
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocks");
    other.close().await.expect("closed");
    let took = subject.heals(Duration::from_secs(3)).await;
    subject.holds(&database).await;
    tell(&format!(
        "a lock of {} s: {refused} writes refused after {} ms at most, {} acknowledged, 0 lost, well again after {} ms",
        held.as_secs(),
        slowest.as_millis(),
        subject.revoked,
        took.as_millis()
    ));
}
