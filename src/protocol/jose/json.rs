//! JSON objects of strangers, read strictly.
//!
//! RFC 7515 §4, RFC 7519 §4 (member names are unique), RFC 8725 §3.6 and §3.7 (limits before work, UTF-8 only).

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::protocol::jose::error::JoseError;

/// Objects and arrays inside one another, the outermost counted.
const MAX_DEPTH: usize = 16;

/// Reads one JSON object: no member twice at any depth, at most 16 levels, nothing behind it.
///
/// # Errors
/// [`JoseError::Json`]; `part` names what was read.
pub fn parse_object(bytes: &[u8], part: &'static str) -> Result<Map<String, Value>, JoseError> {
    let refuse = |error: serde_json::Error| JoseError::Json { part, reason: reason(&error) };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = deserializer.deserialize_map(Strict { levels: MAX_DEPTH }).map_err(refuse)?;
    deserializer.end().map_err(refuse)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(JoseError::Json { part, reason: "it is not an object".to_owned() }),
    }
}

/// Words for the client: our own sentence, or where the syntax broke; never a piece of the input.
pub(super) fn reason(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with("strict: ") => {
            let text = error.to_string();
            let text = text.trim_start_matches("strict: ");
            text.split(" at line ").next().unwrap_or(text).to_owned()
        }
        serde_json::error::Category::Data => "a member is missing, repeated or of the wrong type".to_owned(),
        _ => format!("the syntax breaks at line {} column {}", error.line(), error.column()),
    }
}

/// Builds a [`Value`] with `levels` of nesting left.
#[derive(Copy, Clone)]
struct Strict {
    levels: usize,
}

impl Strict {
    fn inner<E: Error>(self) -> Result<Self, E> {
        self.levels
            .checked_sub(1)
            .map(|levels| Self { levels })
            .ok_or_else(|| E::custom("strict: it is nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("strict: a number is out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("strict: a member is repeated"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_object_is_read_as_it_stands() {
        let text = r#"{"a":[1,-2,2.5,null,true],"b":{"c":"\u00e4"},"d":18446744073709551615}"#;
        assert_eq!(
            Value::Object(parse_object(text.as_bytes(), "claims").unwrap()),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_object(deep(15).as_bytes(), "claims").is_ok());
        let too_deep = deep(16);
        let far_too_deep = deep(100_000);
        let cases: &[(&[u8], &str)] = &[
            (br#"{"a":1,"a":1}"#, "a member is repeated"),
            (br#"{"x":{"a":1,"\u0061":2}}"#, "a member is repeated"),
            (too_deep.as_bytes(), "it is nested too deeply"),
            (far_too_deep.as_bytes(), "it is nested too deeply"),
            (b"{} {}", "the syntax breaks at line 1 column 4"),
            (b"[1]", "a member is missing, repeated or of the wrong type"),
            (b"\"x\"", "a member is missing, repeated or of the wrong type"),
            (b"", "the syntax breaks at line 1 column 0"),
            (b"{\"a\":\"\xff\"}", "the syntax breaks at line 1 column 7"),
            (b"{\"a\":1e999}", "the syntax breaks at line 1 column 10"),
        ];
        for (bytes, expected) in cases {
            match parse_object(bytes, "claims") {
                Err(JoseError::Json { part: "claims", reason }) => assert_eq!(&reason, expected),
                other => panic!("{other:?} for {}", String::from_utf8_lossy(bytes)),
            }
        }
    }
}
