//! What stands in `conformance/deploy/` is held to the program: metrics exist, files are there, commands run.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/deploy");

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(FOLDER).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names of metrics as they are offered, histograms also by their parts.
fn offered() -> BTreeSet<String> {
    let text = symbolon::edge::meter::render();
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            names.insert(name.to_owned());
            if kind == "histogram" {
                names.extend(["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}")));
            }
        }
    }
    names
}

/// The names of metrics in an expression.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("symbolon_") || word.starts_with("process_")).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_dashboard_and_the_rules_exists() {
    let dashboard: serde_json::Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut on_panels = BTreeSet::new();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        on_panels.extend(named(target["expr"].as_str().unwrap()));
    }
    let rules = file("alerts.yml");
    let expressions: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(panels.len() > 10 && expressions.len() > 5);
    let in_rules: BTreeSet<String> = expressions.iter().flat_map(|expression| named(expression)).collect();
    let offered = offered();
    for name in on_panels.iter().chain(&in_rules) {
        assert!(offered.contains(name), "{name} is no metric of ours");
    }
    // And nothing that we measure is looked at by nobody.
    let families = offered.iter().filter(|name| !["_bucket", "_sum", "_count"].iter().any(|part| name.ends_with(part)));
    for family in families {
        assert!(on_panels.iter().any(|name| name.starts_with(family.as_str())), "{family} is on no panel");
    }
}

#[test]
fn what_the_image_copies_is_there() {
    let text = file("Dockerfile");
    let mut copied = 0;
    for line in text.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from=")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let (_, sources) = words.split_last().unwrap();
        for source in sources {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(source).exists(), "{source}");
            copied += 1;
        }
    }
    assert!(copied >= 6);
    // Cargo refuses a manifest whose targets are not there.
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    for path in manifest.lines().filter_map(|line| line.strip_prefix("path = \"")) {
        let path = path.trim_end_matches('"');
        assert!(text.contains(path) || text.contains(path.rsplit_once('/').unwrap().0), "{path} is not copied");
    }
    assert!(text.contains(":nonroot") && !text.contains("USER root"));
    let variables =
        text.lines().filter_map(|line| Some(line.split_once("SYMBOLON__")?.1.split('=').next()?.to_owned()));
    for variable in variables {
        let key = variable.to_ascii_lowercase().replace("__", ".");
        assert!(
            symbolon::config::reference::settings().iter().any(|setting| setting.key == key),
            "{key} is no setting"
        );
    }
}

#[test]
fn the_unit_runs_commands_that_exist() {
    let unit = file("symbolon.service");
    let program = symbolon::cli::Arguments::command();
    let run: Vec<_> =
        unit.lines().filter(|line| line.starts_with("ExecStart=") || line.starts_with("ExecReload=")).collect();
    assert_eq!(run.len(), 2);
    for line in run {
        let words: Vec<&str> = line.split_once('=').unwrap().1.split(' ').skip(1).collect();
        program
            .clone()
            .try_get_matches_from(std::iter::once("symbolon").chain(words))
            .unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    // 3 is also a PostgreSQL that is not up yet.
    assert!(unit.contains("\nRestartPreventExitStatus=2 4\n") && unit.contains("\nStartLimitIntervalSec=0\n"));
    for right in
        ["Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "WatchdogSec="]
    {
        assert!(unit.contains(right), "{right}");
    }
    assert!(file("symbolon.socket").contains("FileDescriptorName=public"));
}
