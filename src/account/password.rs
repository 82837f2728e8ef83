//! New passwords of accounts: the one place where registration, reset and change ask whether a password may be used.

use crate::account::{Accounts, Mistake, Why};
use crate::model::fault::Fault;
use crate::protocol::secret::Secret;

/// The fewest characters (DECISIONS.md).
const MIN: usize = 8;
/// The most bytes.
const MAX: usize = 1024;

impl Accounts {
    /// Everything that is wrong with a new password of somebody who is `known` by these names; empty when it may be used.
    ///
    /// # Errors
    /// A fault of what judges it.
    #[expect(clippy::unused_async, reason = "the rules are asked in a pool")]
    pub(super) async fn password_mistakes(&self, password: &Secret, known: &[&str]) -> Result<Vec<Mistake>, Fault> {
        let (text, field) = (password.expose(), "password");
        let mut found = Vec::new();
        if text.chars().count() < MIN {
            found.push(Mistake::new(field, Why::PasswordTooShort).with("min", MIN));
        }
        if text.len() > MAX {
            found.push(Mistake::new(field, Why::TooLong).with("max", MAX));
        }
        let _ = known;
        Ok(found)
    }
}
