//! README.md says what is so: its settings, its table of what is supported, its snippets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use symbolon::app::{App, World};
use symbolon::config::{Config, Sources, reference};
use symbolon::oauth::endpoint::discovery;
use symbolon::oauth::policy::Mode;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("README.md")).expect("README.md is there")
}

/// The lines between `<!-- name -->` and the next empty comment, `<!-- -->`.
fn part(name: &str) -> String {
    let text = readme();
    let (_, after) =
        text.split_once(&format!("<!-- {name} -->\n")).unwrap_or_else(|| panic!("README.md has no {name}"));
    after.split_once("<!-- -->").unwrap_or_else(|| panic!("{name} has no end")).0.trim().to_owned()
}

fn load(toml: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("symbolon.toml");
    std::fs::write(&file, toml).expect("it can be written");
    Config::load(&Sources::file(file)).map_err(|error| error.to_string())
}

/// The table is made of what the settings say of themselves.
#[test]
fn every_setting_has_its_row() {
    let rows = reference::table();
    let written = part("settings");
    assert!(
        written == rows,
        "README.md, below <!-- settings -->, has to be as `symbolon config reference` prints it:\n{rows}\n"
    );
}

#[test]
fn the_settings_file_is_taken() {
    let text = part("serve");
    let toml = text.trim_start_matches("```toml").trim_end_matches("```");
    assert!(toml.contains("issuer = "), "{toml}");
    load(toml).unwrap();
}

#[test]
fn the_settings_of_messages_are_taken() {
    let text = part("mail");
    let toml = text.trim_start_matches("```toml").trim_end_matches("```");
    let config = load(toml).unwrap();
    assert_eq!((config.mail_transports().len(), config.sms_transports().len()), (2, 2));
}

#[test]
fn the_settings_of_accounts_are_taken() {
    let text = part("accounts");
    let toml = text.trim_start_matches("```toml").trim_end_matches("```");
    let config = load(toml).unwrap();
    let settings = config.account_settings().unwrap();
    assert_eq!((settings.attributes.asked().count(), settings.identity_fields.len()), (1, 2));
    assert_eq!(config.frontend_pages().unwrap().len(), 2, "the link of a forgotten password, and of the first one");
}

#[tokio::test]
async fn what_is_supported_is_what_discovery_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.database.path = Some(folder.path().join("symbolon.db"));
    config.keys.master_key_file = folder.path().join("symbolon.key");
    let app = App::build(&config, Mode::Development, World::real()).await.unwrap();
    let metadata = serde_json::to_value(discovery::metadata(&app.provider)).unwrap();
    app.close().await;

    let issuer = config.issuer.as_str();
    let shown = |value: &Value| match value {
        Value::String(text) => format!("`{}`", text.strip_prefix(issuer).unwrap_or(text)),
        other => format!("`{other}`"),
    };
    let mut rows = String::from("| member | value |\n|---|---|");
    // By name: whether maps keep their order is up to whichever crate asks for it.
    let members: BTreeMap<_, _> = metadata.as_object().unwrap().iter().collect();
    for (name, value) in members.into_iter().filter(|(name, _)| *name != "issuer") {
        let values: Vec<String> =
            value.as_array().map_or_else(|| vec![shown(value)], |all| all.iter().map(shown).collect());
        write!(rows, "\n| `{name}` | {} |", values.join(" ")).unwrap();
    }
    let written = part("supported");
    assert!(written == rows, "README.md, below <!-- supported -->, has to be:\n{rows}\n");
}

/// A fence below `<!-- from a/file -->` holds lines of that file, in their order; lines between them may be left out.
#[test]
fn snippets_are_cut_from_files_that_are_tested() {
    let text = readme();
    let mut snippets = 0;
    for (_, after) in text.match_indices("<!-- from ").map(|(at, mark)| text.split_at(at + mark.len())) {
        let (file, after) = after.split_once(" -->\n").unwrap();
        let code = after.split("```").nth(1).unwrap().split_once('\n').unwrap().1;
        let source = std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let mut lines = source.lines().map(str::trim);
        for line in code.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(lines.any(|tested| tested == line), "{file} has no line, from there on: {line}");
        }
        snippets += 1;
    }
    assert!(snippets >= 3, "{snippets}");
}

#[test]
fn links_lead_to_files() {
    let text = readme();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let pictures = text.split("src=\"").skip(1).chain(text.split("srcset=\"").skip(1));
    let pictures = pictures.filter_map(|rest| rest.split_once('"')).map(|(target, _)| target);
    let own: Vec<&str> =
        targets.chain(pictures).filter(|target| !target.contains("://") && !target.starts_with('#')).collect();
    assert!(own.len() > 3, "{own:?}");
    for target in own {
        let file = target.split('#').next().unwrap();
        assert!(Path::new(ROOT).join(file).exists(), "README.md links to {file}");
    }
}
