//! Pictures of people, as this server drew them.

use crate::model::id::UserId;
use crate::protocol::numeric_date::NumericDate;

/// A picture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Avatar {
    /// The end of its URL: nobody guesses it, and another picture has another one.
    pub name: String,
    /// Whose.
    pub user: UserId,
    /// `image/png` or `image/jpeg`.
    pub content_type: String,
    /// The picture.
    pub picture: Vec<u8>,
    /// Since when.
    pub created_at: NumericDate,
}
