//! Links of messages: what each is for, and to whom it speaks.
//!
//! PROTOCOL A13, A14: 256 random bits, kept as a hash, good once and for one purpose only. What a link allows is done in the same
//! transaction that uses it up. To add a purpose: a line below, and the fact that consumes it.

use serde_json::{Map, Value};

use crate::model::epoch::Epoch;
use crate::model::id::UserId;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What a link is good for.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
        pub enum LinkPurpose {
            $($(#[$doc])* $name,)*
        }

        impl LinkPurpose {
            /// Every purpose.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

purposes! {
    /// Activates a new account.
    Activation = "activation";
    /// Sets a new password.
    PasswordReset = "password_reset";
    /// Sets the first password of an account that somebody else made.
    SetPassword = "set_password";
    /// Signs in.
    MagicLink = "magic_link";
    /// Confirms a new address.
    EmailChange = "email_change";
    /// Takes the change of an address back.
    EmailChangeUndo = "email_change_undo";
    /// Takes a deletion back.
    DeletionUndo = "deletion_undo";
    /// Hands out an export.
    Export = "export";
    /// "This was not me": ends everything.
    NotMe = "not_me";
    /// Accepts an invitation.
    Invitation = "invitation";
}

impl LinkPurpose {
    /// The purpose stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.as_str() == text)
    }

    /// Whether it stays good when the account's epoch changes: what takes something back must outlive what it takes back.
    pub const fn outlives_epoch(self) -> bool {
        matches!(self, Self::EmailChangeUndo | Self::DeletionUndo | Self::Export | Self::NotMe)
    }
}

/// A link that was sent, without its token.
#[derive(Clone, Debug, PartialEq)]
pub struct MailedLink {
    /// Hash of the token.
    pub hash: TokenHash,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// Whose account it is about; nobody's where a stranger asked for an address without one.
    pub user: Option<UserId>,
    /// The address it was sent to, or that it is about.
    pub address: String,
    /// The account's epoch when it was sent: whatever ends sessions and tokens ends links, too.
    pub epoch: Epoch,
    /// What else its purpose needs.
    pub details: Map<String, Value>,
    /// When it was made.
    pub created_at: NumericDate,
    /// From then on it is of no use.
    pub expires_at: NumericDate,
}

/// A link that is good: nobody used it, and nothing ended it.
#[derive(Clone, Debug, PartialEq)]
pub struct GoodLink {
    /// Hash of the token.
    pub hash: TokenHash,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// Whose account it is about.
    pub user: UserId,
    /// The address it was sent to, or that it is about.
    pub address: String,
    /// What else its purpose needs.
    pub details: Map<String, Value>,
    /// When it was made.
    pub created_at: NumericDate,
    /// From then on it is of no use.
    pub expires_at: NumericDate,
}
