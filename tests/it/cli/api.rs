//! APIs on the command line (RFC 8707).

use serde_json::json;

use crate::cli::station::Station;

#[test]
fn an_api_is_made_shown_changed_and_deleted() {
    let station = Station::new();
    station.run(&["user", "list"]).refused(3);
    station.run(&["migrate"]).ok();
    let create = ["api", "create", "https://orders.example", "--name", "Orders", "--scope", "orders:read orders:write"];
    let made = station.run(&[&create[..], &["--access-token-lifetime", "300", "--json"]].concat()).json();
    assert_eq!(
        json!([made["audience"], made["scopes"], made["access_token_lifetime"], made["access_token"]]),
        json!(["https://orders.example", ["orders:read", "orders:write"], 300, "jwt"])
    );
    let line = station.run(&create).refused(1);
    assert!(line.contains("belongs to https://orders.example"), "{line}");
    let update = ["api", "update", "Orders", "--access-token", "opaque", "--access-token-lifetime", "0", "--json"];
    let changed = station.run(&update).json();
    assert_eq!(json!([changed["access_token"], changed["access_token_lifetime"]]), json!(["opaque", null]));
    let table = station.run(&["api", "list"]).ok();
    assert!(table.starts_with("AUDIENCE") && table.contains("opaque"), "{table}");
    for (arguments, part) in [
        (&["api", "create", "orders"][..], "an absolute URI"),
        (&["api", "create", "urn:x", "--signing-alg", "none"], "no such algorithm"),
        (&["api", "create", "urn:x", "--access-token-lifetime", "9"], "60 to 3600 seconds"),
        (&["api", "show", "urn:x"], "there is no API urn:x; `symbolon api list` shows all"),
    ] {
        let line = station.run(arguments).refused(1);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    station.run(&["api", "delete", "https://orders.example"]).ok();
    assert_eq!(station.run(&["api", "list", "--json"]).json(), json!([]));
}
