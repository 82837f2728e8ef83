//! The way in for administrators (PROTOCOL.md A19).

use scraper::{Html, Selector};

use crate::cli::station::{Sender, Station};

/// Opens the link and presses its button; returns the status of the answer.
async fn open(station: &Station, link: &str) -> u16 {
    let path = link.strip_prefix(&station.issuer()).expect("it is built from the issuer");
    let (status, page, headers) = station.fetch(path, "").await.expect("a page");
    assert_eq!(status, 200);
    let flow = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = Html::parse_document(&page);
    let value = |name: &str| {
        let input = page.select(&Selector::parse(&format!("input[name={name}]")).unwrap()).next().expect("a field");
        input.value().attr("value").unwrap().to_owned()
    };
    let (csrf, token) = (value("csrf"), value("token"));
    let form = [("csrf", csrf.as_str()), ("token", token.as_str())];
    station.post("/sign-in/link?to=admin", &form, Sender::Browser(&flow)).await.0
}

#[tokio::test]
async fn a_link_signs_in_once_whether_the_server_runs_or_not() {
    let station = Station::new();
    let offline = station.run(&["admin", "recover", "--json"]).json();
    assert_eq!(offline["user"], "admin", "a new server gets its first owner");
    let _server = station.serve().await;
    assert_eq!(open(&station, offline["link"].as_str().unwrap()).await, 303);
    assert_eq!(open(&station, offline["link"].as_str().unwrap()).await, 400, "it works once");

    let online = station.run(&["admin", "recover", "--json"]).json();
    assert_eq!(open(&station, online["link"].as_str().unwrap()).await, 303, "a running server takes it at once");
    let users = station.run(&["user", "list", "--json"]).json();
    assert_eq!(users.as_array().unwrap().len(), 1, "the owner is made once");
}

/// There are no credentials that anybody could know beforehand.
#[tokio::test]
async fn s_143_the_first_administrator_comes_by_a_link_that_is_good_once() {
    let station = Station::new();
    let made = station.run(&["admin", "create", "grace", "--json"]).json();
    assert_eq!(made["user"], "grace");
    let shown = station.run(&["user", "show", "grace", "--json"]).json();
    assert_eq!(shown["role"], "owner", "{shown}");
    let line = station.run(&["admin", "create", "grace"]).refused(1);
    assert!(line.contains("is taken") && line.contains("user set-role grace owner"), "{line}");
    assert!(station.run(&["admin", "create", "no name!"]).refused(1).contains("no username"));
    let told = station.run(&["events", "tail", "--event", "user.created"]).ok();
    assert!(told.contains("user.created"), "{told}");
    let _server = station.serve().await;
    let guess = [("identifier", "grace"), ("password", "admin")];
    assert_ne!(station.post("/sign-in", &guess, Sender::Browser("")).await.0, 303, "no password opens it");
    assert_eq!(open(&station, made["link"].as_str().unwrap()).await, 303);
    assert_eq!(open(&station, made["link"].as_str().unwrap()).await, 400, "it works once");
}

#[tokio::test]
async fn a_link_is_for_owners_who_may_sign_in() {
    let station = Station::new();
    station.run(&["user", "create", "bob", "--no-password"]).ok();
    let line = station.run(&["admin", "recover", "--user", "bob"]).refused(1);
    assert!(line.contains("user set-role bob owner"), "{line}");
    for owner in ["ada", "eve"] {
        station.run(&["user", "create", owner, "--no-password", "--role", "owner"]).ok();
    }
    assert!(station.run(&["admin", "recover"]).refused(1).contains("one of ada, eve"));
    station.run(&["user", "disable", "eve"]).ok();
    assert!(station.run(&["admin", "recover", "--user", "eve"]).refused(1).contains("user enable eve"));
    assert_eq!(station.run(&["admin", "recover", "--json"]).json()["user"], "ada");

    let _server = station.serve().await;
    let short = station.run(&["admin", "recover", "--lifetime", "1s", "--json"]).json();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(open(&station, short["link"].as_str().unwrap()).await, 400, "a link ends");
}
