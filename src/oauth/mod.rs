//! What a client may have: the protocol's stages, without a word of HTTP.
//!
//! A request is parsed by `protocol/`, meets its client and its person here, and leaves as a typed answer. Lists are the
//! index: [`client_auth::METHODS`], [`grant::GRANT_TYPES`]; discovery is derived from them, so that it cannot lie.

pub mod allowed;
pub mod api;
pub mod client_auth;
pub mod device;
pub mod endpoint;
pub mod first_party;
pub mod grant;
pub mod interaction;
pub mod keys;
pub mod policy;
pub mod provider;
pub mod rotation;
pub mod token;
pub mod withdrawal;
