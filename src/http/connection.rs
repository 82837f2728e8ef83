//! Connections that do not get on: dripping headers, stalled readers, idle peers, and too many of them.
//!
//! PROTOCOL.md §3: a header within 10 s. Everything a connection does is watched by one timer, set anew only when it fires or when a
//! header stays incomplete; so a busy connection pays for a clock reading and nothing else.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_rustls::server::TlsStream;
use tower::Service;

use crate::edge::meter;
use crate::http::gate::{Arrival, Owing};
use crate::http::tls::Certificates;

/// From the first byte of a header to its last.
const HEADER: Duration = Duration::from_secs(10);
/// Between two requests. Longer than the 60 s of common proxies, so that they close first.
const IDLE: Duration = Duration::from_secs(75);
/// How long a peer may leave an answer unread.
const STALLED: Duration = Duration::from_secs(30);
/// How long, and for how many bytes, a closed connection still reads what the peer had sent.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// What every connection over the limit is told before it is closed.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Accepts connections up to a number, and watches each.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    open: Arc<AtomicUsize>,
    limit: usize,
}

impl Watch {
    /// At most `limit` connections at a time; those beyond are told 503.
    pub(super) fn new(limit: usize) -> Self {
        Self { open: Arc::default(), limit }
    }
}

impl<S> Accept<Arrival, S> for Watch {
    type Stream = Watched<TcpStream>;
    type Service = Counted<S>;
    type Future = std::future::Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, Arrival { stream, owing }: Arrival, service: S) -> Self::Future {
        let place = Place::take(&self.open);
        if place.number > self.limit {
            // A fresh socket has room for this; should it not, closing says enough.
            let _ = stream.try_write(BUSY);
            return std::future::ready(Err(io::Error::other("too many connections")));
        }
        let running = Arc::new(AtomicUsize::new(0));
        let watched = stream.set_nodelay(true).map(|()| Watched::new((stream, owing), Arc::clone(&running), place));
        std::future::ready(watched.map(|watched| (watched, Counted { inner: service, running })))
    }
}

/// As [`Watch`], with a handshake first. What is watched are the bytes within TLS; the handshake has its own time.
#[derive(Clone, Debug)]
pub(super) struct WatchTls {
    watch: Watch,
    certificates: Arc<Certificates>,
}

impl WatchTls {
    pub(super) const fn new(watch: Watch, certificates: Arc<Certificates>) -> Self {
        Self { watch, certificates }
    }
}

impl<S: Send + 'static> Accept<Arrival, S> for WatchTls {
    type Stream = Watched<TlsStream<TcpStream>>;
    type Service = Counted<S>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, Arrival { stream, owing }: Arrival, service: S) -> Self::Future {
        let place = Place::take(&self.watch.open);
        let limit = self.watch.limit;
        let certificates = Arc::clone(&self.certificates);
        Box::pin(async move {
            if place.number > limit {
                return Err(io::Error::other("too many connections"));
            }
            stream.set_nodelay(true)?;
            let stream = certificates.accept(stream).await?;
            let running = Arc::new(AtomicUsize::new(0));
            let watched = Watched::new((stream, owing), Arc::clone(&running), place);
            Ok((watched, Counted { inner: service, running }))
        })
    }
}

/// A place among the open connections, given back when dropped.
#[derive(Debug)]
struct Place {
    open: Arc<AtomicUsize>,
    number: usize,
}

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        meter::connections(1.0);
        Self { number: open.fetch_add(1, Ordering::Relaxed) + 1, open: Arc::clone(open) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        meter::connections(-1.0);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The service of one connection, which counts the requests it is working on.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    running: Arc<AtomicUsize>,
}

impl<S, R> Service<R> for Counted<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Running<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.running.fetch_add(1, Ordering::Relaxed);
        let finished = Finished(Arc::clone(&self.running));
        Running { answer: Box::pin(self.inner.call(request)), _finished: finished }
    }
}

/// An answer under way.
pub(super) struct Running<F> {
    answer: Pin<Box<F>>,
    _finished: Finished,
}

impl<F: Future> Future for Running<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.answer.as_mut().poll(context)
    }
}

#[derive(Debug)]
struct Finished(Arc<AtomicUsize>);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that fails once its peer does not get on.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    running: Arc<AtomicUsize>,
    _place: Place,
    last_activity: Instant,
    /// Since when a request has been coming in; a fresh connection owes us one.
    owing: Owing,
    stalled_since: Option<Instant>,
    /// HTTP/2 peers send frames between requests, which are no headers.
    is_http2: bool,
    has_read: bool,
    timer: Option<Pin<Box<Sleep>>>,
    closing: Option<Closing>,
}

/// A connection whose sending side has ended.
#[derive(Debug)]
struct Closing {
    timer: Pin<Box<Sleep>>,
    patience: usize,
}

impl<T> Watched<T> {
    fn new((stream, owing): (T, Owing), running: Arc<AtomicUsize>, place: Place) -> Self {
        Self {
            stream,
            running,
            _place: place,
            last_activity: Instant::now(),
            owing,
            stalled_since: None,
            is_http2: false,
            has_read: false,
            timer: None,
            closing: None,
        }
    }

    /// When this connection is over if nothing happens; `None` while a request is being worked on.
    fn deadline(&self) -> Option<Instant> {
        if let Some(since) = self.stalled_since {
            return Some(since + STALLED);
        }
        if self.running.load(Ordering::Relaxed) > 0 {
            return None;
        }
        match self.owing.since() {
            Some(since) => Some(since + HEADER),
            None => Some(self.last_activity + IDLE),
        }
    }

    /// Fails when the deadline is past; else sees to it that this is asked again by then.
    fn watch(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        loop {
            let now = Instant::now();
            let due = self.deadline();
            if due.is_some_and(|due| due <= now) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not get on"));
            }
            // While a request runs, look again after the longest time.
            let due = due.unwrap_or(now + IDLE);
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.is_elapsed() || timer.deadline() > due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
        }
    }

    fn has_read(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let now = Instant::now();
        if !self.has_read {
            self.has_read = true;
            self.is_http2 = bytes.starts_with(b"PRI");
        }
        self.last_activity = now;
        if self.is_http2 {
            self.owing.end();
        } else if self.running.load(Ordering::Relaxed) == 0 {
            self.owing.begin(now);
        }
    }

    /// An answer went out: what came in before belongs to it.
    fn has_written(&mut self, written: usize) {
        if written > 0 {
            self.last_activity = Instant::now();
            self.stalled_since = None;
            self.owing.end();
        }
    }

    fn is_stalled(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.stalled_since.get_or_insert_with(Instant::now);
        self.watch(context)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            this.has_read(buffer.filled().get(before..).unwrap_or_default());
            return Poll::Ready(result);
        }
        this.watch(context)?;
        Poll::Pending
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(result) => {
                this.has_written(*result.as_ref().unwrap_or(&0));
                Poll::Ready(result)
            }
            Poll::Pending => this.is_stalled(context).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write_vectored(context, slices) {
            Poll::Ready(result) => {
                this.has_written(*result.as_ref().unwrap_or(&0));
                Poll::Ready(result)
            }
            Poll::Pending => this.is_stalled(context).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    /// Ends our side, then lets the peer's remaining bytes drain away: closing over unread bytes resets the connection,
    /// and the peer might never see why its request was refused (RFC 9112 §9.6).
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let closing =
            this.closing.get_or_insert_with(|| Closing { timer: Box::pin(sleep(LINGER)), patience: LINGER_BYTES });
        let mut sink = [0; 8 * 1024];
        while closing.patience > 0 && closing.timer.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut sink);
            // However the peer's side ends, it has ended.
            if ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)).is_err() || buffer.filled().is_empty()
            {
                break;
            }
            closing.patience = closing.patience.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::http::gate::Owed;

    fn connection() -> (DuplexStream, Watched<DuplexStream>, Arc<AtomicUsize>) {
        let (peer, ours) = duplex(64);
        let running = Arc::new(AtomicUsize::new(0));
        (
            peer,
            Watched::new((ours, Owed::default().owing()), Arc::clone(&running), Place::take(&Arc::default())),
            running,
        )
    }

    async fn seconds_until_timeout(watched: &mut Watched<DuplexStream>) -> u64 {
        let started = Instant::now();
        let error = watched.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        started.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_says_nothing_has_10_seconds() {
        let (_peer, mut watched, _) = connection();
        assert_eq!(seconds_until_timeout(&mut watched).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_drips_has_10_seconds() {
        let (mut peer, mut watched, _) = connection();
        tokio::spawn(async move {
            loop {
                peer.write_all(b"a").await.unwrap();
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        });
        assert_eq!(seconds_until_timeout(&mut watched).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn after_an_answer_a_connection_may_rest_for_75_seconds_and_drip_for_10() {
        let (mut peer, mut watched, running) = connection();
        peer.write_all(b"GET /").await.unwrap();
        watched.read_exact(&mut [0; 5]).await.unwrap();
        running.store(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(20)).await;
        watched.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        running.store(0, Ordering::Relaxed);
        assert!(tokio::time::timeout(Duration::from_secs(70), watched.read_u8()).await.is_err());

        peer.write_all(b"G").await.unwrap();
        watched.read_u8().await.unwrap();
        assert_eq!(seconds_until_timeout(&mut watched).await, 10);
        watched.write_all(b"HTTP/1.1 400").await.unwrap();
        assert_eq!(seconds_until_timeout(&mut watched).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_request_is_worked_on_nobody_is_hurried() {
        let (mut peer, mut watched, running) = connection();
        peer.write_all(b"GET /").await.unwrap();
        watched.read_exact(&mut [0; 5]).await.unwrap();
        running.store(1, Ordering::Relaxed);
        assert!(tokio::time::timeout(Duration::from_mins(5), watched.read_u8()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_the_answer_has_30_seconds() {
        let (_peer, mut watched, running) = connection();
        running.store(1, Ordering::Relaxed);
        let started = Instant::now();
        let error = watched.write_all(&[b'a'; 1024]).await.unwrap_err();
        assert_eq!((error.kind(), started.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn closing_waits_a_little_for_the_peer_to_be_done() {
        let (mut peer, mut watched, _) = connection();
        let started = Instant::now();
        let (sent, closed) = tokio::join!(
            async move {
                for _ in 0..1024 {
                    peer.write_all(&[b'a'; 64]).await?;
                }
                io::Result::Ok(())
            },
            watched.shutdown()
        );
        sent.and(closed).unwrap();
        assert_eq!(started.elapsed().as_secs(), 0);

        let (_silent, mut watched, _) = connection();
        watched.shutdown().await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn frames_of_http2_are_no_headers() {
        let (mut peer, mut watched, _) = connection();
        peer.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        watched.read_exact(&mut [0; 24]).await.unwrap();
        assert_eq!(seconds_until_timeout(&mut watched).await, 75);
    }

    #[tokio::test]
    async fn connections_over_the_limit_are_told_to_come_back() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let watch = Watch::new(1);
        let connect = || async {
            let peer = TcpStream::connect(address).await.unwrap();
            let (ours, _) = listener.accept().await.unwrap();
            let arrival = Arrival { stream: ours, owing: Owed::default().owing() };
            (peer, watch.accept(arrival, ()).await)
        };
        let (_first, kept) = connect().await;
        let kept = kept.unwrap();
        let (mut second, refused) = connect().await;
        assert!(refused.is_err());
        let mut told = String::new();
        second.read_to_string(&mut told).await.unwrap();
        assert!(told.starts_with("HTTP/1.1 503") && told.contains("Retry-After: 5"), "{told}");
        drop(kept);
        assert!(connect().await.1.is_ok(), "there is a place again");
    }
}
