//! Apps that an operator registers.

use serde_json::json;

use crate::cli::station::{Sender, Station};

#[test]
fn each_kind_of_app_has_its_preset() {
    let station = Station::new();
    let redirect = "https://shop.example/callback";
    for (kind, arguments, expected) in [
        (
            "web",
            ["--redirect-uri", redirect],
            json!(["client_secret_basic", "web", ["authorization_code", "refresh_token"]]),
        ),
        ("spa", ["--redirect-uri", redirect], json!(["none", "web", ["authorization_code", "refresh_token"]])),
        (
            "native",
            ["--redirect-uri", "com.example.shop:/back"],
            json!(["none", "native", ["authorization_code", "refresh_token"]]),
        ),
        (
            "service",
            ["--audience", "https://api.example"],
            json!(["client_secret_basic", "web", ["client_credentials"]]),
        ),
    ] {
        let made =
            station.run(&[&["client", "create", kind, "--type", kind, "--json"], &arguments[..]].concat()).json();
        assert_eq!(made["client_name"], kind);
        assert_eq!(
            json!([made["token_endpoint_auth_method"], made["application_type"], made["grant_types"]]),
            expected,
            "{kind}"
        );
        let has_secret = made["client_secret"].as_str().is_some_and(|secret| secret.len() >= 43);
        assert_eq!(has_secret, expected[0] != "none", "{kind}");
        let shown = station.run(&["client", "show", made["client_id"].as_str().unwrap(), "--json"]).json();
        assert!(shown.get("client_secret").is_none(), "a secret is printed once");
    }
    let listed = station.run(&["client", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 4);
    let table = station.run(&["client", "list"]).ok();
    assert!(table.starts_with("CLIENT_ID") && table.lines().count() == 5, "{table}");
}

#[test]
fn an_app_says_where_it_hears_of_logouts() {
    let station = Station::new();
    let create = |more: &[&str]| {
        station.run(&[&["client", "create", "Shop", "--redirect-uri", "https://shop.example/cb"], more].concat())
    };
    for (arguments, part) in [
        (["--backchannel-logout-uri", "http://shop.example/told"], "backchannel_logout_uri must be"),
        (["--frontchannel-logout-uri", "https://other.example/out"], "one of the redirect_uris"),
    ] {
        let line = create(&arguments).refused(1);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    create(&["--id", "shop", "--backchannel-logout-uri", "https://shop.example/told"]).ok();
    station.run(&["client", "update", "shop", "--frontchannel-logout-uri", "https://shop.example/out"]).ok();
    let made = station.run(&["client", "show", "shop", "--json"]).json();
    assert_eq!(
        (&made["backchannel_logout_uri"], &made["frontchannel_logout_uri"]),
        (&json!("https://shop.example/told"), &json!("https://shop.example/out"))
    );
}

/// S-076: a browser proves no secret, and only apps of the house sign people in on pages of their own.
#[test]
fn tokens_are_in_cookies_of_apps_of_the_house_without_a_secret() {
    let station = Station::new();
    let create = |more: &[&str]| {
        let first = ["client", "create", "Portal", "--redirect-uri", "https://portal.example/cb"];
        station.run(&[&first, more].concat())
    };
    for (arguments, part) in [
        (&["--type", "spa", "--token-delivery", "cookies"][..], "add --first-party"),
        (&["--first-party", "--token-delivery", "cookies"], "token_endpoint_auth_method none"),
    ] {
        let line = create(arguments).refused(1);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    create(&["--id", "portal", "--type", "spa", "--first-party", "--token-delivery", "cookies"]).ok();
    let made = station.run(&["client", "show", "portal", "--json"]).json();
    assert_eq!(
        (&made["policy"]["token_delivery"], &made["policy"]["access_token"]),
        (&json!("cookies"), &json!("opaque"))
    );
    let refused = station.run(&["client", "update", "portal", "--first-party=no"]).refused(1);
    assert!(refused.contains("--token-delivery cookies"), "{refused}");
    let about = || {
        let found = station.run(&["check", "--json"]).json();
        let found = found["findings"].as_array().expect("findings").clone();
        found.into_iter().find(|finding| finding["about"] == "client portal")
    };
    assert_eq!(about(), None);
    station.run(&["client", "update", "portal", "--access-token", "jwt", "--direct-tokens"]).ok();
    let made = station.run(&["client", "show", "portal", "--json"]).json();
    assert_eq!(made["policy"]["access_token"], "jwt", "if it is wanted");
    let told = about().expect("a warning");
    assert!(told["message"].as_str().is_some_and(|told| told.contains("direct_tokens")), "{told}");
}

/// S-133: links of mails hold what sets a password.
#[test]
fn links_of_mails_lead_to_apps_of_the_house_alone() {
    let station = Station::new();
    let create = |more: &[&str]| {
        station.run(&[&["client", "create", "Shop", "--redirect-uri", "https://shop.example/cb"], more].concat())
    };
    for (arguments, part) in [
        (&["--frontend-url", "https://shop.example"][..], "is for apps of the house; add --first-party"),
        (&["--first-party", "--frontend-url", "http://shop.example"], "cannot be taken; write an https URL"),
        (&["--first-party", "--frontend-url", "https://shop.example?next="], "cannot be taken"),
        (&["--first-party", "--frontend-url", "https://shop.example@evil.example"], "cannot be taken"),
        (&["--first-party", "--frontend-url", "javascript:alert(1)"], "cannot be taken"),
        (&["--first-party", "--frontend-url", "http://localhost:3000"], "is plain http"),
    ] {
        let line = create(arguments).refused(1);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    create(&["--id", "shop", "--first-party", "--frontend-url", "https://shop.example/"]).ok();
    let made = station.run(&["client", "show", "shop", "--json"]).json();
    assert_eq!(made["policy"]["frontend_url"], "https://shop.example");
    let refused = station.run(&["client", "update", "shop", "--first-party=no"]).refused(1);
    assert!(refused.contains("--frontend-url none"), "{refused}");

    // Without a path nothing leads there.
    let about = |station: &Station| {
        let found = station.run(&["check", "--json"]).json();
        let found = found["findings"].as_array().expect("findings").clone();
        found.into_iter().find(|finding| finding["about"] == "client shop")
    };
    let told = about(&station).expect("a warning");
    assert_eq!(told["severity"], "warning");
    assert!(told["message"].as_str().is_some_and(|told| told.contains("names no paths")), "{told}");
    station.write_settings("[frontend]\nurl = \"https://app.example\"\nactivation = \"/welcome\"");
    assert!(about(&station).is_none());
    let developed = ["client", "update", "shop", "--development", "--frontend-url", "http://localhost:3000"];
    station.run(&developed).ok();
    assert!(about(&station).is_none(), "while the server is on this machine too");
    station.run(&["client", "update", "shop", "--frontend-url", "none"]).ok();
    let made = station.run(&["client", "show", "shop", "--json"]).json();
    assert_eq!(made["policy"].get("frontend_url"), None);
}

#[test]
fn what_an_operator_mistypes_is_named_with_its_cure() {
    let station = Station::new();
    let create = |more: &[&str]| station.run(&[&["client", "create", "Shop"], more].concat());
    for (arguments, part) in [
        (&[][..], "redirect_uris is missing"),
        (&["--redirect-uri", "http://shop.example/cb"], "redirect_uris: "),
        (&["--redirect-uri", "https://shop.example/cb", "--scope", "openid profil"], "not supported here: profil"),
        (&["--redirect-uri", "https://shop.example/cb", "--auth-method", "private_key_jwt"], "give jwks or jwks_uri"),
        (&["--redirect-uri", "https://shop.example/cb", "--id", "a b"], "--id a b"),
        (&["--redirect-uri", "https://shop.example/cb", "--audience", ""], "--audience is empty"),
    ] {
        let line = create(arguments).refused(1);
        assert!(line.contains(part), "{line}");
    }
    let other = station.run(&["client", "show", "nobody"]).refused(1);
    assert_eq!(other, "symbolon: there is no client nobody; `symbolon client list` shows all");
    let wanted = ["--redirect-uri", "https://shop.example/cb", "--id", "shop"];
    create(&wanted).ok();
    assert!(create(&wanted).refused(1).contains("is taken"));
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let station = Station::new();
    let made = station
        .run(&["client", "create", "Shop", "--id", "shop", "--redirect-uri", "https://shop.example/cb", "--json"])
        .json();
    let changed = station
        .run(&[
            "client",
            "update",
            "shop",
            "--first-party",
            "--access-token",
            "opaque",
            "--audience",
            "https://api.example",
            "--json",
        ])
        .json();
    assert_eq!(changed["redirect_uris"], made["redirect_uris"]);
    assert_eq!(changed["client_name"], "Shop");
    assert_eq!(changed["policy"]["first_party"], true);
    assert_eq!(changed["policy"]["access_token"], "opaque");
    assert!(changed.get("client_secret").is_none(), "the secret stays");
    let public =
        station.run(&["client", "update", "shop", "--auth-method", "none", "--first-party=no", "--json"]).json();
    assert_eq!(public["policy"]["first_party"], false);
    assert!(station.run(&["client", "rotate-secret", "shop"]).refused(1).contains("it authenticates by none"));
    let confidential =
        station.run(&["client", "update", "shop", "--auth-method", "client_secret_jwt", "--json"]).json();
    assert_eq!(confidential["client_secret"].as_str().unwrap().len(), 86, "long enough for HS512");
}

/// S-144: what an operator does to apps on the command line is written down, whoever looks later.
#[test]
fn what_is_done_to_apps_is_written_down() {
    let station = Station::new();
    let made = ["client", "create", "Shop", "--id", "shop", "--redirect-uri", "https://shop.example/cb", "--json"];
    let secret = station.run(&made).json()["client_secret"].as_str().expect("a secret").to_owned();
    station.run(&["client", "update", "shop", "--name", "The Shop"]).ok();
    station.run(&["client", "update", "shop", "--disabled", "yes"]).ok();
    station.run(&["client", "rotate-secret", "shop"]).ok();
    station.run(&["client", "delete", "shop"]).ok();
    let told = station.run(&["events", "export"]).ok();
    for name in ["client.created", "client.changed", "client.disabled", "client.secret_rotated", "client.deleted"] {
        assert!(told.contains(&format!("\"{name}\"")), "{name}: {told}");
    }
    assert!(told.contains("\"client_name\"") && told.contains("\"operator\""), "{told}");
    assert!(!told.contains(&secret));
}

/// A running server takes what the command line wrote within a second: new clients, new secrets, disabled ones.
#[tokio::test]
async fn a_running_server_follows() {
    let station = Station::new();
    let _server = station.serve().await;
    let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
    let old = made["client_secret"].as_str().unwrap().to_owned();
    let asks = async |secret: &str| {
        let form = [("grant_type", "client_credentials")];
        station.post("/oauth2/token", &form, Sender::Client("robot", secret)).await.0
    };
    assert_eq!(asks(&old).await, 200);

    let new = station.run(&["client", "rotate-secret", "robot", "--json"]).json()["client_secret"].clone();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(asks(&old).await, 401, "the old secret is refused");
    assert_eq!(asks(new.as_str().unwrap()).await, 200);

    station.run(&["client", "update", "robot", "--disabled", "yes"]).ok();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(asks(new.as_str().unwrap()).await, 401);
    station.run(&["client", "delete", "robot"]).ok();
    assert_eq!(station.run(&["client", "list", "--json"]).json(), json!([]));
}
