//! People that an operator looks after.

use std::time::Duration;

use scraper::{Html, Selector};
use serde_json::{Value, json};

use crate::cli::station::{Sender, Station};

const PASSWORD: &str = "a long enough password";

#[test]
fn an_account_is_made_shown_and_refused_by_name() {
    let station = Station::new();
    let create =
        ["user", "create", "ada", "--email", "Ada@example.com", "--email-verified", "--role", "owner", "--json"];
    let made = station.run_with(&format!("{PASSWORD}\n"), &create).json();
    assert_eq!(made["role"], "owner");
    assert_eq!(made["identifiers"][1]["value"], "Ada@example.com");
    assert!(made["identifiers"][1]["verified_at"].is_i64() && made["identifiers"][0]["verified_at"].is_null());
    for name in ["ada", "ADA", "ada@example.com", made["id"].as_str().unwrap()] {
        assert_eq!(station.run(&["user", "show", name, "--json"]).json()["id"], made["id"], "{name}");
    }
    assert!(station.run_with(PASSWORD, &["user", "create", "Ada"]).refused(1).contains("is taken"));
    for (name, more, part) in [
        ("ada@example.com", &[][..], "--email"),
        ("+12025550143", &[], "phone number"),
        ("bob", &["--email", "nobody"], "--email takes one address"),
        ("bob", &["--phone", "555"], "E.164"),
    ] {
        let line = station.run_with(PASSWORD, &[&["user", "create", name], more].concat()).refused(1);
        assert!(line.contains(part), "{line}");
    }
    for (password, part) in [("", "no password was given"), ("short", "too short"), (&"x".repeat(2000), "too long")] {
        let line = station.run_with(password, &["user", "create", "bob"]).refused(1);
        assert!(line.contains(part) && !line.contains("xxx"), "{line}");
    }
    let bob = station.run(&["user", "create", "bob", "--no-password", "--json"]).json();
    assert_eq!(bob["role"], "member");
    assert_eq!(station.run(&["user", "list", "--json"]).json().as_array().unwrap().len(), 2);
    assert_eq!(station.run(&["user", "set-role", "bob", "owner", "--json"]).json()["role"], "owner");
}

#[test]
fn a_wrong_folder_is_told_and_left_empty() {
    let station = Station::new();
    let line = station.run(&["user", "list"]).refused(3);
    assert!(line.contains("there is no database at symbolon.db") && line.contains("--config"), "{line}");
    let left: Vec<_> =
        std::fs::read_dir(station.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["symbolon.toml"]);
}

/// Signs in by the page; returns the session cookie.
async fn sign_in(station: &Station, login: &str, password: &str) -> Option<String> {
    let (_, page, headers) = station.fetch("/sign-in", "").await.expect("a page");
    let flow = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = Html::parse_document(&page);
    let csrf = page.select(&Selector::parse("input[name=csrf]").unwrap()).next().expect("a form");
    let action = page.select(&Selector::parse("form:has(input[name=csrf])").unwrap()).next().expect("a form");
    let action = action.value().attr("action").unwrap_or("/sign-in").to_owned();
    let form = [("csrf", csrf.value().attr("value").unwrap()), ("login", login), ("password", password)];
    let (status, _, headers) = station.post(&action, &form, Sender::Browser(&flow)).await;
    let cookies = headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let session = cookies.filter(|cookie| cookie.contains("session=")).map(str::to_owned).next();
    session.filter(|_| status == 303)
}

async fn is_signed_in(station: &Station, session: &str) -> bool {
    station.fetch("/account", session).await.expect("an answer").0 == 200
}

/// PROTOCOL S3, A13: whatever an operator takes away is gone within a second.
#[tokio::test]
async fn sessions_end_when_the_operator_says_so() {
    let station = Station::new();
    let _server = station.serve().await;
    station.run_with(PASSWORD, &["user", "create", "ada"]).ok();
    let a_second = || tokio::time::sleep(Duration::from_secs(1));

    let session = sign_in(&station, "ada", PASSWORD).await.expect("signed in");
    assert!(is_signed_in(&station, &session).await);
    let listed = station.run(&["session", "list", "--json"]).json();
    assert_eq!(listed[0]["user"], "ada");
    station.run(&["session", "end", listed[0]["id"].as_str().unwrap()]).ok();
    a_second().await;
    assert!(!is_signed_in(&station, &session).await);
    assert_eq!(station.run(&["session", "list", "--user", "ada", "--json"]).json(), json!([]));
    assert!(station.run(&["session", "end", "nonsense"]).refused(1).contains("no live session"));

    let session = sign_in(&station, "ada", PASSWORD).await.expect("signed in");
    assert!(is_signed_in(&station, &session).await);
    let set: Value = station.run_with("another good password", &["user", "set-password", "ada", "--json"]).json();
    assert_eq!(set["password_set"], true);
    a_second().await;
    assert!(!is_signed_in(&station, &session).await, "what the old password opened is closed");
    assert!(sign_in(&station, "ada", PASSWORD).await.is_none(), "the old password is refused");

    let session = sign_in(&station, "ada", "another good password").await.expect("signed in");
    assert!(is_signed_in(&station, &session).await);
    station.run(&["user", "disable", "ada"]).ok();
    a_second().await;
    assert!(!is_signed_in(&station, &session).await);
    assert!(sign_in(&station, "ada", "another good password").await.is_none());
    station.run(&["user", "enable", "ada"]).ok();
    a_second().await;
    let session = sign_in(&station, "ada", "another good password").await.expect("signed in");
    assert_eq!(station.run(&["session", "end", "--user", "ada", "--json"]).json(), json!({"ended": 1}));
    a_second().await;
    assert!(!is_signed_in(&station, &session).await);
}

/// S-038: people of another system keep their passwords, and their next sign-in replaces the hash by one of ours.
#[tokio::test]
async fn s_038_an_imported_hash_signs_in_and_is_replaced() {
    let station = Station::new();
    station.write_settings("[limits]\nsign_in = \"off\"");
    let _server = station.serve().await;
    // Made by Django 5.2 of `lètmein☂`.
    let django = [
        "pbkdf2_sha256$1000$seasoned4Testing0000xy$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=",
        "pbkdf2_sha1$1000$seasoned4Testing0000xy$+TFk2aJs66oGR1YvVSyRC5Af9zw=",
        "bcrypt_sha256$$2b$04$F5nHBhhHJQFjvbeJxe.yKeh8Z1HFKX2IE4tdIgJymTeTwsrYKvpEK",
        "bcrypt$$2b$04$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC",
        "scrypt$16$seasoned4Testing0000xy$8$5$ebvpmlgcTXi28PTtaZe5xaGTjqTjdLJTqOTjyf7QUNMTm4sakZHr0m+7/CpmCanwl3Dm6xYZ7VSViR2xnlQzXA==",
        "argon2$argon2id$v=19$m=8,t=1,p=1$c2Vhc29uZWQ0VGVzdGluZzAwMDB4eQ$ZGBl1/spMmPsJkwu3UyG4vfoXfGyez7x9N1xi+NJ/74",
    ];
    for (number, hash) in django.iter().enumerate() {
        let name = format!("person{number}");
        station.run(&["user", "create", &name, "--no-password"]).ok();
        let out = station.run_with(&format!("{hash}\n"), &["user", "import-hash", &name, "--json"]).json();
        assert_eq!(out["hash_imported"], true);
        assert!(sign_in(&station, &name, "wrong").await.is_none(), "{hash}");
        assert!(sign_in(&station, &name, "lètmein☂").await.is_some(), "{hash}");
        let stored = station.stored_password(&name).await;
        assert!(stored.starts_with("$argon2id$v=19$m=19456"), "{stored}");
        assert!(sign_in(&station, &name, "lètmein☂").await.is_some(), "with the new hash");
    }
    for (hash, part) in [
        ("", "no hash was given"),
        ("plain text", "none of"),
        ("$2b$31$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC", "would cost more"),
    ] {
        let line = station.run_with(hash, &["user", "import-hash", "person0"]).refused(1);
        assert!(line.contains(part) && !line.contains("6v2A"), "{line}");
    }
}

/// S-028: a list of stolen passwords is made from hashes as they are published.
#[test]
fn s_028_a_list_of_stolen_passwords_is_made() {
    let station = Station::new();
    // SHA-1 of `password` and of `correct horse battery staple`.
    let hashes = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9000\r\nABF7AAD6438836DBE526AA231ABDE2D0EEF74D42:2\r\n";
    std::fs::write(station.folder.path().join("hashes.txt"), hashes).unwrap();
    let build = ["password-list", "build", "hashes.txt", "stolen.list"];
    assert_eq!(station.run(&[&build[..], &["--json"]].concat()).json()["passwords"], 2);
    assert!(station.run(&build).refused(1).contains("is there already"));
    let rare = ["password-list", "build", "hashes.txt", "often.list", "--at-least", "10", "--json"];
    assert_eq!(station.run(&rare).json()["passwords"], 1);
    std::fs::write(station.folder.path().join("odd.txt"), "password\n").unwrap();
    let line = station.run(&["password-list", "build", "odd.txt", "odd.list"]).refused(1);
    assert!(line.contains("line 1 is no SHA-1 hash"), "{line}");
    assert!(!station.folder.path().join("odd.list").exists() && !station.folder.path().join("odd.unfinished").exists());
}
