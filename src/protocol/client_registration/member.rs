//! Members of a registration request, read with their types.
//!
//! RFC 7591 §2: strings, booleans, numbers and arrays of strings; each error names its member.

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::protocol::error::OAuthError;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::redirect_uri::LoopbackHttp;

/// The longest string, in bytes.
const MAX_TEXT: usize = 2048;
/// The longest name for people, in characters.
const MAX_NAME: usize = 200;
/// The JSON object of a registration request, and which of its members were looked at.
pub(super) struct Members<'a> {
    json: &'a Map<String, Value>,
    known: RefCell<HashSet<String>>,
}

fn wrong(name: &str, expected: &str) -> OAuthError {
    let shown = name.chars().take(64).collect::<String>();
    OAuthError::invalid_client_metadata(format!("{shown} must be {expected}"))
}

impl<'a> Members<'a> {
    /// Nothing of it was looked at yet.
    pub(super) fn new(json: &'a Map<String, Value>) -> Self {
        Self { json, known: RefCell::default() }
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.json.keys().map(String::as_str)
    }

    /// The first member that nobody has looked at: it means nothing here.
    pub(super) fn unknown(&self) -> Option<&'a str> {
        let known = self.known.borrow();
        self.names().find(|name| !known.contains(*name))
    }

    /// The member, unless it is absent or `null`, which is the same (RFC 7592 §2.2).
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        let value = self.json.get(name)?;
        self.known.borrow_mut().insert(name.to_owned());
        Some(value).filter(|value| !value.is_null())
    }

    /// A string; an empty one is absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, OAuthError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > MAX_TEXT => Err(wrong(name, "a string of at most 2048 bytes")),
            Some(Value::String(text)) if text.chars().any(char::is_control) => {
                Err(wrong(name, "a string without control characters"))
            }
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    /// A string that people read.
    pub(super) fn display_text(&self, name: &str) -> Result<Option<String>, OAuthError> {
        // These turn the direction of what follows: a name could pass for another (Unicode TR 36 §2.4).
        let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
        match self.text(name)? {
            Some(text) if text.chars().any(turns) => Err(wrong(name, "a string without direction marks")),
            Some(text) if text.chars().count() > MAX_NAME => Err(wrong(name, "a string of at most 200 characters")),
            text => Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())),
        }
    }

    /// An array of at most `most` strings.
    pub(super) fn strings(&self, name: &str, most: usize) -> Result<Option<Vec<String>>, OAuthError> {
        let items = match self.get(name) {
            None => return Ok(None),
            Some(Value::Array(items)) if items.len() <= most => items,
            Some(Value::Array(_)) => return Err(wrong(name, &format!("an array of at most {most} strings"))),
            Some(_) => return Err(wrong(name, "an array of strings")),
        };
        let text = |item: &Value| match item {
            Value::String(text) if text.chars().any(char::is_control) => {
                Err(wrong(name, "an array of strings without control characters"))
            }
            Value::String(text) if text.len() <= MAX_TEXT => Ok(text.clone()),
            Value::String(_) => Err(wrong(name, "an array of strings of at most 2048 bytes")),
            _ => Err(wrong(name, "an array of strings")),
        };
        items.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, OAuthError> {
        self.get(name).map(|value| value.as_bool().ok_or_else(|| wrong(name, "true or false"))).transpose()
    }

    /// A whole number of seconds.
    pub(super) fn seconds(&self, name: &str) -> Result<Option<u64>, OAuthError> {
        let seconds =
            |value: &Value| value.as_u64().ok_or_else(|| wrong(name, "a whole number of seconds, zero or more"));
        self.get(name).map(seconds).transpose()
    }

    /// One of the registered words for a `T`.
    pub(super) fn choice<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, OAuthError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        serde_json::from_value(Value::String(text)).map(Some).map_err(|error| {
            // serde names the expected words: "unknown variant `x`, expected one of `web`, `native`".
            let reason = error.to_string();
            let expected = reason.split_once("expected ").map_or("a supported value", |(_, expected)| expected);
            wrong(name, &expected.replace('`', ""))
        })
    }

    /// An algorithm that we have a key for.
    pub(super) fn signing_algorithm(
        &self,
        name: &str,
        offered: &[SigningAlgorithm],
    ) -> Result<Option<SigningAlgorithm>, OAuthError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let known = text.parse().ok().filter(|algorithm| offered.contains(algorithm));
        known.map(Some).ok_or_else(|| {
            let names = offered.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>().join(", ");
            wrong(name, &format!("one of {names}"))
        })
    }

    /// A URL that people's browsers follow or show.
    pub(super) fn page_uri(&self, name: &str) -> Result<Option<String>, OAuthError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match Url::parse(&text) {
            Ok(url)
                if matches!(url.scheme(), "https" | "http")
                    && url.username().is_empty()
                    && url.password().is_none() =>
            {
                // As given where it is a URI already, else in the form that a browser would make of it.
                let is_uri = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
                Ok(Some(if is_uri { text } else { url.into() }))
            }
            _ => Err(wrong(name, "an absolute https URL")),
        }
    }

    /// A URL that is part of the protocol: `https`, but for this machine under development.
    pub(super) fn service_uri(&self, name: &str, loopback: LoopbackHttp) -> Result<Option<String>, OAuthError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let is_loopback = |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_good = Url::parse(&text).is_ok_and(|url| {
            let scheme = match url.scheme() {
                "https" => true,
                "http" => loopback == LoopbackHttp::AlsoWeb && is_loopback(&url),
                _ => false,
            };
            scheme && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
        });
        if is_good { Ok(Some(text)) } else { Err(wrong(name, "an absolute https URL without a fragment")) }
    }

    /// A JWK Set of public keys (RFC 7517 §5); keys of kinds that we do not know are fine.
    pub(super) fn public_jwks(&self, name: &str) -> Result<Option<Value>, OAuthError> {
        let Some(jwks) = self.get(name) else { return Ok(None) };
        JwkSet::parse(jwks)
            .map_err(|error| OAuthError::invalid_client_metadata(format!("{name}: {error}")).caused_by(error))?;
        Ok(Some(jwks.clone()))
    }
}
