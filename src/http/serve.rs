//! Listeners: bound first, served with limits, stopped without cutting a request.
//!
//! RFC 9112, RFC 9113; PROTOCOL.md §3 (slowloris, floods, SIGTERM).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum_server::Handle;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::connection::{Watch, WatchTls};
use crate::http::front::Front;
use crate::http::gate::{Gates, Peer, Queue};
use crate::http::tls::Certificates;

/// Buffer for a header: a query of 16 kB and fields of 16 kB, which the trace layer counts.
const HEADER_BUFFER: usize = 40 * 1024;
/// Requests in flight on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// Streams a peer may open and reset before we have looked at them (CVE-2023-44487), and those it makes us reset (CVE-2025-8671).
const MAX_RESETS: usize = 20;
/// Connections waiting to be accepted.
pub(super) const BACKLOG: u32 = 4096;
/// File descriptors that are not for connections: store, log, outgoing requests.
const RESERVED_FILES: usize = 128;

/// Whether the server is about to stop. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on nothing new should be sent here.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the server is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where to listen: `localhost:port` is both loopback addresses where the machine has both; port 0 is a free one.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Listen {
    first: SocketAddr,
    second: Option<IpAddr>,
}

/// A text is not an address to listen on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be an address with a port, such as localhost:8080, 0.0.0.0:8080 or [::]:8080")]
pub struct NotAnAddress;

impl Listen {
    /// This machine alone, by the name `localhost`.
    pub const fn localhost(port: u16) -> Self {
        let first = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { first, second: Some(IpAddr::V6(Ipv6Addr::LOCALHOST)) }
    }

    /// True when only this machine can reach it.
    pub const fn is_loopback(&self) -> bool {
        self.first.ip().is_loopback()
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.first.port()
    }
}

impl FromStr for Listen {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        match text.strip_prefix("localhost:") {
            Some(port) => port.parse().map(Self::localhost).map_err(|_| NotAnAddress),
            None => text.parse().map(|first| Self { first, second: None }).map_err(|_| NotAnAddress),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.second {
            Some(_) => write!(f, "localhost:{}", self.port()),
            None => self.first.fmt(f),
        }
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An address could not be bound; exit code 5.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// What was to be bound.
    pub address: String,
    /// What the system said.
    pub source: io::Error,
}

/// Sockets that are bound and listening, not yet served.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<TcpListener>,
    queue: Queue,
    address: SocketAddr,
    certificates: Option<Arc<Certificates>>,
}

impl Bound {
    /// Binds an address.
    ///
    /// # Errors
    /// [`BindError`] names the address: taken, or not of this machine.
    pub fn new(listen: &Listen) -> Result<Self, BindError> {
        let refuse = |source| BindError { address: listen.to_string(), source };
        let listener = bind(listen.first).map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let mut listeners = vec![listener];
        if let Some(second) = listen.second {
            match bind(SocketAddr::new(second, address.port())) {
                Ok(listener) => listeners.push(listener),
                // Somebody else would answer half of the calls to localhost.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(refuse(error)),
                // A machine without IPv6.
                Err(_) => {}
            }
        }
        Ok(Self { listeners, queue: Queue::LetIn, address, certificates: None })
    }

    /// Takes over sockets that listen already, as a service manager hands them out; at least one.
    ///
    /// # Errors
    /// [`BindError`] when a socket cannot be used.
    pub fn inherit(sockets: Vec<std::net::TcpListener>) -> Result<Self, BindError> {
        let refuse = |source| BindError { address: "an inherited socket".to_owned(), source };
        let mut listeners = Vec::new();
        for socket in sockets {
            socket.set_nonblocking(true).map_err(refuse)?;
            listeners.push(TcpListener::from_std(socket).map_err(refuse)?);
        }
        let none = || refuse(io::Error::from(io::ErrorKind::NotFound));
        let address = listeners.first().ok_or_else(none)?.local_addr().map_err(refuse)?;
        Ok(Self { listeners, queue: Queue::Left, address, certificates: None })
    }

    /// Speaks TLS.
    #[must_use]
    pub fn with_tls(self, certificates: Option<Arc<Certificates>>) -> Self {
        Self { certificates, ..self }
    }

    /// The address that is served, with the port in use.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart need not wait for the connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How the end is taken.
#[derive(Copy, Clone, Debug)]
pub struct Shutdown {
    /// For so long new requests are still taken after readiness has gone, so that a load balancer notices.
    pub notice: Duration,
    /// For so long requests in flight may go on, and who was let in may say what they want.
    pub drain: Duration,
}

/// How long a connection that was let in may take to say what it wants, once the end has come: browsers open some to be quick later.
const FIRST_WORDS: Duration = Duration::from_secs(1);

impl Default for Shutdown {
    fn default() -> Self {
        Self { notice: Duration::from_millis(500), drain: Duration::from_secs(7) }
    }
}

/// Serves each front on its sockets until `stop` is done; then readiness goes, the sockets are closed, requests in flight and those of
/// connections that stood in their queues are answered, and it returns.
///
/// Handlers find the peer in `ConnectInfo<SocketAddr>`.
///
/// # Errors
/// When a listener fails for good.
pub async fn run(
    served: Vec<(Bound, Front)>,
    readiness: Readiness,
    shutdown: Shutdown,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let watch = Watch::new(connection_limit());
    let (gates, closed) = Gates::new();
    let mut servers = JoinSet::new();
    let mut handles = Vec::new();
    for (bound, front) in served {
        for listener in bound.listeners {
            let handle = Handle::new();
            handles.push(handle.clone());
            let gate = gates.gate(listener, bound.queue)?;
            let mut listening = axum_server::Server::<Peer>::from_listener(gate).handle(handle);
            limit(&mut listening);
            match &bound.certificates {
                None => servers.spawn(listening.acceptor(watch.clone()).serve(front.clone())),
                Some(certificates) => {
                    let secured = WatchTls::new(watch.clone(), Arc::clone(certificates));
                    servers.spawn(listening.acceptor(secured).serve(front.clone()))
                }
            };
        }
    }
    tokio::select! {
        () = stop => {}
        // A server ends before its time only by failing.
        Some(ended) = servers.join_next() => return ended.map_err(io::Error::other)?,
    }
    readiness.stop();
    tokio::time::sleep(shutdown.notice).await;
    let began = Instant::now();
    gates.close(closed, shutdown.drain.min(FIRST_WORDS)).await;
    for handle in &handles {
        handle.graceful_shutdown(Some(shutdown.drain.saturating_sub(began.elapsed())));
    }
    while let Some(ended) = servers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}

fn limit<A>(server: &mut axum_server::Server<Peer, A>) {
    let builder = server.http_builder();
    // Slow peers are the business of `connection`; more than 100 fields are refused by default. No `pipeline_flush`: with it,
    // the refusal of a broken header stays in the buffer.
    builder.http1().max_buf_size(HEADER_BUFFER);
    builder
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(HEADER_BUFFER).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .max_send_buf_size(64 * 1024)
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024);
}

/// As many connections as the process may have files, less what it needs itself.
fn connection_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = open_files(&limits).unwrap_or(1024);
    files.saturating_sub(RESERVED_FILES).clamp(64, 16_384)
}

/// The soft limit in the line `Max open files            1024                 524288               files`.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

/// Done at SIGTERM or SIGINT; a second signal ends the process at once.
///
/// # Errors
/// When the system gives no signal handlers.
pub fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // 128 + SIGINT, as a shell has it.
            std::process::exit(130);
        });
    })
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
