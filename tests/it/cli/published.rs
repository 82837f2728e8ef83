//! Keys and secrets that everybody has are refused (PROTOCOL.md A19, S-190).

use symbolon::edge::random::SystemRandom;
use symbolon::edge::store::{DatabaseSettings, Store};
use symbolon::edge::vault::{Place, Vault};
use symbolon::protocol::jose::import::import;

use crate::cli::station::Station;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/keys");

#[test]
fn keys_that_everybody_has_are_refused() {
    let station = Station::new();
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    for name in ["seed-003-example.openssh", "test-rsa.pem", "test-p256.openssh"] {
        let line = station.run(&["key", "import", &format!("{KEYS}/{name}")]).refused(1);
        assert!(line.contains("was published"), "{line}");
    }
    // As an older release may have taken it in.
    let one_line = std::fs::read_to_string(format!("{KEYS}/seed-003-example.openssh")).unwrap().replace('\n', "|");
    assert!(station.run_with(&one_line, &["key", "import", "-"]).refused(1).contains("was published"));

    station.write_settings(
        "[client_registration]\nmode = \"initial_access_token\"\ntoken = \"changeme-changeme-changeme\"",
    );
    let line = station.run(&["serve"]).refused(2);
    assert!(line.contains("client_registration.token") && line.contains("examples"), "{line}");
}

/// PROTOCOL §3: a start on such a key ends at once; the cure is one command.
#[tokio::test]
async fn a_server_does_not_start_on_a_published_key() {
    let station = Station::new();
    drop(station.serve().await);
    let folder = station.folder.path();
    let known = import(&std::fs::read(format!("{KEYS}/seed-003-example.openssh")).unwrap(), None).unwrap();
    let store = Store::open(&DatabaseSettings { path: folder.join("symbolon.db") }).await.unwrap();
    let vault = Vault::load_or_create(&folder.join("symbolon.key"), &SystemRandom).unwrap();
    let mut stored = store.signing_keys().await.unwrap();
    let mut key = stored.pop().unwrap();
    stored.push(key.clone());
    let gone: Vec<String> =
        stored.iter().filter(|key| key.algorithm == known.key.algorithm()).map(|key| key.kid.clone()).collect();
    known.key.kid().clone_into(&mut key.kid);
    key.algorithm = known.key.algorithm();
    let place = Place { table: "signing_key", row: &key.kid, column: "private_key" };
    key.sealed_private_key = vault.seal(&place, known.pkcs8.expose(), &SystemRandom);
    store.replace_signing_keys(gone, vec![key]).await.unwrap();
    store.close().await;
    let line = station.run(&["serve"]).refused(4);
    assert!(line.contains("was published") && line.contains("key retire"), "{line}");
    assert_eq!(station.run(&["check", "--json"]).code, 4);
    station.run(&["key", "retire", known.key.kid(), "--now"]).ok();
    let _server = station.serve().await;
}
