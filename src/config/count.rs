//! Numbers of things: `50`, or `"50"` as the environment has it.

use serde::{Deserialize, Deserializer};

/// More than that is a mistake.
const MAX: u32 = 1_000_000;

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }
    let number = match Written::deserialize(deserializer)? {
        Written::Number(number) => u32::try_from(number).ok(),
        Written::Text(text) => text.parse().ok(),
    };
    number
        .filter(|number| (1..=MAX).contains(number))
        .ok_or_else(|| serde::de::Error::custom(format!("is not a number of things: write one from 1 to {MAX}")))
}
