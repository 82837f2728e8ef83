//! What operators rely on: what has expired goes by itself (S-167), and what happens is told to them (S-168).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _};
use symbolon::jobs::JOBS;
use symbolon::model::client::{AccessTokenFormat, RefreshTokenPolicy};

use super::second_factor::production;
use crate::cli::station::Station;
use crate::support::answer::code;
use crate::support::spa::Spa;
use crate::support::{Browser, RelyingParty, TestServer, clients};

const MINUTE: Duration = Duration::from_mins(1);
const PASSWORD: &str = "correct horse battery staple";

/// Runs a job of the schedule, as the server does within ten minutes.
async fn run(server: &TestServer, name: &str) {
    let job = JOBS.iter().find(|job| job.name == name).expect("a job");
    assert!(job.every <= 10 * MINUTE && job.first <= 10 * MINUTE, "{name} comes round in time");
    (job.run)(Arc::clone(&server.app.provider)).await.expect("it ran");
}

/// How many rows there are, by a statement of which `$1` is this moment.
async fn count(server: &TestServer, statement: &'static str) -> i64 {
    let file = |name: &str| -> PathBuf {
        server.files().into_iter().find(|file| file.ends_with(name)).unwrap_or_else(|| panic!("no {name}"))
    };
    let now = server.clock.seconds();
    if let Some(url) = server.files().into_iter().find(|file| file.ends_with("database.url")) {
        let url = std::fs::read_to_string(url).expect("a URL");
        let mut postgres = sqlx::PgConnection::connect(&url).await.expect("PostgreSQL answers");
        return sqlx::query_scalar(statement).bind(now).fetch_one(&mut postgres).await.expect(statement);
    }
    let is_short = statement.contains("FROM ephemeral");
    let path = file(if is_short { "symbolon-ephemeral.db" } else { "symbolon.db" });
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5));
    let mut sqlite = options.connect().await.expect("opens");
    sqlx::query_scalar(statement).bind(now).fetch_one(&mut sqlite).await.expect(statement)
}

/// What is good for something, and has an end.
const EXPIRED: &[&str] = &[
    "SELECT COUNT(*) FROM ephemeral WHERE expires_at <= $1",
    "SELECT COUNT(*) FROM opaque_access_token WHERE expires_at <= $1",
    "SELECT COUNT(*) FROM refresh_token WHERE expires_at <= $1",
    "SELECT COUNT(*) FROM mailed_link WHERE expires_at <= $1",
    "SELECT COUNT(*) FROM data_export WHERE expires_at <= $1",
    "SELECT COUNT(*) FROM authenticator WHERE expires_at <= $1",
    "SELECT COUNT(*) FROM user_account WHERE purge_at <= $1",
];

async fn expired(server: &TestServer) -> Vec<i64> {
    let mut counts = Vec::new();
    for statement in EXPIRED {
        counts.push(count(server, statement).await);
    }
    counts
}

/// A code of an app, a sign-in, a registration by code and by link, a link to a new password, tokens.
#[tokio::test]
async fn s_167_what_has_expired_is_gone_ten_minutes_later() {
    let server = TestServer::configured(crate::support::server::Setup::default(), |config| {
        config.registration.mode = symbolon::account::settings::SignUp::Link;
    })
    .await;
    let mut client = clients::web("shop");
    client.policy.access_token = AccessTokenFormat::Opaque;
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    let shop = RelyingParty::of(&server, client).await;
    let alice = Browser::new(&server);
    shop.tokens(&alice, "alice", "openid offline_access").await;
    let exchange = shop.begin("openid");
    alice.authorize(&exchange, "alice").await;
    let spa = Spa::open(&server).await;
    spa.post("/sign-in", &json!({"method": "email_code", "identifier": "bob@example.com"})).await;
    spa.post("/registrations", &json!({"email": "carol@example.net", "password": PASSWORD})).await;
    spa.post("/password-resets", &json!({"identifier": "alice@example.com"})).await;
    server.settled().await;
    assert_eq!(expired(&server).await, [0; EXPIRED.len()], "all of it is fresh");
    assert_eq!(count(&server, "SELECT COUNT(*) FROM refresh_token WHERE $1 > 0").await, 1);

    let mut seen = [0; EXPIRED.len()];
    for days in [0_u64, 1, 8, 40] {
        // What ended within this time is gone ten minutes later at most.
        server.advance(Duration::from_hours(24 * days) + 50 * MINUTE);
        let before = expired(&server).await;
        server.advance(10 * MINUTE);
        for job in ["cleanup", "purge_accounts"] {
            run(&server, job).await;
        }
        assert_eq!(expired(&server).await, [0; EXPIRED.len()], "after {days} more days");
        for (seen, before) in seen.iter_mut().zip(before) {
            *seen += before;
        }
        if days == 0 {
            assert_eq!(count(&server, "SELECT COUNT(*) FROM refresh_token WHERE $1 > 0").await, 1, "it is good still");
        }
    }
    for (statement, seen) in EXPIRED.iter().zip(seen) {
        let none = ["data_export", "authenticator"].iter().any(|table| statement.contains(table));
        assert!(seen > 0 || none, "nothing of it had ever expired: {statement}");
    }
}

/// The number behind a line of the text format that begins so.
fn number(text: &str, begins: &[&str]) -> f64 {
    let fits = |line: &&str| begins.iter().all(|part| line.contains(part)) && !line.starts_with('#');
    text.lines().filter(fits).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[tokio::test]
async fn s_168_wrong_codes_refusals_and_times_are_counted() {
    let server = TestServer::with(production()).await;
    let numbers = || {
        let text = symbolon::edge::meter::render();
        let wrong = number(&text, &["symbolon_logins_total", "method=\"email_code\"", "outcome=\"wrong\""]);
        let times = number(&text, &["symbolon_http_request_duration_seconds_count", "sign-in/challenge"]);
        [wrong, times, number(&text, &["symbolon_rate_limited_total"])]
    };
    let before = numbers();
    let spa = Spa::open(&server).await;
    let asked = spa.post("/sign-in", &json!({"method": "email_code", "identifier": "bob@example.com"})).await.json();
    let wrong = json!({"flow": asked["flow"], "type": "email_code", "value": "000000"});
    assert_eq!(code(&spa.post("/sign-in/challenge", &wrong).await), "401 wrong_code");
    let mut answers = Vec::new();
    for guess in 0..12 {
        answers.push(spa.sign_in(&format!("nobody{guess}"), "a wrong password of nobody").await.status.as_u16());
    }
    assert!(answers.contains(&429), "{answers:?}");
    let after = numbers();
    // Other stories of this process count as well.
    for (what, (before, after)) in ["wrong codes", "times", "refusals"].iter().zip(before.iter().zip(after)) {
        assert!(after >= before + 1.0, "{what}: {before} and then {after}");
    }
}

#[tokio::test]
async fn s_168_health_is_told_and_each_request_has_a_line_by_its_id() {
    let station = Station::new();
    station.run_with(&format!("{PASSWORD}\n"), &["user", "create", "ada", "--email", "ada@example.com"]).ok();
    let _server = station.serve().await;
    assert_eq!(station.ask_operations("/livez").await.as_deref(), Some("ok"));
    let ready = station.ask_operations("/readyz?verbose").await.expect("it is ready");
    assert!(ready.contains("database"), "{ready}");
    let (status, _, headers) = station.fetch("/api/v1/session", "").await.expect("an answer");
    assert_eq!(status, 200);
    let id = headers["x-request-id"].to_str().expect("ASCII").to_owned();
    let line = || -> Option<Value> {
        let log = station.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.map(|line| line["fields"].clone()).find(|fields| fields["trace_id"] == id.as_str())
    };
    station.until("the line is written", async || line().is_some()).await;
    let line = line().expect("it was there");
    assert_eq!((&line["method"], &line["status"]), (&json!("GET"), &json!(200)), "{line}");
    assert!(line["duration_us"].is_u64(), "{line}");
    let numbers = station.ask_operations("/metrics").await.expect("numbers");
    let times = number(&numbers, &["symbolon_http_request_duration_seconds_count", "/api/v1/session"]);
    assert!(times >= 1.0, "{numbers}");
    for name in ["symbolon_rate_limited_total", "symbolon_logins_total"] {
        assert!(numbers.contains(&format!("# TYPE {name} counter")), "{name}");
    }
}
