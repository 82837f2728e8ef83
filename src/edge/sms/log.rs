//! Text messages into the log: for a server on the machine of its developer. Codes stand there in the clear (S-137).

use async_trait::async_trait;

use crate::edge::sms::{Sms, SmsSender};
use crate::edge::undelivered::Undelivered;

/// Writes each text message into the log.
#[derive(Copy, Clone, Debug, Default)]
pub struct LogSmsSender;

#[async_trait]
impl SmsSender for LogSmsSender {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        let kind = sms.message.kind.as_str();
        tracing::info!(kind, to = sms.message.to, text = sms.text, "text message that was not sent");
        Ok(())
    }
}
