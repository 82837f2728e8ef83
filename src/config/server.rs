//! `[server]`: where it listens, and how it ends.
//!
//! PROTOCOL.md §3 (SIGTERM).

use std::time::Duration;

use serde::Deserialize;

use super::{duration, number};
use crate::http::proxy::{HopOrder, Peers, Proxies, ProxyHeaders, TrustedProxies};
use crate::http::serve::Listen;

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address for browsers and clients: `localhost:8080`, `0.0.0.0:8080`, `[::]:8080`.
    pub listen: Listen,
    /// The address for operators: health and version; keep it internal.
    pub operations: Listen,
    /// The proxies in front of it, as addresses or ranges (`10.0.0.0/8`): their `X-Forwarded-For` tells who calls, which limits
    /// count by. Nobody else's does.
    pub trusted_proxies: TrustedProxies,
    /// The headers in which they say it: `x-forwarded-for`, `forwarded` (RFC 7239), or one of their own; the first that is there.
    pub proxy_headers: ProxyHeaders,
    /// How many of them stand in a row, where that is fixed: exactly so many are passed over.
    #[serde(deserialize_with = "number::optional")]
    pub proxy_count: Option<usize>,
    /// At which end of the list they write: `appended` or `prepended`.
    pub proxy_order: HopOrder,
    /// Refuses everybody who does not come through one of them.
    #[serde(deserialize_with = "number::switch")]
    pub proxy_strict: bool,
    /// How long requests in flight may go on at the end. Docker kills after 10 s, Kubernetes after 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::localhost(8080),
            operations: "127.0.0.1:9090".parse().expect("it is an address"),
            trusted_proxies: TrustedProxies::default(),
            proxy_headers: ProxyHeaders::default(),
            proxy_count: None,
            proxy_order: HopOrder::default(),
            proxy_strict: false,
            drain: Duration::from_secs(25),
        }
    }
}

impl Server {
    /// What proxies are believed.
    pub fn proxies(&self) -> Proxies {
        Proxies {
            trusted: self.trusted_proxies.clone(),
            headers: self.proxy_headers.clone(),
            count: self.proxy_count,
            order: self.proxy_order,
            peers: if self.proxy_strict { Peers::ProxiesOnly } else { Peers::Any },
        }
    }
}
