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
    assert!(line.contains("openid goes by other rules"), "{line}");
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

#[tokio::test]
async fn an_operator_reads_and_proves_what_happened() {
    let station = Station::new();
    station.run(&["user", "create", "alice", "--no-password"]).ok();
    station.run(&["group", "create", "staff"]).ok();
    station.run(&["group", "add", "staff", "alice"]).ok();
    // What happens within one second has no order.
    let tail = station.run(&["events", "tail", "--lines", "3"]).ok();
    assert!(tail.contains("group.member_added") && tail.contains("by the operator"), "{tail}");
    let export = station.run(&["events", "export", "--user", "alice"]).ok();
    let lines: Vec<serde_json::Value> = export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().any(|line| line["event"] == "group.member_added"), "{export}");
    let whole = station.run(&["audit", "verify", "--json"]).json();
    assert_eq!((&whole["whole"], &whole["report"]["unchained"]), (&json!(true), &json!(0)));
    station.sql("UPDATE event SET details = '{}' WHERE name = 'group.created'").await;
    let broken = station.run(&["audit", "verify"]);
    assert_eq!(broken.code, 1, "{broken:?}");
    assert!(broken.out.contains("the chain is broken") && broken.out.contains("changed"), "{broken:?}");
    assert!(station.run(&["events", "tail", "--event", "no.such"]).code != 0);
}

#[test]
fn many_people_are_seeded_once() {
    let station = Station::new();
    let seed = ["seed", "--users", "300", "--groups", "60", "--json"];
    assert_eq!(station.run(&seed).json()["made"], 300);
    assert_eq!(station.run(&seed).json()["made"], 0);
    assert_eq!(station.run(&["group", "list", "--json"]).json().as_array().map(Vec::len), Some(61));
    let first = station.run(&["token", "preview", "--user", "seed-0000000", "--client", "none"]).refused(1);
    assert!(first.contains("symbolon client list"), "{first}");
    let nested = station.run(&["group", "list", "--json"]).json();
    let deepest = nested.as_array().expect("a list").iter().filter_map(|group| group["path"].as_str());
    assert_eq!(deepest.map(|path| path.matches('/').count()).max(), Some(51));
}

#[test]
fn an_operator_says_what_apps_are_told() {
    let station = Station::new();
    station.run(&["user", "create", "alice", "--no-password"]).ok();
    station.run(&["group", "create", "staff"]).ok();
    station.run(&["group", "add", "staff", "alice"]).ok();
    let client = ["client", "create", "Shop", "--id", "shop", "--redirect-uri", "https://shop.example/cb"];
    station.run(&client).ok();
    let team = ["claim", "create", "team", "--from", "groups", "--form", "name", "--into", "id_token", "--json"];
    assert_eq!(station.run(&team).json()["into"], json!(["id_token"]));
    assert!(station.run(&team).refused(1).contains("of this name already"));
    let taken = ["claim", "create", "sub", "--from", "constant", "--value", "root"];
    assert!(station.run(&taken).refused(1).contains("has a meaning of its own"));
    assert!(station.run(&["claim", "create", "x", "--from", "attribute"]).refused(1).contains("--attribute"));
    let preview = ["token", "preview", "--user", "alice", "--client", "shop", "--scope", "openid groups orders:read"];
    let shown = station.run(&preview).ok();
    assert!(shown.contains("granted  openid groups") && shown.contains("left out  orders:read"), "{shown}");
    let shown = station.run(&[&preview[..], &["--json"]].concat()).json();
    assert_eq!(shown["id_token"]["team"]["value"], json!(["staff"]));
    assert_eq!(shown["access_token"]["groups"]["value"], json!(["/staff"]));
    assert!(shown["access_token"]["team"].is_null());
    let update = ["claim", "update", "team", "--from", "permissions", "--prefix", "shop:", "--json"];
    assert_eq!(station.run(&update).json()["source"], json!({"from": "permissions", "prefix": "shop:"}));
    station.run(&["claim", "delete", "team"]).ok();
    assert_eq!(station.run(&["claim", "list", "--json"]).json().as_array().map(Vec::len), Some(3));
}

#[test]
fn an_operator_invites_people_and_helps_those_who_lost_their_factors() {
    let station = Station::new();
    station.run(&["user", "create", "alice", "--email", "alice@example.com", "--no-password"]).ok();
    station.run(&["group", "create", "staff", "--second-factor"]).ok();
    assert!(station.run(&["group", "show", "staff"]).ok().contains("required"));
    let changed = station.run(&["group", "update", "staff", "--second-factor", "false", "--json"]).json();
    assert_eq!(changed["second_factor_at"], json!(null));
    let made =
        ["invitation", "create", "--email", "carol@example.net", "--group", "staff", "--role", "admin", "--json"];
    let made = station.run(&made).json();
    assert_eq!((&made["state"], &made["role"]), (&json!("waiting"), &json!("admin")));
    assert!(station.run(&["invitation", "create", "--email", "alice@example.com"]).refused(1).contains("is taken"));
    assert!(station.run(&["invitation", "create", "--email", "x", "--phone", "+31612345678"]).code != 0);
    assert!(station.run(&["invitation", "list"]).ok().contains("carol@example.net"));
    let id = made["id"].as_str().expect("an id");
    assert!(station.run(&["invitation", "revoke", id]).ok().contains("taken back"));
    assert!(station.run(&["invitation", "revoke", id]).ok().contains("no use"));
    assert!(station.run(&["message", "list"]).ok().contains("mail"), "the message waits for the server");
    assert!(station.run(&["user", "require-mfa", "alice"]).ok().contains("1 of 1"));
    assert!(station.run(&["user", "reset-mfa", "alice"]).ok().contains("1 of 1"));
    assert!(station.run(&["user", "reset-mfa", "alice"]).ok().contains("0 of 1"));
    assert!(station.run(&["user", "clear-backup-codes", "alice"]).ok().contains("0 of 1"));
}

#[test]
fn the_schema_of_each_event_is_printed() {
    let station = Station::new();
    let one = station.run(&["events", "schema", "group.member_added", "--json"]).json();
    assert_eq!(one["properties"]["details"]["required"], json!(["group", "name"]));
    let all = station.run(&["events", "schema", "--json"]).json();
    assert_eq!(all["group.member_added"], one);
    assert!(station.run(&["events", "schema", "no.such"]).code != 0);
}
