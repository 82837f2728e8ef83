//! A device that waits for a person who decides elsewhere: an app without a keyboard, or a browser that shows a picture.
//!
//! RFC 8628; S-055, S-056. What was asked never changes; that it was looked at, how often it is polled, and what was decided stand
//! beside it, each written once (`edge/device_authorization.rs`).

use serde::{Deserialize, Serialize};

use crate::model::authentication::Authentication;
use crate::model::event::Provenance;
use crate::model::id::{ClientId, GrantId, SessionId};
use crate::protocol::device::UserCode;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;

/// What a device asks for. It lives in the ephemeral store under the hash of its device code, which for a browser is the handle of its
/// sign-in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    /// The layout of this value; another layout counts as none.
    pub version: u8,
    /// What for.
    pub asks: Asks,
    /// Where the device is, as it began.
    pub from: Provenance,
    /// What a person types.
    pub user_code: UserCode,
    /// When it began.
    pub created_at: NumericDate,
    /// The end of both codes.
    pub expires_at: NumericDate,
    /// Seconds between two polls, at first.
    pub interval: u64,
}

/// What a device asks for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Asks {
    /// Tokens for an app (RFC 8628).
    Tokens {
        /// The app.
        client: ClientId,
        /// What they shall allow.
        scope: Scope,
    },
    /// That the person who decides is signed in there (S-055).
    SignIn {
        /// The app that they sign in for, if it is one.
        client: Option<ClientId>,
        /// Two digits that both screens show, so that the person can compare them.
        number: u8,
    },
}

impl Asks {
    /// The app, if there is one.
    pub const fn client(&self) -> Option<&ClientId> {
        match self {
            Self::Tokens { client, .. } => Some(client),
            Self::SignIn { client, .. } => client.as_ref(),
        }
    }
}

/// What a person decided.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// No.
    Denied,
    /// Yes.
    Approved(Approval),
}

/// What a yes stands for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Who said so, and how they proved who they are.
    pub authentication: Authentication,
    /// In which session.
    pub session: SessionId,
    /// The grant that tokens make.
    pub grant: GrantId,
    /// What they allow; of a sign-in nothing.
    pub scope: Scope,
    /// When.
    pub at: NumericDate,
}

impl DeviceAuthorization {
    /// The layout written today.
    pub const VERSION: u8 = 1;

    /// True when a person may still decide.
    pub fn is_open(&self, now: NumericDate) -> bool {
        self.version == Self::VERSION && !self.expires_at.is_past(now)
    }
}
