//! Messages whose receivers wait for them: handed over at once, where the operator wants that (`mail.sync`, S-044).
//!
//! Who asks hears when nobody takes the message; of an address that is refused for good they are told no more than of any other.

use std::time::Duration;

use crate::account::{AccountError, Accounts};
use crate::edge::outbox::Handed;
use crate::edge::store::Beside;
use crate::edge::undelivered::{Outlook, Undelivered};
use crate::model::job::NewJob;
use crate::model::message::Message;

/// How long a notice of what happened is worth sending.
pub(super) const NOTICE: Duration = Duration::from_hours(24);

impl Accounts {
    /// Hands a message over, or makes the job that sends it, to be written down with what it tells of. A message that is of use for no time
    /// is for nobody: the same is done, as far as it goes without an address.
    ///
    /// # Errors
    /// [`AccountError::Undelivered`] when nobody takes it at the moment: then nothing is to be written down.
    pub(super) async fn dispatch(&self, message: &Message, useful: Duration) -> Result<Option<NewJob>, AccountError> {
        let (outbox, now) = (&self.edges.outbox, self.now());
        match outbox.hand_over(message.channel, Some(message).filter(|_| !useful.is_zero()), now).await {
            Ok(Handed::Over) => Ok(None),
            Ok(Handed::Later) => Ok(Some(outbox.job(message, None, (now, now.plus(useful)))?)),
            Err(Undelivered { reason, outlook: Outlook::Lasting }) => {
                tracing::warn!(reason, "a message was refused");
                Ok(None)
            }
            Err(undelivered) => {
                tracing::error!(reason = undelivered.reason, "a message could not be handed over");
                Err(AccountError::Undelivered)
            }
        }
    }

    /// [`Accounts::dispatch`], after what the message tells of was written down.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn dispatch_now(&self, message: &Message, useful: Duration) -> Result<(), AccountError> {
        match self.dispatch(message, useful).await? {
            None => Ok(()),
            // The settings were read anew meanwhile.
            Some(job) => Ok(self.edges.store.record(Beside::default().and_job(job)).await?),
        }
    }
}
