//! The service manager: sockets it hands out, and what it is told.
//!
//! systemd: `sd_notify(3)`, `sd_listen_fds(3)`. Without one, every call does nothing.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use listenfd::ListenFd;

use crate::http::serve::{BindError, Bound};

/// What a service manager is told.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It answers, also after a reload.
    Ready,
    /// It reads its settings again.
    Reloading,
    /// It is about to end.
    Stopping,
    /// It still turns.
    Watchdog,
}

/// Tells the service manager, if there is one. That it does not hear is no reason to stop.
pub fn notify(state: State) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let words = match state {
        State::Ready => "READY=1",
        State::Reloading => "RELOADING=1",
        State::Stopping => "STOPPING=1",
        State::Watchdog => "WATCHDOG=1",
    };
    if let Err(error) = send(path.as_encoded_bytes(), words.as_bytes()) {
        tracing::warn!(%error, "the service manager was not told {words}");
    }
}

/// A path, or a name in the abstract namespace after `@`.
fn send(path: &[u8], words: &[u8]) -> std::io::Result<()> {
    let address = match path.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::path::Path::new(&*String::from_utf8_lossy(path)))?,
    };
    UnixDatagram::unbound()?.send_to_addr(words, &address).map(|_| ())
}

/// Tells at half of the time that the service manager allows that the process still turns.
pub fn keep_watch() {
    let Some(half) = watchdog(std::env::var("WATCHDOG_USEC").ok().as_deref()) else { return };
    tokio::spawn(async move {
        let mut turns = tokio::time::interval(half);
        loop {
            turns.tick().await;
            notify(State::Watchdog);
        }
    });
}

fn watchdog(microseconds: Option<&str>) -> Option<Duration> {
    let allowed = microseconds?.parse().ok().filter(|allowed| *allowed > 0)?;
    Some(Duration::from_micros(allowed) / 2)
}

/// Sockets that were handed out: the public ones, and those called `operations` (`FileDescriptorName=operations`).
#[derive(Debug, Default)]
pub struct Inherited {
    /// For browsers and clients.
    pub public: Option<Bound>,
    /// For operators.
    pub operations: Option<Bound>,
}

impl Inherited {
    /// Takes them over; nothing where none were handed out.
    ///
    /// # Errors
    /// [`BindError`] when one is no TCP socket that listens.
    pub fn take() -> Result<Self, BindError> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut handed = ListenFd::from_env();
        let (mut public, mut operations) = (Vec::new(), Vec::new());
        for index in 0..handed.len() {
            let name = names.next().unwrap_or_default();
            let taken = handed.take_tcp_listener(index);
            let socket =
                taken.map_err(|source| BindError { address: format!("the inherited socket {name}"), source })?;
            let side = if name == "operations" { &mut operations } else { &mut public };
            side.extend(socket);
        }
        let bound = |sockets: Vec<_>| if sockets.is_empty() { Ok(None) } else { Bound::inherit(sockets).map(Some) };
        Ok(Self { public: bound(public)?, operations: bound(operations)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_a_path_and_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let heard = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str().as_encoded_bytes(), b"READY=1").unwrap();
        let name = path.display().to_string();
        let abstracted = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(format!("@{name}").as_bytes(), b"STOPPING=1").unwrap();
        for (socket, expected) in [(heard, "READY=1"), (abstracted, "STOPPING=1")] {
            let mut words = [0; 32];
            let length = socket.recv(&mut words).unwrap();
            assert_eq!(&words[..length], expected.as_bytes());
        }
        assert!(send(b"/nowhere/notify", b"READY=1").is_err());
    }

    #[test]
    fn a_watch_is_kept_at_half_the_time() {
        assert_eq!(watchdog(Some("30000000")), Some(Duration::from_secs(15)));
        for none in [None, Some(""), Some("0"), Some("soon")] {
            assert_eq!(watchdog(none), None);
        }
    }
}
