//! Chance is given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;

use crate::protocol::secret::Secret;

/// Where random bytes come from.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes fit for keys and tokens.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator, by way of a generator seeded from it in each thread.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the one place that draws chance")]
        let mut generator = rand::rng();
        generator.try_fill_bytes(bytes).unwrap_or_else(|never| match never {});
    }
}

impl dyn Random + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A token of 256 random bits in base64url: 43 characters.
    pub fn token(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.bytes::<32>()))
    }

    /// A secret of 512 random bits in base64url, long enough as a key for HS512 (RFC 7518 §3.2): 86 characters.
    pub fn hmac_secret(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.bytes::<64>()))
    }
}
