//! Which names are taken, on the command line (S-024).

use serde_json::json;

use crate::cli::station::Station;

#[test]
fn s_024_a_rule_is_made_listed_and_taken_away_by_command() {
    let station = Station::new();
    station.write_settings(
        r#"[identity]
rules = [{ type = "deny", kind = "username", pattern = "admin" }]"#,
    );
    station.run(&["migrate"]).ok();
    let create = ["rule", "create", "deny", "email", "@evil\\.example$"];
    let made = station.run(&[&create[..], &["--note", "sent us junk", "--json"]].concat()).json();
    assert_eq!(json!([made["type"], made["kind"], made["note"]]), json!(["deny", "email", "sent us junk"]));
    assert!(station.run(&create).refused(1).contains("already"));
    let line = station.run(&["rule", "create", "deny", "email", "("]).refused(1);
    assert!(line.starts_with("symbolon: pattern: "), "{line}");
    let listed = station.run(&["rule", "list", "--json"]).json();
    assert_eq!(json!([listed[0]["pattern"], listed[0]["id"], listed[1]["id"]]), json!(["admin", null, made["id"]]));
    let id = made["id"].as_str().expect("an id");
    station.run(&["rule", "delete", id]).ok();
    let line = station.run(&["rule", "delete", id]).refused(1);
    assert!(line.contains("`symbolon rule list` shows all"), "{line}");
    let told = station.run(&["events", "tail"]).ok();
    assert!(told.contains("identity_rule.created") && told.contains("identity_rule.deleted"), "{told}");
}
