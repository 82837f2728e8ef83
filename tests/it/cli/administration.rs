//! A running server, administered by its API beside the command line.

use std::time::Duration;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::cli::login::There;
use crate::cli::station::Station;
use crate::support::relying_party::Proof;
use crate::support::server::PASSWORD;
use crate::support::transport::Transport as _;
use crate::support::{Answer, Browser, RelyingParty};

const CALLBACK: &str = "https://console.example/callback";

async fn send(there: &There, (method, path): (Method, &str), token: Option<&str>, body: Option<&Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    there.send(request.header(CONTENT_TYPE, "application/json").body(body).expect("a request")).await
}

/// What the command line and a reload change is told by the running server within a second.
#[tokio::test]
async fn a_running_server_tells_its_settings_and_goes_by_new_rules() {
    let station = Station::new();
    station.write_settings("[tokens]\naccess_lifetime = \"10m\"");
    let owner = ["user", "create", "ada", "--email", "ada@example.com", "--role", "owner"];
    station.run_with(&format!("{PASSWORD}\n"), &owner).ok();
    let console = ["client", "create", "Console", "--type", "spa", "--id", "console", "--scope", "admin"];
    station.run(&[&console[..], &["--redirect-uri", CALLBACK]].concat()).ok();
    let _server = station.serve().await;
    let there = There::at(&station);
    let app = RelyingParty::registered(&there, "console", CALLBACK, Proof::Name);
    let tokens = app.tokens(&Browser::new(&there), "ada", "admin").await;
    let token = tokens["access_token"].as_str().expect("a token");
    let lifetime = async || {
        let answer = send(&there, (Method::GET, "/admin/settings?q=tokens.access_lifetime"), Some(token), None).await;
        answer.ok()["items"][0].clone()
    };
    let told = lifetime().await;
    assert_eq!(json!([told["value"], told["default"]]), json!(["10m", "15m"]));
    assert!(told["source"].as_str().is_some_and(|source| source.ends_with("symbolon.toml")), "{told}");
    station.write_settings("[tokens]\naccess_lifetime = \"12m\"");
    station.run(&["reload"]).ok();
    assert_eq!(lifetime().await["value"], "12m");

    station.run(&["rule", "create", "deny", "email", "@evil\\.example$"]).ok();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let body = json!({"email": "x@evil.example"});
    let refused = send(&there, (Method::POST, "/registrations"), None, Some(&body)).await;
    assert!(refused.text().contains("identity_not_allowed"), "{refused}");

    // A client of the API is one of the command line too.
    let new = json!({"client_id": "store", "metadata": {"redirect_uris": ["https://store.example/cb"]}});
    let made = send(&there, (Method::POST, "/admin/clients"), Some(token), Some(&new)).await;
    assert!(made.ok()["client_secret"].is_string());
    assert_eq!(station.run(&["client", "show", "store", "--json"]).json()["client_id"], "store");
}
