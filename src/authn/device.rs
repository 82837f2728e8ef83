//! Browsers that a person signed in with before.
//!
//! PROTOCOL A5, NIST SP 800-63B-4 §3.2.2: a stranger who guesses at an account uses up the room for guesses; the person's own
//! browser is known by a mark and has room of its own. The mark proves nothing else: it signs nobody in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::edge::random::Random;
use crate::model::id::UserId;
use crate::protocol::secret::{MacKey, Secret};

/// Makes and recognises marks.
#[derive(Clone, Debug)]
pub struct Devices {
    key: MacKey,
}

impl Devices {
    /// Marks are made with `key`, a key of the server's own.
    pub const fn new(key: MacKey) -> Self {
        Self { key }
    }

    /// A mark for a browser in which `user` has just signed in: 64 characters of base64url.
    pub fn mark(&self, user: UserId, random: &dyn Random) -> Secret {
        let nonce: [u8; 16] = random.bytes();
        let seal = self.seal(user, &nonce);
        let bytes = [nonce, seal, self.stamp(&nonce, &seal)].concat();
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// True when `mark` was made for `user`; also one of the release before, which has no stamp.
    pub fn recognises(&self, user: UserId, mark: &Secret) -> bool {
        let Some(Parts { nonce, seal, stamp }) = Parts::of(mark) else { return false };
        let is_whole = stamp.is_none_or(|stamp| bool::from(self.stamp(&nonce, &seal).ct_eq(&stamp)));
        is_whole && bool::from(self.seal(user, &nonce).ct_eq(&seal))
    }

    /// True when `mark` is one of ours, for whomever: what is asked where nobody is named yet.
    pub fn is_genuine(&self, mark: &Secret) -> bool {
        let Some(Parts { nonce, seal, stamp: Some(stamp) }) = Parts::of(mark) else { return false };
        bool::from(self.stamp(&nonce, &seal).ct_eq(&stamp))
    }

    /// 128 bits of the code over nonce and person.
    fn seal(&self, user: UserId, nonce: &[u8; 16]) -> [u8; 16] {
        half(self.key.mac(&[b"device", user.as_bytes(), nonce]))
    }

    /// 128 bits of the code over both.
    fn stamp(&self, nonce: &[u8; 16], seal: &[u8; 16]) -> [u8; 16] {
        half(self.key.mac(&[b"device stamp", nonce, seal]))
    }
}

/// What a mark is made of.
struct Parts {
    nonce: [u8; 16],
    seal: [u8; 16],
    stamp: Option<[u8; 16]>,
}

impl Parts {
    fn of(mark: &Secret) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(mark.expose()).ok()?;
        let (nonce, rest) = bytes.split_first_chunk::<16>()?;
        let (seal, rest) = rest.split_first_chunk::<16>()?;
        let stamp = if rest.is_empty() { None } else { Some(rest.try_into().ok()?) };
        Some(Self { nonce: *nonce, seal: *seal, stamp })
    }
}

fn half(whole: [u8; 32]) -> [u8; 16] {
    let (first, _) = whole.split_first_chunk().expect("16 of 32 bytes");
    *first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;

    #[test]
    fn a_mark_is_of_one_person_and_one_server() {
        let devices = Devices::new(MacKey::new(&[1; 32]));
        let (alice, bob) = (UserId::new([1; 16]), UserId::new([2; 16]));
        let mark = devices.mark(alice, &SystemRandom);
        assert_eq!(mark.expose().len(), 64);
        assert!(devices.recognises(alice, &mark) && devices.is_genuine(&mark));
        let bytes = URL_SAFE_NO_PAD.decode(mark.expose()).expect("base64url");
        let before = Secret::new(URL_SAFE_NO_PAD.encode(&bytes[..32]));
        assert!(devices.recognises(alice, &before) && !devices.is_genuine(&before), "of the release before");
        let other = Devices::new(MacKey::new(&[2; 32]));
        assert!(!devices.is_genuine(&other.mark(alice, &SystemRandom)), "of another server");
        assert!(!devices.recognises(bob, &mark));
        assert!(!Devices::new(MacKey::new(&[2; 32])).recognises(alice, &mark));
        let zeros = "A".repeat(43);
        let text = mark.expose().as_str();
        for forged in ["", "x", "é", zeros.as_str(), &text[..60], &format!("{text}A"), &format!("A{}", &text[1..])] {
            let forged = Secret::from(forged);
            let is_taken = devices.recognises(alice, &forged) || devices.is_genuine(&forged);
            assert!(forged.expose() == text || !is_taken, "{}", forged.expose());
        }
        assert_ne!(mark.expose(), devices.mark(alice, &SystemRandom).expose());
    }
}
