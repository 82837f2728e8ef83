//! `[ephemeral]`: where requests under way wait, and where tries are counted.
//!
//! ARCHITECTURE.md §4.

use std::collections::BTreeMap;
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
