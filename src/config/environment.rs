//! Settings from the environment: `SYMBOLON__TOKENS__ACCESS_LIFETIME=15m` is `tokens.access_lifetime`.
//!
//! *Why not figment's own provider:* it guesses types, so that a secret of digits becomes a number and loses its leading zeros.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::error::ConfigError;

/// What the names of our variables begin with.
const PREFIX: &str = "SYMBOLON__";
/// The name under which values from here show in an error.
pub(super) const NAME: &str = "environment";

/// The variables of ours, as a tree of texts.
#[derive(Debug, Default)]
pub(super) struct Environment(Dict);

impl Environment {
    /// Picks ours out of all variables.
    ///
    /// # Errors
    /// When a variable is both a value and a section.
    pub(super) fn new(all: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut tree = Self::default();
        for (name, value) in all {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let path = path.to_ascii_lowercase();
                let keys: Vec<&str> = path.split("__").collect();
                insert(&mut tree.0, &keys, value).ok_or_else(|| {
                    ConfigError::new(keys.join("."), format!("the variable {name} sets both a value and keys below it"))
                })?;
            }
        }
        Ok(tree)
    }
}

/// The variable that sets `path`.
pub(super) fn variable(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join("__").to_ascii_uppercase())
}

fn insert(tree: &mut Dict, keys: &[&str], value: &str) -> Option<()> {
    let (first, rest) = keys.split_first()?;
    if rest.is_empty() {
        return tree.insert((*first).to_owned(), Value::from(value)).is_none().then_some(());
    }
    let below = tree.entry((*first).to_owned()).or_insert_with(|| Value::from(Dict::new()));
    match below {
        Value::Dict(_, below) => insert(below, rest, value),
        _ => None,
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(NAME)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from_iter([(Profile::Default, self.0.clone())]))
    }
}
