//! The master key changes while a server runs (PROTOCOL.md O1), and another one opens and seals nothing (§3).

use serde_json::json;

use crate::cli::station::{Sender, Station};

/// Ids, states and counts of `symbolon secret list`.
fn listed(station: &Station) -> Vec<(String, String, u64)> {
    let told = station.run(&["secret", "list", "--json"]).json();
    let keys = told.as_array().unwrap().iter();
    keys.map(|key| {
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        (text("key"), text("state"), key["sealed"].as_u64().unwrap())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_changes_under_a_running_server() {
    let station = Station::new();
    let server = station.serve().await;
    let signer = station.run(&["client", "create", "Signer", "--type", "service", "--id", "signer", "--json"]).json();
    let secret = signer["client_secret"].as_str().unwrap().to_owned();
    let token = async || {
        let form = [("grant_type", "client_credentials")];
        station.post("/oauth2/token", &form, Sender::Client("signer", &secret)).await.0
    };
    assert_eq!(token().await, 200);
    let [(old, _, count)] = <[_; 1]>::try_from(listed(&station)).unwrap();
    assert!(count > 6, "signing keys and secrets are sealed: {count}");

    let done = station.run(&["secret", "rotate", "--json"]).json();
    let new = done["key"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert!(done["sealed"].as_u64().unwrap() >= count, "{done}");
    let keys = listed(&station);
    assert_eq!((&keys[0].0, &*keys[0].1), (&new, "current"), "{keys:?}");
    assert_eq!((&keys[1].0, &*keys[1].1, keys[1].2), (&old, "accepted", 0), "{keys:?}");
    // What the server seals now is sealed under the new key: it makes the next signing keys when the old ones are withdrawn.
    station.run(&["key", "rotate", "--now"]).ok();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(token().await, 200);
    assert!(!station.log().contains("a job failed"), "{}", station.log());
    assert_eq!(station.run(&["secret", "forget", "--json"]).json()["forgotten"], 1);
    assert_eq!(listed(&station).iter().map(|(key, ..)| key).collect::<Vec<_>>(), [&new]);
    drop(server);
    let _server = station.serve().await;
    assert_eq!(token().await, 200, "the new key alone opens everything");
    assert!(station.run(&["secret", "rotate"]).ok().contains("secret forget"), "and so on");
}

/// A key that comes back into the file, as from a backup, is older than the current one: nothing goes back to it.
#[test]
fn an_older_key_never_becomes_the_current_one_again() {
    let station = Station::new();
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    let old = listed(&station)[0].0.clone();
    station.run(&["secret", "rotate"]).ok();
    let file = station.folder.path().join("symbolon.key");
    let both = std::fs::read_to_string(&file).unwrap();
    assert_eq!(both.lines().count(), 2);
    station.run(&["secret", "forget"]).ok();
    std::fs::write(&file, &both).unwrap();
    let new = listed(&station)[0].0.clone();
    assert_eq!(listed(&station)[1], (old.clone(), "accepted".to_owned(), 0));
    let done = station.run(&["secret", "rotate", "--json"]).json();
    assert_ne!(done["key"], json!(old));
    assert_ne!(done["key"], json!(new), "a third one was made");
}

#[test]
fn a_master_key_comes_from_a_variable_or_a_command() {
    let station = Station::new();
    let key = station.run(&["secret", "key"]).ok();
    let settings = format!("[keys]\nmaster_key = {{ command = [\"echo\", \"{}\"] }}", key.trim());
    station.write_settings(&settings);
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    assert!(!station.folder.path().join("symbolon.key").exists());
    let line = station.run(&["secret", "rotate"]).refused(1);
    assert!(line.contains("the command `echo`") && line.contains("symbolon secret key"), "{line}");
    let another = station.run(&["secret", "key"]).ok();
    station.write_settings(&format!("[keys]\nmaster_key = {{ command = [\"echo\", \"{}\"] }}", another.trim()));
    let line = station.run(&["user", "list"]).refused(4);
    assert!(line.contains("master key"), "{line}");
    station.write_settings(&format!(
        "[keys]\nmaster_key = {{ command = [\"echo\", \"{} {}\"] }}",
        key.trim(),
        another.trim()
    ));
    let done = station.run(&["secret", "rotate", "--json"]).json();
    assert_eq!(done["state"], "current");
    station.write_settings("[keys]\nmaster_key = { env = \"SYMBOLON_TEST_NO_SUCH_VARIABLE\" }");
    assert!(station.run(&["user", "list"]).refused(2).contains("is not set"));
    station.write_settings("[keys]\nmaster_key = { env = \"X\" }\nmaster_key_file = \"other.key\"");
    assert!(station.run(&["user", "list"]).refused(2).contains("leave one of them out"));
}

#[test]
fn a_master_key_that_everybody_has_is_refused() {
    let station = Station::new();
    let file = station.folder.path().join("test.key");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/test-master.key"), &file).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    station.write_settings("[keys]\nmaster_key_file = \"test.key\"\n[database]\npath = \"other.db\"");
    let line = station.run(&["serve"]).refused(4);
    assert!(line.contains("was published"), "{line}");
    assert!(!station.folder.path().join("other.db").exists(), "nothing is made under it");
}

/// A command with another master key would seal what no node can open: it is refused before it writes.
#[test]
fn a_command_with_another_master_key_changes_nothing() {
    let (station, other) = (Station::new(), Station::new());
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    other.run(&["user", "create", "ada", "--no-password"]).ok();
    let (file, database) = (station.folder.path().join("symbolon.key"), station.folder.path().join("symbolon.db"));
    let own = std::fs::read(&file).unwrap();
    let before = std::fs::read(&database).unwrap();
    std::fs::copy(other.folder.path().join("symbolon.key"), &file).unwrap();
    let import = format!("{}/keys/test-ed25519.pem", env!("CARGO_MANIFEST_DIR"));
    for command in [
        &["key", "rotate", "--now"][..],
        &["key", "import", &import, "--now"],
        &["client", "create", "Late", "--type", "service"],
        &["secret", "rotate"],
        &["serve"],
    ] {
        let line = station.run(command).refused(4);
        assert!(line.contains("another master key") || line.contains("does not hold"), "{command:?}: {line}");
    }
    assert_eq!(std::fs::read(&database).unwrap(), before, "nothing was written");
    std::fs::write(&file, own).unwrap();
    assert!(station.run(&["user", "list"]).ok().contains("ada"));
}
