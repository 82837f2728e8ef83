//! Who calls, when proxies stand between.
//!
//! PROTOCOL.md O5, S-125, S-126: what a proxy says is believed from listed proxies alone. Each proxy appends the address it saw, so the list
//! is read from its right end, and the first address that is no proxy of ours is the caller; what stands before it is hearsay. Where
//! the number of proxies is known better than their addresses, exactly so many are passed over. URLs of ours are never built from
//! any of these headers (PROTOCOL A18).

mod forwarded;
mod network;

use std::net::IpAddr;

use http::header::{HeaderMap, HeaderName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::network::{Network, NotANetwork, TrustedProxies};

/// Where nearly all proxies say whom they saw.
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
/// The most hops that are looked at.
const MAX_HOPS: usize = 16;

/// What proxies are believed, and how they say who calls.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proxies {
    /// Whose word counts.
    pub trusted: TrustedProxies,
    /// Where they write it; the first that a request has is read.
    pub headers: ProxyHeaders,
    /// How many stand in a row, where that is fixed.
    pub count: Option<usize>,
    /// At which end they write.
    pub order: HopOrder,
    /// Who may connect at all.
    pub peers: Peers,
}

/// Who may connect.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peers {
    /// Everybody.
    #[default]
    Any,
    /// Listed proxies.
    ProxiesOnly,
}

/// At which end of a list a proxy writes the address it saw.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HopOrder {
    /// At its end, as nearly all do.
    #[default]
    Appended,
    /// At its beginning.
    Prepended,
}

/// The headers in which proxies say who calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyHeaders(Vec<HeaderName>);

impl Default for ProxyHeaders {
    fn default() -> Self {
        Self(vec![X_FORWARDED_FOR])
    }
}

/// A list of names; the environment writes it as one text with commas.
impl<'de> Deserialize<'de> for ProxyHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("must be names of headers, such as x-forwarded-for or forwarded");
        let texts = network::texts(deserializer).map_err(|()| wrong())?;
        let names: Vec<HeaderName> =
            texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(|_| wrong())?;
        if names.is_empty() { Err(wrong()) } else { Ok(Self(names)) }
    }
}

impl Serialize for ProxyHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(HeaderName::as_str))
    }
}

impl Proxies {
    /// The address that a request comes from; `peer` is the other end of its connection.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if self.count == Some(0) || !self.trusted.contains(peer) {
            return peer;
        }
        let hops = self.hops(headers);
        match self.count {
            // Fewer hops than proxies: it came by a shorter way, and only what the last proxy saw is sure.
            Some(count) => {
                let named = hops.get(count - 1).or_else(|| hops.first());
                named.copied().flatten().unwrap_or(peer)
            }
            None => self.walk(peer, &hops),
        }
    }

    /// Whether somebody at `peer` may connect.
    pub fn admits(&self, peer: IpAddr) -> bool {
        self.peers == Peers::Any || self.trusted.contains(peer)
    }

    fn walk(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> IpAddr {
        let mut caller = peer;
        for hop in hops {
            if !self.trusted.contains(caller) {
                break;
            }
            // What is no address ends the chain: the proxy that passed it on is the last we know.
            let Some(before) = hop else { break };
            caller = *before;
        }
        caller
    }

    /// The addresses that were seen, the nearest first.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let Some(name) = self.headers.0.iter().find(|name| headers.contains_key(*name)) else { return Vec::new() };
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("not text"));
        let mut hops: Vec<Option<IpAddr>> = if *name == FORWARDED {
            values.flat_map(forwarded::addresses).collect()
        } else {
            values.flat_map(|value| value.split(',')).map(|text| text.trim().parse().ok()).collect()
        };
        if self.order == HopOrder::Appended {
            hops.reverse();
        }
        hops.truncate(MAX_HOPS);
        hops.into_iter().map(|hop| hop.map(|address| address.to_canonical())).collect()
    }
}

/// What limits count by: an IPv4 address, or the /64 that one IPv6 subscriber has to himself (RFC 6177).
pub fn counted(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}/64", u128::from(address) >> 64),
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        let trusted = networks.iter().map(|network| network.parse::<Network>().unwrap()).collect();
        Proxies { trusted, ..Proxies::default() }
    }

    fn names(names: &[&'static str]) -> ProxyHeaders {
        ProxyHeaders(names.iter().map(|name| HeaderName::from_static(name)).collect())
    }

    fn caller(proxies: &Proxies, peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        proxies.caller(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_calls() {
        let none = Proxies::default();
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
            (&two, "10.0.0.1", &["198.51.100.1, \u{ff}"], "10.0.0.1"),
        ] {
            let headers: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
            assert_eq!(caller(trusted, peer, &headers), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn the_headers_of_the_operator_are_read_in_their_order() {
        let both = Proxies { headers: names(&["forwarded", "x-real-ip"]), ..proxies(&["10.0.0.0/8"]) };
        let forwarded = ("forwarded", "for=198.51.100.1;proto=https, for=\"10.0.0.9:80\"");
        let (real, usual) = (("x-real-ip", "198.51.100.2"), ("x-forwarded-for", "198.51.100.3"));
        for (headers, expected) in [
            (&[real, forwarded][..], "198.51.100.1"),
            (&[real, usual], "198.51.100.2"),
            (&[usual], "10.0.0.1"),
            (&[("forwarded", "for=unknown"), real], "10.0.0.1"),
            (&[("forwarded", "for=\"[2001:db8::7]:443\"")], "2001:db8::7"),
        ] {
            assert_eq!(caller(&both, "10.0.0.1", headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_number_of_proxies_passes_over_exactly_so_many() {
        for (count, forwarded, expected) in [
            (0, "198.51.100.1", "10.0.0.1"),
            (1, "1.1.1.1, 198.51.100.1", "198.51.100.1"),
            (2, "1.1.1.1, 198.51.100.1, 203.0.113.5", "198.51.100.1"),
            (2, "198.51.100.1", "198.51.100.1"),
            (3, "1.1.1.1, 198.51.100.1", "198.51.100.1"),
            (2, "junk, 203.0.113.5", "10.0.0.1"),
        ] {
            let counted = Proxies { count: Some(count), ..proxies(&["10.0.0.0/8"]) };
            assert_eq!(
                caller(&counted, "10.0.0.1", &[("x-forwarded-for", forwarded)]),
                expected,
                "{count} {forwarded}"
            );
            assert_eq!(caller(&counted, "203.0.113.5", &[("x-forwarded-for", forwarded)]), "203.0.113.5", "no proxy");
        }
    }

    #[test]
    fn a_list_that_grows_at_its_beginning_is_read_from_there() {
        let prepended = Proxies { order: HopOrder::Prepended, ..proxies(&["10.0.0.0/8"]) };
        assert_eq!(caller(&prepended, "10.0.0.1", &[("x-forwarded-for", "198.51.100.1, 1.1.1.1")]), "198.51.100.1");
    }

    #[test]
    fn strangers_may_be_kept_from_connecting() {
        let strict = Proxies { peers: Peers::ProxiesOnly, ..proxies(&["10.0.0.0/8"]) };
        assert!(strict.admits("10.1.2.3".parse().unwrap()) && strict.admits("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!strict.admits("203.0.113.5".parse().unwrap()));
        assert!(proxies(&[]).admits("203.0.113.5".parse().unwrap()));
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
