//! The way out, against servers on this machine.

use std::time::{Duration, Instant};

use bytes::Bytes;
use symbolon::edge::fetch::{Addresses, Fetch as _, FetchError, FetchPolicy, HttpFetch};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const DEVELOPMENT: FetchPolicy =
    FetchPolicy { max_bytes: 1_000, timeout: Duration::from_secs(5), addresses: Addresses::PublicOrLoopback };

/// A server that gives every caller the same bytes; the address it is reached at.
async fn server(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 2_048];
                let _read = stream.read(&mut request).await;
                let _written = stream.write_all(answer.as_bytes()).await;
                // An answer without a length lasts until the connection ends; this one never does.
                if answer.contains("keep waiting") {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
            });
        }
    });
    format!("http://{address}")
}

async fn get(url: &str, policy: FetchPolicy) -> Result<http::Response<Bytes>, FetchError> {
    let request = http::Request::get(url).body(Bytes::new()).expect("a request");
    HttpFetch::new().send(request, policy).await
}

#[tokio::test]
async fn an_answer_comes_whole_whatever_its_status() {
    let url = server("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nx-kind: test\r\n\r\nnope".to_owned()).await;
    let answer = get(&url, DEVELOPMENT).await.expect("answered");
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (404, b"nope".as_slice()));
    assert_eq!(answer.headers().get("x-kind").map(http::HeaderValue::as_bytes), Some(b"test".as_slice()));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret".to_owned()).await;
    let url = server(format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")).await;
    assert_eq!(get(&url, DEVELOPMENT).await.expect("answered").status().as_u16(), 302);
}

#[tokio::test]
async fn private_places_are_refused_before_anything_is_sent() {
    let own = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let port = own.rsplit(':').next().expect("a port").to_owned();
    for url in [
        own,
        format!("https://127.0.0.1:{port}/"),
        // By its name, so that only resolving it tells.
        format!("https://localhost:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::ffff:127.0.0.1]/".to_owned(),
        "https://0x7f.1/".to_owned(),
    ] {
        let refusal = get(&url, FetchPolicy::default()).await.expect_err("refused");
        assert!(matches!(refusal, FetchError::Refused(_)), "{url}: {refusal}");
    }
    let relative = http::Request::get("/here").body(Bytes::new()).expect("a request");
    assert!(HttpFetch::new().send(relative, DEVELOPMENT).await.is_err());
}

#[tokio::test]
async fn size_and_time_are_bounded() {
    let large = "x".repeat(1_001);
    for answer in [
        format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{large}"),
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{large}"),
    ] {
        let url = server(answer).await;
        let refusal = get(&url, DEVELOPMENT).await.expect_err("refused");
        assert!(matches!(refusal, FetchError::TooLarge(1_000)), "{refusal}");
        assert!(!refusal.to_string().contains("xxx"), "what the peer sent is not repeated");
    }
    let slow = server("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nkeep waiting".to_owned()).await;
    let policy = FetchPolicy { timeout: Duration::from_millis(100), ..DEVELOPMENT };
    let begun = Instant::now();
    let refusal = get(&slow, policy).await.expect_err("timed out");
    assert!(matches!(refusal, FetchError::TimedOut(_)), "{refusal}");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_peer_that_is_away_is_told_without_its_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let refusal = get(&format!("http://{address}/?key=hush"), DEVELOPMENT).await.expect_err("nobody is there");
    assert!(matches!(refusal, FetchError::Unreachable(_)), "{refusal}");
    assert!(!refusal.to_string().contains("hush"), "{refusal}");
}
