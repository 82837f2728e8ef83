//! JSON Object Signing and Encryption: RFC 7515 to RFC 7519.
//!
//! [`jws`] reads and makes signed tokens, [`jwk`] describes public keys, [`algorithm`] names what both may use. A key is
//! bound to one algorithm when it is made, so a token never chooses how it is verified (RFC 8725 §3.1).
//! One more algorithm: a variant in [`algorithm`], its keys in `signing_key` and `verification_key`.

pub mod algorithm;
pub(in crate::protocol) mod audience;
pub mod error;
pub mod import;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
mod openssh;
pub mod published;
mod signing_key;
mod verification_key;

pub use error::JoseError;
