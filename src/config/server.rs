//! `[server]`: where it listens, and how it ends.
//!
//! PROTOCOL.md §3 (SIGTERM).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use crate::http::proxy::TrustedProxies;
use crate::http::serve::Listen;

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Where browsers and clients connect: `localhost:8080`, `0.0.0.0:8080`, `[::]:8080`
    #[schemars(with = "String")]
    pub listen: Listen,
    /// Where operators connect: `/livez`, `/readyz`, `/version`; keep it internal
    #[schemars(with = "String")]
    pub operations: Listen,
    /// A list of proxies, addresses or ranges such as `"10.0.0.0/8"`, whose `X-Forwarded-For` tells who calls; nobody else's does
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: TrustedProxies,
    /// How long requests in flight may go on after SIGTERM; Docker kills after 10 s, Kubernetes after 30 s
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::localhost(8080),
            operations: "127.0.0.1:9090".parse().expect("it is an address"),
            trusted_proxies: TrustedProxies::default(),
            // With the half second before it, below the 10 s of Docker.
            drain: Duration::from_secs(8),
        }
    }
}
