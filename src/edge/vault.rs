//! The vault: seals what must not be readable in a copy of the database.
//!
//! AES-256-GCM (NIST SP 800-38D) under keys derived from one master key by HKDF-SHA-256 (RFC 5869).
//!
//! A sealed value is `version (1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext and tag`; version, key id and the place in
//! the database are authenticated with it, so that a value copied into another row does not open.
//! To change the master key, start with the new one and [`Vault::accepting`] the old; what is sealed again moves over.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::edge::random::Random;
use crate::model::fault::Fault;
use crate::protocol::secret::{MacKey, Secret};

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEADER_LEN: usize = 1 + KEY_ID_LEN;

/// Where a sealed value lives; it opens only there.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The primary key of the row, as text.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
}

/// Seals and opens values, and derives the other keys of this server.
pub struct Vault {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

struct MasterKey {
    id: [u8; KEY_ID_LEN],
    sealing: LessSafeKey,
    derivation: Prk,
}

impl Vault {
    /// A vault under `master`: 32 random bytes.
    #[expect(clippy::needless_pass_by_value, reason = "the caller gives the secret away, so that it is wiped")]
    pub fn new(master: Secret<[u8; 32]>) -> Self {
        Self { current: MasterKey::new(&master), previous: Vec::new() }
    }

    /// Opens what `master` sealed before, too.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the caller gives the secret away, so that it is wiped")]
    pub fn accepting(mut self, master: Secret<[u8; 32]>) -> Self {
        self.previous.push(MasterKey::new(&master));
        self
    }

    /// Seals `plain` for `place`.
    ///
    /// # Panics
    /// Above 64 GiB, which AES-GCM cannot seal.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        // Random nonces of 96 bits are safe for 2^32 values under one key (SP 800-38D §8.3); we seal thousands.
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.current.id);
        let bound = associated_data(&sealed, place);
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
        text.extend_from_slice(plain);
        self.current
            .sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut *text)
            .expect("AES-GCM seals anything up to 64 GiB");
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens a value sealed for `place`.
    ///
    /// # Errors
    /// An internal [`Fault`] that names the place: the value is damaged, of another place, or sealed under a master
    /// key that this vault does not have.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Fault> {
        let refuse = |reason: &str| {
            Fault::internal(format!(
                "open the sealed value of table {}, row {}, column {}: {reason}",
                place.table, place.row, place.column
            ))
        };
        let (header, rest) = sealed.split_at_checked(HEADER_LEN).ok_or_else(|| refuse("it is cut short"))?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(|| refuse("it is cut short"))?;
        let (version, id) = header.split_first().ok_or_else(|| refuse("it is cut short"))?;
        if *version != VERSION {
            return Err(refuse("a newer release sealed it"));
        }
        let key = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id == id)
            .ok_or_else(|| refuse("it was sealed under another master key; start with the key file it belongs to"))?;
        let mut text = Zeroizing::new(text.to_vec());
        let bound = associated_data(header, place);
        let plain = key
            .sealing
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut text)
            .map_err(|_| refuse("it is damaged or belongs elsewhere"))?;
        Ok(Secret::new(plain.to_vec()))
    }

    /// True when `sealed` should be sealed again, since an older master key sealed it.
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        sealed.get(1..HEADER_LEN) != Some(self.current.id.as_slice())
    }

    /// A key of its own for `purpose`; the same for the same master key, unrelated for other purposes.
    pub fn derive(&self, purpose: &str) -> MacKey {
        MacKey::new(&expand(&self.current.derivation, &["symbolon/derive/", purpose]))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl MasterKey {
    fn new(master: &Secret<[u8; 32]>) -> Self {
        let derivation = Salt::new(HKDF_SHA256, b"symbolon").extract(master.expose());
        let sealing = expand(&derivation, &["symbolon/seal"]);
        let mut id = [0; KEY_ID_LEN];
        let named = expand(&derivation, &["symbolon/key-id"]);
        id.iter_mut().zip(digest(&SHA256, named.as_slice()).as_ref()).for_each(|(to, from)| *to = *from);
        let sealing = UnboundKey::new(&AES_256_GCM, sealing.as_slice()).expect("AES-256 takes 32 bytes");
        Self { id, sealing: LessSafeKey::new(sealing), derivation }
    }
}

/// Table, row and column with their lengths, so that they cannot run into one another.
fn associated_data(header: &[u8], place: &Place<'_>) -> Vec<u8> {
    let mut data = header.to_vec();
    for part in [place.table, place.row, place.column] {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data
}

struct ThirtyTwoBytes;

impl KeyType for ThirtyTwoBytes {
    fn len(&self) -> usize {
        32
    }
}

fn expand(key: &Prk, info: &[&str]) -> Zeroizing<[u8; 32]> {
    let info: Vec<&[u8]> = info.iter().map(|part| part.as_bytes()).collect();
    let mut bytes = Zeroizing::new([0; 32]);
    key.expand(&info, ThirtyTwoBytes)
        .and_then(|okm| okm.fill(bytes.as_mut_slice()))
        .expect("HKDF-SHA-256 gives up to 8160 bytes");
    bytes
}

/// Why a master key file cannot be used. Each says what to do.
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
    #[error("{} does not hold a master key (43 characters of base64url): restore it from your backup; without it, signing keys and sealed secrets cannot be read", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// It could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Vault {
    /// Reads the master key file, or makes it (mode 0600) when there is none. Two processes at once get the same key.
    ///
    /// # Errors
    /// [`MasterKeyError`]: the file is readable by others, damaged, or cannot be read or written.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, MasterKeyError> {
        match Self::load(path) {
            Err(MasterKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                create(path, random).map_err(|source| MasterKeyError::Io { path: path.to_owned(), source })?;
                Self::load(path)
            }
            loaded => loaded,
        }
    }

    /// Reads an existing master key file.
    ///
    /// # Errors
    /// As [`Vault::load_or_create`], and when there is none.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::Io { path: path.to_owned(), source };
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
        }
        // A key and a newline; anything larger is some other file.
        let mut text = Zeroizing::new(Vec::with_capacity(64));
        (&mut file).take(64).read_to_end(&mut text).map_err(failed)?;
        let master = decode(&text).ok_or_else(|| MasterKeyError::Corrupt { path: path.to_owned() })?;
        Ok(Self::new(master))
    }
}

fn decode(text: &[u8]) -> Option<Secret<[u8; 32]>> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim_ascii_end()).ok()?);
    Some(Secret::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))
}

/// Writes a new key beside `path`, durably, and links it into place: a crash leaves the whole file or none.
fn create(path: &Path, random: &dyn Random) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", URL_SAFE_NO_PAD.encode(random.bytes::<9>())));
    let draft = folder.join(name);
    let master = Zeroizing::new(random.bytes::<32>());
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(master.as_slice()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match written {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;

    const PLACE: Place<'_> = Place { table: "signing_key", row: "k1", column: "private_key" };

    fn vault(byte: u8) -> Vault {
        Vault::new(Secret::new([byte; 32]))
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_only() {
        let vault = vault(1);
        for plain in [&b""[..], b"secret", &[7; 5000]] {
            let sealed = vault.seal(&PLACE, plain, &SystemRandom);
            assert_eq!(vault.open(&PLACE, &sealed).unwrap().expose(), plain);
            assert_ne!(sealed, vault.seal(&PLACE, plain, &SystemRandom), "each has its own nonce");
            for elsewhere in [
                Place { table: "client", ..PLACE },
                Place { row: "k2", ..PLACE },
                Place { column: "public_key", ..PLACE },
                Place { table: "signing_keyk", row: "1", ..PLACE },
            ] {
                let fault = vault.open(&elsewhere, &sealed).unwrap_err();
                assert!(fault.to_string().contains("belongs elsewhere"), "{fault}");
            }
        }
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let vault = vault(1);
        let sealed = vault.seal(&PLACE, b"secret", &SystemRandom);
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(vault.open(&PLACE, &changed).is_err(), "byte {position}");
            assert!(vault.open(&PLACE, &sealed[..position]).is_err(), "cut at {position}");
        }
    }

    #[test]
    fn a_master_key_is_replaced_step_by_step() {
        let old = vault(1);
        let sealed = old.seal(&PLACE, b"secret", &SystemRandom);
        let fault = vault(2).open(&PLACE, &sealed).unwrap_err();
        assert!(fault.to_string().contains("another master key"), "{fault}");

        let new = vault(2).accepting(Secret::new([1; 32]));
        assert!(new.is_outdated(&sealed) && !old.is_outdated(&sealed));
        let opened = new.open(&PLACE, &sealed).unwrap();
        let moved = new.seal(&PLACE, opened.expose(), &SystemRandom);
        assert!(!new.is_outdated(&moved));
        assert_eq!(vault(2).open(&PLACE, &moved).unwrap().expose(), b"secret");
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_master() {
        let tag = |vault: &Vault, purpose| vault.derive(purpose).mac(&[b"x"]);
        assert_eq!(tag(&vault(1), "csrf"), tag(&vault(1), "csrf"));
        assert_ne!(tag(&vault(1), "csrf"), tag(&vault(1), "pairwise"));
        assert_ne!(tag(&vault(1), "csrf"), tag(&vault(2), "csrf"));
        assert_eq!(format!("{:?}", vault(1)), "…");
    }

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
            let error = Vault::load(&path).unwrap_err().to_string();
            assert!(error.contains("master.key") && error.contains("chmod 600"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "\n", "short", &"A".repeat(42), &"A".repeat(44), &"!".repeat(43), &"A".repeat(5000)] {
            std::fs::write(&path, text).unwrap();
            let error = Vault::load_or_create(&path, &SystemRandom).unwrap_err();
            assert!(matches!(error, MasterKeyError::Corrupt { .. }), "{error} for {text:?}");
        }
        let nowhere = folder.path().join("missing").join("master.key");
        assert!(matches!(Vault::load_or_create(&nowhere, &SystemRandom), Err(MasterKeyError::Io { .. })));
    }
}
