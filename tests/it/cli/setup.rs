//! From nothing to a server for real people.

use std::os::unix::fs::PermissionsExt as _;

use crate::cli::station::Station;

#[test]
fn three_answers_make_settings_that_pass() {
    let station = Station::empty();
    let line = station.run(&["init"]).refused(1);
    assert!(line.contains("--issuer is missing"), "{line}");
    let line = station.run(&["init", "--issuer", "http://login.example.com"]).refused(1);
    assert!(line.contains("must be https"), "{line}");
    assert!(station.run(&["init", "--issuer", "https://a.example", "--listen", "x"]).refused(1).contains("--listen x"));
    assert_eq!(std::fs::read_dir(station.folder.path()).unwrap().count(), 0, "a refusal leaves nothing");

    let told = station.run(&["init", "--issuer", "https://login.example.com", "--data", "a \"quoted\" folder"]).ok();
    assert!(told.contains("symbolon admin recover"), "{told}");
    let file = station.folder.path().join("symbolon.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() <= 30);
    for private in [file, station.folder.path().join("a \"quoted\" folder/symbolon.key")] {
        assert_eq!(private.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", private.display());
    }
    station.run(&["check"]).ok();
    let recovered = station.run(&["admin", "recover", "--json"]).json();
    assert!(recovered["link"].as_str().unwrap().starts_with("https://login.example.com/sign-in/link?"));

    let again = station.run(&["init", "--issuer", "https://other.example.com"]).refused(1);
    assert!(again.contains("is there already"), "{again}");
    assert_eq!(std::fs::read_to_string(station.folder.path().join("symbolon.toml")).unwrap(), text);
}
