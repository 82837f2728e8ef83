//! Who calls, when a proxy stands between.
//!
//! PROTOCOL.md O5: `X-Forwarded-For` is believed from listed proxies alone. Each proxy appends the address it saw, so the list is
//! read from its right end, and the first address that is no proxy of ours is the caller; what stands before it is hearsay.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::header::{HeaderMap, HeaderName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where proxies say whom they saw.
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The most hops that are looked at.
const MAX_HOPS: usize = 16;

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text names no range of addresses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be an address or a range such as 10.0.0.0/8 or fd00::/8, with no bits set behind the prefix")]
pub struct NotANetwork;

/// The proxies whose word counts; none by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TrustedProxies(Vec<Network>);

impl Network {
    /// True when `address` lies in it; an IPv4 address is one however it is written.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && prefix(address, self.bits) == prefix(self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| NotANetwork)?)),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width || prefix(address, bits) != number(address) {
            return Err(NotANetwork);
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// A list of ranges; the environment writes it as one text with commas.
impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            List(Vec<String>),
        }
        let written = Written::deserialize(deserializer).map_err(|_| serde::de::Error::custom(NotANetwork))?;
        let texts = match written {
            Written::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Written::List(texts) => texts,
        };
        texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for TrustedProxies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Network::to_string))
    }
}

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl TrustedProxies {
    /// True when no proxy is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The address that a request comes from; `peer` is the other end of its connection.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        let stated: Vec<&str> = headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .flat_map(|header| header.to_str().unwrap_or("not text").split(','))
            .map(str::trim)
            .collect();
        for hop in stated.iter().rev().take(MAX_HOPS) {
            if !self.contains(caller) {
                break;
            }
            // What is no address ends the chain: the proxy that passed it on is the last we know.
            let Ok(before) = hop.parse::<IpAddr>() else { break };
            caller = before.to_canonical();
        }
        caller
    }

    /// True when `address` is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// What limits count by: an IPv4 address, or the /64 that one IPv6 subscriber has to himself (RFC 6177).
pub fn counted(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}/64", u128::from(address) >> 64),
    }
}

/// The address as a number, with all but its first `bits` cleared.
fn prefix(address: IpAddr, bits: u32) -> u128 {
    let width = if address.is_ipv4() { 32 } else { 128 };
    let cleared = width - bits.min(width);
    number(address).checked_shr(cleared).unwrap_or(0).checked_shl(cleared).unwrap_or(0)
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        networks.iter().map(|network| network.parse::<Network>().unwrap()).collect()
    }

    fn caller(trusted: &TrustedProxies, peer: &str, forwarded: &[&'static str]) -> String {
        let headers = forwarded.iter().map(|value| (X_FORWARDED_FOR, HeaderValue::from_static(value)));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        trusted.caller(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_calls() {
        let none = TrustedProxies::default();
        let two = proxies(&["10.0.0.0/8", "fd00::/8", "192.0.2.7"]);
        for (trusted, peer, forwarded, expected) in [
            (&none, "203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            (&none, "10.0.0.1", &["198.51.100.1"], "10.0.0.1"),
            (&two, "203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            (&two, "10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (&two, "::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (&two, "10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            (&two, "10.0.0.1", &["1.1.1.1", "198.51.100.1 , 10.9.9.9"], "198.51.100.1"),
            (&two, "fd00::1", &["2001:db8::5,192.0.2.7"], "2001:db8::5"),
            (&two, "10.0.0.1", &["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
            (&two, "10.0.0.1", &[], "10.0.0.1"),
            (&two, "10.0.0.1", &[""], "10.0.0.1"),
            (&two, "10.0.0.1", &["198.51.100.1, junk"], "10.0.0.1"),
            (&two, "10.0.0.1", &["junk, 198.51.100.1"], "198.51.100.1"),
            (&two, "10.0.0.1", &["198.51.100.1:443"], "10.0.0.1"),
        ] {
            assert_eq!(caller(trusted, peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn ranges_are_written_without_loose_bits() {
        for (text, contained, not_contained) in [
            ("10.0.0.0/8", "10.255.1.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("::/0", "::1", "127.0.0.1"),
        ] {
            let network: Network = text.parse().unwrap();
            assert!(network.contains(contained.parse().unwrap()), "{text}");
            assert!(!network.contains(not_contained.parse().unwrap()), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "localhost", "fd00::/129", "*"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn a_subscriber_is_counted_once() {
        let of = |text: &str| counted(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.2"), of("192.0.2.1"));
    }
}
