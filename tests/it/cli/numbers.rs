//! What Prometheus reads of a running server.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::station::{Sender, Station};

/// One number: its name, its labels, its value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the text format as a scraper does: every line a comment or a number of a type that was told before.
fn scrape(text: &str) -> Vec<Sample> {
    let mut kinds = BTreeMap::new();
    let mut samples = Vec::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is told twice");
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
        assert!(seen.insert(series.to_owned()), "{series} comes twice");
        let (name, labels) =
            series.split_once('{').map_or((series, ""), |(name, rest)| (name, rest.strip_suffix('}').unwrap()));
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|part| {
            let family = name.strip_suffix(part)?;
            (kinds.get(family)? == "histogram").then_some(family)
        });
        let kind = kinds.get(family.unwrap_or(name)).unwrap_or_else(|| panic!("{name} has no type"));
        assert!(kind != "counter" || name.ends_with("_total"), "{name}");
        let labels = labels.split("\",").filter(|label| !label.is_empty()).map(|label| {
            let (name, value) = label.split_once("=\"").unwrap();
            (name.to_owned(), value.trim_end_matches('"').to_owned())
        });
        samples.push((
            name.to_owned(),
            labels.collect(),
            value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
        ));
    }
    samples
}

/// The sum of what is called `name` and has these labels.
fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits = |has: &BTreeMap<String, String>| {
        labels.iter().all(|(name, value)| has.get(*name).is_some_and(|has| has == value))
    };
    samples.iter().filter(|(called, has, _)| called == name && fits(has)).map(|(.., value)| value).sum()
}

#[tokio::test]
async fn prometheus_reads_what_happened() {
    let station = Station::new();
    let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
    let secret = made["client_secret"].as_str().unwrap();
    station.run_with("correct horse battery staple\n", &["user", "create", "ada", "--email", "ada@example.com"]).ok();
    let _server = station.serve().await;

    let form = [("grant_type", "client_credentials")];
    for (secret, status) in [(secret, 200), (secret, 200), ("wrong", 401)] {
        assert_eq!(station.post("/oauth2/token", &form, Sender::Client("robot", secret)).await.0, status);
    }
    let made_up = [("grant_type", "made-up-by-a-stranger")];
    station.post("/oauth2/token", &made_up, Sender::Client("robot", secret)).await;
    for path in ["/oauth2/jwks", "/nowhere/12345", "/account/sessions/98765/end", "/oauth2/authorize?client_id=nobody"]
    {
        station.fetch(path, "").await.unwrap();
    }
    let (_, page, headers) = station.fetch("/sign-in?to=account", "").await.unwrap();
    let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for (password, status) in [("wrong wrong wrong", 422), ("correct horse battery staple", 303)] {
        let form = [("csrf", csrf.as_str()), ("login", "ada"), ("password", password)];
        assert_eq!(station.post("/sign-in?to=account", &form, Sender::Browser(&cookie)).await.0, status);
    }

    let ran = "symbolon_jobs_runs_total{job=\"follow_keys\",outcome=\"ok\"}";
    station.until("a job ran", async || station.ask_operations("/metrics").await.unwrap().contains(ran)).await;
    let text = station.ask_operations("/metrics").await.unwrap();
    let samples = scrape(&text);
    let count = |name: &str, labels: &[(&str, &str)]| sum(&samples, name, labels);
    for (name, labels, expected) in [
        ("symbolon_build_info", vec![("version", env!("CARGO_PKG_VERSION"))], 1.0),
        ("symbolon_http_requests_total", vec![("route", "/oauth2/token"), ("method", "POST"), ("code", "200")], 2.0),
        ("symbolon_http_requests_total", vec![("route", "/oauth2/token"), ("code", "401")], 1.0),
        ("symbolon_http_requests_total", vec![("route", "/oauth2/jwks"), ("method", "GET"), ("code", "200")], 1.0),
        ("symbolon_http_requests_total", vec![("route", "other"), ("code", "404")], 1.0),
        ("symbolon_http_requests_total", vec![("route", "/account/sessions/{id}/end"), ("code", "405")], 1.0),
        ("symbolon_http_request_duration_seconds_count", vec![("route", "/oauth2/token")], 4.0),
        ("symbolon_token_requests_total", vec![("grant", "client_credentials"), ("outcome", "ok")], 2.0),
        ("symbolon_token_requests_total", vec![("grant", "client_credentials"), ("outcome", "invalid_client")], 1.0),
        ("symbolon_token_requests_total", vec![("grant", "unknown"), ("outcome", "unsupported_grant_type")], 1.0),
        ("symbolon_authorize_requests_total", vec![("outcome", "unknown_client")], 1.0),
        ("symbolon_logins_total", vec![("method", "password"), ("outcome", "ok")], 1.0),
        ("symbolon_logins_total", vec![("method", "password"), ("outcome", "wrong")], 1.0),
        ("symbolon_sessions_active", vec![], 1.0),
    ] {
        assert!((count(name, &labels) - expected).abs() < 0.5, "{name} {labels:?} is {}", count(name, &labels));
    }
    assert!(count("symbolon_password_hash_seconds_count", &[]) >= 2.0);
    assert!(count("symbolon_db_query_seconds_count", &[("operation", "write")]) >= 1.0);
    assert!(count("symbolon_jobs_runs_total", &[("job", "follow_keys"), ("outcome", "ok")]) >= 1.0);
    assert!(count("symbolon_signing_key_age_seconds", &[("algorithm", "RS256")]) < 600.0);
    assert!(count("process_resident_memory_bytes", &[]) > 1e6 && count("process_open_fds", &[]) > 5.0);
    for stranger in ["12345", "98765", "made-up", "nobody", "ada"] {
        assert!(!text.contains(stranger), "what a caller sends is no label: {stranger}");
    }
    assert!(station.fetch("/metrics", "").await.unwrap().0 == 404, "nothing of it is public");
    let version = station.ask_operations("/version").await.unwrap();
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
}
