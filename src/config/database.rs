//! `[database]`: where it remembers.
//!
//! ARCHITECTURE.md §9.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::secret::SecretSource;
use crate::protocol::secret::Secret;

/// `[database]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// The SQLite file, `symbolon.db` in the working folder if nothing is said; what expires is in a second one beside it
    pub path: Option<PathBuf>,
    /// In its place `postgres://user:password@host:5432/database`, for several nodes with one master key, or `sqlite:` and a path
    pub url: Option<SecretSource>,
}

/// Which database that is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A URL of PostgreSQL.
    Postgres(Secret),
}

impl Database {
    /// The SQLite file; `None` on PostgreSQL.
    pub fn file(&self, environment: &BTreeMap<String, String>) -> Result<Option<PathBuf>, ConfigError> {
        Ok(match self.place(environment)? {
            Place::File(path) => Some(path),
            Place::Postgres(_) => None,
        })
    }

    /// Which database is meant.
    ///
    /// # Errors
    /// When both are set, or the URL is of another kind.
    pub fn place(&self, environment: &BTreeMap<String, String>) -> Result<Place, ConfigError> {
        let (key, path) = ("database.url", self.path.clone());
        let Some(source) = &self.url else {
            return Ok(Place::File(path.unwrap_or_else(|| "symbolon.db".into())));
        };
        if path.is_some() {
            return Err(ConfigError::new(key, "is set beside database.path; leave one of them out"));
        }
        let url = source.read(key, environment)?;
        match url.expose().split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Place::Postgres(url.clone())),
            Some(("sqlite", file)) if !file.trim_start_matches('/').is_empty() => {
                Ok(Place::File(file.strip_prefix("//").unwrap_or(file).into()))
            }
            _ => Err(ConfigError::new(
                key,
                "must be like postgres://user:password@host:5432/database, or sqlite:symbolon.db",
            )),
        }
    }
}
