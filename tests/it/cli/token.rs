//! Tokens looked at from the terminal.

use serde_json::Value;

use crate::cli::station::{Sender, Station};

async fn token(station: &Station, format: &str) -> String {
    let made =
        station.run(&["client", "create", format, "--type", "service", "--access-token", format, "--json"]).json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let sender = (text("client_id"), text("client_secret"));
    let form = [("grant_type", "client_credentials")];
    let (_, body, _) = station.post("/oauth2/token", &form, Sender::Client(&sender.0, &sender.1)).await;
    serde_json::from_str::<Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_read_and_judged() {
    let station = Station::new();
    let _server = station.serve().await;
    let jwt = token(&station, "jwt").await;
    let read = station.run_with(&jwt, &["token", "decode", "--json"]).json();
    assert_eq!((&read["header"]["typ"], &read["verified"]), (&"at+jwt".into(), &false.into()));
    assert_eq!(read["claims"]["iss"], station.issuer());
    let good = station.run_with(&jwt, &["token", "verify", "--json"]).json();
    assert_eq!(good["claims"], read["claims"]);

    let opaque = token(&station, "opaque").await;
    assert!(station.run_with(&opaque, &["token", "decode"]).refused(1).contains("no JWT"));
    let good = station.run_with(&opaque, &["token", "verify", "--json"]).json();
    assert!(good["claims"]["client_id"].is_string());

    let (body, signature) = jwt.rsplit_once('.').unwrap();
    let forged = format!("{body}.{}", signature.chars().rev().collect::<String>());
    assert!(station.run(&["token", "verify", &forged]).refused(1).contains("signature"));
    assert!(station.run(&["token", "verify", "opaque"]).refused(1).contains("unknown"));
    assert!(station.run_with("", &["token", "verify"]).refused(1).contains("no token"));
    station.run(&["key", "rotate", "--now"]).ok();
    let line = station.run_with(&jwt, &["token", "verify"]).refused(1);
    assert!(line.contains("the key is gone"), "{line}");
}
