//! Mail to a server of the operator, which sends it as it likes (S-134).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::edge::clock::Clock;
use crate::edge::fetch::Fetch;
use crate::edge::mail::{Mail, Mailer};
use crate::edge::post::{Call, answered};
use crate::edge::undelivered::Undelivered;
use crate::protocol::secret::Secret;

/// The way to a server of the operator.
pub struct WebhookMailer {
    /// The way out.
    pub fetch: Arc<dyn Fetch>,
    /// Time, which is signed.
    pub clock: Arc<dyn Clock>,
    /// Where mails are posted.
    pub url: String,
    /// What signs them.
    pub secret: Option<Secret>,
    /// How long an answer may take.
    pub timeout: Duration,
}

#[async_trait]
impl Mailer for WebhookMailer {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let call = Call::json(&self.url, &told(mail));
        let call = call.signed(self.secret.as_ref(), &mail.job.to_string(), self.clock.now());
        answered(&*self.fetch, call, self.timeout).await
    }
}

/// What a sender of the operator's own is told: the message, and the words that we would have used.
pub(super) fn told(mail: &Mail) -> Value {
    json!({
        "id": mail.job,
        "channel": "mail",
        "kind": mail.message.kind,
        "to": mail.message.to,
        "languages": mail.message.languages,
        "user": mail.message.user,
        "client": mail.message.client,
        "data": mail.message.data,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
    })
}
