//! TLS of our own, where no proxy stands in front: the certificate, and its renewal while the server runs.
//!
//! RFC 8446, RFC 9325 (TLS 1.2 and 1.3 alone), RFC 7301 (HTTP/2 by ALPN).

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a peer may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a certificate is not taken; exit code 4.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of that kind.
    #[error("{setting}: {} {reason}", file.display())]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The two do not belong together.
    #[error("server.tls.key: {} is not the key of the certificate {}: {reason}", key.display(), certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the check said.
        reason: String,
    },
}

/// A certificate with its key, as the files have it.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
    seen: Mutex<Option<[Stamp; 2]>>,
}

/// What tells that a file is another one: written anew, or a link that leads elsewhere.
type Stamp = (Option<SystemTime>, u64, u64);

/// What a look at the files came to.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Renewal {
    /// They are the same.
    Unchanged,
    /// They are others, and served from now on.
    Renewed,
}

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let seen = Mutex::new(Some([stamp(certificate), stamp(key)]));
        let config = ArcSwap::from_pointee(read(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), config, seen })
    }

    /// Takes over the files when they have changed. While they are no good the old ones are served on.
    ///
    /// # Errors
    /// [`TlsError`], once for each state of the files.
    pub fn renew(&self) -> Result<Renewal, TlsError> {
        let now = Some([stamp(&self.certificate), stamp(&self.key)]);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Ok(Renewal::Unchanged);
        }
        *seen = now;
        self.config.store(Arc::new(read(&self.certificate, &self.key)?));
        Ok(Renewal::Renewed)
    }

    /// Looks at the files again and again, until the process ends.
    pub async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.renew() {
                Ok(Renewal::Unchanged) => {}
                Ok(Renewal::Renewed) => {
                    tracing::info!(certificate = %self.certificate.display(), "the certificate was renewed");
                }
                // Two files are written one after the other: between them they do not belong together.
                Err(error) => {
                    tracing::warn!(%error, "the certificate has changed and is no good; the old one is served");
                }
            }
        }
    }

    /// Shakes hands with a peer.
    ///
    /// # Errors
    /// When it does not speak TLS, or not in time.
    pub(super) async fn accept<T: AsyncRead + AsyncWrite + Unpin>(&self, stream: T) -> io::Result<TlsStream<T>> {
        let acceptor = TlsAcceptor::from(self.config.load_full());
        let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
        shaken.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no handshake within 10 seconds")))
    }
}

/// The leaf of a chain in a PEM file, in DER.
///
/// # Errors
/// As [`Certificates::load`].
pub fn leaf(certificate: &Path) -> Result<Vec<u8>, TlsError> {
    Ok(chain(certificate)?.first().map(|leaf| leaf.to_vec()).unwrap_or_default())
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refuse = |reason| TlsError::File { setting: "server.tls.certificate", file: file.to_owned(), reason };
    let read = CertificateDer::pem_file_iter(file).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let chain: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| refuse(format!("cannot be read: {error}")))?;
    if chain.is_empty() { Err(refuse("holds no certificate in PEM".to_owned())) } else { Ok(chain) }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let chain = chain(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::File {
        setting: "server.tls.key",
        file: key.to_owned(),
        reason: format!("holds no private key in PEM: {error}"),
    })?;
    let refuse = |reason: rustls::Error| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        reason: reason.to_string(),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pair = CertifiedKey::from_der(chain, secret, &provider).map_err(refuse)?;
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(refuse)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(One(Arc::new(pair))));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// One certificate, whatever name the peer asks for.
#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesServerCert for One {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn stamp(file: &Path) -> Stamp {
    let metadata = std::fs::metadata(file).ok();
    let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
    (modified, metadata.as_ref().map_or(0, std::fs::Metadata::len), metadata.map_or(0, |metadata| metadata.ino()))
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
