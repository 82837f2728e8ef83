//! Signing keys under a running server (PROTOCOL.md T18 and §3).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use symbolon::protocol::jose::algorithm::SigningAlgorithm;
use symbolon::protocol::jose::jws::SigningKey;

use crate::cli::station::{Sender, Station};

/// A service client of a running server.
struct Robot<'a> {
    station: &'a Station,
    secret: String,
}

impl<'a> Robot<'a> {
    fn new(station: &'a Station) -> Self {
        let made = station.run(&["client", "create", "Robot", "--type", "service", "--id", "robot", "--json"]).json();
        Self { station, secret: made["client_secret"].as_str().unwrap().to_owned() }
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, body, _) = self.station.post(path, form, Sender::Client("robot", &self.secret)).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn token(&self) -> String {
        let answer = self.post("/oauth2/token", &[("grant_type", "client_credentials")]).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn is_active(&self, token: &str) -> bool {
        self.post("/oauth2/introspect", &[("token", token)]).await["active"] == true
    }
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn published(station: &Station) -> Vec<String> {
    let set: Value = serde_json::from_str(&station.get("/oauth2/jwks").await.expect("a set")).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the server publishes a next key for each algorithm.
async fn with_next_keys(station: &Station) -> Vec<String> {
    let began = Instant::now();
    loop {
        let kids = published(station).await;
        if kids.len() == 2 * SigningAlgorithm::ALL.len() {
            return kids;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{kids:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const AGE: &str = "UPDATE signing_key SET created_at = created_at - 7200, activated_at = activated_at - 7200";

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_under_load_fails_no_verification() {
    let station = Station::new();
    let _server = station.serve().await;
    let robot = Robot::new(&station);
    // A resource server that keeps the set for an hour.
    let cached = with_next_keys(&station).await;
    let line = station.run(&["key", "rotate"]).refused(1);
    assert!(line.contains("do not know the next keys yet") && line.contains("--now"), "{line}");
    station.sql(AGE).await;

    let old = robot.token().await;
    let rotated = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (folder, began) = (&station, Instant::now());
        let done = tokio::task::block_in_place(|| folder.run(&["key", "rotate", "--json"])).json();
        (done, began)
    };
    let load = async {
        let (began, mut kids) = (Instant::now(), Vec::new());
        while began.elapsed() < Duration::from_secs(4) {
            let token = robot.token().await;
            assert!(cached.contains(&kid(&token)), "a key that clients do not know signs");
            assert!(robot.is_active(&token).await && robot.is_active(&old).await);
            assert!(published(&station).await.contains(&kid(&token)));
            kids.push((Instant::now(), kid(&token)));
        }
        kids
    };
    let ((done, began), kids) = tokio::join!(rotated, load);
    let signs = done["signing"].as_array().unwrap();
    assert_eq!(signs.len(), SigningAlgorithm::ALL.len());
    let new = signs.iter().find(|key| key["alg"] == "RS256").unwrap()["kid"].as_str().unwrap();
    let (changed, _) = kids.iter().find(|(_, kid)| kid == new).expect("the new key signs");
    assert!(kids.iter().all(|(at, kid)| at < changed || kid == new), "every token after the change is signed by it");
    assert!(changed.duration_since(began) < Duration::from_secs(3), "it takes about a second");
    let listed = station.run(&["key", "list", "--json"]).json();
    let retiring = listed.as_array().unwrap().iter().find(|key| key["kid"] == kid(&old).as_str()).unwrap();
    assert_eq!(retiring["state"], "retiring");
    assert!(retiring["until"].as_i64().unwrap() > retiring["activated_at"].as_i64().unwrap() + 3600);
}

/// The compromise drill: one command, and within a second the old keys are refused and new ones sign.
#[tokio::test]
async fn a_compromised_key_is_refused_at_once() {
    let station = Station::new();
    let _server = station.serve().await;
    let robot = Robot::new(&station);
    let before = with_next_keys(&station).await;
    let stolen = robot.token().await;
    assert!(robot.is_active(&stolen).await, "it is remembered as verified");

    let done = station.run(&["key", "rotate", "--now", "--json"]).json();
    assert_eq!(done["withdrawn"].as_array().unwrap().len(), before.len());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let fresh = robot.token().await;
    assert!(done["signing"].as_array().unwrap().iter().any(|signing| *signing == *kid(&fresh)));
    assert!(!robot.is_active(&stolen).await);
    assert!(robot.is_active(&fresh).await);
    let after = published(&station).await;
    assert!(!before.iter().any(|kid| after.contains(kid)), "no old key is published");
    assert!(after.contains(&kid(&fresh)));

    // One key alone.
    let done = station.run(&["key", "retire", &kid(&fresh), "--now", "--json"]).json();
    assert_eq!(done["withdrawn"], serde_json::json!([kid(&fresh)]));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!robot.is_active(&fresh).await);
    assert!(robot.is_active(&robot.token().await).await);
    assert!(station.run(&["key", "retire", "nothing"]).refused(1).contains("key list"));
    let told = station.run(&["events", "export"]).ok();
    assert!(told.contains("\"key.withdrawn\"") && told.contains(&kid(&stolen)), "S-144: {told}");
}

#[tokio::test]
async fn keys_rotate_by_policy() {
    let station = Station::new();
    station.write_settings("[keys]\nrotate_every = \"2h\"");
    station.run(&["user", "create", "ada", "--no-password"]).ok();
    let first = station.serve().await;
    let before = with_next_keys(&station).await;
    drop(first);
    station.sql(AGE).await;
    let second = station.serve().await;
    let began = Instant::now();
    let robot = Robot::new(&station);
    let old = robot.token().await;
    while kid(&robot.token().await) == kid(&old) {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", station.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(before.contains(&kid(&robot.token().await)), "the key was published before it signed");
    assert!(robot.is_active(&old).await);

    // When its last token has expired, a retiring key goes, a minute later at the latest; here: at the next start.
    station.sql("UPDATE signing_key SET expires_at = 1 WHERE state = 'retiring'").await;
    drop(second);
    let _server = station.serve().await;
    let began = Instant::now();
    while published(&station).await.contains(&kid(&old)) {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", station.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_key_from_outside_signs() {
    let station = Station::new();
    let _server = station.serve().await;
    let robot = Robot::new(&station);
    let made = SigningKey::generate(SigningAlgorithm::RS256).unwrap();
    let text =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(made.pkcs8.expose()));
    std::fs::write(station.folder.path().join("old.pem"), &text).unwrap();
    let before = robot.token().await;
    let imported = station.run(&["key", "import", "old.pem", "--now", "--json"]).json();
    assert_eq!(imported["kid"], made.key.kid());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(kid(&robot.token().await), made.key.kid());
    assert!(robot.is_active(&before).await, "the one before retires");
    assert!(station.run_with(&text, &["key", "import", "-"]).refused(1).contains("is here already"));
    assert!(station.run_with("nonsense", &["key", "import", "-"]).refused(1).contains("no RSA key"));
    let next = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap();
    let text =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(next.pkcs8.expose()));
    assert_eq!(station.run_with(&text, &["key", "import", "-", "--json"]).json()["state"], "next");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(published(&station).await.contains(&next.key.kid().to_owned()));
}
