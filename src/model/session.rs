//! A browser's session.

use std::time::Duration;

use crate::model::authentication::Authentication;
use crate::model::id::SessionId;
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
    /// The browser's name for itself, cut to 256 characters.
    pub user_agent: String,
}

impl Session {
    /// When it ends if it is not used any more.
    pub fn ends_at(&self) -> NumericDate {
        self.expires_at.min(self.last_seen_at.plus(Duration::from_secs(self.idle_lifetime)))
    }

    /// How often use is written down.
    pub const TOUCH_EVERY: Duration = Duration::from_mins(5);

    /// True when it is good at `now`.
    pub fn is_live(&self, now: NumericDate) -> bool {
        self.ended_at.is_none()
            && !self.expires_at.is_past(now)
            && now.since(self.last_seen_at).as_secs() < self.idle_lifetime
    }
}

/// How long sessions live.
#[derive(Copy, Clone, Debug)]
pub struct SessionLifetimes {
    /// Longest pause of an ordinary session.
    pub idle: Duration,
    /// The end of an ordinary session and the longest pause of a kept one.
    pub absolute: Duration,
}

impl Default for SessionLifetimes {
    /// Twelve hours, thirty days (NIST SP 800-63B-4 §2.2.3).
    fn default() -> Self {
        Self { idle: Duration::from_hours(12), absolute: Duration::from_hours(30 * 24) }
    }
}
