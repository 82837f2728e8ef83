//! Sign-in by password.

pub mod hash;
