//! `[ephemeral]`: where requests under way wait, and where tries are counted.
//!
//! ARCHITECTURE.md §4.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::secret::SecretSource;
use crate::protocol::secret::Secret;

/// `[ephemeral]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ephemeral {
    /// A Redis that all nodes share: `redis://user:password@host:6379/0`, `rediss://` with TLS, `redis+cluster://host:7000,host:7001`;
    /// without it the database does its work
    pub url: Option<SecretSource>,
}

/// The kinds of Redis.
const SCHEMES: [&str; 4] = ["redis://", "rediss://", "redis+cluster://", "rediss+cluster://"];

impl Ephemeral {
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
            "must be like redis://host:6379, rediss://host:6380 or redis+cluster://host:7000,host:7001",
        ))
    }
}
