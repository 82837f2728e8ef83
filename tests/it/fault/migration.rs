//! A migration that is killed: the next one finishes it.
//!
//! PROTOCOL.md §3 (kill in each statement resumes).

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::tell;
use crate::backend::postgres;
use crate::cli::station::Station;

/// Moments at which it is killed, from its start to its end.
const ROUNDS: u32 = 12;

/// The program in the folder of `station`, on PostgreSQL when there is a `url`.
fn program(station: &Station, url: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = station.command(arguments);
    if let Some(url) = url {
        command.env("SYMBOLON__DATABASE__URL", url);
    }
    command
}

fn answer(station: &Station, url: Option<&str>, arguments: &[&str]) -> String {
    let output = program(station, url, arguments).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// How many migrations there are, and how many were applied.
fn standing(station: &Station, url: Option<&str>) -> (usize, usize) {
    let told: serde_json::Value =
        serde_json::from_str(&answer(station, url, &["migrate", "status", "--json"])).expect("JSON");
    let all = told.as_array().expect("a list");
    (all.len(), all.iter().filter(|migration| migration["state"] == "applied").count())
}

/// Kills a migration after this part of the time that it takes; returns how many were applied by then.
fn killed(url: Option<&str>, after: Duration) -> usize {
    let station = Station::new();
    let mut child =
        program(&station, url, &["migrate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    std::thread::sleep(after);
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
    let (all, applied) = standing(&station, url);
    answer(&station, url, &["migrate"]);
    assert_eq!(standing(&station, url), (all, all));
    answer(&station, url, &["user", "create", "ada", "--no-password"]);
    assert!(answer(&station, url, &["user", "list"]).contains("ada"));
    applied
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long; tests/all faults runs it"]
async fn a_migration_that_is_killed_is_finished_by_the_next() {
    for (engine, server) in [("SQLite", None), ("PostgreSQL", postgres::shared())] {
        if engine == "PostgreSQL" && server.is_none() {
            tell("a killed migration on PostgreSQL: skipped, it is not installed");
            continue;
        }
        let database = async || match &server {
            Some(server) => Some(server.database().await),
            None => None,
        };
        let (station, url) = (Station::new(), database().await);
        let began = Instant::now();
        answer(&station, url.as_deref(), &["migrate"]);
        let whole = began.elapsed();
        let (all, _) = standing(&station, url.as_deref());
        let mut applied = Vec::new();
        for round in 1..=ROUNDS {
            let url = database().await;
            applied.push(killed(url.as_deref(), whole * round / ROUNDS));
        }
        assert!(applied.iter().any(|applied| *applied < all), "one was early enough: {applied:?} of {all}");
        tell(&format!(
            "a killed migration on {engine}: {ROUNDS} kills within {} ms left {applied:?} of {all} applied; each was finished by the next",
            whole.as_millis()
        ));
    }
}
