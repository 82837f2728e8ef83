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

/// S-180: whatever can be set can be set in the file and by a variable.
#[test]
fn s_180_every_setting_comes_from_the_file_or_from_a_variable() {
    let station = Station::empty();
    let all = station.run(&["config", "print", "--json"]).json();
    let rows: Vec<(String, Value)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["key"].as_str().unwrap().to_owned(), row["value"].clone()))
        .filter(|(_, value)| value.is_boolean() || value.as_str().is_some_and(|text| !text.is_empty()))
        .collect();
    assert!(rows.len() > 30, "{rows:#?}");
    let sources = |ran: crate::cli::station::Ran| {
        let all = ran.json();
        let of = |key: &str| {
            let row = all.as_array().unwrap().iter().find(|row| row["key"] == key).cloned().unwrap();
            (row["value"].clone(), row["source"].as_str().unwrap().to_owned())
        };
        rows.iter().map(|(key, _)| (key.clone(), of(key))).collect::<Vec<_>>()
    };
    let variable = |key: &str| format!("SYMBOLON__{}", key.replace('.', "__").to_ascii_uppercase());
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let variables: Vec<(String, String)> = rows.iter().map(|(key, value)| (variable(key), plain(value))).collect();
    for ((key, value), (same, (read, source))) in
        rows.iter().zip(sources(station.run_among(&variables, &["config", "print", "--json"])))
    {
        assert_eq!((key, value), (&same, &read));
        assert!(source.contains(&variable(key)), "{key} comes from {source}");
    }
    // JSON writes texts and truths as TOML does.
    let toml: Vec<String> = rows.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    station.write("symbolon.toml", &toml.join("\n"));
    for (key, (_, source)) in sources(station.run(&["config", "print", "--json"])) {
        assert!(source.ends_with("symbolon.toml"), "{key} comes from {source}");
    }
}

/// S-180: what is wrong ends the start and is named by its key.
#[test]
fn s_180_a_mistake_is_named_by_its_key() {
    let station = Station::new();
    for (settings, told) in [
        ("[tokens]\nacces_lifetime = \"5m\"", "tokens.acces_lifetime"),
        ("[tokens]\naccess_lifetime = true", "tokens.access_lifetime"),
        ("[mail]\ntransport = \"pigeon\"", "mail.transport"),
        ("[mail]\ntransport = \"smtp\"", "mail.smtp.host"),
        ("[mail]\ntransport = [\"file\"]", "mail.file.folder"),
        ("[sms]\ntransport = \"twilio\"", "sms.twilio.account_sid"),
        ("[mail.smtp]\nhost = \"mail.example.com\"\npassword = \"env:NO_SUCH_VARIABLE\"", "mail.smtp.password"),
        ("[fetch]\nallow = [\"10.0.0.5\"]", "fetch.allow"),
        ("[frontend]\nurl = \"https://app.example.com\"", "frontend.url"),
    ] {
        station.write_settings(settings);
        let refused = station.run(&["serve"]).refused(2);
        assert!(refused.contains(told), "{settings}: {refused}");
    }
    station.write_settings("");
    let wrong = [("SYMBOLON__TOKENS__ACCESS_LIFETIME".to_owned(), "soon".to_owned())];
    let refused = station.run_among(&wrong, &["serve"]).refused(2);
    assert!(refused.contains("tokens.access_lifetime"), "{refused}");
}

/// S-180: no secret of mail or text messages is printed, wherever it stands.
#[test]
fn s_180_secrets_of_messages_are_masked() {
    let station = Station::new();
    station.write_settings(
        "[mail]\ntransport = [\"smtp\", \"http\", \"webhook\"]\n[mail.smtp]\nhost = \"mail.example.com\"\nusername = \"symbolon\"\n\
         password = \"hunter2\"\n[mail.http]\ntoken = \"hunter2\"\n[mail.webhook]\nurl = \"https://messages.example.com\"\nsecret = \"hunter2\"\n\
         [sms.twilio]\nauth_token = \"hunter2\"",
    );
    for form in [&["config", "print"][..], &["config", "print", "--json"], &["check"], &["check", "--json"]] {
        let printed = station.run(form).ok();
        assert!(!printed.contains("hunter2"), "{printed}");
    }
    let all = station.run(&["config", "print", "--json"]).json();
    let row = all.as_array().unwrap().iter().find(|row| row["key"] == "mail.smtp.password").unwrap().clone();
    assert_eq!(row["value"], "…");
}

/// S-180: a developer's variables stand in `.env`; those of the process go before.
#[test]
fn s_180_dev_reads_variables_from_a_file() {
    let station = Station::empty();
    station.write(".env", "# for the demo\nSYMBOLON__TOKENS__ACCESS_LIFETIME=soon\n");
    let dev = ["dev", "--ephemeral", "--port", "0"];
    let refused = station.run(&dev).refused(2);
    assert!(refused.contains("tokens.access_lifetime"), "{refused}");
    let set = [("SYMBOLON__TOKENS__ACCESS_LIFETIME".to_owned(), "never".to_owned())];
    let refused = station.run_among(&set, &dev).refused(2);
    assert!(refused.contains("never"), "{refused}");
    station.write(".env", "SYMBOLON__TOKENS__ACCESS_LIFETIME");
    assert!(station.run(&dev).refused(2).contains("has no NAME=value in line 1"));
    // A server for others does not look there.
    station.write_settings("");
    assert_eq!(station.run(&["check"]).code, 0);
}

/// S-133: links that have nowhere to lead end the start.
#[test]
fn s_133_links_need_the_url_of_the_app_that_takes_them() {
    let station = Station::new();
    let url = "url = \"https://app.example.com\"\n";
    for (settings, told) in [
        ("reset_password = \"/reset\"".to_owned(), "frontend.url: is missing; frontend.reset_password needs it"),
        ("url = \"http://app.example.com\"\nactivation = \"/a\"".to_owned(), "frontend.url"),
        ("url = \"https://app.example.com?x=1\"\nactivation = \"/a\"".to_owned(), "frontend.url"),
        ("url = \"https://u@app.example.com\"\nactivation = \"/a\"".to_owned(), "frontend.url"),
        (format!("{url}activation = \"https://evil.example\""), "frontend.activation"),
        (format!("{url}activation = \"//evil.example\""), "frontend.activation"),
        (format!("{url}email_change = \"/a b\""), "frontend.email_change"),
    ] {
        station.write_settings(&format!("[frontend]\n{settings}"));
        let refused = station.run(&["serve"]).refused(2);
        assert!(refused.contains(told), "{settings}: {refused}");
    }
}
