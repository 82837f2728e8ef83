//! An authority of its own, and the certificate that it gave to `localhost`.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::owner;

/// Texts in PEM.
pub(crate) struct Certificates {
    ca: String,
    server: String,
    key: String,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "test authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
        let key = KeyPair::generate().expect("a key");
        let wanted = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let server = wanted.signed_by(&key, &authority).expect("signed");
        Self { ca: authority.pem(), server: server.pem(), key: key.serialize_pem() }
    }

    /// The authority, as an operator names it.
    pub(crate) fn ca(&self) -> Vec<u8> {
        self.ca.clone().into_bytes()
    }

    /// Writes certificate and key to where a server may read them; returns their paths.
    pub(super) fn install(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let write = |name: &str, text: &str, mode| {
            let file = folder.join(name);
            std::fs::write(&file, text).expect("written");
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("set");
            if let Some((user, group)) = owner() {
                std::os::unix::fs::chown(&file, Some(user), Some(group)).expect("root may");
            }
            file
        };
        (write("server.pem", &self.server, 0o644), write("server.key", &self.key, 0o600))
    }
}
