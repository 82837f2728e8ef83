//! Servers on real sockets: limits, panics, and an end without cut requests.

use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::edge::random::SystemRandom;
use crate::edge::template::Templates;
use crate::http::error::OAuthAnswer;
use crate::http::extract::params;
use crate::http::render::{Pages, Stage};
use crate::http::security_header::Transport;
use crate::http::trace::{Trace, TraceId, Tracing};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<io::Result<()>>,
}

fn start(drain: Duration) -> Running {
    let readiness = Readiness::default();
    let trace = Trace::new(Tracing {
        random: Arc::new(SystemRandom),
        pages: Pages::new(Arc::new(Templates::new(None).unwrap()), ("https://id.example", ""), Stage::Production),
        transport: Transport::Http,
        readiness: readiness.clone(),
        requests: None,
        spans: None,
        proxies: crate::http::proxy::Proxies::default(),
    });
    let router = Router::new()
        .route("/", get(async |id: TraceId| id.to_string()))
        .route("/form", post(form))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_millis(700)).await))
        .route("/endless", get(async || std::future::pending::<()>().await))
        .route("/panic", get(async || -> Response { panic!("a bug with token=hunter2") }))
        .layer(trace);
    let bound = Bound::new(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let address = bound.address();
    let (stop, stopped) = oneshot::channel();
    let shutdown = Shutdown { notice: Duration::from_millis(50), drain };
    let ended = tokio::spawn(run(vec![(bound, router.into())], readiness, shutdown, async {
        stopped.await.unwrap_or_default();
    }));
    Running { address, stop, ended }
}

async fn form(request: Request) -> Result<StatusCode, OAuthAnswer> {
    let (parts, body) = request.into_parts();
    params::form(&parts.headers, body).await?;
    Ok(StatusCode::OK)
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_request(path: &str, header: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n")
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = start(Duration::from_secs(1));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let stated = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    let answer = exchange(server.address, &get_request("/", &stated)).await;
    assert!(answer.contains(&format!("x-request-id: {trace}\r\n")) && answer.ends_with(trace), "{answer}");

    for path in ["/", "/nowhere"] {
        for header in
            ["", "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n", "traceparent: x\r\n"]
        {
            let answer = exchange(server.address, &get_request(path, header)).await;
            let id = answer.split("x-request-id: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
            assert!(
                id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !id.starts_with("00000000"),
                "{answer}"
            );
            assert!(answer.contains("x-content-type-options: nosniff"));
        }
    }
}

#[tokio::test]
async fn a_panic_is_one_answer_and_nothing_more() {
    let server = start(Duration::from_secs(1));
    for (accept, expected) in [("*/*", "\"error\":\"server_error\""), ("text/html", "id=\"error-page\"")] {
        let answer = exchange(server.address, &get_request("/panic", &format!("Accept: {accept}\r\n"))).await;
        assert!(answer.starts_with("HTTP/1.1 500") && answer.contains(expected), "{answer}");
        assert!(!answer.contains("hunter2") && answer.contains("x-request-id"), "{answer}");
    }
    assert!(exchange(server.address, &get_request("/", "")).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn headers_have_their_limits() {
    let server = start(Duration::from_secs(1));
    let large = |size: usize| format!("X-Large: {}\r\n", "a".repeat(size));
    let many = "X-Again: 1\r\n".repeat(150);
    for (header, status) in [
        (large(15 * 1024), "200"),
        (large(17 * 1024), "431"),
        (many, "431"),
        (large(100 * 1024), "431"),
        (large(1 << 20), "431"),
    ] {
        let answer = exchange(server.address, &get_request("/", &header)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{} bytes: {answer}", header.len());
    }
}

/// RFC 9112 §9.6
#[tokio::test]
async fn who_sends_too_much_is_told_so_and_not_cut_off() {
    let server = start(Duration::from_secs(1));
    for _ in 0..20 {
        let body = "a".repeat(1 << 20);
        let head = format!("POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
        let request = format!("{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}");
        let answer = exchange(server.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"error\":\"invalid_request\""), "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_server_goes_on() {
    let server = start(Duration::from_secs(1));
    for garbage in
        ["\0\0\0\0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n"]
    {
        let answer = exchange(server.address, garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{garbage:?}: {answer}");
    }
    assert!(exchange(server.address, &get_request("/", "")).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_end_waits_for_requests_in_flight() {
    let server = start(Duration::from_secs(10));
    let address = server.address;
    let slow = tokio::spawn(async move { exchange(address, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await });
    let mut idle = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;

    let started = Instant::now();
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "an idle connection holds nothing up");
    let answer = slow.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

/// On one thread, so that the server learns of these connections and of its end together.
#[tokio::test]
async fn who_stands_in_the_queue_at_the_end_is_answered() {
    let server = start(Duration::from_secs(10));
    assert!(exchange(server.address, &get_request("/", "")).await.starts_with("HTTP/1.1 200"));
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    server.stop.send(()).unwrap();
    // The notice is over when the server looks next, and these stand in the queue.
    let mut queued = Vec::new();
    tokio::task::yield_now().await;
    std::thread::sleep(Duration::from_millis(80));
    for _ in 0..50 {
        queued.push(std::net::TcpStream::connect(server.address).unwrap());
    }
    // They take their time to say what they want.
    tokio::time::sleep(Duration::from_millis(100)).await;
    silent.write_all(get_request("/", "").as_bytes()).await.unwrap();
    for queued in queued {
        queued.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(queued).unwrap();
        stream.write_all(get_request("/", "").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let mut answer = String::new();
    silent.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// A header that comes in pieces is waited for, on a fresh connection and on one that was used.
#[tokio::test]
async fn half_a_request_at_the_end_is_heard_out() {
    let server = start(Duration::from_secs(10));
    let mut used = TcpStream::connect(server.address).await.unwrap();
    used.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut read = [0; 2048];
    assert_ne!(used.read(&mut read).await.unwrap(), 0);
    let mut fresh = TcpStream::connect(server.address).await.unwrap();
    for stream in [&mut used, &mut fresh] {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(120)).await;
    for stream in [&mut used, &mut fresh] {
        stream.write_all(b"alhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    }
    tokio::time::timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap().unwrap();
}

/// A service manager keeps the socket: the next process serves who stands in its queue.
#[tokio::test]
async fn the_queue_of_an_inherited_socket_is_left_to_the_next() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bound = Bound::inherit(vec![socket.try_clone().unwrap()]).unwrap();
    let shutdown = Shutdown { notice: Duration::ZERO, drain: Duration::from_secs(1) };
    let served = vec![(bound, Router::new().into())];
    run(served, Readiness::default(), shutdown, std::future::ready(())).await.unwrap();
    let _next = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
    socket.set_nonblocking(true).unwrap();
    assert!(socket.accept().is_ok());
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let server = start(Duration::from_millis(200));
    let mut endless = TcpStream::connect(server.address).await.unwrap();
    endless.write_all(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn localhost_is_both_addresses() {
    let bound = Bound::new(&Listen::localhost(0)).unwrap();
    let port = bound.address().port();
    assert_ne!(port, 0);
    assert!(bound.listeners.iter().all(|listener| listener.local_addr().unwrap().port() == port));
    assert!(bound.listeners.iter().all(|listener| listener.local_addr().unwrap().ip().is_loopback()));

    let taken = Bound::new(&format!("127.0.0.1:{port}").parse().unwrap()).unwrap_err();
    assert_eq!(taken.to_string(), format!("cannot listen on 127.0.0.1:{port}"));
    assert_eq!(taken.source.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn nonsense_is_no_address() {
    for listen in ["", "8080", "localhost", "localhost:", "localhost:99999", "example.com:80", "[::1]", "1.2.3.4:5:6"] {
        assert_eq!(listen.parse::<Listen>(), Err(NotAnAddress), "{listen}");
    }
    for listen in ["localhost:8080", "0.0.0.0:80", "[::]:8080", "127.0.0.1:0"] {
        assert_eq!(listen.parse::<Listen>().unwrap().to_string(), listen);
    }
}

#[test]
fn the_limit_of_files_is_read() {
    let line = "Limit                     Soft Limit           Hard Limit           Units     \n\
                Max open files            1024                 524288               files     \n";
    assert_eq!(open_files(line), Some(1024));
    assert_eq!(
        open_files("Max open files            unlimited            unlimited            files"),
        Some(usize::MAX)
    );
    assert_eq!(open_files(""), None);
}

/// One frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

async fn read_frame(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let mut payload = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
    stream.read_exact(&mut payload).await?;
    Ok((head[3], payload))
}

async fn speak_http2(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat()).await.unwrap();
    stream
}

/// RFC 9113 §6.5.2
#[tokio::test]
async fn a_peer_of_http2_is_told_its_limits() {
    let server = start(Duration::from_secs(1));
    let mut stream = speak_http2(server.address).await;
    let (kind, settings) = read_frame(&mut stream).await.unwrap();
    assert_eq!(kind, 4);
    let value = |id: u8| {
        let set = settings.chunks(6).find(|set| set[..2] == [0, id])?;
        Some(u32::from_be_bytes(set[2..].try_into().unwrap()))
    };
    assert_eq!(value(3), Some(MAX_STREAMS), "SETTINGS_MAX_CONCURRENT_STREAMS");
    assert_eq!(value(6).map(|size| size as usize), Some(HEADER_BUFFER), "SETTINGS_MAX_HEADER_LIST_SIZE");
}

/// CVE-2023-44487
#[tokio::test]
async fn who_opens_and_resets_streams_without_end_is_sent_away() {
    let server = start(Duration::from_secs(1));
    let mut stream = speak_http2(server.address).await;
    // :method GET, :scheme http, :path /endless, :authority a
    let headers = [&[0x82, 0x86, 0x04, 8][..], b"/endless", &[0x41, 1], b"a"].concat();
    let mut flood = Vec::new();
    for number in 0..2_000_u32 {
        flood.extend(frame(1, 5, 2 * number + 1, &headers));
        flood.extend(frame(3, 0, 2 * number + 1, &8_u32.to_be_bytes()));
    }
    // It may be sent away before it has said everything.
    let _ = stream.write_all(&flood).await;
    let farewell = async {
        loop {
            match read_frame(&mut stream).await {
                Ok((7, payload)) => return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap())),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(10), farewell).await.unwrap();
    assert!(matches!(told, None | Some(11)), "GOAWAY with ENHANCE_YOUR_CALM, or an end: {told:?}");
    assert!(exchange(server.address, &get_request("/", "")).await.starts_with("HTTP/1.1 200"));
}
