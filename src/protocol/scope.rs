//! Scope: an ordered set of scope tokens.
//!
//! RFC 6749 §3.3. The only place that splits a scope string.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::error::OAuthError;

/// Scope tokens in the order they were asked for, each once.
#[derive(Clone, Debug, Default, Eq, PartialEq, Hash)]
pub struct Scope(Vec<String>);

/// The largest scope we read: bytes of the whole value.
const MAX_LENGTH: usize = 4096;

impl Scope {
    /// OIDC Core §3.1.2.1.
    pub const OPENID: &'static str = "openid";
    /// OIDC Core §11.
    pub const OFFLINE_ACCESS: &'static str = "offline_access";

    /// The scope with nothing in it.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// True when no token is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when `token` is in it.
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|own| own == token)
    }

    /// True when each of our tokens is in `other` too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|token| other.contains(token))
    }

    /// What both hold, in our order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|token| other.contains(token)).cloned().collect())
    }

    /// Our tokens, then those of `other` that we lack.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(other.0.iter().filter(|token| !self.contains(token)).cloned());
        Self(all)
    }

    /// What we hold and `other` does not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|token| !other.contains(token)).cloned().collect())
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for Scope {
    type Err = OAuthError;

    /// `invalid_scope` for a character outside NQCHAR or a value over 4096 bytes.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        if text.len() > MAX_LENGTH {
            return Err(OAuthError::invalid_scope("the scope is longer than 4096 characters"));
        }
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let mut seen = BTreeSet::new();
        let mut tokens = Vec::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !token.bytes().all(allowed) {
                return Err(OAuthError::invalid_scope(
                    "the scope holds a character that RFC 6749 section 3.3 does not allow",
                ));
            }
            if seen.insert(token) {
                tokens.push(token.to_owned());
            }
        }
        Ok(Self(tokens))
    }
}

impl<S: Into<String>> FromIterator<S> for Scope {
    /// From tokens that are known to be well formed (our own lists).
    fn from_iter<I: IntoIterator<Item = S>>(tokens: I) -> Self {
        let mut scope = Self::empty();
        for token in tokens {
            let token = token.into();
            if !scope.contains(&token) {
                scope.0.push(token);
            }
        }
        scope
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().expect("well formed")
    }

    #[test]
    fn order_is_kept_and_repetition_dropped() {
        assert_eq!(scope(" openid  email openid profile ").to_string(), "openid email profile");
        assert!(scope("").is_empty());
    }

    #[test]
    fn malformed_scopes_are_refused() {
        for text in ["a\"b", "a\\b", "ä", "a\u{0}", "a\tb", &"x".repeat(4097)] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn algebra() {
        assert!(scope("a b").is_within(&scope("b c a")));
        assert_eq!(scope("a b c").intersection(&scope("c a")).to_string(), "a c");
        assert_eq!(scope("a b").union(&scope("b c")).to_string(), "a b c");
        assert_eq!(scope("a b").without(&scope("b c")).to_string(), "a");
    }
}
