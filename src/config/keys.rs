//! `[keys]`: what seals signing keys and secrets in the database.
//!
//! PROTOCOL.md O1.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::secret::SecretSource;
use super::{ConfigError, duration};
use crate::edge::vault::master_key::MasterKeySource;

/// `[keys]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The file of the master key, which seals signing keys and secrets in the database; mode 0600, made at the first start
    pub master_key_file: PathBuf,
    /// In place of the file: `{ env = "NAME" }`, or `{ command = ["pass", "show", "symbolon"] }` with what the command prints
    pub master_key: Option<MasterKey>,
    /// How long a key signs before the next one, published in advance, takes over
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub rotate_every: Duration,
}

/// Where a master key is that is in no file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum MasterKey {
    /// The value of a variable.
    Env(String),
    /// What a command prints: the program and its arguments.
    Command(Vec<String>),
}

/// Where it stands; the arguments of a command may tell too much.
impl fmt::Display for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Command(words) => write!(f, "command:{}", words.first().map_or("", String::as_str)),
        }
    }
}

/// As [`Display`](fmt::Display): settings can be shown without a thought.
impl Serialize for MasterKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for MasterKey {
    fn schema_name() -> Cow<'static, str> {
        "MasterKey".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let only = |name: &str, value: Value| json!({"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": false});
        let words = json!({"type": "array", "items": {"type": "string"}, "minItems": 1});
        json_schema!({"anyOf": [only("env", json!({"type": "string"})), only("command", words)]})
    }
}

impl Keys {
    /// Where the master keys are.
    ///
    /// # Errors
    /// When the variable is not set, or no command is named.
    pub fn source(&self, environment: &BTreeMap<String, String>) -> Result<MasterKeySource, ConfigError> {
        let key = "keys.master_key";
        match &self.master_key {
            None => Ok(MasterKeySource::File(self.master_key_file.clone())),
            Some(_) if self.master_key_file != Self::default().master_key_file => {
                Err(ConfigError::new(key, "is set beside keys.master_key_file; leave one of them out"))
            }
            Some(MasterKey::Env(name)) => {
                let text = SecretSource::Variable(name.clone()).read(key, environment)?;
                Ok(MasterKeySource::Text { origin: format!("the variable {name}"), text })
            }
            Some(MasterKey::Command(words)) if words.first().is_some_and(|program| !program.is_empty()) => {
                Ok(MasterKeySource::Command(words.clone()))
            }
            Some(MasterKey::Command(_)) => Err(ConfigError::new(key, "names no command")),
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { master_key_file: "symbolon.key".into(), master_key: None, rotate_every: Duration::from_hours(90 * 24) }
    }
}
