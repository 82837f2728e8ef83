//! `[ephemeral]`: where requests under way wait, and where tries are counted.
//!
//! ARCHITECTURE.md §4.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::secret::SecretSource;
use crate::protocol::secret::Secret;

/// `[ephemeral]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ephemeral {
    /// A Redis that all nodes share: `redis://user:password@host:6379/0`, `rediss://` with TLS, `redis+cluster://host:7000,host:7001`,
    /// `redis+sentinel://host:26379,host:26379/mymaster`; without it the database does its work
    pub url: Option<SecretSource>,
    /// Certificates (PEM): over TLS, Redis must show one that was issued by one of them
    pub ca_file: Option<PathBuf>,
}

/// The kinds of Redis.
const SCHEMES: [&str; 6] =
    ["redis://", "rediss://", "redis+cluster://", "rediss+cluster://", "redis+sentinel://", "rediss+sentinel://"];

impl Ephemeral {
    /// The certificates of `ca_file`.
    ///
    /// # Errors
    /// When it cannot be read, or says nothing because there is no Redis.
    pub fn ca(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let key = "ephemeral.ca_file";
        if self.ca_file.is_some() && self.url.is_none() {
            return Err(ConfigError::new(key, "has no effect without ephemeral.url; leave it out"));
        }
        self.ca_file.as_deref().map(|file| super::database::certificates(key, file)).transpose()
    }

    /// True when what waits travels over a network in the open: no TLS, and not to this machine alone.
    pub fn travels_openly(&self, environment: &BTreeMap<String, String>) -> bool {
        let Ok(Some(url)) = self.redis(environment) else { return false };
        let Some((scheme, rest)) = url.expose().split_once("://") else { return false };
        let hosts = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = hosts.rsplit_once('@').map_or(hosts, |(_, hosts)| hosts);
        !scheme.starts_with("rediss") && !hosts.split(',').all(is_near)
    }

    /// The URL of Redis, if one is named.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn redis(&self, environment: &BTreeMap<String, String>) -> Result<Option<Secret>, ConfigError> {
        let Some(source) = &self.url else { return Ok(None) };
        let key = "ephemeral.url";
        let url = source.read(key, environment)?;
        if SCHEMES.iter().any(|scheme| url.expose().strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
            return Ok(Some(url));
        }
        Err(ConfigError::new(
            key,
            "must be like redis://host:6379, rediss://host:6380, redis+cluster://host:7000,host:7001 or \
             redis+sentinel://host:26379,host:26379/mymaster",
        ))
    }
}

/// True for a host, with its port perhaps, that is this machine.
fn is_near(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_without_tls_travels_openly() {
        for (url, openly) in [
            ("redis://localhost:6379/0", false),
            ("redis://user:p@ss@127.0.0.1:6379", false),
            ("redis://[::1]:6379", false),
            ("rediss://cache.example.com:6380", false),
            ("rediss+cluster://a:7000,b:7001", false),
            ("redis://cache.example.com", true),
            ("redis://:secret@10.0.0.7:6379/0", true),
            ("redis+cluster://localhost:7000,10.0.0.8:7001", true),
            ("redis+sentinel://a:26379,b:26379/mymaster", true),
        ] {
            let url = Some(SecretSource::Value(Secret::from(url)));
            let ephemeral = Ephemeral { url: url.clone(), ca_file: None };
            assert_eq!(ephemeral.travels_openly(&BTreeMap::new()), openly, "{url:?}");
        }
    }
}
