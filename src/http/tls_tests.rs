//! Certificates that are made here, files that are wrong, and peers that do not shake hands.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::time::Instant;

use super::*;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a fresh pair and returns the certificate in DER.
    fn write(&self) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.path("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        made.cert.der().to_vec()
    }

    fn load(&self) -> Result<Certificates, TlsError> {
        Certificates::load(&self.path("cert.pem"), &self.path("key.pem"))
    }
}

#[test]
fn files_that_are_no_pair_are_named() {
    let folder = Folder::new();
    let told = |folder: &Folder| folder.load().unwrap_err().to_string();
    assert!(told(&folder).starts_with("server.tls.certificate: "), "{}", told(&folder));
    folder.write();
    folder.load().unwrap();
    std::fs::write(folder.path("key.pem"), "no key").unwrap();
    assert!(told(&folder).contains("key.pem holds no private key in PEM"), "{}", told(&folder));
    let other = Folder::new();
    other.write();
    std::fs::copy(other.path("key.pem"), folder.path("key.pem")).unwrap();
    assert!(told(&folder).contains("is not the key of the certificate"), "{}", told(&folder));
    std::fs::write(folder.path("cert.pem"), "no certificate").unwrap();
    assert!(told(&folder).contains("cert.pem holds no certificate in PEM"), "{}", told(&folder));
}

#[test]
fn a_changed_pair_is_taken_and_a_broken_one_is_not() {
    let folder = Folder::new();
    let first = folder.write();
    assert_eq!(leaf(&folder.path("cert.pem")).unwrap(), first);
    let certificates = folder.load().unwrap();
    let served = certificates.config.load_full();
    assert_eq!(certificates.renew().unwrap(), Renewal::Unchanged);

    std::fs::write(folder.path("key.pem"), "half written").unwrap();
    certificates.renew().unwrap_err();
    assert_eq!(certificates.renew().unwrap(), Renewal::Unchanged, "told once");
    assert!(Arc::ptr_eq(&served, &certificates.config.load_full()), "the old one is served");

    folder.write();
    assert_eq!(certificates.renew().unwrap(), Renewal::Renewed);
    assert!(!Arc::ptr_eq(&served, &certificates.config.load_full()));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_shake_hands_has_10_seconds() {
    let folder = Folder::new();
    folder.write();
    let certificates = folder.load().unwrap();
    let (_silent, ours) = duplex(64);
    let started = Instant::now();
    let error = certificates.accept(ours).await.err().unwrap();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));

    let (mut dripping, ours) = duplex(64);
    tokio::spawn(async move {
        loop {
            // The beginning of a handshake that goes on for ever.
            let _ = dripping.write_all(&[0x16]).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    });
    let started = Instant::now();
    assert!(certificates.accept(ours).await.is_err());
    assert!(started.elapsed().as_secs() <= 10);

    let (mut plain, ours) = duplex(1024);
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(certificates.accept(ours).await.is_err(), "plain HTTP is no handshake");
    let _ = plain.read_to_end(&mut Vec::new()).await;
}
