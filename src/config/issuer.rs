//! The public URL of this server.
//!
//! RFC 8414 §2, OIDC Discovery §3: https, no query, no fragment. http is for loopback hosts alone.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

/// The issuer identifier, exactly as tokens carry it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer(String);

impl Default for Issuer {
    /// For this machine alone; `localhost` and no address, since passkeys need a name.
    fn default() -> Self {
        Self("http://localhost:8080".to_owned())
    }
}

impl Issuer {
    /// Checks an issuer.
    ///
    /// # Errors
    /// A sentence on what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not a URL; write one like https://login.example.com")?;
        let Some(host) = url.host() else { return Err("has no host; write a URL like https://login.example.com") };
        let is_loopback = match host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => {
                return Err("must be https; plain http is for localhost only, since tokens would travel in the open");
            }
            _ => return Err("must be an https URL"),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must have no query and no fragment (RFC 8414 section 2)");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must have no user and no password");
        }
        if text.ends_with('/') {
            return Err("must not end in a slash: clients compare it byte for byte; leave the slash out");
        }
        let normal = url.as_str();
        let normal = if url.path() == "/" { normal.trim_end_matches('/') } else { normal };
        if normal != text {
            return Err(
                "is not in its normal form; write it in lower case, without the default port, dots in the path and spaces",
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// As tokens carry it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As browsers state it in `Origin`: without the path.
    pub fn origin(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let rest = self.0.get(after_scheme..).unwrap_or_default();
        let end = rest.find('/').map_or(self.0.len(), |at| after_scheme + at);
        self.0.get(..end).unwrap_or_default()
    }

    /// The path in front of every path of ours: empty, or like `/tenant`.
    pub fn path(&self) -> &str {
        self.0.get(self.origin().len()..).unwrap_or_default()
    }

    /// Whether it is a name of this machine, so that nobody else reaches it.
    pub fn is_loopback(&self) -> bool {
        match Url::parse(&self.0).ok().as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether browsers reach it over https.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Issuer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Issuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_https_or_loopback_and_in_normal_form() {
        for (text, accepted) in [
            ("https://login.example.com", true),
            ("https://login.example.com:8443", true),
            ("https://example.com/tenant/a", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://app.localhost", true),
            ("http://login.example.com", false),
            ("http://localhost.example.com", false),
            ("https://login.example.com/", false),
            ("https://example.com/tenant/", false),
            ("https://login.example.com?x", false),
            ("https://login.example.com#x", false),
            ("https://user@login.example.com", false),
            ("https://Login.example.com", false),
            ("https://login.example.com:443", false),
            ("https://example.com/a/../b", false),
            (" https://login.example.com", false),
            ("login.example.com", false),
            ("ftp://login.example.com", false),
            ("https://", false),
            ("", false),
        ] {
            assert_eq!(Issuer::parse(text).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn origin_and_path_are_its_parts() {
        for (issuer, origin, path) in [
            ("https://login.example.com", "https://login.example.com", ""),
            ("https://example.com:8443/tenant/a", "https://example.com:8443", "/tenant/a"),
        ] {
            let issuer = Issuer::parse(issuer).unwrap();
            assert_eq!((issuer.origin(), issuer.path()), (origin, path));
        }
    }
}
