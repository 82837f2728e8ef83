//! Where a secret stands: in the settings, in a file, or in a variable.
//!
//! `token = "…"`, `token = { file = "/run/secrets/token" }` or `token = { env = "TOKEN" }`; as one text `"file:/run/secrets/token"` or
//! `"env:TOKEN"`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::ConfigError;
use crate::protocol::secret::Secret;

/// A secret, or where to find it.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Here.
    Value(Secret),
    /// The content of a file, without the line break at its end.
    File(PathBuf),
    /// The value of a variable.
    Variable(String),
}

impl SecretSource {
    /// The secret itself; `key` is the path of the setting.
    ///
    /// # Errors
    /// [`ConfigError`] when there is none, or an empty one.
    pub fn read(&self, key: &str, environment: &BTreeMap<String, String>) -> Result<Secret, ConfigError> {
        let secret = match self {
            Self::Value(secret) => secret.clone(),
            Self::File(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    ConfigError::new(key, format!("the file {} cannot be read: {error}", file.display()))
                })?;
                Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            Self::Variable(name) => environment
                .get(name)
                .map(|value| Secret::from(value.as_str()))
                .ok_or_else(|| ConfigError::new(key, format!("the variable {name} is not set")))?,
        };
        if secret.expose().is_empty() {
            return Err(ConfigError::new(key, "is empty; write a long random text, or leave the key out"));
        }
        Ok(secret)
    }
}

/// Where it stands, never what it is.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("…"),
            Self::File(file) => write!(f, "file:{}", file.display()),
            Self::Variable(name) => write!(f, "env:{name}"),
        }
    }
}

/// As [`Display`](fmt::Display): settings can be shown without a thought.
impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let only = |name: &str| serde_json::json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name], "additionalProperties": false});
        json_schema!({"writeOnly": true, "anyOf": [{"type": "string"}, only("file"), only("env")]})
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, { file = \"…\" } or { env = \"…\" }")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<SecretSource, E> {
        Ok(if let Some(file) = value.strip_prefix("file:") {
            SecretSource::File(file.into())
        } else if let Some(name) = value.strip_prefix("env:") {
            SecretSource::Variable(name.to_owned())
        } else {
            SecretSource::Value(Secret::from(value))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let source = match map.next_key::<String>()?.as_deref() {
            Some("file") => SecretSource::File(map.next_value()?),
            Some("env") => SecretSource::Variable(map.next_value()?),
            Some(other) => return Err(Error::unknown_field(other, &["file", "env"])),
            None => return Err(Error::missing_field("file")),
        };
        if map.next_key::<String>()?.is_some() {
            return Err(Error::custom("is set twice: write either file or env, and nothing else"));
        }
        Ok(source)
    }
}
