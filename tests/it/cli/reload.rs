//! Settings that change under a running server.

use std::net::SocketAddr;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::cli::station::{Sender, Station};
use crate::support::TestServer;

async fn lifetime(station: &Station, secret: &str) -> Value {
    let form = [("grant_type", "client_credentials")];
    let (_, answer, _) = station.post("/oauth2/token", &form, Sender::Client("robot", secret)).await;
    serde_json::from_str::<Value>(&answer).unwrap()["expires_in"].clone()
}

#[tokio::test]
async fn a_reload_takes_over_what_it_can_and_names_the_rest() {
    let station = Station::new();
    let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    let server = station.serve().await;
    assert_eq!(lifetime(&station, &secret).await, 900);
    assert_eq!(station.run(&["reload", "--json"]).json(), json!({"changed": []}));

    station.write_settings("drain = \"2s\"\n[tokens]\naccess_lifetime = \"5m\"");
    let told = station.run(&["reload", "--json"]).json();
    let expected = json!({"changed": [
        {"key": "server.drain", "counts": "after a restart"},
        {"key": "tokens.access_lifetime", "counts": "at once"},
    ]});
    assert_eq!(told, expected);
    assert_eq!(lifetime(&station, &secret).await, 300);
    let again = station.run(&["reload"]).ok();
    assert!(again.contains("server.drain") && again.contains("after a restart"), "{again}");
    assert!(!again.contains("access_lifetime"), "what was taken over has not changed again: {again}");

    // Wrong settings change nothing.
    station.write_settings("[tokens]\naccess_lifetime = \"9h\"");
    server.signal("HUP");
    station.until("the mistake is told", async || station.log().contains("the old ones stay")).await;
    assert!(station.log().contains("tokens.access_lifetime"), "{}", station.log());
    assert_eq!(lifetime(&station, &secret).await, 300);
    let told = station.ask_operations("/readyz").await;
    assert_eq!(told.as_deref(), Some("ok"));

    station.write_settings("[tokens]\naccess_lifetime = \"10m\"");
    server.signal("HUP");
    station.until("the settings are taken over", async || lifetime(&station, &secret).await == 600).await;
    // The jobs work for the server under its new settings: it hears of keys that are changed beside it.
    let before = station.get("/oauth2/jwks").await;
    station.run(&["key", "rotate", "--now"]).ok();
    station.until("the new keys are published", async || station.get("/oauth2/jwks").await != before).await;
}

#[tokio::test]
async fn a_reload_needs_a_server_of_this_machine() {
    let station = Station::new();
    assert!(station.run(&["reload"]).refused(1).contains("does not answer"));
    let _server = station.serve().await;
    assert!(station.ask_operations("/reload").await.is_none(), "GET changes nothing");
    assert_eq!(station.fetch("/reload", "").await.unwrap().0, 404, "nothing of it is public");
}

/// A token that was issued before a reload is good after it, and nobody's request falls between the two.
#[tokio::test]
async fn no_request_falls_between_old_and_new_settings() {
    let station = Station::new();
    let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    let server = station.serve().await;
    let reloads = async {
        for minutes in 5..15 {
            station.write_settings(&format!("[tokens]\naccess_lifetime = \"{minutes}m\""));
            server.signal("HUP");
            station.until("it is taken over", async || lifetime(&station, &secret).await == minutes * 60).await;
        }
    };
    let form = [("grant_type", "client_credentials")];
    let requests = async {
        loop {
            let (status, tokens, _) = station.post("/oauth2/token", &form, Sender::Client("robot", &secret)).await;
            assert_eq!(status, 200, "{tokens}");
            let token = serde_json::from_str::<Value>(&tokens).unwrap()["access_token"].as_str().unwrap().to_owned();
            let form = [("token", token.as_str())];
            let (status, said, _) = station.post("/oauth2/introspect", &form, Sender::Client("robot", &secret)).await;
            assert!(status == 200 && said.contains("\"active\":true"), "{said}");
        }
    };
    tokio::select! {
        () = reloads => {}
        () = requests => unreachable!("it never ends"),
    }
}

/// Whoever may have the settings read again is on this machine, wherever the operations listener is reached from.
#[tokio::test]
async fn nobody_else_may_ask_for_a_reload() {
    let server = TestServer::start().await;
    let operations = server.app.operations(None);
    for (peer, status) in [
        ("192.0.2.1:50000", 403),
        ("[2001:db8::1]:50000", 403),
        ("[::ffff:192.0.2.1]:50000", 403),
        ("127.0.0.1:50000", 404),
        ("[::1]:50000", 404),
        ("[::ffff:127.0.0.1]:50000", 404),
    ] {
        let peer: SocketAddr = peer.parse().unwrap();
        let visit =
            operations.clone().oneshot(symbolon::http::gate::Peer(peer)).await.unwrap_or_else(|never| match never {});
        let request = Request::post("/reload").body(Body::empty()).unwrap();
        let answer = visit.oneshot(request).await.unwrap_or_else(|never| match never {});
        assert_eq!(answer.status(), status, "{peer}");
    }
}
