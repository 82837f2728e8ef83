//! Groups, roles, permissions and scopes that an operator makes.

use serde_json::json;

use crate::cli::station::Station;

#[test]
fn an_operator_makes_groups_and_keeps_scopes_for_them() {
    let station = Station::new();
    let staff = station.run(&["group", "create", "Staff", "--description", "Everybody", "--json"]).json();
    assert_eq!((&staff["path"], &staff["members"]), (&json!("/Staff"), &json!(0)));
    let buyers = station.run(&["group", "create", "Buyers", "--within", "staff", "--json"]).json();
    assert_eq!((&buyers["path"], &buyers["parent_id"]), (&json!("/Staff/Buyers"), &staff["id"]));
    assert!(station.run(&["group", "create", "STAFF"]).refused(1).contains("of this name already"));
    assert!(station.run(&["group", "create", "a/b"]).refused(1).contains("without slashes"));
    assert!(station.run(&["group", "show", "nobody"]).refused(1).contains("symbolon group list"));
    let line = station.run(&["group", "update", "staff", "--within", "staff/buyers"]).refused(1);
    assert!(line.contains("cannot stand within itself"), "{line}");
    assert!(station.run(&["group", "delete", "staff"]).refused(1).contains("move or delete them first"));

    for name in ["alice", "bob"] {
        station.run(&["user", "create", name, "--no-password"]).ok();
    }
    let added = station.run(&["group", "add", "staff/buyers", "alice", "bob"]).ok();
    assert!(added.contains("2 of 2 put into Buyers"), "{added}");
    assert!(station.run(&["group", "add", "staff/buyers", "alice"]).ok().contains("0 of 1"));
    assert!(station.run(&["group", "remove", "staff/buyers", "bob"]).ok().contains("1 of 1 taken out of"));
    let shown = station.run(&["group", "show", "/Staff/Buyers", "--json"]).json();
    assert_eq!(shown["people"][0]["login"], "alice");
    assert_eq!(shown["people"].as_array().map(Vec::len), Some(1));

    let scope = ["scope", "create", "Buying", "--group", "staff/buyers", "orders:read", "orders:write", "--json"];
    let scope = station.run(&scope).json();
    assert_eq!(scope["scopes"], json!(["orders:read", "orders:write"]));
    let line = station.run(&["scope", "create", "All", "--group", "staff", "openid"]).refused(1);
    assert!(line.contains("openid is everybody's"), "{line}");
    let changed = station.run(&["scope", "update", "Buying", "orders:write", "--json"]).json();
    assert_eq!(changed["scopes"], json!(["orders:write"]));
    let client =
        ["client", "create", "Shop", "--scope", "openid orders:write", "--redirect-uri", "https://shop.example/cb"];
    station.run(&client).ok();
    let unknown =
        ["client", "create", "Other", "--scope", "openid gone:scope", "--redirect-uri", "https://o.example/cb"];
    assert!(station.run(&unknown).refused(1).contains("gone:scope"));

    let table = station.run(&["group", "list"]).ok();
    assert!(table.starts_with("PATH") && table.contains("/Staff/Buyers"), "{table}");
    station.run(&["scope", "delete", "Buying"]).ok();
    assert_eq!(station.run(&["scope", "list", "--json"]).json(), json!([]));
    station.run(&["group", "update", "staff/buyers", "--within", "/", "--name", "Shoppers"]).ok();
    station.run(&["group", "delete", "staff"]).ok();
    assert_eq!(station.run(&["group", "list", "--json"]).json()[0]["path"], "/Shoppers");
}

#[test]
fn an_operator_gives_roles_and_permissions() {
    let station = Station::new();
    station.run(&["user", "create", "alice", "--no-password"]).ok();
    station.run(&["group", "create", "staff"]).ok();
    station.run(&["role", "create", "editor", "--description", "Writes"]).ok();
    assert!(station.run(&["role", "create", "editor"]).refused(1).contains("of this name already"));
    assert!(station.run(&["role", "create", "x", "--client", "nobody"]).refused(1).contains("symbolon client list"));
    assert!(station.run(&["role", "create", "owner"]).refused(1).contains("on this server"));
    station.run(&["permission", "create", "shop:orders:read"]).ok();
    assert!(station.run(&["permission", "create", "shop:orders"]).refused(1).contains("app:resource:action"));
    let given =
        station.run(&["permission", "give", "shop:orders:read", "--role", "editor", "--group", "staff", "--json"]);
    assert_eq!(given.json()["changed"], 2);
    assert_eq!(
        station.run(&["role", "give", "editor", "--user", "alice", "--group", "staff", "--json"]).json()["changed"],
        2
    );
    let roles = station.run(&["role", "list", "--json"]).json();
    assert_eq!(roles[0]["permissions"], json!(["shop:orders:read"]));
    assert_eq!(station.run(&["group", "list", "--json"]).json()[0]["roles"], json!(["editor"]));
    assert_eq!(station.run(&["role", "take", "editor", "--user", "alice", "--json"]).json()["changed"], 1);
    station.run(&["permission", "delete", "shop:orders:read"]).ok();
    station.run(&["role", "delete", "editor"]).ok();
    assert_eq!(station.run(&["permission", "list"]).ok().trim(), "none");
}
