//! An authority of its own, and the certificate that it gave to `localhost`; by `openssl` of the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::owner;

/// A folder with `ca.pem`, and with `server.pem` and `server.key` for `localhost`.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = |arguments: &str| {
            let openssl = Command::new("openssl").args(arguments.split(' ')).current_dir(&folder).output();
            let ran = openssl.expect("openssl is there");
            assert!(ran.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
        };
        run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out ca.pem");
        run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
        std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").expect("written");
        run("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem");
        Self(folder)
    }

    /// The authority, as an operator names it.
    pub(crate) fn ca(&self) -> Vec<u8> {
        std::fs::read(self.0.path().join("ca.pem")).expect("it was made")
    }

    /// Copies certificate and key to where a server may read them; returns their paths.
    pub(super) fn install(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let copy = |name: &str, mode| {
            let to = folder.join(name);
            std::fs::copy(self.0.path().join(name), &to).expect("copied");
            std::fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("set");
            if let Some((user, group)) = owner() {
                std::os::unix::fs::chown(&to, Some(user), Some(group)).expect("root may");
            }
            to
        };
        (copy("server.pem", 0o644), copy("server.key", 0o600))
    }
}
