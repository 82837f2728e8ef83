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

    /// A mark for a browser in which `user` has just signed in: 43 characters of base64url.
    pub fn mark(&self, user: UserId, random: &dyn Random) -> Secret {
        let nonce: [u8; 16] = random.bytes();
        let mut bytes = [0; 32];
        let (first, second) = bytes.split_at_mut(16);
        first.copy_from_slice(&nonce);
        second.copy_from_slice(&self.seal(user, &nonce));
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// True when `mark` was made for `user`.
    pub fn recognises(&self, user: UserId, mark: &Secret) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(mark.expose()) else { return false };
        let Some((nonce, seal)) = bytes.split_first_chunk::<16>() else { return false };
        bool::from(self.seal(user, nonce).ct_eq(seal))
    }

    /// 128 bits of the code over nonce and person.
    fn seal(&self, user: UserId, nonce: &[u8; 16]) -> [u8; 16] {
        let whole = self.key.mac(&[b"device", user.as_bytes(), nonce]);
        let (first, _) = whole.split_first_chunk().expect("16 of 32 bytes");
        *first
    }
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
        assert_eq!(mark.expose().len(), 43);
        assert!(devices.recognises(alice, &mark));
        assert!(!devices.recognises(bob, &mark));
        assert!(!Devices::new(MacKey::new(&[2; 32])).recognises(alice, &mark));
        let zeros = "A".repeat(43);
        let text = mark.expose().as_str();
        for forged in ["", "x", "é", zeros.as_str(), &text[..42], &format!("{text}A"), &format!("A{}", &text[1..])] {
            let forged = Secret::from(forged);
            assert!(forged.expose() == text || !devices.recognises(alice, &forged), "{}", forged.expose());
        }
        assert_ne!(mark.expose(), devices.mark(alice, &SystemRandom).expose());
    }
}
