//! What a person can prove themselves with beside the password, and whether they are asked for it.
//!
//! NIST SP 800-63B-4 §3.1; S-099, S-101.

use crate::model::id::{AuthenticatorId, RememberedId, UserId};
use crate::protocol::numeric_date::NumericDate;

/// An authenticator of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authenticator {
    /// The row.
    pub id: AuthenticatorId,
    /// Whose.
    pub user: UserId,
    /// Which kind.
    pub kind: AuthenticatorKind,
    /// What two of a kind differ by: an address, a number, a credential; empty for a kind of which there is one.
    pub target: String,
    /// What its owner calls it.
    pub name: String,
    /// Sealed by the vault, for kinds that have one.
    pub secret: Option<Vec<u8>>,
    /// When it was added.
    pub created_at: NumericDate,
    /// When it goes if it is not confirmed.
    pub expires_at: Option<NumericDate>,
    /// Since when it proves something.
    pub confirmed_at: Option<NumericDate>,
    /// When it last proved its owner.
    pub last_used_at: Option<NumericDate>,
}

impl Authenticator {
    /// True while it waits for its first proof.
    pub fn is_waiting(&self, now: NumericDate) -> bool {
        self.confirmed_at.is_none() && self.expires_at.is_none_or(|end| !end.is_past(now))
    }
}

/// Kinds of authenticators.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum AuthenticatorKind {
    /// An app that makes codes of the time (RFC 6238).
    Totp,
    /// A mailbox that gets codes.
    Email,
    /// A phone that gets codes.
    Sms,
    /// A passkey.
    Passkey,
}

impl AuthenticatorKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Totp, Self::Email, Self::Sms, Self::Passkey];

    /// As stored, and as the API calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Passkey => "passkey",
        }
    }

    /// The kind stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// A browser in which a person wants to be asked for no second factor for a while.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RememberedBrowser {
    /// The row.
    pub id: RememberedId,
    /// What it calls itself.
    pub user_agent: String,
    /// From where it was when that was asked for.
    pub address: String,
    /// When that was.
    pub created_at: NumericDate,
    /// Until when.
    pub expires_at: NumericDate,
}

/// How a person stands to second factors.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SecondFactor {
    /// Since when they are asked for one at each sign-in.
    pub required_at: Option<NumericDate>,
    /// Codes for the day when every other factor is lost.
    pub backup_codes: BackupCodes,
}

/// How many backup codes there are.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct BackupCodes {
    /// In all.
    pub total: u32,
    /// Not used yet.
    pub remaining: u32,
    /// When they were made.
    pub generated_at: Option<NumericDate>,
}
