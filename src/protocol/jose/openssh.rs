//! Private keys in the form of OpenSSH.
//!
//! RFC 4251 §5 (strings and numbers), RFC 8709 (Ed25519), RFC 5656 §3.1 (EC), RFC 8017 §3.2 (RSA), and OpenSSH's own `PROTOCOL.key`.

use zeroize::Zeroizing;

use crate::protocol::jose::error::JoseError;

/// The numbers of a private key, as they stand in the file.
pub(super) enum OpenSshKey<'a> {
    Ed25519 {
        public: &'a [u8],
        seed: &'a [u8],
    },
    /// `curve` is `nistp256` and the like; `point` is uncompressed.
    Ec {
        curve: &'a [u8],
        point: &'a [u8],
        scalar: &'a [u8],
    },
    Rsa(RsaNumbers<'a>),
}

/// By the letters of RFC 8017.
pub(super) struct RsaNumbers<'a> {
    pub(super) n: &'a [u8],
    pub(super) e: &'a [u8],
    pub(super) d: &'a [u8],
    pub(super) p: &'a [u8],
    pub(super) q: &'a [u8],
    pub(super) qi: &'a [u8],
}

const MAGIC: &[u8] = b"openssh-key-v1\0";
const DAMAGED: JoseError = JoseError::Key("its OpenSSH form is damaged");

impl<'a> OpenSshKey<'a> {
    /// Reads what stands between the lines of the PEM.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, JoseError> {
        let mut rest = Fields(bytes.strip_prefix(MAGIC).ok_or(DAMAGED)?);
        if rest.string()? != b"none" {
            return Err(JoseError::Key(
                "it is encrypted; take the passphrase off a copy with `ssh-keygen -p -f FILE` first",
            ));
        }
        let (_derivation, _options) = (rest.string()?, rest.string()?);
        if rest.number()? != 1 {
            return Err(JoseError::Key("it holds several keys; give one"));
        }
        let (_public, private) = (rest.string()?, rest.string()?);
        let mut private = Fields(private);
        // Two equal numbers: a test of the passphrase, were there one.
        if private.number()? != private.number()? {
            return Err(DAMAGED);
        }
        match private.string()? {
            b"ssh-ed25519" => {
                let (public, pair) = (private.string()?, private.string()?);
                Ok(Self::Ed25519 { public, seed: pair.get(..32).ok_or(DAMAGED)? })
            }
            b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => {
                Ok(Self::Ec { curve: private.string()?, point: private.string()?, scalar: private.string()? })
            }
            b"ssh-rsa" => {
                // In the order in which they stand.
                Ok(Self::Rsa(RsaNumbers {
                    n: private.string()?,
                    e: private.string()?,
                    d: private.string()?,
                    qi: private.string()?,
                    p: private.string()?,
                    q: private.string()?,
                }))
            }
            _ => Err(JoseError::Key("it is an OpenSSH key of a kind that signs no tokens")),
        }
    }
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Result<u32, JoseError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn string(&mut self) -> Result<&'a [u8], JoseError> {
        let length = usize::try_from(self.number()?).map_err(|_| DAMAGED)?;
        let (string, rest) = self.0.split_at_checked(length).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(string)
    }
}

/// `number` modulo `prime − 1`, both big-endian: the exponent that OpenSSH leaves out (RFC 8017 §3.2).
///
/// One bit at a time: a key is imported once, by its owner.
pub(super) fn modulo_predecessor(number: &[u8], prime: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut modulus = Zeroizing::new(prime.to_vec());
    // A prime is odd.
    if let Some(last) = modulus.last_mut() {
        *last &= 0xFE;
    }
    // One byte more, for what is shifted out.
    modulus.insert(0, 0);
    let mut rest = Zeroizing::new(vec![0_u8; modulus.len()]);
    for byte in number {
        for bit in (0..8).rev() {
            let mut carry = byte >> bit & 1;
            for digit in rest.iter_mut().rev() {
                (*digit, carry) = (*digit << 1 | carry, *digit >> 7);
            }
            if *rest >= *modulus {
                let mut borrow = false;
                for (digit, less) in rest.iter_mut().rev().zip(modulus.iter().rev()) {
                    let (difference, first) = digit.overflowing_sub(*less);
                    let (difference, second) = difference.overflowing_sub(u8::from(borrow));
                    (*digit, borrow) = (difference, first || second);
                }
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn modulo_is_that_of_arithmetic(number: u128, prime in 2_u64..) {
            let prime = prime | 1;
            let rest = modulo_predecessor(&number.to_be_bytes(), &prime.to_be_bytes());
            let value = rest.iter().fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
            prop_assert_eq!(value, number % u128::from(prime - 1));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _read = OpenSshKey::parse(&bytes);
            let _read = OpenSshKey::parse(&[MAGIC, &bytes].concat());
        }
    }
}
