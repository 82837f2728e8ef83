//! The way out to other servers: `jwks_uri`, `sector_identifier_uri`, webhooks, upstreams.
//!
//! RFC 9700 §4.11.2, OWASP SSRF: the address is checked after the name was resolved, at the moment of connecting; redirects
//! are not followed; size and time are bounded.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

/// The way out.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends `request` and reads the whole answer, whatever its status.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        policy: FetchPolicy,
    ) -> Result<http::Response<Bytes>, FetchError>;
}

/// What one request may cost and reach.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct FetchPolicy {
    /// The largest answer, in bytes.
    pub max_bytes: usize,
    /// The longest time from the call to the last byte.
    pub timeout: Duration,
    /// Where it may go.
    pub addresses: Addresses,
}

impl Default for FetchPolicy {
    /// 1 MiB, 5 s, public addresses.
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024, timeout: Duration::from_secs(5), addresses: Addresses::Public }
    }
}

/// Where a request may go.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Addresses {
    /// `https` to public addresses.
    Public,
    /// Also `http` and `https` to this machine: for development.
    PublicOrLoopback,
    /// Anywhere, also over `http`: for what an operator names at the command line.
    Anywhere,
}

/// The certificate that the peer showed, in DER, in the extensions of an answer from [`Addresses::Anywhere`].
#[derive(Clone, Debug)]
pub struct PeerCertificate(pub Vec<u8>);

/// Why a request came to nothing. It never holds what the peer sent.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL may not be fetched.
    #[error("the URL may not be fetched: {0}")]
    Refused(&'static str),
    /// The peer could not be reached, or did not speak HTTP.
    #[error("the peer could not be reached: {0}")]
    Unreachable(String),
    /// The answer took too long.
    #[error("the answer took longer than {0:?}")]
    TimedOut(Duration),
    /// The answer was too large.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Too many requests are under way.
    #[error("too many requests to other servers are under way")]
    Overloaded,
}

/// The most requests under way.
const CONCURRENCY: usize = 32;

/// The way out over reqwest.
///
/// The client is made at the first use: reading the system's certificates takes time and memory that a server which never
/// asks anyone need not spend.
pub struct HttpFetch {
    settings: FetchSettings,
    public: OnceLock<reqwest::Client>,
    loopback: OnceLock<reqwest::Client>,
    anywhere: OnceLock<reqwest::Client>,
    allowed: OnceLock<reqwest::Client>,
    room: Semaphore,
}

/// What an operator lets the way out reach beside public servers.
#[derive(Clone, Debug, Default)]
pub struct FetchSettings {
    /// Origins (`http://10.0.0.5:8080`) that are reached whatever their address and scheme are.
    pub allow: BTreeSet<String>,
    certificates: Vec<reqwest::Certificate>,
}

impl FetchSettings {
    /// Trusts the certificates of a PEM file beside those of the system.
    ///
    /// # Errors
    /// When it holds none, with a sentence.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, &'static str> {
        let read = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| "it is no file of certificates in PEM")?;
        if read.is_empty() {
            return Err("it holds no certificate in PEM");
        }
        self.certificates.extend(read);
        Ok(self)
    }

    fn allows(&self, url: &Url) -> bool {
        !self.allow.is_empty() && self.allow.contains(&url.origin().ascii_serialization())
    }
}

impl Default for HttpFetch {
    fn default() -> Self {
        Self::with(FetchSettings::default())
    }
}

/// Which client a request goes by.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Reach {
    /// What every request may reach.
    Ordinary(Addresses),
    /// An origin that the operator named.
    Allowed,
}

#[async_trait]
impl Fetch for HttpFetch {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        policy: FetchPolicy,
    ) -> Result<http::Response<Bytes>, FetchError> {
        let request =
            reqwest::Request::try_from(request).map_err(|_| FetchError::Refused("it is not an absolute URL"))?;
        let reach = if self.settings.allows(request.url()) {
            without_login(request.url())?;
            Reach::Allowed
        } else {
            policy.addresses.check(request.url())?;
            Reach::Ordinary(policy.addresses)
        };
        let client = self.client(reach)?;
        let deadline = Instant::now() + policy.timeout;
        let room = timeout_at(deadline, self.room.acquire()).await;
        let _room = room.map_err(|_| FetchError::Overloaded)?.map_err(|_| FetchError::Overloaded)?;
        let exchange = async { read(client.execute(request).await.map_err(describe)?, policy.max_bytes).await };
        timeout_at(deadline, exchange).await.unwrap_or(Err(FetchError::TimedOut(policy.timeout)))
    }
}

impl HttpFetch {
    /// The way out; nothing is opened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The way out, with what the operator lets it reach; nothing is opened yet.
    pub fn with(settings: FetchSettings) -> Self {
        let [public, loopback, anywhere, allowed] = std::array::from_fn(|_| OnceLock::new());
        Self { settings, public, loopback, anywhere, allowed, room: Semaphore::new(CONCURRENCY) }
    }

    fn client(&self, reach: Reach) -> Result<reqwest::Client, FetchError> {
        let slot = match reach {
            Reach::Ordinary(Addresses::Public) => &self.public,
            Reach::Ordinary(Addresses::PublicOrLoopback) => &self.loopback,
            Reach::Ordinary(Addresses::Anywhere) => &self.anywhere,
            Reach::Allowed => &self.allowed,
        };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let mut client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .https_only(reach == Reach::Ordinary(Addresses::Public))
            .referer(false)
            .tls_info(reach == Reach::Ordinary(Addresses::Anywhere))
            .user_agent(concat!("symbolon/", env!("CARGO_PKG_VERSION")))
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(30))
            .tls_certs_merge(self.settings.certificates.iter().cloned());
        if let Reach::Ordinary(addresses) = reach {
            client = client.dns_resolver(Arc::new(Guard(addresses)));
        }
        let client = client.build().map_err(describe)?;
        Ok(slot.get_or_init(|| client).clone())
    }
}

/// Reads the answer as far as it is allowed.
async fn read(mut answer: reqwest::Response, max_bytes: usize) -> Result<http::Response<Bytes>, FetchError> {
    if answer.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |length| length > max_bytes)) {
        return Err(FetchError::TooLarge(max_bytes));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(FetchError::TooLarge(max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = http::Response::new(body.freeze());
    let shown = answer.extensions().get::<reqwest::tls::TlsInfo>().and_then(|info| info.peer_certificate());
    if let Some(der) = shown {
        response.extensions_mut().insert(PeerCertificate(der.to_vec()));
    }
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// The causes in one line, without the URL, which may hold a secret.
fn describe(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    let mut causes = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(cause) = next {
        if let Some(NotAllowed) = cause.downcast_ref() {
            return FetchError::Refused(NOT_ALLOWED);
        }
        causes.push(cause.to_string());
        next = cause.source();
    }
    FetchError::Unreachable(causes.join(": "))
}

fn without_login(url: &Url) -> Result<(), FetchError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Refused("it holds a user name or password"));
    }
    Ok(())
}

impl Addresses {
    /// What can be told before a name is resolved: the scheme, and an address in place of a name.
    fn check(self, url: &Url) -> Result<(), FetchError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(FetchError::Refused("it names no host")),
        };
        if address.is_some_and(|address| !self.allows(address)) {
            return Err(FetchError::Refused(NOT_ALLOWED));
        }
        without_login(url)?;
        match (url.scheme(), self) {
            ("https", _) | ("http", Self::Anywhere) => Ok(()),
            ("http", Self::PublicOrLoopback) if is_this_machine(url) => Ok(()),
            _ => Err(FetchError::Refused("its scheme is not https")),
        }
    }

    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::PublicOrLoopback => is_public(address) || address.to_canonical().is_loopback(),
            Self::Anywhere => true,
        }
    }
}

/// True for hosts that are this machine by their name; `localhost` is resolved and checked all the same.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

const NOT_ALLOWED: &str = "its address is private, or of this machine";

/// The name leads to an address that is not allowed.
#[derive(Debug, thiserror::Error)]
#[error("{NOT_ALLOWED}")]
struct NotAllowed;

/// Resolves names and refuses those that lead to an address which is not allowed; reqwest connects to nothing else.
struct Guard(Addresses);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One bad address spoils the name: a public one beside it is how a check is slipped past.
            if found.iter().any(|address| !addresses.allows(address.ip())) {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// True for addresses of the public internet (IANA special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b) {
        // This network, private, loopback; multicast, reserved, broadcast.
        (0 | 10 | 127 | 224.., _)
        // Shared (CGNAT), link-local, private, benchmarks.
        | (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168) | (198, 18..=19) => true,
        // Protocol assignments, documentation, 6to4 relays.
        (192, 0) => matches!(c, 0 | 2),
        (192, 88) => c == 99,
        (198, 51) => c == 100,
        (203, 0) => c == 113,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Outside global unicast lie loopback, mapped, NAT64, link-local, unique local, multicast and what is not assigned.
    let is_global_unicast = (0x2000..=0x3FFF).contains(&a);
    // Teredo, ORCHID and other protocol assignments; documentation; 6to4, which carries an IPv4 address past the check.
    let is_special = matches!((a, b), (0x2001, 0x0000..=0x01FF | 0x0DB8) | (0x3FFF, 0x0000..=0x0FFF) | (0x2002, _));
    is_global_unicast && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in refused {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
        for address in ["1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111"]
        {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn development_reaches_this_machine_and_nothing_else() {
        for (url, public, development) in [
            ("https://client.example/jwks", true, true),
            ("http://client.example/jwks", false, false),
            ("https://127.0.0.1/jwks", false, true),
            ("http://127.0.0.1:8090/jwks", false, true),
            ("http://[::1]:8090/jwks", false, true),
            ("http://localhost:8090/jwks", false, true),
            ("http://2130706433/jwks", false, true),
            ("http://10.0.0.1/jwks", false, false),
            ("https://[::ffff:10.0.0.1]/jwks", false, false),
            ("https://user@client.example/jwks", false, false),
            ("ftp://client.example/jwks", false, false),
            ("file:///etc/passwd", false, false),
        ] {
            let url = url.parse().expect("a URL");
            assert_eq!(Addresses::Public.check(&url).is_ok(), public, "{url}");
            assert_eq!(Addresses::PublicOrLoopback.check(&url).is_ok(), development, "{url}");
        }
    }
}
