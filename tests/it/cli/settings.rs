//! What can be set, what is, and what a running server takes over.

use serde_json::Value;

use crate::cli::station::Station;

#[test]
fn every_setting_is_shown_with_its_source_and_no_secret() {
    let station = Station::new();
    station.write_settings(
        "[client_registration]\nmode = \"initial_access_token\"\ntoken = \"hunter2-and-what-follows-it\"\n\
         [ephemeral]\nurl = \"redis://:hunter2@localhost\"",
    );
    let printed = station.run(&["config", "print"]).ok();
    assert!(!printed.contains("hunter2"), "{printed}");
    let all = station.run(&["config", "print", "--json"]).json();
    let row = |key: &str| {
        let rows = all.as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} is shown")).clone()
    };
    assert_eq!(row("client_registration.token")["value"], "…");
    assert!(row("client_registration.token")["source"].as_str().unwrap().ends_with("symbolon.toml"));
    assert_eq!(
        (&row("tokens.id_lifetime")["value"], &row("tokens.id_lifetime")["source"]),
        (&"1h".into(), &"default".into())
    );
    let set = station.run(&["config", "print", "--set", "--json"]).json();
    assert!(set.as_array().unwrap().iter().all(|row| row["source"] != "default"));

    station.write_settings("[tokens]\nid_lifetime = 5");
    assert!(station.run(&["config", "print"]).refused(2).contains("tokens.id_lifetime"));
}

#[test]
fn the_schema_knows_what_the_reference_tells() {
    let station = Station::new();
    let schema: Value = serde_json::from_str(&station.run(&["config", "schema"]).ok()).unwrap();
    assert_eq!(schema["$defs"]["Server"]["properties"]["drain"]["type"], "string");
    assert_eq!(schema["$defs"]["ClientRegistration"]["additionalProperties"], false);
    assert!(station.run(&["config", "reference"]).ok().contains("| `tokens.access_lifetime` | `15m` |"));
}
