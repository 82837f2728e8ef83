//! TLS without a proxy, asked by a real client that trusts a certificate made here.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, Version};

use crate::cli::station::Station;

/// Writes a fresh pair and returns the certificate in PEM.
fn write_pair(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.pem()
}

fn trusting(pem: &str) -> Client {
    let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
    // A connection of its own each time: a certificate is shown once for each.
    let builder = Client::builder().tls_certs_only([certificate]).pool_max_idle_per_host(0).no_proxy();
    builder.timeout(Duration::from_secs(5)).build().unwrap()
}

fn secured(station: &Station) {
    let settings = format!(
        "issuer = \"https://localhost:{}\"\n[server]\nlisten = \"127.0.0.1:{}\"\noperations = \"127.0.0.1:{}\"\n\
         [server.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n",
        station.port, station.port, station.operations
    );
    station.write("symbolon.toml", &settings);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let station = Station::new();
    secured(&station);
    assert!(station.run(&["serve"]).refused(4).contains("cert.pem cannot be read"));
    let first = write_pair(station.folder.path());
    let mut server = station.serve().await;
    let url = format!("https://localhost:{}/.well-known/openid-configuration", station.port);
    let answer = trusting(&first).get(&url).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200), "HTTP/2 by ALPN");
    assert!(answer.headers().contains_key("strict-transport-security"));
    assert!(answer.text().await.unwrap().contains(&format!("https://localhost:{}/oauth2/token", station.port)));
    let old = Client::builder()
        .http1_only()
        .tls_certs_only([Certificate::from_pem(first.as_bytes()).unwrap()])
        .no_proxy()
        .build()
        .unwrap();
    assert_eq!(old.get(&url).send().await.unwrap().version(), Version::HTTP_11);
    let plain = reqwest::get(format!("http://127.0.0.1:{}/healthz", station.port)).await;
    assert!(plain.is_err(), "plain HTTP is not spoken here");

    let second = write_pair(station.folder.path());
    let client = trusting(&second);
    station.until("the new one is shown", async || client.get(&url).send().await.is_ok()).await;
    assert!(trusting(&first).get(&url).send().await.is_err());

    station.write("key.pem", "half a key");
    station.until("the mistake is told", async || station.log().contains("the old one is served")).await;
    assert!(trusting(&second).get(&url).send().await.is_ok());
    server.signal("TERM");
    assert_eq!(server.ended().await, 0);
}
