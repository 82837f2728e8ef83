//! Where master keys come from: a file, a variable, or a command such as that of a password store.
//!
//! PROTOCOL.md O1, §3 (key file corrupt or readable by others: refuse and name it; never make another in its place).
//!
//! A source holds one key, 43 characters of base64url, or several, each on a line of its own, while a new one takes over.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{KeyId, Vault};
use crate::edge::random::Random;
use crate::protocol::secret::Secret;

/// Where the master keys of a server are.
#[derive(Clone, Debug)]
pub enum MasterKeySource {
    /// A file, mode 0600.
    File(PathBuf),
    /// A text that was read from `origin` (a variable).
    Text {
        /// Its name, for messages.
        origin: String,
        /// The keys.
        text: Secret,
    },
    /// What a command prints: the program and its arguments.
    Command(Vec<String>),
}

impl fmt::Display for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Text { origin, .. } => f.write_str(origin),
            Self::Command(words) => write!(f, "the command `{}`", words.first().map_or("", String::as_str)),
        }
    }
}

/// Why master keys cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Others may read it.
    #[error("{} can be read by others (mode {mode:03o}): run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It does not hold a key.
    #[error(
        "{origin} does not hold a master key (43 characters of base64url): restore it from your backup; without it, signing keys and \
         sealed secrets cannot be read"
    )]
    Corrupt {
        /// Where it should be.
        origin: String,
    },
    /// Everybody knows it.
    #[error(
        "{origin} holds a master key that was published, or is no random one: take another, which `symbolon secret key` prints"
    )]
    Published {
        /// Where it is.
        origin: String,
    },
    /// The database asks for a key that is not there.
    #[error(
        "the database is sealed under another master key ({id}), which {origin} does not hold: bring it there from a node that has it, or from your backup"
    )]
    Unknown {
        /// Its name.
        id: KeyId,
        /// Where it should be.
        origin: String,
    },
    /// It could not be read or written.
    #[error("{origin}: {source}")]
    Io {
        /// The file or command.
        origin: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Bytes of a source that we read: some keys and newlines; anything larger is something else.
const MAX_BYTES: u64 = 1024;

/// Names of master keys that were published: those of `keys/`.
const PUBLISHED: &[&str] = &["0ae302cb"];

impl MasterKeySource {
    /// True when it is a file that is not there; one is made for a fresh database.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::File(path) if !path.exists())
    }

    /// The keys, at least one.
    ///
    /// # Errors
    /// [`MasterKeyError`]: it cannot be read, others can read it, or it holds no usable key.
    pub fn read(&self) -> Result<Vec<Secret<[u8; 32]>>, MasterKeyError> {
        let origin = || self.to_string();
        let failed = |source| MasterKeyError::Io { origin: origin(), source };
        let text = match self {
            Self::File(path) => read_file(path)?,
            Self::Text { text, .. } => Zeroizing::new(text.expose().as_bytes().to_vec()),
            Self::Command(words) => output_of(words).map_err(failed)?,
        };
        let keys = decode(&text).ok_or_else(|| MasterKeyError::Corrupt { origin: origin() })?;
        if keys.iter().any(is_published) {
            return Err(MasterKeyError::Published { origin: origin() });
        }
        Ok(keys)
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
    let failed = |source| MasterKeyError::Io { origin: path.display().to_string(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(1024));
    file.take(MAX_BYTES).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}

/// Its standard error is ours, so that it can say what it lacks.
fn output_of(words: &[String]) -> io::Result<Zeroizing<Vec<u8>>> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command is named"))?;
    let mut child = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut text = Zeroizing::new(Vec::with_capacity(1024));
    if let Some(out) = child.stdout.take() {
        out.take(MAX_BYTES).read_to_end(&mut text)?;
    }
    let status = child.wait()?;
    if status.success() { Ok(text) } else { Err(io::Error::other(format!("it ended with {status}"))) }
}

fn decode(text: &[u8]) -> Option<Vec<Secret<[u8; 32]>>> {
    let lines = text.split(u8::is_ascii_whitespace).filter(|line| !line.is_empty());
    let keys: Option<Vec<_>> = lines
        .map(|line| {
            let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(line).ok()?);
            Some(Secret::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))
        })
        .collect();
    keys.filter(|keys| !keys.is_empty())
}

fn is_published(key: &Secret<[u8; 32]>) -> bool {
    let [first, rest @ ..] = key.expose();
    rest.iter().all(|byte| byte == first) || PUBLISHED.contains(&KeyId::of(key).to_string().as_str())
}

/// A new master key as text.
pub fn generate(random: &dyn Random) -> Zeroizing<String> {
    let master = Zeroizing::new(random.bytes::<32>());
    Zeroizing::new(URL_SAFE_NO_PAD.encode(master.as_slice()))
}

/// Adds a new key to the file, after those that are there; returns its name.
///
/// # Errors
/// As [`MasterKeySource::read`], and when the file cannot be written; it is then as it was.
pub fn add_to_file(path: &Path, random: &dyn Random) -> Result<KeyId, MasterKeyError> {
    let mut keys = MasterKeySource::File(path.to_owned()).read()?;
    let fresh = Secret::new(random.bytes::<32>());
    let id = KeyId::of(&fresh);
    keys.push(fresh);
    write(path, &keys, random)?;
    Ok(id)
}

/// Leaves the one key `kept` in the file; returns how many left it.
///
/// # Errors
/// As [`add_to_file`], and when `kept` is not in it.
pub fn keep_in_file(path: &Path, kept: KeyId, random: &dyn Random) -> Result<usize, MasterKeyError> {
    let keys = MasterKeySource::File(path.to_owned()).read()?;
    let all = keys.len();
    let keys: Vec<_> = keys.into_iter().filter(|key| KeyId::of(key) == kept).take(1).collect();
    if keys.is_empty() {
        return Err(MasterKeyError::Unknown { id: kept, origin: path.display().to_string() });
    }
    write(path, &keys, random)?;
    Ok(all - 1)
}

fn write(path: &Path, keys: &[Secret<[u8; 32]>], random: &dyn Random) -> Result<(), MasterKeyError> {
    let failed = |source| MasterKeyError::Io { origin: path.display().to_string(), source };
    let draft = draft(path, keys, random).map_err(failed)?;
    std::fs::rename(&draft, path).and_then(|()| sync_folder(path)).map_err(failed)
}

/// Writes the keys beside `path`, durably; returns the file.
fn draft(path: &Path, keys: &[Secret<[u8; 32]>], random: &dyn Random) -> io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", URL_SAFE_NO_PAD.encode(random.bytes::<9>())));
    let draft = folder_of(path).join(name);
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 44));
    for key in keys {
        URL_SAFE_NO_PAD.encode_string(key.expose(), &mut text);
        text.push('\n');
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _gone = std::fs::remove_file(&draft);
    }
    written.map(|()| draft)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(folder_of(path))?.sync_all()
}

impl Vault {
    /// Reads the master key file, or makes it (mode 0600) when there is none. Two processes at once get the same key.
    ///
    /// # Errors
    /// [`MasterKeyError`]: the file is readable by others, damaged, or cannot be read or written.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, MasterKeyError> {
        let source = || MasterKeySource::File(path.to_owned());
        match Self::load(source()) {
            Err(MasterKeyError::Io { source: cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                create(path, random)
                    .map_err(|source| MasterKeyError::Io { origin: path.display().to_string(), source })?;
                Self::load(source())
            }
            loaded => loaded,
        }
    }
}

/// Writes a new key beside `path`, durably, and links it into place: a crash leaves the whole file or none.
fn create(path: &Path, random: &dyn Random) -> io::Result<()> {
    let draft = draft(path, &[Secret::new(random.bytes::<32>())], random)?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;
    use crate::edge::vault::Place;

    const PLACE: Place<'_> = Place { table: "signing_key", row: "k1", column: "private_key" };

    #[test]
    fn the_master_key_file_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let first = Vault::load_or_create(&path, &SystemRandom).unwrap();
        let second = Vault::load_or_create(&path, &SystemRandom).unwrap();
        let sealed = first.seal(&PLACE, b"secret", &SystemRandom);
        assert_eq!(second.open(&PLACE, &sealed).unwrap().expose(), b"secret");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn processes_that_start_together_share_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let tags: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Vault::load_or_create(&path, &SystemRandom))).collect();
            starts.into_iter().map(|start| start.join().unwrap().unwrap().derive("x").mac(&[])).collect()
        });
        assert!(tags.iter().all(|tag| *tag == tags[0]));
    }

    #[test]
    fn an_exposed_or_damaged_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        drop(Vault::load_or_create(&path, &SystemRandom).unwrap());
        for mode in [0o640, 0o604, 0o660, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = Vault::load(MasterKeySource::File(path.clone())).unwrap_err().to_string();
            assert!(error.contains("master.key") && error.contains("chmod 600"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "\n", "short", &"A".repeat(42), &"A".repeat(44), &"!".repeat(43), &"AAAA ".repeat(1000)] {
            std::fs::write(&path, text).unwrap();
            let error = Vault::load_or_create(&path, &SystemRandom).unwrap_err();
            assert!(matches!(error, MasterKeyError::Corrupt { .. }), "{error} for {text:?}");
        }
        let nowhere = folder.path().join("missing").join("master.key");
        assert!(matches!(Vault::load_or_create(&nowhere, &SystemRandom), Err(MasterKeyError::Io { .. })));
    }

    #[test]
    fn a_second_key_joins_the_file_and_the_first_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let vault = Vault::load_or_create(&path, &SystemRandom).unwrap();
        let old = vault.key_ids();
        let sealed = vault.seal(&PLACE, b"secret", &SystemRandom);
        let new = add_to_file(&path, &SystemRandom).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        assert_eq!(vault.key_ids(), old, "what is read is read when it is needed");
        vault.promote(new).unwrap();
        assert_eq!(vault.key_ids(), [new, old[0]]);
        assert!(keep_in_file(&path, KeyId::of(&Secret::new([9; 32])), &SystemRandom).is_err());
        assert_eq!(keep_in_file(&path, new, &SystemRandom).unwrap(), 1);
        assert_eq!(Vault::load_or_create(&path, &SystemRandom).unwrap().key_ids(), [new]);
        assert_eq!(vault.open(&PLACE, &sealed).unwrap().expose(), b"secret", "a process that runs still opens it");
    }

    #[test]
    fn a_key_comes_from_a_variable_or_a_command() {
        let text = generate(&SystemRandom);
        let given = MasterKeySource::Text { origin: "the variable KEY".to_owned(), text: Secret::from(text.as_str()) };
        let printed = MasterKeySource::Command(vec!["echo".to_owned(), text.to_string()]);
        let ids = |source| Vault::load(source).unwrap().key_ids();
        assert_eq!(ids(given), ids(printed));
        let error = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Vault::load(MasterKeySource::Command(words)).unwrap_err().to_string()
        };
        assert!(error(&["false"]).contains("the command `false`: it ended with"));
        assert!(error(&["echo", "hunter2"]).contains("does not hold a master key"));
        assert!(!error(&["echo", "hunter2"]).contains("hunter2"));
        assert!(error(&["/nowhere/at/all"]).contains("/nowhere/at/all"));
    }

    #[test]
    fn a_published_key_is_refused() {
        let test_key = include_str!("../../../keys/test-master.key");
        for text in [test_key, &"A".repeat(43), &URL_SAFE_NO_PAD.encode([7; 32])] {
            let source = MasterKeySource::Text { origin: "the variable KEY".to_owned(), text: Secret::from(text) };
            let error = Vault::load(source).unwrap_err();
            assert!(matches!(error, MasterKeyError::Published { .. }), "{error}");
        }
    }
}
