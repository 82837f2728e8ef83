//! The passwords and secrets of the seeds: generated once for a data folder, kept in `dev.json` (mode 0600).

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::edge::random::Random;
use crate::protocol::secret::Secret;

/// Passwords of people and secrets of clients, by name.
#[derive(Clone, Debug, Default)]
pub struct Credentials(BTreeMap<String, Secret>);

/// What a credential is for.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A person types it: 100 bits in groups that read well.
    Password,
    /// A client sends it: 256 bits.
    ClientSecret,
}

/// `dev.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It cannot be read or written.
    #[error("cannot use {}", path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("{} is not what `symbolon dev` wrote; remove it to get new passwords", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
}

/// RFC 4648 §6 in lower case: no two of its characters look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Credentials {
    /// New ones for the names in `wanted`.
    pub fn generate(wanted: &[(&str, Kind)], random: &dyn Random) -> Self {
        let mut credentials = Self::default();
        credentials.complete(wanted, random);
        credentials
    }

    /// Those kept at `path`, and new ones, kept there too, for what is `wanted` and lacking.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is not ours.
    pub fn load_or_create(path: &Path, wanted: &[(&str, Kind)], random: &dyn Random) -> Result<Self, CredentialsError> {
        let access = |source| CredentialsError::Access { path: path.to_owned(), source };
        let mut credentials = match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).ok_or_else(|| CredentialsError::Content { path: path.to_owned() })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(access(error)),
        };
        if credentials.complete(wanted, random) {
            credentials.write(path).map_err(access)?;
        }
        Ok(credentials)
    }

    /// The password or secret of `name`.
    ///
    /// # Panics
    /// When `name` is not among those it was made for: a mistake of the caller.
    pub fn of(&self, name: &str) -> &Secret {
        self.0.get(name).expect("credentials are made for each seed")
    }

    /// Adds what is missing; true when something was.
    fn complete(&mut self, wanted: &[(&str, Kind)], random: &dyn Random) -> bool {
        let before = self.0.len();
        for (name, kind) in wanted {
            self.0.entry((*name).to_owned()).or_insert_with(|| match kind {
                Kind::Password => readable(&random.bytes()),
                Kind::ClientSecret => random.token(),
            });
        }
        self.0.len() > before
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let values: BTreeMap<String, String> = serde_json::from_slice(bytes).ok()?;
        Some(Self(values.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()))
    }

    /// Writes beside and renames: a crash leaves the old file or the new one.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let values: Map<String, Value> =
            self.0.iter().map(|(name, secret)| (name.clone(), Value::from(secret.expose().as_str()))).collect();
        let beside = path.with_extension("json.new");
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(serde_json::to_string_pretty(&values)?.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    }
}

/// Five groups of four characters, 100 bits: easy to read aloud, beyond guessing, and long enough for any rule.
fn readable(bytes: &[u8; 20]) -> Secret {
    let characters = bytes.iter().map(|byte| char::from(*ALPHABET.get(usize::from(byte % 32)).expect("below 32")));
    let mut text = String::with_capacity(24);
    for (index, character) in characters.enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(character);
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;

    const ALICE: (&str, Kind) = ("alice", Kind::Password);
    const BOB: (&str, Kind) = ("bob", Kind::Password);

    #[test]
    fn one_data_folder_keeps_its_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        let first = Credentials::load_or_create(&path, &[ALICE], &SystemRandom).unwrap();
        let second = Credentials::load_or_create(&path, &[ALICE, BOB], &SystemRandom).unwrap();
        let third = Credentials::load_or_create(&path, &[BOB, ALICE], &SystemRandom).unwrap();

        assert_eq!(first.of("alice").expose(), second.of("alice").expose());
        assert_eq!(second.of("bob").expose(), third.of("bob").expose());
        let other = Credentials::generate(&[ALICE], &SystemRandom);
        assert_ne!(other.of("alice").expose(), first.of("alice").expose());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        Credentials::load_or_create(&path, &[ALICE], &SystemRandom).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        std::fs::write(&path, "[1]").unwrap();
        let error = Credentials::load_or_create(&path, &[ALICE], &SystemRandom).unwrap_err();
        assert!(error.to_string().contains("dev.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[1]");
    }

    #[test]
    fn passwords_are_readable() {
        let password = Credentials::generate(&[ALICE], &SystemRandom).of("alice").expose().clone();
        assert_eq!(password.len(), 24);
        let secret = Credentials::generate(&[("app", Kind::ClientSecret)], &SystemRandom);
        assert_eq!(secret.of("app").expose().len(), 43);
        for group in password.split('-') {
            assert!(group.len() == 4 && group.bytes().all(|byte| ALPHABET.contains(&byte)), "{password}");
        }
    }
}
