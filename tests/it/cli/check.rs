//! Settings that are wrong, weak or fine, and files that are not what they should be.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::cli::station::Station;

fn findings(station: &Station, code: i32) -> Vec<(String, String, String)> {
    let ran = station.run(&["check", "--json"]);
    assert_eq!(ran.code, code, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(told["ok"], code == 0);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (text(&finding["severity"]), text(&finding["about"]), text(&finding["message"])))
        .collect()
}

#[test]
fn every_mistake_is_named_at_once() {
    let station = Station::new();
    station.write(
        "symbolon.toml",
        r#"
        issuer = "http://login.example.com"
        isuer = "x"
        [server]
        listen = "here"
        [tokens]
        access_lifetime = "2d"
        code_lifetime = 60
        signing_alg = "HS256"
        [session]
        cookie_domain = "com"
        [client_registration]
        mode = "initial_access_token"
        token = "hunter2hunter2"
        "#,
    );
    let found = findings(&station, 2);
    for (key, part) in [
        ("issuer", "must be https"),
        ("isuer", "did you mean `issuer`?"),
        ("server.listen", "must be an address"),
        ("tokens.access_lifetime", "must be from 1m to 1h"),
        ("tokens.code_lifetime", "write a number and a unit"),
        ("tokens.signing_alg", "must be one of"),
        ("session.cookie_domain", "is not a domain"),
        ("client_registration.token", "too short"),
    ] {
        assert!(
            found.iter().any(|(severity, about, told)| severity == "error" && about == key && told.contains(part)),
            "{key}: {found:?}"
        );
    }
    assert_eq!(found.len(), 8, "{found:?}");
    assert!(found.iter().all(|(_, _, told)| !told.contains("hunter2")), "secrets are not repeated");
    assert_eq!(std::fs::read_dir(station.folder.path()).unwrap().count(), 1, "nothing is made");
}

#[test]
fn what_weakens_security_is_named() {
    let station = Station::new();
    station.write(
        "symbolon.toml",
        r#"
        issuer = "https://login.example.com"
        [server]
        operations = "0.0.0.0:9090"
        trusted_proxies = ["0.0.0.0/0", "::/0"]
        [client_registration]
        mode = "open"
        [tokens]
        access_lifetime = "1h"
        [session]
        cookie_domain = "example.com"
        step_up_lifetime = "2h"
        [token_cookies]
        domain = "example.com"
        same_site = "none"
        refresh_path = "/"
        [keys]
        rotate_every = "3650d"
        [limits]
        code_start = "off"
        sms_total = "off"
        [ephemeral]
        url = "redis://10.0.0.7:6379"
        [[otp.review_accounts]]
        address = "review@example.com"
        code = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"
        until = "2027-01-31"
        "#,
    );
    let found = findings(&station, 0);
    let warned: Vec<_> =
        found.iter().filter(|(severity, ..)| severity == "warning").map(|(_, about, _)| about.as_str()).collect();
    assert_eq!(
        warned,
        [
            "client_registration.mode",
            "server.operations",
            "session.cookie_domain",
            "server.trusted_proxies",
            "limits.code_start",
            "limits.sms_total",
            "otp.review_accounts",
            "ephemeral.url",
            "session.step_up_lifetime",
            "mail.transport",
            "token_cookies.domain",
            "token_cookies.same_site",
            "token_cookies.refresh_path",
            "tokens.access_lifetime",
            "keys.rotate_every",
            "keys.master_key_file"
        ]
    );
}

#[test]
fn an_invitation_is_good_for_an_hour_to_ninety_days() {
    for (lifetime, is_good) in [("30m", false), ("1h", true), ("90d", true), ("3650d", false)] {
        let station = Station::new();
        station.write(
            "symbolon.toml",
            &format!("issuer = \"https://login.example.com\"\n[registration]\ninvitation_lifetime = \"{lifetime}\""),
        );
        let found = findings(&station, if is_good { 0 } else { 2 });
        let is_named = found.iter().any(|(severity, about, told)| {
            severity == "error" && about == "registration.invitation_lifetime" && told.contains("from 1h to 90d")
        });
        assert_ne!(is_named, is_good, "{lifetime}: {found:?}");
    }
}

#[test]
fn storage_and_keys_are_looked_at() {
    let station = Station::new();
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    let found = findings(&station, 0);
    assert!(
        found
            .iter()
            .any(|(severity, about, told)| severity == "ok" && about == "database" && told.contains("up to date"))
    );

    let key = station.folder.path().join("symbolon.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(
        findings(&station, 4)
            .iter()
            .any(|(_, about, told)| about == "keys.master_key_file" && told.contains("chmod 600"))
    );
    std::fs::remove_file(&key).unwrap();
    assert!(findings(&station, 4).iter().any(|(_, _, told)| told.contains("restore it from your backup")));
    station
        .write("symbolon.db", "this is a letter to my grandmother, and no database at all, whatever its name may say");
    let found = findings(&station, 4);
    assert!(
        found.iter().any(|(_, about, told)| about == "database.path" && told.contains("not a database")),
        "{found:?}"
    );
    assert!(!key.exists(), "a check makes nothing");
}

/// PROTOCOL §3 (wrong key file): the server does not start, and says which.
#[tokio::test]
async fn another_master_key_opens_nothing() {
    let station = Station::new();
    drop(station.serve().await);
    station.write("symbolon.key", "CzBVep_E6Q4zWH2ix-wRNluApcrvFDleg6jN8hc8YYY");
    let found = findings(&station, 4);
    assert!(
        found.iter().any(|(_, about, told)| about == "signing keys" && told.contains("another master key")),
        "{found:?}"
    );
    let ran = station.run(&["serve"]);
    assert_eq!(ran.code, 4, "{ran:?}");
}

#[test]
fn the_schema_is_told_without_being_changed() {
    let station = Station::new();
    let plan = station.run(&["migrate", "plan", "--json"]).json();
    assert!(
        plan.as_array().unwrap().len() >= 7 && plan.as_array().unwrap().iter().all(|step| step["state"] == "pending")
    );
    assert!(!station.folder.path().join("symbolon.db").exists());
    let done = station.run(&["migrate", "--json"]).json();
    assert!(done.as_array().unwrap().iter().all(|step| step["state"] == "applied"));
    assert_eq!(station.run(&["migrate", "plan"]).ok(), "none\n");
    assert!(station.run(&["migrate", "status"]).ok().starts_with("VERSION"));
}

#[tokio::test]
async fn a_healthcheck_asks_the_running_server() {
    let station = Station::new();
    assert!(station.run(&["healthcheck"]).refused(1).contains("does not answer"));
    let _server = station.serve().await;
    assert_eq!(station.run(&["healthcheck"]).ok(), "ready\n");
}

#[test]
fn the_program_tells_about_itself() {
    let station = Station::empty();
    assert_eq!(station.run(&["version", "--json"]).json()["version"], env!("CARGO_PKG_VERSION"));
    for shell in ["bash", "zsh", "fish"] {
        let script = station.run(&["completions", shell]).ok();
        assert!(script.contains("rotate-secret"), "{shell}");
    }
    let manual = station.run(&["man"]).ok();
    assert!(manual.contains(".TH") && manual.contains("healthcheck"));
}

/// Each with the line that an operator reads.
#[test]
fn twenty_broken_settings_are_told_in_their_own_words() {
    let station = Station::new();
    for (settings, key, told) in [
        ("isuer = \"https://a.example\"", "isuer", "there is no such key; did you mean `issuer`?"),
        ("issuer = \"a.example\"", "issuer", "is not a URL; write one like https://login.example.com"),
        (
            "issuer = \"http://a.example\"",
            "issuer",
            "must be https; plain http is for localhost only, since tokens would travel in the open",
        ),
        (
            "issuer = \"https://a.example/\"",
            "issuer",
            "must not end in a slash: clients compare it byte for byte; leave the slash out",
        ),
        ("issuer = \"https://a.example?x=1\"", "issuer", "must have no query and no fragment (RFC 8414 section 2)"),
        ("issuer = 5", "issuer", "must be a string"),
        ("[tokns]\ncode_lifetime = \"60s\"", "tokns", "there is no such key; did you mean `tokens`?"),
        ("tokens = 1", "tokens", "is a section; write [tokens] with its keys below"),
        (
            "[tokens]\nacces_lifetime = \"5m\"",
            "tokens.acces_lifetime",
            "there is no such key; did you mean `access_lifetime`?",
        ),
        (
            "[tokens]\naccess_lifetime = \"15\"",
            "tokens.access_lifetime",
            "\"15\" is not a duration: write a number and a unit, as in 90s, 15m, 12h, 30d or 1h30m, up to 3650d",
        ),
        ("[tokens]\naccess_lifetime = \"2h\"", "tokens.access_lifetime", "is 2h; it must be from 1m to 1h"),
        ("[tokens]\ncode_lifetime = \"5m\"", "tokens.code_lifetime", "is 5m; it must be from 1s to 1m"),
        ("[tokens]\nrefresh_lifetime = \"1d\"", "tokens.refresh_lifetime", "is 1d; it must be from 7d to 365d"),
        (
            "[tokens]\nsigning_alg = \"none\"",
            "tokens.signing_alg",
            "must be one of RS256, PS256, ES256, ES384, ES512, EdDSA",
        ),
        (
            "[server]\nlisten = \"8080\"",
            "server.listen",
            "must be an address with a port, such as localhost:8080, 0.0.0.0:8080 or [::]:8080",
        ),
        (
            "[server]\ntrusted_proxies = [\"10.0.0.1/8\"]",
            "server.trusted_proxies",
            "must be an address or a range such as 10.0.0.0/8 or fd00::/8, with no bits set behind the prefix",
        ),
        ("[server]\ndrain = \"2h\"", "server.drain", "is 2h; it must be from 0s to 1h"),
        (
            "[server.tls]\ncertificate = \"cert.pem\"",
            "server.tls.key",
            "is missing, while server.tls.certificate is set: TLS needs both files",
        ),
        (
            "[database]\nurl = \"mysql://localhost/a\"",
            "database.url",
            "must be like postgres://user:password@host:5432/database, or sqlite:symbolon.db",
        ),
        (
            "[database]\nurl = \"sqlite:a.db\"\npath = \"b.db\"",
            "database.url",
            "is set beside database.path; leave one of them out",
        ),
        (
            "[ephemeral]\nurl = \"memcached://localhost\"",
            "ephemeral.url",
            "must be like redis://host:6379, rediss://host:6380, redis+cluster://host:7000,host:7001 or redis+sentinel://host:26379,host:26379/mymaster",
        ),
        ("[ephemeral]\nca_file = \"ca.pem\"", "ephemeral.ca_file", "has no effect without ephemeral.url; leave it out"),
        ("[database]\nconnections = 1", "database.connections", "is 1; it must be from 2 to 1000"),
        ("[keys]\nmaster_key = { command = [] }", "keys.master_key", "names no command"),
        ("[keys]\nrotate_every = \"1h\"", "keys.rotate_every", "is 1h; it must be from 2h to 3650d"),
        ("[log]\nrequests = \"some\"", "log.requests", "must be one of all, failed, none"),
        ("[server\n", "settings", "TOML parse error at line 1, column 8: invalid table header: expected `.`, `]`"),
    ] {
        station.write("symbolon.toml", settings);
        let found: Vec<_> = findings(&station, 2).into_iter().filter(|(severity, ..)| severity == "error").collect();
        let line = format!("(symbolon.toml): {told}");
        let missing = told.to_owned();
        assert!(
            found.len() == 1 && found[0].1 == key && (found[0].2 == line || found[0].2 == missing),
            "{settings}\n{key} {told}\nis not\n{found:?}"
        );
    }
}

#[test]
fn a_certificate_that_cannot_be_served_is_told() {
    let station = Station::new();
    station.write_settings("[server.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"");
    let found = findings(&station, 4);
    let told = found.iter().find(|(_, about, _)| about == "server.tls").unwrap();
    assert!(told.2.contains("cert.pem cannot be read"), "{told:?}");
}
