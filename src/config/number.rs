//! Numbers; the environment writes them as texts.

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i64),
    Text(String),
}

/// A whole number from 0 on.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = match Written::deserialize(deserializer) {
        Ok(Written::Number(number)) => usize::try_from(number).ok(),
        Ok(Written::Text(text)) => text.parse().ok(),
        Err(_) => None,
    };
    number.ok_or_else(|| serde::de::Error::custom("must be a whole number"))
}

/// A number of things, from 1 to a million.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::try_from(whole(deserializer)?).ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| serde::de::Error::custom("must be a number from 1 to 1000000"))
}

/// [`whole`] where there may be none.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    whole(deserializer).map(Some)
}
