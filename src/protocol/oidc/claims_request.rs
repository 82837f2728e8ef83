//! Claims asked for one by one.
//!
//! OIDC Core §5.5.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::error::OAuthError;

/// The longest `claims` parameter, in bytes: a grant remembers it as long as it lives.
const MAX_LENGTH: usize = 4 * 1024;
/// The deepest nesting of its JSON; what the specification needs is four.
const MAX_DEPTH: usize = 8;
/// The most claims asked for in one of its members.
const MAX_CLAIMS: usize = 100;

/// The `claims` parameter.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// For the `UserInfo` answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimWish>,
    /// For the ID token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimWish>,
}

/// How one claim is wished for (§5.5.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClaimWish {
    /// The client needs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// Values that suit, best first; empty when any does (`value` is one of them).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl ClaimsRequest {
    /// Reads the parameter as a client sends it; members we do not know are ignored (§5.5).
    ///
    /// # Errors
    /// `invalid_request` when it is no JSON object, too long or too deep, or a wish is neither `null` nor an object.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > MAX_LENGTH {
            return Err(OAuthError::invalid_request("claims is longer than 4096 bytes"));
        }
        let value = serde_json::from_str::<Value>(text)
            .map_err(|error| OAuthError::invalid_request("claims is not JSON").caused_by(error))?;
        if !is_within_depth(&value, MAX_DEPTH) {
            return Err(OAuthError::invalid_request("claims is nested too deeply"));
        }
        let Value::Object(mut members) = value else {
            return Err(OAuthError::invalid_request("claims must be a JSON object"));
        };
        Ok(Self {
            userinfo: wishes("userinfo", members.remove("userinfo"))?,
            id_token: wishes("id_token", members.remove("id_token"))?,
        })
    }

    /// True when nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }
}

impl ClaimWish {
    /// True when `value` suits: any does, or it is among the wished-for ones.
    pub fn accepts(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }
}

fn wishes(member: &str, value: Option<Value>) -> Result<BTreeMap<String, ClaimWish>, OAuthError> {
    match value {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(claims)) if claims.len() <= MAX_CLAIMS => {
            claims.into_iter().map(|(name, value)| Ok((name, wish(value)?))).collect()
        }
        Some(Value::Object(_)) => {
            Err(OAuthError::invalid_request(format!("claims asks for more than {MAX_CLAIMS} claims in {member}")))
        }
        Some(_) => Err(OAuthError::invalid_request(format!("{member} in claims must be an object of claims"))),
    }
}

fn wish(value: Value) -> Result<ClaimWish, OAuthError> {
    match value {
        Value::Null => Ok(ClaimWish::default()),
        Value::Object(mut members) => Ok(ClaimWish { essential: essential(&members)?, values: values(&mut members)? }),
        _ => Err(OAuthError::invalid_request(
            "each claim in claims must be null or an object with essential, value or values",
        )),
    }
}

fn essential(members: &Map<String, Value>) -> Result<bool, OAuthError> {
    match members.get("essential") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(essential)) => Ok(*essential),
        Some(_) => Err(OAuthError::invalid_request("essential in claims must be true or false")),
    }
}

fn values(members: &mut Map<String, Value>) -> Result<Vec<Value>, OAuthError> {
    let mut all = Vec::from_iter(members.remove("value").filter(|value| !value.is_null()));
    match members.remove("values") {
        None | Some(Value::Null) => {}
        Some(Value::Array(values)) => all.extend(values),
        Some(_) => return Err(OAuthError::invalid_request("values in claims must be an array")),
    }
    Ok(all)
}

/// True when `value` nests at most `depth` arrays and objects; `serde_json` itself stops at 128.
fn is_within_depth(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| is_within_depth(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|member| is_within_depth(member, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The example of OIDC Core §5.5.
    #[test]
    fn wishes_are_read() {
        let claims = ClaimsRequest::parse(
            r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null, "http://example.info/claims/groups": null},
                "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["a", "b"]}, "sub": {"value": "248289761001"}},
                "elsewhere": [1]}"#,
        )
        .expect("well formed");
        assert!(claims.userinfo["given_name"].essential);
        assert_eq!(claims.userinfo["nickname"], ClaimWish::default());
        assert_eq!(claims.userinfo.len(), 3);
        assert_eq!(claims.id_token["acr"].values, [json!("a"), json!("b")]);
        assert!(claims.id_token["sub"].accepts(&json!("248289761001")));
        assert!(!claims.id_token["sub"].accepts(&json!("alice")));
        assert!(claims.id_token["auth_time"].accepts(&json!(1)));
    }

    #[test]
    fn malformed_claims_are_refused() {
        for text in [
            "",
            "{",
            "[]",
            "null",
            "1",
            "\"x\"",
            "{\"userinfo\":[]}",
            "{\"userinfo\":\"x\"}",
            "{\"id_token\":{\"a\":1}}",
            "{\"id_token\":{\"a\":{\"essential\":\"true\"}}}",
            "{\"id_token\":{\"a\":{\"values\":\"x\"}}}",
            &"[".repeat(10_000),
            &format!("{{\"x\":{}{}}}", "[".repeat(20), "]".repeat(20)),
            &format!("{{\"x\":\"{}\"}}", "x".repeat(MAX_LENGTH)),
        ] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text:.60}");
        }
        for text in ["{}", "{\"userinfo\":null}", "{\"userinfo\":{}}", "{\"other\":1}"] {
            assert!(ClaimsRequest::parse(text).expect(text).is_empty());
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let claims = ClaimsRequest::parse(r#"{"id_token":{"acr":{"essential":true,"value":"a","values":["b"]}}}"#)
            .expect("well formed");
        let stored = serde_json::to_string(&claims).expect("plain JSON");
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&stored).expect("our own"), claims);
        assert_eq!(claims.id_token["acr"].values, [json!("a"), json!("b")]);
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "[\\[\\]{}\",:a-z0-9_ ]{0,60}") {
            let _ = ClaimsRequest::parse(&text);
        }
    }
}
