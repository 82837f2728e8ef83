//! JSON Object Signing and Encryption: RFC 7515 to RFC 7519.

pub mod algorithm;
