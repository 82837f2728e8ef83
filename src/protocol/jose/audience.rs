//! The `aud` claim: one string, or a list of strings.
//!
//! RFC 7519 §4.1.3. For `#[serde(with = "audience")]` on a `Vec<String>`.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

/// Whoever is meant is among few.
const MAX_MEMBERS: usize = 64;

/// One audience becomes a string, several become a list.
pub(in crate::protocol) fn serialize<S: Serializer>(audience: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match audience {
        [one] => one.serialize(serializer),
        several => several.serialize(serializer),
    }
}

/// Reads either form; an empty list, anything but strings and more than 64 members are refused.
pub(in crate::protocol) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(Audience)
}

struct Audience;

impl<'de> Visitor<'de> for Audience {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, one: &str) -> Result<Vec<String>, E> {
        Ok(vec![one.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<String>, A::Error> {
        let mut audience = Vec::new();
        while let Some(member) = elements.next_element::<String>()? {
            if audience.len() == MAX_MEMBERS {
                return Err(A::Error::custom("too many audiences"));
            }
            audience.push(member);
        }
        if audience.is_empty() {
            return Err(A::Error::custom("an empty audience"));
        }
        Ok(audience)
    }
}
