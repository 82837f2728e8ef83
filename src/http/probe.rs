//! What the server saw of a request that `symbolon doctor` sent through the front door, told to operators alone.
//!
//! PROTOCOL.md O5: whether a proxy stands in between, and whether its word on the caller is heard, shows only from inside.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use crate::http::proxy::{Proxies, X_FORWARDED_FOR};

/// The header that names a probe: 32 hexadecimal digits. Anybody may send it; it changes nothing but what is kept here.
pub const SYMBOLON_PROBE: HeaderName = HeaderName::from_static("symbolon-probe");
/// The most probes that are remembered.
const ROOM: usize = 16;
/// As much of a header as is kept.
const MAX_HEADER: usize = 200;

/// What was seen of one request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Whether `server.trusted_proxies` lists it.
    pub peer_is_trusted: bool,
    /// `X-Forwarded-For`, as it arrived.
    pub forwarded: Option<String>,
    /// Whom limits would count.
    pub caller: IpAddr,
}

/// The last probes. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Probes(Arc<Mutex<VecDeque<(String, Seen)>>>);

impl Probes {
    /// Remembers a request, if it is a probe.
    pub fn note(&self, headers: &HeaderMap, peer: IpAddr, proxies: &Proxies) {
        let id = headers.get(SYMBOLON_PROBE).and_then(|id| id.to_str().ok());
        let is_id = |id: &&str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(id) = id.filter(is_id) else { return };
        let forwarded: Vec<&str> =
            headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
        let seen = Seen {
            peer: peer.to_canonical(),
            peer_is_trusted: proxies.trusted.contains(peer),
            forwarded: (!forwarded.is_empty()).then(|| forwarded.join(", ").chars().take(MAX_HEADER).collect()),
            caller: proxies.caller(peer, headers),
        };
        let mut seen_before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen_before.truncate(ROOM - 1);
        seen_before.push_front((id.to_owned(), seen));
    }

    /// What was seen of the probe `id`.
    pub fn seen(&self, id: &str) -> Option<Seen> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|(noted, _)| noted == id).map(|(_, seen)| seen.clone())
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_probes_are_remembered_and_only_a_few() {
        let (probes, proxies) = (Probes::default(), Proxies::default());
        let sent = |id: &str| {
            let id = HeaderValue::from_str(id).unwrap();
            let headers = HeaderMap::from_iter([
                (SYMBOLON_PROBE, id),
                (X_FORWARDED_FOR, HeaderValue::from_static("203.0.113.7")),
            ]);
            probes.note(&headers, [192, 0, 2, 1].into(), &proxies);
        };
        for number in 0..20 {
            sent(&format!("{number:032x}"));
        }
        sent("short");
        assert!(probes.seen("short").is_none() && probes.seen(&format!("{:032x}", 3)).is_none());
        let seen = probes.seen(&format!("{:032x}", 19)).unwrap();
        assert_eq!((seen.forwarded.as_deref(), seen.peer_is_trusted), (Some("203.0.113.7"), false));
        assert_eq!(seen.caller, seen.peer);
    }
}
