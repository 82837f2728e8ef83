//! More members of the headers of access tokens: `["x-region=eu"]`.
//!
//! RFC 7515 §4.2, §4.3; S-085.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::list::List;

/// Names that a specification has given a meaning (RFC 7515 §4.1, RFC 7516 §4.1, RFC 7797 §3).
const TAKEN: &[&str] = &[
    "alg", "typ", "kid", "cty", "crit", "b64", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "zip", "enc", "epk",
    "apu", "apv", "iv", "tag", "p2s", "p2c", "iss", "sub", "aud",
];

/// The members, in the order in which they are written.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct TokenHeader(List);

impl TokenHeader {
    /// The members, each a text.
    pub fn members(&self) -> Map<String, Value> {
        self.0
            .0
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect()
    }
}

impl<'de> Deserialize<'de> for TokenHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = List::deserialize(deserializer)?;
        let mut names = Vec::new();
        for pair in &list.0 {
            let wrong = |what: &str| serde::de::Error::custom(format!("\"{pair}\" {what}"));
            let (name, _) = pair.split_once('=').ok_or_else(|| wrong("is no member: write name=value"))?;
            let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte));
            if name.is_empty() || !is_plain {
                return Err(wrong("needs a name of letters, digits and _ - . : /"));
            }
            if TAKEN.contains(&name) {
                return Err(wrong("has a meaning of its own and cannot be set"));
            }
            if names.contains(&name) {
                return Err(wrong("stands twice"));
            }
            names.push(name);
        }
        Ok(Self(list))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_with_a_meaning_cannot_be_set() {
        let read = |list: Value| serde_json::from_value::<TokenHeader>(list).map(|header| header.members());
        assert_eq!(
            read(json!(["x-region=eu", "v=a=b"])).unwrap(),
            json!({"x-region": "eu", "v": "a=b"}).as_object().unwrap().clone()
        );
        assert_eq!(read(json!("x-region=eu")).unwrap().len(), 1, "as the environment has it");
        for wrong in [
            json!(["alg=none"]),
            json!(["kid=x"]),
            json!(["crit=exp"]),
            json!(["x"]),
            json!(["=x"]),
            json!(["a=1", "a=2"]),
            json!(7),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
