//! Password hashes of other systems: checked as they are, and replaced by one of ours at the next sign-in.
//!
//! S-038: what Django writes (`pbkdf2_sha256$…`, `pbkdf2_sha1$…`, `bcrypt_sha256$…`, `bcrypt$…`, `scrypt$…`, `argon2$…`), and bcrypt by
//! itself (`$2b$…`). RFC 8018 (PBKDF2), RFC 7914 (scrypt). Each has a ceiling: a hash that somebody imported must not become a
//! weapon against this server; above it nothing is computed at all.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Django 5.2 takes a million; this is about a second of a core.
const MAX_ITERATIONS: u32 = 5_000_000;
/// Two to this power rounds: about a second of a core.
const MAX_BCRYPT_COST: u32 = 14;
/// Bytes of memory that scrypt may ask for, and blocks that it may mix: about three seconds of a core.
const MAX_SCRYPT_MEMORY: u64 = 256 * 1024 * 1024;
const MAX_SCRYPT_WORK: u64 = 1 << 22;
/// The longest text that is read as a hash.
const MAX_TEXT: usize = 512;

/// A hash of another system, within the ceilings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForeignHash(Scheme);

/// Why a text is no hash that can be checked here.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// Its form is unknown or damaged.
    #[error(
        "it is none of: Argon2 and bcrypt, and Django's pbkdf2_sha256, pbkdf2_sha1, bcrypt_sha256, bcrypt, scrypt, argon2"
    )]
    Unknown,
    /// It costs too much.
    #[error("checking it would cost more than this server spends on a password")]
    TooCostly,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Scheme {
    Pbkdf2 {
        digest: Digest,
        iterations: NonZeroU32,
        salt: String,
        hash: Vec<u8>,
    },
    /// bcrypt of the password itself, which looks at its first 72 bytes.
    Bcrypt(String),
    /// bcrypt of the hexadecimal SHA-256 of the password.
    BcryptSha256(String),
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
        salt: String,
        hash: Vec<u8>,
    },
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Digest {
    Sha1,
    Sha256,
}

/// The Argon2 hash that Django writes behind its own prefix, else the text as it is.
pub fn without_django_prefix(stored: &str) -> &str {
    match stored.strip_prefix("argon2$") {
        Some(rest) if rest.starts_with("argon2") => stored.strip_prefix("argon2").unwrap_or(stored),
        _ => stored,
    }
}

impl ForeignHash {
    /// Reads a stored hash.
    ///
    /// # Errors
    /// [`Unusable`], when it is of no kind that is known here, or above a ceiling.
    pub fn parse(stored: &str) -> Result<Self, Unusable> {
        if stored.len() > MAX_TEXT {
            return Err(Unusable::Unknown);
        }
        let (scheme, rest) = stored.split_once('$').ok_or(Unusable::Unknown)?;
        match scheme {
            "" => bcrypt(stored).map(Scheme::Bcrypt),
            "bcrypt" => bcrypt(rest).map(Scheme::Bcrypt),
            "bcrypt_sha256" => bcrypt(rest).map(Scheme::BcryptSha256),
            "pbkdf2_sha256" => pbkdf2(Digest::Sha256, rest),
            "pbkdf2_sha1" => pbkdf2(Digest::Sha1, rest),
            "scrypt" => scrypt(rest),
            _ => Err(Unusable::Unknown),
        }
        .map(Self)
    }

    /// Whether `password` is the one it was made of. It takes long: only within the pool.
    ///
    /// Other systems hash what was typed, in whatever form of Unicode; where that differs from NFC, both are tried.
    pub fn matches(&self, password: &str) -> bool {
        if self.0.matches(password) {
            return true;
        }
        let composed: Zeroizing<String> = Zeroizing::new(password.nfc().collect());
        composed.as_str() != password && self.0.matches(&composed)
    }
}

impl Scheme {
    fn matches(&self, password: &str) -> bool {
        match self {
            Self::Pbkdf2 { digest, iterations, salt, hash } => {
                pbkdf2::verify(digest.algorithm(), *iterations, salt.as_bytes(), password.as_bytes(), hash).is_ok()
            }
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::BcryptSha256(hash) => {
                let digest = digest::digest(&digest::SHA256, password.as_bytes());
                bcrypt::verify(hexadecimal(digest.as_ref()).as_bytes(), hash).unwrap_or(false)
            }
            Self::Scrypt { log_n, r, p, salt, hash } => {
                let Ok(params) = scrypt::Params::new(*log_n, *r, *p) else { return false };
                let mut made = Zeroizing::new(vec![0; hash.len()]);
                scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut made).is_ok()
                    && bool::from(made.as_slice().ct_eq(hash))
            }
        }
    }
}

impl Digest {
    const fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha1 => digest::SHA1_OUTPUT_LEN,
            Self::Sha256 => digest::SHA256_OUTPUT_LEN,
        }
    }
}

/// `iterations$salt$hash`
fn pbkdf2(digest: Digest, text: &str) -> Result<Scheme, Unusable> {
    let [iterations, salt, hash] = fields(text)?;
    let iterations: NonZeroU32 = iterations.parse().map_err(|_| too_costly_or_unknown(iterations))?;
    let hash = STANDARD.decode(hash).map_err(|_| Unusable::Unknown)?;
    if hash.len() != digest.length() {
        return Err(Unusable::Unknown);
    }
    if iterations.get() > MAX_ITERATIONS {
        return Err(Unusable::TooCostly);
    }
    Ok(Scheme::Pbkdf2 { digest, iterations, salt: salt.to_owned(), hash })
}

/// `N$salt$r$p$hash`
fn scrypt(text: &str) -> Result<Scheme, Unusable> {
    let [n, salt, r, p, hash] = fields(text)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| too_costly_or_unknown(text));
    let (n, r, p) = (number(n)?, number(r)?, number(p)?);
    let hash = STANDARD.decode(hash).map_err(|_| Unusable::Unknown)?;
    if !(16..=128).contains(&hash.len()) || !n.is_power_of_two() || n < 2 {
        return Err(Unusable::Unknown);
    }
    let log_n = u8::try_from(n.ilog2()).map_err(|_| Unusable::Unknown)?;
    let blocks = |one: u32, other: u32| u64::from(one) * u64::from(other);
    let work = blocks(n, r).checked_mul(u64::from(p)).ok_or(Unusable::TooCostly)?;
    let memory = (blocks(n, r).max(blocks(p, r))).checked_mul(128).ok_or(Unusable::TooCostly)?;
    if work > MAX_SCRYPT_WORK || memory > MAX_SCRYPT_MEMORY {
        return Err(Unusable::TooCostly);
    }
    if r == 0 || p == 0 {
        return Err(Unusable::Unknown);
    }
    Ok(Scheme::Scrypt { log_n, r, p, salt: salt.to_owned(), hash })
}

/// `$2b$12$` and 53 letters.
fn bcrypt(text: &str) -> Result<String, Unusable> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| Unusable::Unknown)?;
    match parts.get_cost() {
        ..4 => Err(Unusable::Unknown),
        4..=MAX_BCRYPT_COST => Ok(text.to_owned()),
        _ => Err(Unusable::TooCostly),
    }
}

fn fields<const COUNT: usize>(text: &str) -> Result<[&str; COUNT], Unusable> {
    let fields: Vec<&str> = text.split('$').collect();
    fields.try_into().map_err(|_| Unusable::Unknown)
}

/// A number that does not fit is a cost beyond measure.
fn too_costly_or_unknown(number: &str) -> Unusable {
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    if is_number && number.bytes().any(|digit| digit != b'0') { Unusable::TooCostly } else { Unusable::Unknown }
}

fn hexadecimal(bytes: &[u8]) -> Zeroizing<String> {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    Zeroizing::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Django 5.2 (`make_password` with few rounds) of `lètmein☂` and of a hundred `p`.
    const VECTORS: &[(&str, &str)] = &[
        ("lètmein☂", "pbkdf2_sha256$1000$seasoned4Testing0000xy$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38="),
        ("lètmein☂", "pbkdf2_sha1$1000$seasoned4Testing0000xy$+TFk2aJs66oGR1YvVSyRC5Af9zw="),
        ("lètmein☂", "bcrypt_sha256$$2b$04$F5nHBhhHJQFjvbeJxe.yKeh8Z1HFKX2IE4tdIgJymTeTwsrYKvpEK"),
        ("lètmein☂", "bcrypt$$2b$04$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC"),
        ("lètmein☂", "$2b$04$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC"),
        (
            "lètmein☂",
            "scrypt$16$seasoned4Testing0000xy$8$5$ebvpmlgcTXi28PTtaZe5xaGTjqTjdLJTqOTjyf7QUNMTm4sakZHr0m+7/CpmCanwl3Dm6xYZ7VSViR2xnlQzXA==",
        ),
        (LONG, "pbkdf2_sha256$1000$seasoned4Testing0000xy$5RS7eSpz4DzuCMw5Y3DJfAJPX//9h2VTKsYtM4X6bZ8="),
        (LONG, "pbkdf2_sha1$1000$seasoned4Testing0000xy$VwdEWW+y1kbS/8x4BwT4qBn9mok="),
        (LONG, "bcrypt_sha256$$2b$04$Dbmxrfgt7uDAL4qqllEn6umcGpqTwDvDIePkNeOXsKTyJJVPyz0XG"),
        (
            LONG,
            "scrypt$16$seasoned4Testing0000xy$8$5$Lv5xPTqc8VXWVaN4Rxi19WkV7HMu8vt3ZpD07rDQix6hKrFQY3GjQ5AVx0QH8E+d1+CiEw+Cqk1d7Frj4F8GJw==",
        ),
    ];
    const LONG: &str =
        "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp";

    #[test]
    fn what_django_wrote_is_checked() {
        for (password, stored) in VECTORS {
            let hash = ForeignHash::parse(stored).unwrap();
            assert!(hash.matches(password), "{stored}");
            for wrong in ["", "lètmein", "Lètmein☂", &LONG[1..], "lètmein☂ "] {
                assert!(!hash.matches(wrong), "{wrong} with {stored}");
            }
        }
    }

    #[test]
    fn the_password_may_be_typed_in_another_form_of_unicode() {
        let hash = ForeignHash::parse(VECTORS[0].1).unwrap();
        assert!(hash.matches("le\u{300}tmein☂"));
    }

    #[test]
    fn bcrypt_looks_at_seventy_two_bytes_as_it_always_did() {
        let hash = "bcrypt$$2b$04$Q1X3ZtxMFfRNOVDE6AX.s.ZJjqvNsPt1M/AUmg8VhlXdpc6dXK6PK";
        let hash = ForeignHash::parse(hash).unwrap();
        assert!(hash.matches(&LONG[..72]) && hash.matches(LONG) && !hash.matches(&LONG[..71]));
        assert!(!hash.matches("p\0p"), "a zero byte is a letter like others");
    }

    #[test]
    fn what_costs_too_much_is_not_begun() {
        let salt = "seasoned4Testing0000xy";
        let scrypt = |n: &str, r: &str, p: &str| format!("scrypt${n}${salt}${r}${p}${}", STANDARD.encode([7; 64]));
        for stored in [
            format!("pbkdf2_sha256$5000001${salt}${}", STANDARD.encode([7; 32])),
            format!("pbkdf2_sha256$99999999999999999999${salt}${}", STANDARD.encode([7; 32])),
            "$2b$31$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC".to_owned(),
            "bcrypt$$2b$15$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC".to_owned(),
            scrypt("1048576", "8", "1"),
            scrypt("16384", "8", "64"),
            scrypt("2", "1", "4194304"),
            scrypt("2147483648", "4294967295", "4294967295"),
            scrypt("99999999999", "8", "1"),
        ] {
            assert_eq!(ForeignHash::parse(&stored), Err(Unusable::TooCostly), "{stored}");
        }
    }

    #[test]
    fn damaged_and_unknown_ones_are_told_apart_from_costly_ones() {
        for stored in [
            "",
            "$",
            "plain",
            "!unusable",
            "md5$seasoned4Testing0000xy$8456ae6c42315dc9cef5ef016da15a70",
            "pbkdf2_sha256$0$salt$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=",
            "pbkdf2_sha256$-1$salt$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=",
            "pbkdf2_sha256$1000$salt$p+t270io7vKnat8FvqYa4bqWiO184h",
            "pbkdf2_sha256$1000$salt$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=$",
            "pbkdf2_sha1$1000$salt$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=",
            "bcrypt$2b$04$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC",
            "bcrypt$$2b$03$6v2ApZKXhkAVXlarlX2AM.9tqo9zx5AwMvOdtUsy0lnULuM8un1hC",
            "$2b$04$short",
            "$2b$04$☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂",
            "scrypt$15$salt$8$5$ebvpmlgcTXi28PTtaZe5xaGTjqTjdLJTqOTjyf7QUNM=",
            "scrypt$1$salt$8$5$ebvpmlgcTXi28PTtaZe5xaGTjqTjdLJTqOTjyf7QUNM=",
            "scrypt$16$salt$0$5$ebvpmlgcTXi28PTtaZe5xaGTjqTjdLJTqOTjyf7QUNM=",
            "scrypt$16$salt$8$5$",
        ] {
            assert_eq!(ForeignHash::parse(stored), Err(Unusable::Unknown), "{stored}");
        }
        let long = format!("pbkdf2_sha256$1000${}$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=", "s".repeat(600));
        assert_eq!(ForeignHash::parse(&long), Err(Unusable::Unknown));
    }
}
