//! `[server]`: where it listens, and how it ends.
//!
//! PROTOCOL.md §3 (SIGTERM).

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{duration, number};
use crate::http::proxy::{HopOrder, Peers, Proxies, ProxyHeaders, TrustedProxies};
use crate::http::serve::Listen;

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Where browsers and clients connect: `localhost:8080`, `0.0.0.0:8080`, `[::]:8080`
    #[schemars(with = "String")]
    pub listen: Listen,
    /// Where operators connect: `/livez`, `/readyz`, `/metrics`, `/version`; keep it internal
    #[schemars(with = "String")]
    pub operations: Listen,
    /// A list of proxies, addresses or ranges such as `"10.0.0.0/8"`, whose `X-Forwarded-For` tells who calls; nobody else's does
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: TrustedProxies,
    /// Where they say it: a list of headers, of which the first that is there is read; `forwarded` is RFC 7239
    #[schemars(with = "Vec<String>")]
    pub proxy_headers: ProxyHeaders,
    /// How many of them stand in a row, where that is fixed: exactly so many are passed over
    #[serde(deserialize_with = "number::optional")]
    pub proxy_count: Option<usize>,
    /// At which end of the list a proxy writes the address it saw: `appended` or `prepended`
    #[schemars(with = "String")]
    pub proxy_order: HopOrder,
    /// Who may connect: `any`, or `proxies_only`
    #[schemars(with = "String")]
    pub peers: Peers,
    /// How long requests in flight may go on after SIGTERM; Docker kills after 10 s, Kubernetes after 30 s
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub drain: Duration,
    /// TLS of its own, where no proxy stands in front
    pub tls: Tls,
}

/// `[server.tls]`
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate chain in PEM, the server's own first; read again when the file changes
    pub certificate: Option<PathBuf>,
    /// Its private key in PEM, mode 0600
    pub key: Option<PathBuf>,
}

impl Tls {
    /// Both files, when TLS is spoken here.
    pub fn files(&self) -> Option<(PathBuf, PathBuf)> {
        self.certificate.clone().zip(self.key.clone())
    }
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
            peers: Peers::default(),
            // With the half second before it, below the 10 s of Docker.
            drain: Duration::from_secs(7),
            tls: Tls::default(),
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
            peers: self.peers,
        }
    }
}
