//! A service manager: it hands out sockets, hears when the server is ready, and expects an end in time.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::station::Station;

#[tokio::test]
async fn a_service_manager_hears_of_every_step() {
    let station = Station::new();
    let path = station.folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let hears = || {
        let mut words = [0; 64];
        let length = manager.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).into_owned()
    };
    let until = |word: &str| while hears() != word {};
    let mut command = station.command(&["serve"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut server = station.serve_by(command).await;
    assert_eq!(hears(), "READY=1");
    until("WATCHDOG=1");
    server.signal("HUP");
    until("RELOADING=1");
    until("READY=1");
    server.signal("TERM");
    until("STOPPING=1");
    assert_eq!(server.ended().await, 0);
}

/// The socket stays with the manager: callers wait while the server is started again.
#[tokio::test]
async fn a_socket_that_is_handed_out_goes_before_the_settings() {
    let station = Station::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // A shell gives the descriptor the number that the protocol asks for.
    let script = "exec 3<&0; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=public; exec \"$0\" serve";
    let start = || {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_symbolon")]).current_dir(station.folder.path());
        command.stdin(Stdio::from(OwnedFd::from(socket.try_clone().unwrap())));
        command
    };
    let ask = || async {
        let url = format!("http://{address}/healthz");
        reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().status().as_u16()
    };
    let mut server = station.serve_by(start()).await;
    assert_eq!(ask().await, 200);
    assert!(station.get("/healthz").await.is_none(), "server.listen is not bound");
    server.signal("TERM");
    assert_eq!(server.ended().await, 0);
    // Nobody listens to it now, and yet a caller gets in.
    let (status, _server) = tokio::join!(ask(), station.serve_by(start()));
    assert_eq!(status, 200);
}

/// PROTOCOL §3: SIGTERM under load; Docker kills after 10 s.
#[tokio::test]
async fn the_end_comes_within_ten_seconds_and_cuts_no_request() {
    let station = Station::new();
    let mut server = station.serve().await;
    // A body that is on its way, and an app that never ends its own.
    let mut slow = TcpStream::connect(("127.0.0.1", station.port)).await.unwrap();
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut endless = TcpStream::connect(("127.0.0.1", station.port)).await.unwrap();
    endless.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let asked = Instant::now();
    server.signal("TERM");
    station.until("it is not ready any more", async || station.ask_operations("/readyz").await.is_none()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    slow.write_all(b"grant_type").await.unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 4"), "it was answered after SIGTERM");
    assert_eq!(server.ended().await, 0);
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}
