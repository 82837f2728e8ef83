//! `[server]`: where it listens, and how it ends.
//!
//! PROTOCOL.md §3 (SIGTERM).

use std::time::Duration;

use serde::Deserialize;

use super::duration;
use crate::http::proxy::TrustedProxies;
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
            drain: Duration::from_secs(25),
        }
    }
}
