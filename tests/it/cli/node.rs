//! A node as a container runs it: variables and a database, no file of settings, no state of its own (S-183).

use std::process::Command;

use serde_json::Value;

use crate::backend::postgres;
use crate::cli::station::Station;

/// The server in the folder of `station`, told everything by variables.
fn node(station: &Station, issuer: &str, (key, database): (&str, &str), arguments: &[&str]) -> Command {
    let mut command = station.command(arguments);
    command
        .env("SYMBOLON__ISSUER", issuer)
        .env("SYMBOLON__SERVER__LISTEN", format!("127.0.0.1:{}", station.port))
        .env("SYMBOLON__SERVER__OPERATIONS", format!("127.0.0.1:{}", station.operations))
        .env(key, database);
    command
}

async fn keys(station: &Station) -> Value {
    serde_json::from_str(&station.get("/oauth2/jwks").await.expect("it answers")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn s_183_a_node_is_told_everything_by_variables_and_ends_in_order() {
    let station = Station::empty();
    let (issuer, database) = (station.issuer(), ("SYMBOLON__DATABASE__PATH", "kept.db"));
    let migrate = |arguments: &[&str]| {
        let output = node(&station, &issuer, database, arguments).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    // The schema is brought by a command of its own, or by the first start.
    migrate(&["migrate"]);
    let status = migrate(&["migrate", "status"]);
    assert!(status.contains("job done") && !status.contains("pending"), "{status}");

    assert!(migrate(&["check"]).contains("will be made at the first start"));

    let mut server = station.serve_by(node(&station, &issuer, database, &["serve"])).await;
    let before = keys(&station).await;
    server.signal("TERM");
    assert_eq!(server.ended().await, 0, "{}", station.log());
    let _server = station.serve_by(node(&station, &issuer, database, &["serve"])).await;
    assert_eq!(keys(&station).await, before, "what lasts is in the database");
}

/// Two nodes on PostgreSQL, where it is installed: each serves what the other wrote.
#[tokio::test(flavor = "multi_thread")]
async fn s_183_nodes_keep_nothing_to_themselves() {
    let Some(postgres) = postgres::shared() else { return };
    let url = postgres.database().await;
    let (one, two) = (Station::empty(), Station::empty());
    let (issuer, database) = (one.issuer(), ("SYMBOLON__DATABASE__URL", url.as_str()));
    let first = one.serve_by(node(&one, &issuer, database, &["serve"])).await;
    // The master key is what nodes share besides.
    std::fs::copy(one.folder.path().join("symbolon.key"), two.folder.path().join("symbolon.key")).expect("copied");
    let _second = two.serve_by(node(&two, &issuer, database, &["serve"])).await;
    assert_eq!(keys(&one).await, keys(&two).await);

    let output = node(
        &two,
        &issuer,
        database,
        &["client", "create", "Shop", "--redirect-uri", "https://shop.example/cb", "--json"],
    )
    .output()
    .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let client: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let id = client["client_id"].as_str().expect("an id");
    let path = format!(
        "/oauth2/authorize?response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&scope=openid\
                        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
    one.until("the first node knows the client", async || {
        one.fetch(&path, "").await.is_some_and(|(status, ..)| status == 303)
    })
    .await;
    // The other goes on when one is gone.
    drop(first);
    assert_eq!(two.fetch(&path, "").await.map(|(status, ..)| status), Some(303));
}
