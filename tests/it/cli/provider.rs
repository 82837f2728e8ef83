//! Servers elsewhere by which people may sign in, as an operator writes them down (S-152 … S-155).

use serde_json::json;

use crate::cli::station::Station;

#[test]
fn s_152_a_provider_is_added_shown_changed_and_removed() {
    let station = Station::new();
    let secret = station.folder.path().join("secret");
    std::fs::write(&secret, "GOCSPX-very-secret\n").unwrap();
    let secret = secret.to_str().unwrap();
    let add = ["provider", "add", "google", "--client-id", "123.apps", "--secret-file", secret, "--json"];
    let made = station.run(&[&add[..], &["--project", "shop", "--notes", "ask Ada"]].concat()).json();
    assert_eq!(
        json!([made["kind"], made["issuer"], made["enabled"], made["provider_project"], made["notes"]]),
        json!(["google", "https://accounts.google.com", true, "shop", "ask Ada"])
    );
    assert_eq!(json!([made["client_secret_set"], made["client_secret_source"]]), json!([true, "PLAIN"]));
    assert!(made["callback_url"].as_str().unwrap().ends_with("/federation/google/callback"), "{made}");
    assert_eq!(made["trust"]["email_domains"], json!(["gmail.com", "googlemail.com"]));
    assert!(!made.to_string().contains("GOCSPX"), "a secret is told by nothing: {made}");
    let line = station.run(&add).refused(1);
    assert!(line.contains("there is a provider google already"), "{line}");

    let changed =
        station.run(&["provider", "update", "google", "--label", "Google (work)", "--disabled", "yes", "--json"]);
    let changed = changed.json();
    assert_eq!(
        json!([changed["label"], changed["enabled"], changed["client_secret_set"]]),
        json!(["Google (work)", false, true])
    );
    let table = station.run(&["provider", "list"]).ok();
    assert!(table.starts_with("SLUG") && table.contains("Google (work)") && table.contains("disabled"), "{table}");

    let removed = station.run(&["provider", "remove", "google", "--json"]).json();
    assert_eq!(removed, json!({"slug": "google", "removed": true, "connections": 0}));
    assert_eq!(station.run(&["provider", "list", "--json"]).json(), json!([]));
}

#[test]
fn s_153_a_secret_may_stand_in_a_variable() {
    let station = Station::new();
    let add = ["provider", "add", "corp", "--kind", "oidc", "--issuer", "https://idp.corp.example", "--client-id", "x"];
    let made = station.run(&[&add[..], &["--secret-env", "CORP_SECRET", "--json"]].concat()).json();
    assert_eq!(
        json!([made["client_secret_source"], made["client_secret_variable"]]),
        json!(["ENVIRONMENT", "CORP_SECRET"])
    );
    let line = station.run(&["provider", "test", "corp"]).refused(1);
    assert!(line.contains("the variable CORP_SECRET is not set"), "{line}");
    assert!(made["misconfigured"].as_str().unwrap().contains("CORP_SECRET is not set"), "{made}");
    let table = station.run(&["provider", "list"]).ok();
    assert!(table.contains("misconfigured"), "{table}");
}

#[test]
fn s_152_a_provider_may_stand_in_a_file() {
    let station = Station::new();
    let file = station.folder.path().join("corp.json");
    let settings = json!({"issuer": "https://idp.corp.example", "scopes": ["email"], "trust": {"email_domains": ["corp.example"]}});
    std::fs::write(&file, settings.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let add =
        ["provider", "add", "corp", "--kind", "oidc", "--client-id", "x", "--file", file, "--label", "Work", "--json"];
    let made = station.run(&add).json();
    assert_eq!(
        json!([made["issuer"], made["scopes"], made["trust"], made["label"]]),
        json!([
            "https://idp.corp.example", ["email"],
            {"email_domains": ["corp.example"], "auto_link": false, "sign_up": true}, "Work",
        ])
    );
    std::fs::write(file, r#"{"isuer": "https://idp.corp.example"}"#).unwrap();
    let line = station.run(&["provider", "update", "corp", "--file", file]).refused(1);
    assert!(line.contains("isuer is no setting") && line.contains("issuer"), "{line}");
}

#[test]
fn s_152_groups_here_follow_from_groups_there() {
    let station = Station::new();
    let add = ["provider", "add", "google", "--client-id", "x", "--groups-claim", "groups", "--json"];
    let line = station.run(&[&add[..], &["--group", "staff=Staff"]].concat()).refused(1);
    assert!(line.contains("Staff"), "{line}");
    station.run(&["group", "create", "Staff"]).ok();
    let made = station.run(&[&add[..], &["--group", "https://idp.example/?g=1=Staff"]].concat()).json();
    assert_eq!(made["groups"]["claim"], "groups");
    let shown = station.run(&["provider", "show", "google"]).ok();
    assert!(shown.contains("https://idp.example/?g=1 = /Staff"), "{shown}");
    assert!(shown.contains("/federation/google/backchannel-logout"), "{shown}");
    let change =
        ["provider", "update", "google", "--groups-claim", "", "--group", "https://idp.example/?g=1=", "--json"];
    assert_eq!(station.run(&change).json()["groups"], json!({"claim": null, "map": {}}));
}

#[test]
fn what_an_operator_mistypes_about_a_provider_is_named_with_its_cure() {
    let station = Station::new();
    let add = |more: &[&str]| station.run(&[&["provider", "add"], more].concat()).refused(1);
    for (arguments, part) in [
        (&["corp", "--client-id", "x"][..], "--kind is missing"),
        (&["corp", "--kind", "oidc", "--client-id", "x"], "needs --issuer"),
        (&["Corp", "--kind", "oidc", "--client-id", "x"], "the name Corp is not good"),
        (&["google"], "--client-id is missing"),
        (&["apple", "--client-id", "x"], "needs --team-id, --key-id, --secret-file or --secret-env"),
        (&["google", "--client-id", "x", "--issuer", "http://evil.example"], "begins with https://"),
        (&["google", "--client-id", "x", "--secret-env", "A B"], "no name of a variable"),
        (&["google", "--client-id", "x", "--claim", "name"], "write OURS=THEIRS"),
    ] {
        let line = add(arguments);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    assert!(station.run(&["provider", "show", "nobody"]).refused(1).contains("there is no provider nobody"));
}
