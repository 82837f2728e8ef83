//! Ranges of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
//!
//! RFC 4632 (prefixes), RFC 4291 §2.5.5.2: an IPv4 address is one however it is written.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
        let texts = texts(deserializer).map_err(|()| serde::de::Error::custom(NotANetwork))?;
        texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for TrustedProxies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Network::to_string))
    }
}

/// A list of texts, or one text with commas; what neither is has a sentence of its own at the caller.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, ()> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        List(Vec<String>),
    }
    match Written::deserialize(deserializer).map_err(|_| ())? {
        Written::Text(text) => Ok(text.split(',').map(|part| part.trim().to_owned()).collect()),
        Written::List(texts) => Ok(texts),
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

    /// True when a range holds half of all addresses or more: whoever connects is then taken for a proxy.
    pub fn cover_everybody(&self) -> bool {
        self.0.iter().any(|network| network.bits <= 1)
    }

    /// True when `address` is that of a proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
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
    use super::*;

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
}
