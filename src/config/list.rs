//! Lists of texts: `["a", "b"]`, or `a, b` as the environment has it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A list of texts; empty by default.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct List(pub Vec<String>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            List(Vec<String>),
        }
        let written =
            Written::deserialize(deserializer).map_err(|_| serde::de::Error::custom("must be a list of texts"))?;
        let texts: Vec<String> = match written {
            Written::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Written::List(texts) => texts,
        };
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(serde::de::Error::custom("holds an empty text"));
        }
        Ok(Self(texts))
    }
}
