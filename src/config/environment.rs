//! Settings from the environment: `SYMBOLON__TOKENS__ACCESS_LIFETIME=15m` is `tokens.access_lifetime`; a secret may also come from
//! the file that `SYMBOLON__CLIENT_REGISTRATION__TOKEN_FILE` names, as orchestrators hand them out.
//!
//! *Why not figment's own provider:* it guesses types, so that a secret of digits becomes a number and loses its leading zeros.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::error::ConfigError;
use super::reference;

/// What the names of our variables begin with.
const PREFIX: &str = "SYMBOLON__";
/// The name under which values from here show in an error.
pub(super) const NAME: &str = "environment";

/// What the name of a variable ends with that names a file with the secret.
const FILE: &str = "_file";

/// The variables of ours, as a tree of texts.
#[derive(Debug, Default)]
pub(super) struct Environment {
    tree: Dict,
    files: Vec<(String, String)>,
}

impl Environment {
    /// Picks ours out of all variables.
    ///
    /// # Errors
    /// When a variable is both a value and a section.
    pub(super) fn new(all: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut read = Self::default();
        for (name, value) in all {
            let Some(path) = name.strip_prefix(PREFIX) else { continue };
            let path = path.to_ascii_lowercase();
            let keys: Vec<&str> = path.split("__").collect();
            if let Some(secret) = keys.join(".").strip_suffix(FILE).filter(|key| reference::is_secret(key)) {
                read.files.push((secret.to_owned(), name.clone()));
                continue;
            }
            insert(&mut read.tree, &keys, Value::from(value.as_str())).ok_or_else(|| {
                ConfigError::new(keys.join("."), format!("the variable {name} sets both a value and keys below it"))
            })?;
        }
        for (key, name) in &read.files {
            let file = all.get(name).map(String::as_str).unwrap_or_default();
            let source = Value::from(Dict::from([("file".to_owned(), Value::from(file))]));
            let keys: Vec<&str> = key.split('.').collect();
            insert(&mut read.tree, &keys, source).ok_or_else(|| {
                let plain = name.get(..name.len() - FILE.len()).unwrap_or_default();
                ConfigError::new(key, format!("is set twice: by {plain} and by {name}; leave one of them out"))
            })?;
        }
        Ok(read)
    }

    /// The secrets whose variable ends in `_FILE`: key and variable.
    pub(super) fn named_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(key, name)| (key.as_str(), name.as_str()))
    }
}

/// The variable that sets `path`.
pub(super) fn variable(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join("__").to_ascii_uppercase())
}

/// Puts `value` at the path `keys`; `None` when something stands in its way.
pub(super) fn insert(tree: &mut Dict, keys: &[&str], value: Value) -> Option<()> {
    let (first, rest) = keys.split_first()?;
    if rest.is_empty() {
        return tree.insert((*first).to_owned(), value).is_none().then_some(());
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
        Ok(Map::from_iter([(Profile::Default, self.tree.clone())]))
    }
}
