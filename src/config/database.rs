//! `[database]`: where it remembers.
//!
//! ARCHITECTURE.md §9.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::secret::SecretSource;
use crate::protocol::secret::Secret;

/// `[database]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// The SQLite file, `symbolon.db` in the working folder if nothing is said; what expires is in a second one beside it
    pub path: Option<PathBuf>,
    /// In its place `postgres://user:password@host:5432/database`, for several nodes with one master key, or `sqlite:` and a path
    pub url: Option<SecretSource>,
    /// The most connections of one process to PostgreSQL; one more listens
    pub connections: u32,
    /// Certificates (PEM): PostgreSQL must show one that was issued by one of them, for the name in the URL
    pub ca_file: Option<PathBuf>,
}

impl Default for Database {
    fn default() -> Self {
        // PostgreSQL allows 100 in all unless it is told otherwise.
        Self { path: None, url: None, connections: 16, ca_file: None }
    }
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
    /// The certificates of `ca_file`.
    ///
    /// # Errors
    /// When it cannot be read, or says nothing because there is no PostgreSQL.
    pub fn ca(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let key = "database.ca_file";
        if self.ca_file.is_some() && self.url.is_none() {
            return Err(ConfigError::new(key, "has no effect without database.url; leave it out"));
        }
        self.ca_file.as_deref().map(|file| certificates(key, file)).transpose()
    }

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

/// The content of a file of certificates.
pub(super) fn certificates(key: &str, file: &Path) -> Result<Vec<u8>, ConfigError> {
    let text = std::fs::read(file)
        .map_err(|error| ConfigError::new(key, format!("the file {} cannot be read: {error}", file.display())))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    if !text.windows(begin.len()).any(|window| window == begin) {
        return Err(ConfigError::new(key, format!("the file {} holds no certificate in PEM", file.display())));
    }
    Ok(text)
}
