//! `[password]`: what a new password has to hold.
//!
//! PROTOCOL.md A1, S-027, S-028.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number;

/// `[password]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// The fewest characters of a new password: 8, or 15 where it is the only factor
    #[serde(deserialize_with = "number::whole")]
    pub min_length: usize,
    /// A list of stolen passwords that new ones are looked up in, made by `symbolon password-list build`
    pub breached_list: Option<PathBuf>,
    /// What becomes of a new password while that list cannot be read: `open` takes it, `closed` refuses it
    pub breached_unreadable: Unreadable,
    /// What becomes of a person's other sessions and apps when they change their password: `end`, or `choice` of the person
    pub other_sessions: OtherSessions,
}

/// What becomes of other sessions with a new password.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherSessions {
    /// They end.
    #[default]
    End,
    /// As the person says.
    Choice,
}

/// What becomes of a password that cannot be looked up.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
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
        Self {
            min_length: 8,
            breached_list: None,
            breached_unreadable: Unreadable::default(),
            other_sessions: OtherSessions::default(),
        }
    }
}
