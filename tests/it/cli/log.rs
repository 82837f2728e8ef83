//! One line for each request, and nothing in it that nobody should read.

use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::cli::station::{Sender, Station};

const PASSWORD: &str = "correct horse battery staple";

/// The lines about requests, once there are `count` of them.
async fn lines(station: &Station, count: usize) -> Vec<Value> {
    let read = || -> Vec<Value> {
        let log = station.log();
        // The last line may be half written.
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["target"] == "symbolon::request").map(|line| line["fields"].clone()).collect()
    };
    station.until("the lines are written", async || read().len() >= count).await;
    let found = read();
    assert_eq!(found.len(), count, "{found:?}");
    found
}

#[tokio::test]
async fn each_request_has_one_line_and_no_secret_is_in_it() {
    let station = Station::new();
    let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    station.run_with(&format!("{PASSWORD}\n"), &["user", "create", "ada", "--email", "ada@example.com"]).ok();
    let mut server = station.serve().await;

    let form =
        [("grant_type", "authorization_code"), ("code", "a-code-in-a-body"), ("redirect_uri", "https://a.example")];
    let (_, refused, _) = station.post("/oauth2/token", &form, Sender::Client("robot", &secret)).await;
    assert!(refused.contains("unauthorized_client"), "{refused}");
    let form = [("grant_type", "client_credentials")];
    let (_, tokens, _) = station.post("/oauth2/token", &form, Sender::Client("robot", &secret)).await;
    let token = serde_json::from_str::<Value>(&tokens).unwrap()["access_token"].as_str().unwrap().to_owned();
    station.post("/oauth2/introspect", &[("token", &token)], Sender::Client("robot", &secret)).await;
    let (_, page, headers) = station.fetch("/sign-in?to=account&login_hint=a-query", "").await.unwrap();
    let id = headers["x-request-id"].to_str().unwrap().to_owned();
    let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("csrf", csrf.as_str()), ("login", "ada"), ("password", PASSWORD)];
    let (_, _, headers) = station.post("/sign-in?to=account", &form, Sender::Browser(&cookie)).await;
    let session = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    station.fetch("/account", &session).await.unwrap();

    let told = lines(&station, 6).await;
    for line in &told {
        assert_eq!(line["trace_id"].as_str().map(str::len), Some(32), "{line}");
        assert!(line["duration_us"].as_u64().is_some() && line["database_us"].as_u64().is_some(), "{line}");
        assert_eq!(line["address"], "127.0.0.1");
    }
    let said: Vec<_> =
        told.iter().map(|line| format!("{} {} {}", line["method"], line["route"], line["status"])).collect();
    assert_eq!(
        said,
        [
            "\"POST\" \"/oauth2/token\" 400",
            "\"POST\" \"/oauth2/token\" 200",
            "\"POST\" \"/oauth2/introspect\" 200",
            "\"GET\" \"/sign-in\" 200",
            "\"POST\" \"/sign-in\" 303",
            "\"GET\" \"/account\" 200"
        ]
    );
    assert_eq!((&told[0]["code"], &told[0]["client"]), (&"unauthorized_client".into(), &"robot".into()));
    assert_eq!(told[3]["trace_id"], id);
    assert!(told[4]["database_us"].as_u64().unwrap() > 0, "a session was recorded");
    let ada = station.run(&["user", "list", "--json"]).json()[0]["id"].clone();
    assert_eq!((&told[4]["user"], &told[5]["user"]), (&ada, &ada));

    // The last lines are there when the server has ended.
    station.fetch("/nowhere/a-path-with-an-id", "").await.unwrap();
    server.signal("TERM");
    assert_eq!(server.ended().await, 0);
    assert_eq!(lines(&station, 7).await[6]["route"], "other");
    let log = station.log();
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    }
    let cookie_value = session.split('=').nth(1).unwrap();
    for hidden in [PASSWORD, &secret, &token, &csrf, cookie_value, "a-code-in-a-body", "a-query", "a-path-with-an-id"] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
}

#[tokio::test]
async fn an_operator_chooses_which_requests_are_told() {
    let station = Station::new();
    station.write_settings("[log]\nrequests = \"failed\"\nformat = \"json\"");
    let _server = station.serve().await;
    station.fetch("/healthz", "").await.unwrap();
    station.fetch("/nowhere", "").await.unwrap();
    assert_eq!(lines(&station, 1).await[0]["status"], 404);
}

/// OTLP/HTTP: a span of each request reaches the collector that the standard variables name.
#[tokio::test]
async fn a_collector_is_told_spans() {
    let collector = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let station = Station::new();
    let mut command = station.command(&["serve"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let _server = station.serve_by(command).await;
    let (_, _, headers) = station.fetch("/sign-in?to=account", "").await.unwrap();
    let id = headers["x-request-id"].to_str().unwrap().to_owned();

    let told = async {
        let (mut stream, _) = collector.accept().await.unwrap();
        let mut message = Vec::new();
        while !String::from_utf8_lossy(&message).contains(&id) {
            assert_ne!(stream.read_buf(&mut message).await.unwrap(), 0, "{}", String::from_utf8_lossy(&message));
        }
        String::from_utf8_lossy(&message).into_owned()
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(10), told).await.unwrap();
    assert!(told.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{told}");
    assert!(told.contains("\"name\":\"GET /sign-in\"") && !told.contains("to=account"), "{told}");
}
