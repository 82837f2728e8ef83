//! A listening socket that is closed to newcomers while those who came before are served.
//!
//! PROTOCOL.md §3 (SIGTERM: no request is cut).
//!
//! *Why:* axum-server goes on accepting after it was told to end, and closes what it then accepts unread. Here the end begins at the
//! socket: who stands in its queue is let in, then it is closed, and only when everybody who was let in has said what they want, or had
//! the time to, are connections told to end.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum_server::{AddrListener, Address};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

use super::serve::BACKLOG;

/// Who is at the other end of a connection.
#[derive(Copy, Clone, Debug)]
pub struct Peer(pub SocketAddr);

impl Address for Peer {
    type Stream = Arrival;
    type Listener = Gate;
}

/// A connection nobody has looked at yet.
#[derive(Debug)]
pub struct Arrival {
    pub(super) stream: TcpStream,
    pub(super) owing: Owing,
}

/// What becomes of those who stand in the queue of a socket when it is closed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Queue {
    /// They are let in: the socket goes with us.
    LetIn,
    /// They wait for the next process: a service manager keeps the socket.
    Left,
}

/// A listening socket.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    socket: Mutex<Socket>,
    closing: watch::Receiver<bool>,
    owed: Owed,
}

#[derive(Debug)]
enum Socket {
    /// Dropping `open` tells that the socket is closed.
    Open {
        listener: TcpListener,
        queue: Queue,
        open: mpsc::Sender<()>,
    },
    /// So many more may be let in.
    Closing {
        listener: std::net::TcpListener,
        left: u32,
        _open: mpsc::Sender<()>,
    },
    Closed,
}

impl AddrListener<Arrival, Peer> for Gate {
    /// Sockets are bound before anything is served; see [`super::serve::Bound`].
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(Arrival, Peer)> {
        let mut socket = self.socket.lock().await;
        if let Socket::Open { listener, .. } = &*socket {
            let mut closing = self.closing.clone();
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => {}
                accepted = listener.accept() => return accepted.map(|(stream, peer)| self.let_in(stream, peer)),
            }
            *socket = std::mem::replace(&mut *socket, Socket::Closed).closing()?;
        }
        if let Socket::Closing { listener, left, .. } = &mut *socket
            && *left > 0
        {
            *left -= 1;
            match listener.accept() {
                Ok((stream, peer)) => {
                    stream.set_nonblocking(true)?;
                    return Ok(self.let_in(TcpStream::from_std(stream)?, peer));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A peer that has gone again, or a want of files: it is asked again.
                Err(error) => return Err(error),
            }
        }
        *socket = Socket::Closed;
        drop(socket);
        std::future::pending().await
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        Ok(Peer(self.address))
    }
}

impl Gate {
    fn let_in(&self, stream: TcpStream, peer: SocketAddr) -> (Arrival, Peer) {
        (Arrival { stream, owing: self.owed.owing() }, Peer(peer))
    }
}

impl Socket {
    fn closing(self) -> io::Result<Self> {
        match self {
            // Asked directly: tokio tells of arrivals later than the system. More than a queue holds came after the end.
            Self::Open { listener, queue: Queue::LetIn, open } => {
                Ok(Self::Closing { listener: listener.into_std()?, left: BACKLOG, _open: open })
            }
            Self::Open { queue: Queue::Left, .. } => Ok(Self::Closed),
            other => Ok(other),
        }
    }
}

/// The sockets of a server, closed together.
#[derive(Debug)]
pub(super) struct Gates {
    closing: watch::Sender<bool>,
    open: mpsc::Sender<()>,
    owed: Owed,
}

/// Done when every socket is closed.
#[derive(Debug)]
pub(super) struct Closed(mpsc::Receiver<()>);

impl Gates {
    pub(super) fn new() -> (Self, Closed) {
        let (open, closed) = mpsc::channel(1);
        let gates = Self { closing: watch::Sender::new(false), open, owed: Owed::default() };
        (gates, Closed(closed))
    }

    /// One more socket.
    ///
    /// # Errors
    /// When the system does not know its address.
    pub(super) fn gate(&self, listener: TcpListener, queue: Queue) -> io::Result<Gate> {
        let address = listener.local_addr()?;
        let socket = Mutex::new(Socket::Open { listener, queue, open: self.open.clone() });
        Ok(Gate { address, socket, closing: self.closing.subscribe(), owed: self.owed.clone() })
    }

    /// Closes every socket; returns when those who were let in have said what they want, or after `patience`.
    pub(super) async fn close(self, mut closed: Closed, patience: Duration) {
        let Self { closing, open, owed } = self;
        drop(open);
        let until = Instant::now() + patience;
        closing.send_replace(true);
        let all = async {
            while closed.0.recv().await.is_some() {}
            while owed.count() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout_at(until, all).await;
    }
}

/// How many connections owe us a request, or are about to be answered. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed(Arc<AtomicUsize>);

impl Owed {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A fresh connection, which owes us a request.
    pub(super) fn owing(&self) -> Owing {
        let mut owing = Owing { owed: self.clone(), since: None };
        owing.begin(Instant::now());
        owing
    }
}

/// Since when a connection owes us the rest of a request, if it does.
#[derive(Debug)]
pub(super) struct Owing {
    owed: Owed,
    since: Option<Instant>,
}

impl Owing {
    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// The first byte of a request is there, or is waited for.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.since.is_none() {
            self.since = Some(now);
            self.owed.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// It is paid, or the peer speaks HTTP/2, where others count.
    pub(super) fn end(&mut self) {
        if self.since.take().is_some() {
            self.owed.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Owing {
    fn drop(&mut self) {
        self.end();
    }
}
