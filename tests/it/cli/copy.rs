//! Backups of a server that runs, and the way back.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::cli::station::Station;

fn people(station: &Station) -> Vec<String> {
    let listed = station.run(&["user", "list", "--json"]).json();
    let mut names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["identifiers"][0]["value"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_of_a_running_server_brings_everything_back() {
    let station = Station::new();
    let server = station.serve().await;
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    let written = station.run(&["backup", "copy.db", "--json"]).json();
    let copy = station.folder.path().join("copy.db");
    assert_eq!(written["bytes"], json!(copy.metadata().unwrap().len()));
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(station.run(&["backup", "copy.db"]).refused(3).contains("is there already"));
    station.run(&["user", "create", "bob", "--no-password"]).ok();

    let line = station.run(&["restore", "copy.db"]).refused(3);
    assert!(line.contains("stop the server first"), "{line}");
    assert_eq!(people(&station), ["ada", "bob"]);
    drop(server);
    let recovered = station.run(&["admin", "recover", "--user", "ada"]).refused(1);
    assert!(recovered.contains("no owner"));
    let restored = station.run(&["restore", "copy.db", "--json"]).json();
    assert_eq!(people(&station), ["ada"]);
    let before = restored["before"].as_str().expect("the database before is kept");
    assert!(station.folder.path().join(before).exists());
    let _server = station.serve().await;
    assert_eq!(people(&station), ["ada"]);
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_is_lost() {
    let station = Station::new();
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    station.write("letter", &"Dear grandmother, ".repeat(200));
    assert!(station.run(&["restore", "letter"]).refused(3).contains("letter"));
    assert!(station.run(&["restore", "nothing"]).refused(3).contains("is not there"));
    station.run(&["backup", "good"]).ok();
    let mut bytes = std::fs::read(station.folder.path().join("good")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5A);
    std::fs::write(station.folder.path().join("bad"), bytes).unwrap();
    assert!(station.run(&["restore", "bad"]).refused(3).contains("damaged"));
    assert_eq!(people(&station), ["ada"]);
}
