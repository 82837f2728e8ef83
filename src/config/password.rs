//! `[password]`: what a new password has to hold.
//!
//! PROTOCOL.md A1, S-027, S-028.

use std::path::PathBuf;

use serde::Deserialize;

use super::number;

/// `[password]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// The fewest characters: eight, or fifteen where a password is the only factor.
    #[serde(deserialize_with = "number::whole")]
    pub min_length: usize,
    /// A list of stolen passwords, made by `symbolon password-list build`.
    pub breached_list: Option<PathBuf>,
    /// What becomes of a new password while the list cannot be read: `open` takes it, `closed` refuses it.
    pub breached_unreadable: Unreadable,
}

/// What becomes of a password that cannot be looked up.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// It is taken.
    #[default]
    Open,
    /// It is refused.
    Closed,
}

impl Default for Password {
    fn default() -> Self {
        Self { min_length: 8, breached_list: None, breached_unreadable: Unreadable::default() }
    }
}
