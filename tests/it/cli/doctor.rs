//! Faults of every kind, each found and each with its cure.

use std::path::Path;

use serde_json::Value;

use crate::cli::front_door::{FrontDoor, Passage, answer};
use crate::cli::station::{Ran, Station};

const ROTATE: &str =
    "start the server, which rotates by itself, or run `symbolon key rotate`; its log tells why if it does not";
const APPEND: &str =
    "have the proxy append the address it sees (nginx: `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`)";

/// What is wrong, as `check: message → cure`, without what differs from run to run.
fn wrong(station: &Station) -> Vec<String> {
    let ran = station.run(&["doctor", "--json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    told(station, &ran, "wrong")
}

fn told(station: &Station, ran: &Ran, level: &str) -> Vec<String> {
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    assert_eq!(said["ok"], ran.code == 0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = said["findings"].as_array().expect("a list");
    for finding in all.iter().filter(|finding| finding["level"] != "ok") {
        assert!(!text(&finding["cure"]).is_empty(), "every finding has its cure: {finding}");
    }
    let found = all.iter().filter(|finding| finding["level"] == level);
    let lines = found.map(|finding| {
        format!("{}: {} → {}", text(&finding["check"]), text(&finding["message"]), text(&finding["cure"]))
    });
    let folder = station.folder.path().canonicalize().expect("it is there");
    lines
        .map(|line| {
            let line = line
                .replace(&format!("{}/", folder.display()), "")
                .replace(&format!("{}/", station.folder.path().display()), "");
            line.replace(&format!(":{}", station.port), ":PORT")
                .replace(&format!(":{}", station.operations), ":OPERATIONS")
        })
        .collect()
}

/// A server whose issuer is at `front`.
fn behind(station: &Station, front: u16, more: &str) {
    let settings = format!(
        "issuer = \"http://localhost:{front}\"\n[server]\nlisten = \"127.0.0.1:{}\"\noperations = \"127.0.0.1:{}\"\n{more}\n",
        station.port, station.operations
    );
    station.write("symbolon.toml", &settings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_server_is_told_so() {
    let station = Station::new();
    let _server = station.serve().await;
    // The next keys are made a moment after the start.
    station.until("everything is good", async || station.run(&["doctor"]).code == 0).await;
    let ran = station.run(&["doctor", "--json"]);
    let good = told(&station, &ran, "ok");
    for (check, part) in [
        ("database", "is sound and up to date"),
        ("clock", "agrees"),
        ("signing keys", "has signed for 0 d"),
        ("server", "is ready at 127.0.0.1:OPERATIONS"),
        ("issuer", "http://localhost:PORT answers"),
        ("discovery", "names this issuer"),
        ("jwks", "all of the database among them"),
        ("proxy", "none stands in front"),
    ] {
        assert!(
            good.iter().any(|line| line.starts_with(&format!("{check}: ")) && line.contains(part)),
            "{check}: {good:#?}"
        );
    }
    let words = station.run(&["doctor"]).ok();
    assert!(words.contains("ok       issuer") && words.contains("→"), "{words}");
}

/// Without a server: what the machine itself tells.
#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_machine_are_found() {
    // A server that ran once: its database and its keys are there.
    let fresh = || async {
        let station = Station::new();
        drop(station.serve().await);
        station
    };
    let has = |station: &Station, expected: &str| {
        let found = wrong(station);
        assert!(found.iter().any(|line| line == expected), "{expected}\nis not among\n{found:#?}");
    };

    let station = fresh().await;
    has(
        &station,
        "server: nothing answers at server.operations, 127.0.0.1:OPERATIONS → \
         start `symbolon serve`, or correct server.operations if it listens elsewhere",
    );
    let found = wrong(&station);
    assert!(
        found.iter().any(|line| line.starts_with("issuer: http://localhost:PORT cannot be reached: ")
            && line.ends_with("→ start what listens there, open the port, or correct `issuer`")),
        "{found:#?}"
    );

    station.sql("UPDATE signing_key SET activated_at = activated_at - 200 * 86400 WHERE algorithm = 'RS256'").await;
    has(
        &station,
        &format!("signing keys: the RS256 key has signed for 200 d, and keys.rotate_every is 90d → {ROTATE}"),
    );
    has(
        &station,
        &format!(
            "signing keys: no RS256 key is published as the next one: a rotation would have to wait an hour → {ROTATE}"
        ),
    );

    let station = fresh().await;
    station.sql("UPDATE signing_key SET created_at = created_at + 7200").await;
    let found = wrong(&station);
    assert!(
        found.iter().any(|line| line.starts_with("clock: a signing key was made ")
            && line.ends_with("in the future: the clock is behind, or was ahead when it was made → set the clock by NTP (`timedatectl set-ntp true`)")),
        "{found:#?}"
    );

    let station = fresh().await;
    station.sql("DELETE FROM signing_key").await;
    has(
        &station,
        "signing keys: none signs: no token can be issued → `symbolon key list` shows them; `symbolon key rotate --now` makes one sign",
    );

    let station = fresh().await;
    station.write_settings("[ephemeral]\nurl = \"redis://127.0.0.1:1\"");
    let found = wrong(&station);
    assert!(found.iter().any(|line| line.starts_with("redis: does not answer: ")), "{found:#?}");

    let station = fresh().await;
    std::fs::remove_file(station.folder.path().join("symbolon.key")).unwrap();
    has(
        &station,
        "database: keys.master_key_file: symbolon.key is not there, while the database is → \
         restore it from your backup: a new one opens nothing",
    );

    let station = fresh().await;
    station
        .write("symbolon.db", "this is a letter to my grandmother, and no database at all, whatever its name may say");
    let found = wrong(&station);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("database: database.path: ") && line.contains("is not a Symbolon database")),
        "{found:#?}"
    );

    let station = Station::new();
    station.write_settings("[tokens]\nacces_lifetime = \"5m\"");
    let found = wrong(&station);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("did you mean `access_lifetime`?") && found[0].contains("`symbolon check`"),
        "{found:#?}"
    );

    let station = fresh().await;
    let other = FrontDoor::open(|_| answer("200 OK", "text/html", "<h1>Welcome</h1>")).await;
    let settings = format!(
        "issuer = \"http://localhost:{}\"\n[server]\noperations = \"127.0.0.1:{}\"\n",
        station.port, other.port
    );
    station.write("symbolon.toml", &settings);
    let found = wrong(&station);
    assert!(
        found.iter().any(|line| line.starts_with("server: another program answers at server.operations")),
        "{found:#?}"
    );
}

/// A fault: its name, the settings it stands beside, what it does to requests, and what is told of it.
type Row = (&'static str, &'static str, Box<dyn Fn(&str) -> Passage + Send + Sync>, String);

/// Whoever answers at the issuer, wrongly.
fn answers(port: u16) -> Vec<Row> {
    let discovery = |head: &str| head.contains("/.well-known/");
    vec![

        (
            "the proxy reaches nothing",
            "",
            Box::new(|_| answer("502 Bad Gateway", "text/html", "")),
            "issuer: http://localhost:FRONT/.well-known/openid-configuration answers 502 → \
             the proxy does not reach server.listen: start the server, or correct the proxy's upstream"
                .to_owned(),
        ),
        (
            "something else answers",
            "",
            Box::new(|_| answer("200 OK", "text/html", "<h1>Welcome</h1>")),
            "issuer: http://localhost:FRONT/.well-known/openid-configuration is no JSON: something else answers there → \
             have the proxy pass every path on to server.listen, with the path as it is"
                .to_owned(),
        ),
        (
            "the proxy redirects",
            "",
            Box::new(|_| Passage::Answer("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned())),
            "issuer: http://localhost:FRONT/.well-known/openid-configuration answers 301 → \
             have the proxy answer itself in place of redirecting: clients compare the issuer byte for byte"
                .to_owned(),
        ),
        (
            "another server",
            "",
            Box::new(move |head| {
                if discovery(head) {
                    answer("200 OK", "application/json", "{\"issuer\":\"https://other.example\",\"jwks_uri\":\"\"}")
                } else {
                    Passage::On(port, head.to_owned())
                }
            }),
            "discovery: the document at http://localhost:FRONT names another issuer, https://other.example: every client refuses it → \
             another server answers there, or this one runs with other settings: restart it with these"
                .to_owned(),
        ),
        (
            "keys that are kept too long",
            "",
            Box::new(move |head| {
                if head.contains("/oauth2/jwks") {
                    answer("200 OK", "application/json", "{\"keys\":[]}")
                } else {
                    Passage::On(port, head.to_owned())
                }
            }),
            "a cache in front keeps the document too long (it may for an hour, with revalidation), or the server uses another database".to_owned(),
        ),
        (
            "another clock",
            "",
            Box::new(move |head| {
                Passage::Changed(port, head.to_owned(), |answer| {
                    let lines = answer.split("\r\n").map(|line| if line.starts_with("date: ") { "date: Tue, 01 Jan 2019 00:00:00 GMT" } else { line });
                    lines.collect::<Vec<_>>().join("\r\n")
                })
            }),
            "→ set the clocks of both by NTP: tokens are refused where clocks differ".to_owned(),
        ),
        (
            "the probe ends elsewhere",
            "",
            Box::new(move |head| {
                if head.contains("/healthz") { answer("200 OK", "text/plain", "ok") } else { Passage::On(port, head.to_owned()) }
            }),
            "proxy: a request to http://localhost:FRONT/healthz did not arrive at this server → \
             another server answers there, or one of several nodes did: run this on each, with its own address in `issuer`'s DNS"
                .to_owned(),
        ),
    ]
}

/// Proxies that tell too little or too much.
fn proxies(port: u16) -> Vec<Row> {
    vec![
        (
            "a proxy that is not listed",
            "",
            Box::new(move |head| Passage::On(port, head.replace("203.0.113.77", "203.0.113.77, 192.0.2.9"))),
            format!(
                "proxy: a proxy at 127.0.0.1 stands in front and is not listed: limits count everybody who comes through it as one → \
                 write server.trusted_proxies = [\"127.0.0.1\"], and {APPEND}"
            ),
        ),
        (
            "a proxy that passes forged addresses on",
            "trusted_proxies = [\"127.0.0.1\"]",
            Box::new(move |head| Passage::On(port, head.to_owned())),
            format!(
                "proxy: callers choose the address that limits count them by: X-Forwarded-For is passed on as they send it → {APPEND}"
            ),
        ),
        (
            "a proxy that does not say who calls",
            "trusted_proxies = [\"127.0.0.1\"]",
            Box::new(move |head| {
                let kept = head.split("\r\n").filter(|line| !line.to_lowercase().starts_with("x-forwarded-for"));
                Passage::On(port, kept.collect::<Vec<_>>().join("\r\n"))
            }),
            format!("proxy: the proxy at 127.0.0.1 does not say who calls: limits count everybody as one → {APPEND}"),
        ),
    ]
}

/// What stands between the server and the world.
#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_front_door_are_found() {
    let station = Station::new();
    let port = station.port;
    for (fault, more, passage, expected) in answers(port).into_iter().chain(proxies(port)) {
        let front = FrontDoor::open(passage).await;
        behind(&station, front.port, more);
        let server = station.serve().await;
        let found: Vec<_> =
            wrong(&station).into_iter().map(|line| line.replace(&format!(":{}", front.port), ":FRONT")).collect();
        assert!(found.iter().any(|line| line.ends_with(&expected)), "{fault}: {expected}\nis not among\n{found:#?}");
        drop(server);
    }

    // A proxy that does it right; also one on this machine, where this very command comes from an address that is listed.
    for appended in ["192.0.2.9", "127.0.0.1"] {
        let told = format!("203.0.113.77, {appended}");
        let front = FrontDoor::open(move |head| Passage::On(port, head.replace("203.0.113.77", &told))).await;
        behind(&station, front.port, "trusted_proxies = [\"127.0.0.1\"]");
        let _server = station.serve().await;
        station.until("a sound proxy is told so", async || station.run(&["doctor"]).code == 0).await;
        let words = station.run(&["doctor"]).ok();
        let expected = format!("the proxy at 127.0.0.1 is listed and tells who calls: {appended}");
        assert!(words.contains(&expected), "{words}");
    }
}

fn write_pair(folder: &Path, year: i32) {
    let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
    wanted.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let made = wanted.self_signed(&key).expect("a certificate");
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("written");
    std::fs::write(folder.join("cert.pem"), made.pem()).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_certificate_are_found() {
    let station = Station::new();
    let settings = format!(
        "issuer = \"https://localhost:{}\"\n[server]\nlisten = \"127.0.0.1:{}\"\noperations = \"127.0.0.1:{}\"\n\
         [server.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n",
        station.port, station.port, station.operations
    );
    station.write("symbolon.toml", &settings);
    write_pair(station.folder.path(), 2020);
    let renew = "renew it; the server takes changed files over by itself, a proxy may have to be told";
    let found = wrong(&station);
    let ended = found.iter().any(|line| {
        line.starts_with("certificate: the certificate of server.tls.certificate ended ")
            && line.ends_with(&format!("d ago → {renew}"))
    });
    assert!(ended, "{found:#?}");

    write_pair(station.folder.path(), 4000);
    let _server = station.serve().await;
    let found = wrong(&station);
    let untrusted = found.iter().any(|line| {
        line.starts_with("issuer: https://localhost:PORT cannot be reached: ")
            && line.ends_with("serve the whole chain of a certificate that this machine trusts, for this very name; SSL_CERT_FILE names a private authority")
    });
    assert!(untrusted, "{found:#?}");

    station.write("key.pem", "no key");
    let found = wrong(&station);
    assert!(
        found.contains(&"certificate: server.tls.key: key.pem holds no private key in PEM: no items found → write both files anew; the server takes them over by itself".to_owned())
            || found.iter().any(|line| line.starts_with("certificate: server.tls.key: key.pem holds no private key in PEM")),
        "{found:#?}"
    );
}
