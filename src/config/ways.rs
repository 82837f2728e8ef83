//! One way or several, in the order they are tried: `transport = "smtp"`, `transport = ["smtp", "http"]`; in a variable
//! `smtp,http`.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What stands in the file, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Written<T> {
    One(T),
    Several(Vec<T>),
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    deserializer.deserialize_any(Ways(PhantomData)).map(Some)
}

struct Ways<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Ways<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name, or a list of names")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| T::deserialize(StrDeserializer::<E>::new(name))).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut ways = Vec::new();
        while let Some(way) = list.next_element()? {
            ways.push(way);
        }
        Ok(ways)
    }
}
