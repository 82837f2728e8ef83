//! A browser's session.

use std::time::Duration;

use crate::model::authentication::Authentication;
use crate::model::id::{ClientId, SessionId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// A browser in which a person is signed in.
///
/// The cookie holds a random token whose hash is kept; it changes at each authentication, while `id` (which is `sid` in
/// ID tokens) stays for the same person.
#[derive(Clone, Debug)]
pub struct Session {
    /// The row; `sid`.
    pub id: SessionId,
    /// Hash of the cookie's value.
    pub token_hash: TokenHash,
    /// Who signed in, when, how.
    pub authentication: Authentication,
    /// When the person last proved again who they are, without signing in anew.
    pub proven_again_at: Option<NumericDate>,
    /// When it began.
    pub created_at: NumericDate,
    /// When it was last used, to within [`Session::TOUCH_EVERY`].
    pub last_seen_at: NumericDate,
    /// The end, whatever happens.
    pub expires_at: NumericDate,
    /// Longest pause, in seconds.
    pub idle_lifetime: u64,
    /// Kept after the browser closes.
    pub is_persistent: bool,
    /// When it was ended.
    pub ended_at: Option<NumericDate>,
    /// Where and for what it began.
    pub origin: SessionOrigin,
}

/// Where and for what a session began, as it is told to its person.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionOrigin {
    /// The address, as limits count it; empty where it is not known.
    pub address: String,
    /// The browser's name for itself, cut to 256 characters.
    pub user_agent: String,
    /// The app that the person signed in for, if it was one.
    pub client: Option<ClientId>,
}

impl Session {
    /// How often use is written down: a session ends no more than so long before its idle lifetime is over (S-097).
    pub const TOUCH_EVERY: Duration = Duration::from_secs(5);

    /// When it ends if it is not used any more.
    pub fn ends_at(&self) -> NumericDate {
        self.expires_at.min(self.last_seen_at.plus(Duration::from_secs(self.idle_lifetime)))
    }

    /// True when it is good at `now`.
    pub fn is_live(&self, now: NumericDate) -> bool {
        self.ended_at.is_none()
            && !self.expires_at.is_past(now)
            && now.since(self.last_seen_at).as_secs() < self.idle_lifetime
    }

    /// When its person last proved who they are: by signing in, or again since.
    pub fn proven_at(&self) -> NumericDate {
        let signed_in_at = self.authentication.at;
        self.proven_again_at.map_or(signed_in_at, |again| again.max(signed_in_at))
    }
}

/// How long sessions live, and how many of one person.
#[derive(Copy, Clone, Debug)]
pub struct SessionLifetimes {
    /// Longest pause of an ordinary session.
    pub idle: Duration,
    /// The end of an ordinary session and the longest pause of a kept one.
    pub absolute: Duration,
    /// The most sessions of one person: one more ends the oldest.
    pub at_most: u32,
}

impl Default for SessionLifetimes {
    /// Twelve hours, thirty days (NIST SP 800-63B-4 §2.2.3); fifty browsers.
    fn default() -> Self {
        Self { idle: Duration::from_hours(12), absolute: Duration::from_hours(30 * 24), at_most: 50 }
    }
}
