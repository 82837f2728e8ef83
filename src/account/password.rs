//! New passwords of accounts: where registration and reset ask whether a password may be used, and who is told of one.

use crate::account::dispatch::NOTICE;
use crate::account::{Accounts, Mistake, Why};
use crate::authn::password::strength::{Known, Weakness};
use crate::edge::Edges;
use crate::model::fault::Fault;
use crate::model::job::NewJob;
use crate::model::message::Message;
use crate::model::user::{IdentifierKind, User};
use crate::protocol::secret::Secret;

/// `message`, that the password was changed, to every address that is known to be theirs, the one that is `proven` by this among them: one
/// of them may be in other hands (ASVS 6.3.7).
///
/// # Errors
/// Internal, when it is not JSON, which cannot be.
pub(super) fn changed_notices(
    edges: &Edges,
    (user, proven): (&User, Option<&str>),
    message: &Message,
) -> Result<Vec<NewJob>, Fault> {
    let now = edges.clock.now();
    let emails = user.of_kind(IdentifierKind::Email);
    let theirs = emails.filter(|email| email.verified_at.is_some() || proven == Some(email.value.as_str()));
    let job =
        |to: &str| edges.outbox.job(&Message { to: to.to_owned(), ..message.clone() }, None, (now, now.plus(NOTICE)));
    theirs.map(|email| job(&email.value)).collect()
}

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
