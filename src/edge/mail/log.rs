//! Mail into the log: for a server on the machine of its developer. Codes and links stand there in the clear (S-137).

use async_trait::async_trait;

use crate::edge::mail::{Mail, Mailer};
use crate::edge::undelivered::Undelivered;

/// Writes each mail into the log.
#[derive(Copy, Clone, Debug, Default)]
pub struct LogMailer;

#[async_trait]
impl Mailer for LogMailer {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let kind = mail.message.kind.as_str();
        tracing::info!(kind, to = mail.message.to, subject = mail.subject, text = mail.text, "mail that was not sent");
        Ok(())
    }
}
