//! Settings from the command line: `--setting tokens.access_lifetime=15m`. They stand above the environment.

use std::str::FromStr;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::environment::insert;
use super::error::ConfigError;
use super::reference;

/// The name under which values from here show in an error.
pub(super) const NAME: &str = "flags";

/// One setting of the command line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flag {
    key: String,
    value: String,
}

impl Flag {
    /// Sets `key`, a path such as `server.listen`, as a variable of the environment would.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

impl FromStr for Flag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self::new(key.trim(), value)),
            _ => Err("must be KEY=VALUE, such as tokens.access_lifetime=15m"),
        }
    }
}

/// All of them, as a tree of texts.
#[derive(Debug, Default)]
pub(super) struct Flags {
    tree: Dict,
}

impl Flags {
    /// # Errors
    /// When a key is set twice, when it is both a value and a section, or when a secret stands there as it is.
    pub(super) fn new(flags: &[Flag]) -> Result<Self, ConfigError> {
        let mut read = Self::default();
        for Flag { key, value } in flags {
            // Whoever is on the machine reads the arguments of every process.
            if reference::is_secret(key) && !["file:", "env:"].iter().any(|place| value.starts_with(place)) {
                let cure = format!(
                    "is a secret and does not belong on a command line; write --setting {key}=file:PATH or --setting {key}=env:NAME"
                );
                return Err(ConfigError::new(key, cure));
            }
            let keys: Vec<&str> = key.split('.').collect();
            insert(&mut read.tree, &keys, Value::from(value.as_str())).ok_or_else(|| {
                ConfigError::new(
                    key,
                    "is set twice by --setting, or as a value and as a section; leave one of them out",
                )
            })?;
        }
        Ok(read)
    }
}

/// What sets `path`.
pub(super) fn flag(path: &[String]) -> String {
    format!("--setting {}", path.join("."))
}

impl Provider for Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named(NAME)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from_iter([(Profile::Default, self.tree.clone())]))
    }
}
