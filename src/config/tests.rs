//! What an operator gets wrong, and the line they read.

use std::fmt::Write as _;

use super::client_registration::ClientRegistrationMode;
use super::database::Place;
use super::effective::{Counts, changes};
use super::*;
use crate::protocol::jose::algorithm::SigningAlgorithm;

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("symbolon.toml");
    std::fs::write(&path, file).unwrap();
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::load(&Sources { environment, ..Sources::file(path) })
}

/// The line without the folder of this run.
fn line(file: &str, variables: &[(&str, &str)]) -> String {
    let line = load(file, variables).expect_err(file).to_string();
    assert!(!line.contains('\n'), "{line}");
    match (line.find('('), line.find("symbolon.toml")) {
        (Some(open), Some(name)) if open < name => format!("{}({}", &line[..open], &line[name..]),
        _ => line,
    }
}

#[test]
fn nothing_is_needed() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.issuer.as_str(), "http://localhost:8080");
    assert_eq!(config.server.listen.to_string(), "localhost:8080");
    assert_eq!(config.server.operations.to_string(), "127.0.0.1:9090");
    assert_eq!(config.tokens.access_lifetime.as_secs(), 900);
    assert_eq!(config.tokens.signing_alg, SigningAlgorithm::RS256);
    assert_eq!(config.client_registration.mode, ClientRegistrationMode::Off);
}

#[test]
fn the_environment_stands_above_the_file() {
    let file = r#"
        issuer = "https://login.example.com"
        [server]
        listen = "0.0.0.0:80"
        [tokens]
        access_lifetime = "10m"
        signing_alg = "EdDSA"
        [client_registration]
        mode = "initial_access_token"
    "#;
    let variables = [
        ("SYMBOLON__TOKENS__ACCESS_LIFETIME", "5m"),
        ("SYMBOLON__CLIENT_REGISTRATION__TOKEN", "0012345678901234567890"),
        ("SYMBOLON_CONFIG", "elsewhere"),
        ("PATH", "/bin"),
    ];
    let config = load(file, &variables).unwrap();
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:80");
    assert_eq!(config.tokens.access_lifetime.as_secs(), 300);
    assert_eq!(config.tokens.signing_alg, SigningAlgorithm::EdDSA);
    let token =
        config.client_registration.token.as_ref().unwrap().read("client_registration.token", &BTreeMap::new()).unwrap();
    assert_eq!(token.expose(), "0012345678901234567890");
    let printed = format!("{config:?}");
    assert!(!printed.contains("00123"), "{printed}");
}

#[test]
fn secrets_may_stand_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "a-token-of-more-than-22-characters\n").unwrap();
    let mode = "[client_registration]\nmode = \"initial_access_token\"\n";
    let file = path.display().to_string();
    let expected = "a-token-of-more-than-22-characters";
    for (settings, variables) in [
        (format!("{mode}token = {{ file = \"{file}\" }}"), vec![]),
        (format!("{mode}token = {{ env = \"TOKEN\" }}"), vec![("TOKEN", expected)]),
        (format!("{mode}token = \"file:{file}\""), vec![]),
        (format!("{mode}token = \"env:TOKEN\""), vec![("TOKEN", expected)]),
        (mode.to_owned(), vec![("SYMBOLON__CLIENT_REGISTRATION__TOKEN__FILE", file.as_str())]),
        (mode.to_owned(), vec![("SYMBOLON__CLIENT_REGISTRATION__TOKEN_FILE", file.as_str())]),
    ] {
        let config = load(&settings, &variables).unwrap();
        let environment = BTreeMap::from([("TOKEN".to_owned(), expected.to_owned())]);
        assert_eq!(config.client_registration.token.unwrap().read("x", &environment).unwrap().expose(), expected);
    }
}

#[test]
fn every_mistake_is_one_line_with_a_cure() {
    let mut lines = String::new();
    for file in [
        "isuer = \"https://login.example.com\"",
        "[tokns]\naccess_lifetime = \"15m\"",
        "[tokens]\nacces_lifetime = \"15m\"",
        "[tokens]\nsmtp = \"x\"",
        "[tokens]\naccess_lifetime = \"15\"",
        "[tokens]\naccess_lifetime = 15",
        "[tokens]\naccess_lifetime = \"2h\"",
        "[tokens]\nrefresh_lifetime = \"1d\"",
        "[tokens]\nsigning_alg = \"none\"",
        "issuer = \"http://login.example.com\"",
        "issuer = \"https://login.example.com/\"",
        "issuer = 5",
        "[server]\nlisten = \"8080\"",
        "[server]\ntrusted_proxies = [\"10.0.0.1/8\"]",
        "[server]\ntrusted_proxies = 10",
        "[client_registration]\nmode = \"closed\"",
        "[client_registration]\nmode = \"initial_access_token\"",
        "[client_registration]\nmode = \"initial_access_token\"\ntoken = \"short\"",
        "[client_registration]\ntoken = \"x\"",
        "[client_registration]\ntoken = { fil = \"x\" }",
        "[client_registration]\ntoken = { file = \"x\", env = \"y\" }",
        "[client_registration]\ntoken = 12345",
        "[session]\ncookie_domain = \"example.com\"",
        "[session]\ncookie_domain = \".com\"",
        "[database]\nurl = \"mysql://localhost\"",
        "[database]\nurl = \"sqlite:a.db\"\npath = \"b.db\"",
        "[database]\npath = \"\"",
        "[database]\nurl = 5",
        "[ephemeral]\nurl = \"memcached://localhost\"",
        "[server\n",
        "server = 1",
    ] {
        writeln!(lines, "{}", line(file, &[])).unwrap();
    }
    insta::assert_snapshot!(lines, @r##"
    isuer (symbolon.toml): there is no such key; did you mean `issuer`?
    tokns (symbolon.toml): there is no such key; did you mean `tokens`?
    tokens.acces_lifetime (symbolon.toml): there is no such key; did you mean `access_lifetime`?
    tokens.smtp (symbolon.toml): there is no such key; there are code_lifetime, access_lifetime, id_lifetime, refresh_idle_lifetime, refresh_lifetime, signing_alg, audience, not_before, leeway, header, scopes_beyond_groups
    tokens.access_lifetime (symbolon.toml): "15" is not a duration: write a number and a unit, as in 90s, 15m, 12h, 30d or 1h30m, up to 3650d
    tokens.access_lifetime (symbolon.toml): "15" is not a duration: write a number and a unit, as in 90s, 15m, 12h, 30d or 1h30m, up to 3650d
    tokens.access_lifetime (symbolon.toml): is 2h; it must be from 1m to 1h
    tokens.refresh_lifetime (symbolon.toml): is 1d; it must be from 7d to 365d
    tokens.signing_alg (symbolon.toml): must be one of RS256, PS256, ES256, ES384, ES512, EdDSA
    issuer (symbolon.toml): must be https; plain http is for localhost only, since tokens would travel in the open
    issuer (symbolon.toml): must not end in a slash: clients compare it byte for byte; leave the slash out
    issuer (symbolon.toml): must be a string
    server.listen (symbolon.toml): must be an address with a port, such as localhost:8080, 0.0.0.0:8080 or [::]:8080
    server.trusted_proxies (symbolon.toml): must be an address or a range such as 10.0.0.0/8 or fd00::/8, with no bits set behind the prefix
    server.trusted_proxies (symbolon.toml): must be an address or a range such as 10.0.0.0/8 or fd00::/8, with no bits set behind the prefix
    client_registration.mode (symbolon.toml): must be one of off, initial_access_token, open
    client_registration.token: is missing; client_registration.mode = "initial_access_token" needs it
    client_registration.token (symbolon.toml): is too short to be hard to guess; write at least 22 random characters
    client_registration.token (symbolon.toml): has no effect; set client_registration.mode = "initial_access_token", or leave it out
    client_registration.token.fil (symbolon.toml): there is no such key; did you mean `file`?
    client_registration.token (symbolon.toml): is set twice: write either file or env, and nothing else
    client_registration.token (symbolon.toml): must be a text, { file = "…" } or { env = "…" }
    session.cookie_domain (symbolon.toml): must be a domain that the issuer's host localhost belongs to, over https
    session.cookie_domain (symbolon.toml): is not a domain; write one like example.com, without a dot in front
    database.url (symbolon.toml): must be like postgres://user:password@host:5432/database, or sqlite:symbolon.db
    database.url (symbolon.toml): is set beside database.path; leave one of them out
    database.path (symbolon.toml): is empty; write the path of a file
    database.url (symbolon.toml): must be a text, { file = "…" } or { env = "…" }
    ephemeral.url (symbolon.toml): must be like redis://host:6379, rediss://host:6380, redis+cluster://host:7000,host:7001 or redis+sentinel://host:26379,host:26379/mymaster
    settings (symbolon.toml): TOML parse error at line 1, column 8: invalid table header: expected `.`, `]`
    server (symbolon.toml): is a section; write [server] with its keys below
    "##);
}

/// Every secret there is, also those of tomorrow.
#[test]
fn a_secret_in_two_places_is_a_mistake() {
    let secrets = reference::settings().iter().filter(|setting| setting.shown == reference::Shown::Never);
    let keys: Vec<&str> = secrets.map(|setting| setting.key.as_str()).collect();
    assert!(keys.contains(&"client_registration.token") && keys.contains(&"database.url"), "{keys:?}");
    for key in keys {
        let variable = format!("SYMBOLON__{}", key.replace('.', "__").to_ascii_uppercase());
        let named = format!("{variable}_FILE");
        let (section, name) = key.rsplit_once('.').unwrap();
        let written = format!("[{section}]\n{name} = \"hunter2\"\n");
        let cases = [
            ("", vec![(variable.as_str(), "hunter2"), (named.as_str(), "/run/secret")], named.as_str()),
            (written.as_str(), vec![(named.as_str(), "/run/secret")], named.as_str()),
            (&format!("[{section}]\n{name} = {{ file = \"a\", env = \"B\" }}\n"), vec![], "file or env"),
        ];
        for (file, variables, told) in cases {
            let line = line(file, &variables);
            assert!(line.starts_with(key) && line.contains("set twice") && line.contains(told), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
}

#[test]
fn the_reference_knows_every_setting() {
    let settings = reference::settings();
    assert!(settings.len() > 20);
    for setting in settings {
        assert!(!setting.about.is_empty() && !setting.about.ends_with('.'), "{}: {}", setting.key, setting.about);
    }
    let schema = reference::schema();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Tokens"]["properties"]["access_lifetime"]["type"], "string");
    assert!(reference::is_secret("database.url") && !reference::is_secret("database.path"));
}

#[test]
fn the_command_line_stands_above_the_environment() {
    let environment = BTreeMap::from([
        ("SYMBOLON__SERVER__LISTEN".to_owned(), "localhost:1".to_owned()),
        ("T".to_owned(), "kD83hsk2Jd9skQm2LxP0aZ7vTqYw1R".to_owned()),
    ]);
    let read = |flags: &[&str]| {
        let flags = flags.iter().map(|flag| flag.parse().unwrap()).collect();
        Config::effective(&Sources { environment: environment.clone(), flags, ..Sources::default() })
            .map_err(|error| error.to_string())
    };
    let (config, all) = read(&["server.listen=localhost:2", "server.trusted_proxies=10.0.0.1,10.0.0.2"]).unwrap();
    assert_eq!(config.server.listen.to_string(), "localhost:2");
    assert!(!config.server.trusted_proxies.is_empty());
    let source = |key: &str| all.iter().find(|setting| setting.key == key).unwrap().source.clone();
    assert_eq!(source("server.listen").as_deref(), Some("--setting server.listen"));
    assert_eq!(source("server.operations"), None);

    let elsewhere = read(&["client_registration.mode=initial_access_token", "client_registration.token=env:T"]);
    elsewhere.expect("a secret may be named");
    let plain = "client_registration.token=a-token-of-more-than-22-characters";
    for (flags, line) in [
        (
            &["server.lisen=x"][..],
            "server.lisen (--setting server.lisen): there is no such key; did you mean `listen`?",
        ),
        (&["server.listen=a:1", "server.listen=b:2"], "server.listen: is set twice by --setting"),
        (
            &["server=a", "server.listen=b:2"],
            "server.listen: is set twice by --setting, or as a value and as a section",
        ),
        (&[plain], "client_registration.token: is a secret and does not belong on a command line"),
    ] {
        let told = read(flags).unwrap_err();
        assert!(told.starts_with(line) && !told.contains("a-token"), "{told}");
    }
    for text in ["server.listen", "=x", ""] {
        text.parse::<Flag>().unwrap_err();
    }
}

#[test]
fn what_is_in_force_says_where_it_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("symbolon.toml");
    let read = |file: &str, token: &str| {
        std::fs::write(&path, file).unwrap();
        let set = [
            ("SYMBOLON__CLIENT_REGISTRATION__TOKEN", token),
            ("SYMBOLON__CLIENT_REGISTRATION__MODE", "initial_access_token"),
        ];
        let environment = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Config::effective(&Sources { environment, ..Sources::file(&path) }).unwrap().1
    };
    let old = read("[tokens]\naccess_lifetime = \"5m\"", "a-token-of-more-than-22-characters");
    let told = |key: &str| {
        let setting = old.iter().find(|setting| setting.key == key).unwrap();
        let source = setting.source.as_deref().unwrap_or("default");
        format!("{} {}", reference::text(&setting.value), source.rsplit('/').next().unwrap())
    };
    assert_eq!(told("tokens.access_lifetime"), "5m symbolon.toml");
    assert_eq!(told("tokens.id_lifetime"), "1h default");
    assert_eq!(told("client_registration.token"), "… SYMBOLON__CLIENT_REGISTRATION__TOKEN");
    assert!(!format!("{old:?}").contains("a-token"));

    let new = read("[server]\nlisten = \"localhost:1\"", "a-token-of-other-22-characters");
    let told: Vec<_> = changes(&old, &new).into_iter().map(|change| (change.key, change.counts)).collect();
    let expected = [
        ("server.listen", Counts::AfterRestart),
        ("tokens.access_lifetime", Counts::AtOnce),
        ("client_registration.token", Counts::AtOnce),
    ];
    assert_eq!(told, expected.map(|(key, counts)| (key.to_owned(), counts)));
}

#[test]
fn a_database_is_a_file_or_a_server() {
    let place = |file: &str, variables| load(file, variables).unwrap().database.place(&BTreeMap::new()).unwrap();
    for (file, expected) in [
        ("", "symbolon.db"),
        ("[database]\npath = \"a/b.db\"", "a/b.db"),
        ("[database]\nurl = \"sqlite:a/b.db\"", "a/b.db"),
        ("[database]\nurl = \"sqlite:///var/b.db\"", "/var/b.db"),
    ] {
        assert!(matches!(place(file, &[]), Place::File(path) if path == std::path::Path::new(expected)), "{file}");
    }
    let url = "postgres://symbolon:hunter2@db/symbolon";
    let variables = [("SYMBOLON__DATABASE__URL", url)];
    assert!(matches!(place("", &variables), Place::Postgres(secret) if secret.expose() == url));
    let printed = format!("{:?}", load("", &variables).unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
    let redis = load("[ephemeral]\nurl = \"rediss+cluster://a:1,b:2\"", &[]).unwrap().ephemeral;
    assert_eq!(redis.redis(&BTreeMap::new()).unwrap().unwrap().expose(), "rediss+cluster://a:1,b:2");
}

#[test]
fn proxies_are_a_list_or_a_text_with_commas() {
    let listed = load("[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\"]", &[]).unwrap();
    let written = load("", &[("SYMBOLON__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")]).unwrap();
    assert_eq!(listed.server.trusted_proxies, written.server.trusted_proxies);
    assert!(!listed.server.trusted_proxies.is_empty());
    assert!(load("", &[]).unwrap().server.trusted_proxies.is_empty());
}

#[test]
fn what_guards_the_door_is_set_in_words() {
    for (file, expected) in [
        ("[server]\nproxy_count = 2", "server.proxy_count (symbolon.toml): needs server.trusted_proxies"),
        ("[server]\npeers = \"proxies_only\"", "server.peers (symbolon.toml): needs server.trusted_proxies"),
        ("[server]\nproxy_count = -1", "server.proxy_count (symbolon.toml): must be a whole number"),
        ("[server]\nproxy_headers = [\"a b\"]", "server.proxy_headers (symbolon.toml): must be names of headers"),
        ("[server]\nproxy_order = \"both\"", "server.proxy_order (symbolon.toml): must be one of appended, prepended"),
        ("[limits]\nsign_in = \"often\"", "limits.sign_in (symbolon.toml): must be a rate such as 10/min"),
        (
            "[limits]\nsignin = \"10/min\"",
            "limits.signin (symbolon.toml): there is no such key; did you mean `sign_in`?",
        ),
        ("[limits]\nblock_after = 0", "limits.block_after (symbolon.toml): must be from 1 to 1000"),
        ("[limits]\nblock_for = \"5s\"", "limits.block_for (symbolon.toml): is 5s; it must be from 1m to 1d"),
        ("[captcha]\nsign_in = \"yes\"", "captcha.sign_in (symbolon.toml): must be one of off, adaptive, always"),
        ("[captcha]\nprovider = \"turnstile\"", "captcha.site_key: is missing"),
        ("[captcha]\nprovider = \"turnstile\"\nsite_key = \"x\"", "captcha.secret"),
        ("[captcha]\ndifficulty = 1", "captcha.difficulty (symbolon.toml): must be from 1000"),
        ("[password]\nmin_length = 4", "password.min_length (symbolon.toml): must be from 8 to 64"),
        ("[password]\nmin_length = -1", "password.min_length (symbolon.toml): must be a whole number"),
        (
            "[password]\nbreached_unreadable = \"ajar\"",
            "password.breached_unreadable (symbolon.toml): must be one of open, closed",
        ),
    ] {
        let line = line(file, &[]);
        assert!(line.starts_with(expected), "{line}");
    }
    assert_eq!(load("", &[("SYMBOLON__PASSWORD__MIN_LENGTH", "15")]).unwrap().password.min_length, 15);
}

#[test]
fn a_variable_is_named_as_it_was_set() {
    for (name, expected) in [
        (
            "SYMBOLON__TOKENS__ACCESS_LIFETIME",
            "tokens.access_lifetime (SYMBOLON__TOKENS__ACCESS_LIFETIME): \"soon\" is not a duration",
        ),
        (
            "SYMBOLON__TOKENS__ACESS_LIFETIME",
            "tokens.acess_lifetime (SYMBOLON__TOKENS__ACESS_LIFETIME): there is no such key; did you mean `access_lifetime`?",
        ),
        ("SYMBOLON__SERVR__LISTEN", "servr (SYMBOLON__SERVR): there is no such key; did you mean `server`?"),
    ] {
        let line = line("", &[(name, "soon")]);
        assert!(line.starts_with(expected), "{line}");
    }
    let both = [("SYMBOLON__SERVER", "x"), ("SYMBOLON__SERVER__LISTEN", "localhost:1")];
    assert!(load("", &both).unwrap_err().to_string().contains("SYMBOLON__SERVER__LISTEN sets both"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let error = Config::load(&Sources::file("/nowhere/symbolon.toml")).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/symbolon.toml: cannot be read"), "{error}");
    assert_eq!(ConfigError::EXIT_CODE, 2);
}
