//! Origins whose scripts may call the API with the cookies of a browser.
//!
//! RFC 6454 §4 (scheme, host and port), Fetch §3.3.5: `*` and credentials exclude one another (S-169).

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

/// The allow-list; empty by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AllowedOrigins(Vec<String>);

/// A text names no origin.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAnOrigin {
    /// `*`
    #[error("must not hold \"*\": answers carry credentials, so name each origin, such as \"https://app.example.com\"")]
    Any,
    /// Something else.
    #[error(
        "must hold origins such as \"https://app.example.com\" or \"http://localhost:3000\", with scheme and port and nothing behind"
    )]
    Other,
}

struct Origin(String);

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        if text == "*" {
            return Err(NotAnOrigin::Any);
        }
        let url = Url::parse(text).map_err(|_| NotAnOrigin::Other)?;
        let origin = url.origin().ascii_serialization();
        // As a browser writes it: lower case, no default port, no slash at the end. A star stands for nothing but itself.
        if matches!(url.scheme(), "https" | "http") && origin == text && !text.contains('*') {
            Ok(Self(origin))
        } else {
            Err(NotAnOrigin::Other)
        }
    }
}

impl AllowedOrigins {
    /// True when scripts of `origin` may call.
    pub fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}

/// A list; the environment writes it as one text with commas.
impl<'de> Deserialize<'de> for AllowedOrigins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            List(Vec<String>),
        }
        let written = Written::deserialize(deserializer).map_err(|_| serde::de::Error::custom(NotAnOrigin::Other))?;
        let texts = match written {
            Written::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Written::List(texts) => texts,
        };
        let origins = texts.iter().map(|text| text.parse().map(|Origin(origin)| origin));
        origins.collect::<Result<_, _>>().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for AllowedOrigins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_a_scheme_and_a_port_and_nothing_behind() {
        for good in ["https://app.example.com", "http://localhost:3000", "https://app.example.com:8443"] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "https://APP.example.com",
            "https://app.example.com/path",
            "https://*.example.com",
            "null",
            "ftp://app.example.com",
        ] {
            assert_eq!(bad.parse::<Origin>().err(), Some(NotAnOrigin::Other), "{bad}");
        }
        assert_eq!("*".parse::<Origin>().err(), Some(NotAnOrigin::Any));
    }
}
