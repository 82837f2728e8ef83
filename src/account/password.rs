//! New passwords of accounts: where registration and reset ask whether a password may be used.

use crate::account::{Accounts, Mistake, Why};
use crate::authn::password::strength::{Known, Weakness};
use crate::model::fault::Fault;
use crate::protocol::secret::Secret;

/// The mistake of somebody who was asked for a password twice, and typed two (S-030).
pub(super) fn differs(password: &Secret, again: Option<&Secret>) -> Option<Mistake> {
    let is_other = again.is_some_and(|again| again.expose() != password.expose());
    is_other.then(|| Mistake::new("confirm_password", Why::PasswordsNotIdentical))
}

impl Accounts {
    /// Everything that is wrong with a new password of somebody who is `known` so; empty when it may be used.
    ///
    /// # Errors
    /// A fault of what judges it.
    pub(super) async fn password_mistakes(&self, password: &Secret, known: Known) -> Result<Vec<Mistake>, Fault> {
        let weaknesses = self.passwords.weaknesses(password, known).await?;
        Ok(weaknesses.into_iter().map(mistake).collect())
    }
}

fn mistake(weakness: Weakness) -> Mistake {
    Mistake { field: "password".into(), code: weakness.code(), bound: weakness.param() }
}
