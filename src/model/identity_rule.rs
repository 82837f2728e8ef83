//! A rule of which names, addresses, numbers and callers are taken (S-024).

use serde::{Deserialize, Serialize};

use crate::model::id::IdentityRuleId;
use crate::protocol::numeric_date::NumericDate;

/// What a rule does with what it finds.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is taken, whatever else is said.
    Allow,
    /// It is not.
    Deny,
}

impl Effect {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// The effect stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|effect| effect.as_str() == text)
    }
}

/// What a rule is about.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// E-mail addresses, in lower case.
    Email,
    /// Phone numbers in E.164.
    Phone,
    /// Usernames, in lower case.
    Username,
    /// The address of the caller.
    Ip,
}

impl RuleKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Email, Self::Phone, Self::Username, Self::Ip];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Username => "username",
            Self::Ip => "ip",
        }
    }

    /// The kind stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// A rule that was made while the server ran; it never changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdentityRule {
    /// The row.
    pub id: IdentityRuleId,
    /// What it does.
    pub effect: Effect,
    /// What it is about.
    pub kind: RuleKind,
    /// What it finds: a regular expression.
    pub pattern: String,
    /// Why it is there.
    pub note: String,
    /// When it was made.
    pub created_at: NumericDate,
}
