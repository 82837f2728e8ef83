//! What a start refuses: it names the file, tells the cure, ends within two seconds, and leaves everything as it was.
//!
//! PROTOCOL.md §3 (corrupt DB, wrong owner, key file corrupt, wrong or readable by others; exit codes 3 and 4).

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{is_root, tell};
use crate::cli::station::Station;

/// The one line of a refused start, and how long it took.
fn refused(station: &Station, code: i32, parts: &[&str]) -> Duration {
    let began = Instant::now();
    let line = station.run(&["serve"]).refused(code);
    for part in parts {
        assert!(line.contains(part), "{line} lacks {part}");
    }
    began.elapsed()
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
}

#[test]
fn a_start_on_what_is_broken_is_refused_by_name() {
    let station = Station::new();
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    let (database, key) = (station.folder.path().join("symbolon.db"), station.folder.path().join("symbolon.key"));
    let (sound, own_key) = (std::fs::read(&database).expect("read"), std::fs::read(&key).expect("read"));
    let mut slowest = Duration::ZERO;
    let mut cases = 0;
    let mut meets = |code, parts: &[&str]| {
        slowest = slowest.max(refused(&station, code, parts));
        cases += 1;
    };

    for broken in
        [b"not a database, but quite a long text that is no header".repeat(20), sound[..sound.len() / 2].to_vec()]
    {
        std::fs::write(&database, &broken).expect("written");
        meets(3, &["symbolon.db"]);
        assert_eq!(std::fs::read(&database).expect("read"), broken, "it is left as it is");
    }
    std::fs::write(&database, &sound).expect("written");

    mode(&key, 0o644);
    meets(4, &["symbolon.key", "chmod 600"]);
    mode(&key, 0o600);
    std::fs::write(&key, "nonsense\n").expect("written");
    meets(4, &["symbolon.key", "restore it from your backup"]);
    let other = Station::new();
    other.run(&["user", "create", "ada", "--no-password"]).ok();
    std::fs::copy(other.folder.path().join("symbolon.key"), &key).expect("copied");
    meets(4, &["another master key"]);
    std::fs::remove_file(&key).expect("removed");
    meets(4, &["symbolon.key is missing"]);
    assert!(!key.exists(), "none is made in its place");
    std::fs::write(&key, own_key).expect("written");
    mode(&key, 0o600);
    assert!(slowest < Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 2 }), "{slowest:?}");
    assert!(station.run(&["user", "list"]).ok().contains("ada"), "nothing is lost");
    tell(&format!("{cases} broken starts: each refused by name, within {} ms, 0 lost", slowest.as_millis()));
}

/// As a user who may read the files and not change them.
#[test]
fn a_database_that_may_not_be_written_is_named() {
    let station = Station::new();
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    let folder = station.folder.path();
    if is_root() {
        // Root may write everything.
        mode(folder, 0o755);
        for file in std::fs::read_dir(folder).expect("the folder") {
            mode(&file.expect("a file").path(), 0o644);
        }
        let id = |flag| {
            let told = Command::new("id").args([flag, "nobody"]).output().expect("id runs").stdout;
            String::from_utf8(told).expect("text").trim().to_owned()
        };
        let (user, group) = (id("-u"), id("-g"));
        std::os::unix::fs::chown(folder.join("symbolon.key"), user.parse().ok(), None).expect("root may");
        mode(&folder.join("symbolon.key"), 0o600);
        let ran = Command::new("setpriv")
            .args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "--"])
            .args([env!("CARGO_BIN_EXE_symbolon"), "serve"])
            .current_dir(folder)
            .output()
            .expect("it runs");
        let line = String::from_utf8(ran.stderr).expect("text");
        if line.contains("Permission denied") && ran.status.code() == Some(127) {
            return tell("a read-only database: skipped, nobody may not run the program where it was built");
        }
        assert_eq!(ran.status.code(), Some(3), "{line}");
        assert!(line.contains("symbolon.db") && line.lines().count() == 1, "{line}");
    } else {
        for name in ["symbolon.db", "symbolon-ephemeral.db"] {
            mode(&folder.join(name), 0o444);
        }
        mode(folder, 0o555);
        refused(&station, 3, &["symbolon.db"]);
        mode(folder, 0o755);
    }
    tell("a read-only database: the start is refused by name, 0 lost");
}
