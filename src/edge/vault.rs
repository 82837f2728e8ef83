//! The vault: seals what must not be readable in a copy of the database.
//!
//! AES-256-GCM (NIST SP 800-38D) under keys derived from one master key by HKDF-SHA-256 (RFC 5869).
//!
//! A sealed value is `version (1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext and tag`; version, key id and the place in
//! the database are authenticated with it, so that a value copied into another row does not open.
//! A vault has a ring of master keys: it opens under each of them and seals under the current one. Which one that is, the database
//! says ([`crate::edge::sealing`]), so that all nodes change over together.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use crate::edge::random::Random;
use crate::model::fault::Fault;
use crate::protocol::secret::{MacKey, Secret};

pub mod master_key;

pub use master_key::MasterKeyError;
use master_key::MasterKeySource;

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
    ring: ArcSwap<Ring>,
    source: Option<MasterKeySource>,
}

/// The first key is the current one.
#[derive(Clone)]
struct Ring(Vec<Arc<MasterKey>>);

/// The name of a master key: it tells nothing about the key.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct KeyId([u8; KEY_ID_LEN]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl KeyId {
    /// The name of `master`.
    pub fn of(master: &Secret<[u8; 32]>) -> Self {
        MasterKey::new(master).id
    }

    /// The master key that `sealed` was sealed under, by its own word.
    pub fn named_by(sealed: &[u8]) -> Option<Self> {
        Self::from_slice(sealed.get(1..HEADER_LEN)?)
    }

    pub(in crate::edge) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    pub(in crate::edge) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

struct MasterKey {
    id: KeyId,
    sealing: LessSafeKey,
    derivation: Prk,
}

impl Vault {
    /// A vault under `master`: 32 random bytes.
    #[expect(clippy::needless_pass_by_value, reason = "the caller gives the secret away, so that it is wiped")]
    pub fn new(master: Secret<[u8; 32]>) -> Self {
        Self { ring: ArcSwap::from_pointee(Ring(vec![Arc::new(MasterKey::new(&master))])), source: None }
    }

    /// A vault under the keys of `source`, the first of them current.
    ///
    /// # Errors
    /// [`MasterKeyError`] names the source and says what to do.
    pub fn load(source: MasterKeySource) -> Result<Self, MasterKeyError> {
        let ring = Ring::of(&source.read()?);
        Ok(Self { ring: ArcSwap::from_pointee(ring), source: Some(source) })
    }

    /// Opens what `master` sealed, too.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the caller gives the secret away, so that it is wiped")]
    pub fn accepting(self, master: Secret<[u8; 32]>) -> Self {
        self.ring.rcu(|ring| {
            let mut ring = Ring::clone(ring);
            ring.0.push(Arc::new(MasterKey::new(&master)));
            ring
        });
        self
    }

    /// The key that seals.
    pub fn current(&self) -> KeyId {
        self.ring.load().current().id
    }

    /// Every key, the current one first.
    pub fn key_ids(&self) -> Vec<KeyId> {
        self.ring.load().0.iter().map(|key| key.id).collect()
    }

    /// Where its keys come from; `None` when they were given.
    pub fn source(&self) -> Option<&MasterKeySource> {
        self.source.as_ref()
    }

    /// Seals under the key `id` from now on. Where the key is not known the source is read again, which may take a moment.
    ///
    /// # Errors
    /// When no key of the source has this name.
    pub fn promote(&self, id: KeyId) -> Result<(), MasterKeyError> {
        let ring = self.ring.load_full();
        if let Some(ring) = ring.led_by(id) {
            self.ring.store(Arc::new(ring));
            return Ok(());
        }
        let Some(source) = &self.source else {
            return Err(MasterKeyError::Unknown { id, origin: "what was given".to_owned() });
        };
        // What was sealed under a key that has left the source since can still be opened here.
        let fresh = Ring::of(&source.read()?).joined_by(&ring);
        let fresh = fresh.led_by(id).ok_or_else(|| MasterKeyError::Unknown { id, origin: source.to_string() })?;
        self.ring.store(Arc::new(fresh));
        Ok(())
    }

    /// Seals `plain` for `place`.
    ///
    /// # Panics
    /// Above 64 GiB, which AES-GCM cannot seal.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        // Random nonces of 96 bits are safe for 2^32 values under one key (SP 800-38D §8.3); we seal thousands.
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        let ring = self.ring.load();
        let current = ring.current();
        sealed.push(VERSION);
        sealed.extend_from_slice(&current.id.0);
        let bound = associated_data(&sealed, place);
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
        text.extend_from_slice(plain);
        current
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
        let ring = self.ring.load();
        let key =
            ring.0.iter().find(|key| key.id.0 == id).ok_or_else(|| {
                refuse("it was sealed under another master key; start with the key file it belongs to")
            })?;
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
        KeyId::named_by(sealed) != Some(self.current())
    }

    /// A key of its own for `purpose`; the same for the same master key, unrelated for other purposes. It changes with the
    /// master key: for what has to outlive it, seal a random key.
    pub fn derive(&self, purpose: &str) -> MacKey {
        MacKey::new(&expand(&self.ring.load().current().derivation, &["symbolon/derive/", purpose]))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Ring {
    fn of(masters: &[Secret<[u8; 32]>]) -> Self {
        Self(masters.iter().map(|master| Arc::new(MasterKey::new(master))).collect())
    }

    fn current(&self) -> &MasterKey {
        self.0.first().expect("a ring is made of at least one key")
    }

    /// With those of `other` that are missing.
    fn joined_by(mut self, other: &Self) -> Self {
        for key in &other.0 {
            if self.0.iter().all(|own| own.id != key.id) {
                self.0.push(Arc::clone(key));
            }
        }
        self
    }

    /// The same keys with `id` in front; `None` when it is not among them.
    fn led_by(&self, id: KeyId) -> Option<Self> {
        let mut keys = self.0.clone();
        let at = keys.iter().position(|key| key.id == id)?;
        keys.swap(0, at);
        Some(Self(keys))
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
        Self { id: KeyId(id), sealing: LessSafeKey::new(sealing), derivation }
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
    fn the_current_key_is_one_of_the_ring() {
        let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let ids = [KeyId::of(&old), KeyId::of(&new)];
        let vault = Vault::new(old).accepting(new);
        assert_eq!(vault.key_ids(), ids);
        let sealed = vault.seal(&PLACE, b"secret", &SystemRandom);
        vault.promote(ids[1]).unwrap();
        assert_eq!(vault.key_ids(), [ids[1], ids[0]]);
        assert!(vault.is_outdated(&sealed));
        assert_eq!(vault.open(&PLACE, &sealed).unwrap().expose(), b"secret");
        assert_eq!(KeyId::named_by(&vault.seal(&PLACE, b"x", &SystemRandom)), Some(ids[1]));
        let refusal = vault.promote(KeyId::of(&Secret::new([3; 32]))).unwrap_err();
        assert!(matches!(refusal, MasterKeyError::Unknown { .. }), "{refusal}");
        assert_eq!(vault.key_ids(), [ids[1], ids[0]]);
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_master() {
        let tag = |vault: &Vault, purpose| vault.derive(purpose).mac(&[b"x"]);
        assert_eq!(tag(&vault(1), "csrf"), tag(&vault(1), "csrf"));
        assert_ne!(tag(&vault(1), "csrf"), tag(&vault(1), "pairwise"));
        assert_ne!(tag(&vault(1), "csrf"), tag(&vault(2), "csrf"));
        assert_eq!(format!("{:?}", vault(1)), "…");
    }
}
