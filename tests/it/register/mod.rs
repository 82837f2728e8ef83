//! Clients that register themselves, and look after what they registered.
//!
//! RFC 7591, RFC 7592, OIDC Registration.

mod management;
mod metadata;
