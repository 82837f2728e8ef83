//! Text messages to a server of the operator, which sends them as it likes (S-050, S-134).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use crate::edge::clock::Clock;
use crate::edge::fetch::Fetch;
use crate::edge::post::{Call, answered};
use crate::edge::sms::{Sms, SmsSender};
use crate::edge::undelivered::Undelivered;
use crate::protocol::secret::Secret;

/// The way to a server of the operator.
pub struct WebhookSms {
    /// The way out.
    pub fetch: Arc<dyn Fetch>,
    /// Time, which is signed.
    pub clock: Arc<dyn Clock>,
    /// Where messages are posted.
    pub url: String,
    /// What signs them.
    pub secret: Option<Secret>,
    /// How long an answer may take.
    pub timeout: Duration,
}

#[async_trait]
impl SmsSender for WebhookSms {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        let body = json!({
            "id": sms.job,
            "channel": "sms",
            "kind": sms.message.kind,
            "to": sms.message.to,
            "languages": sms.message.languages,
            "user": sms.message.user,
            "client": sms.message.client,
            "data": sms.message.data,
            "text": sms.text,
        });
        let call = Call::json(&self.url, &body).signed(self.secret.as_ref(), &sms.job.to_string(), self.clock.now());
        answered(&*self.fetch, call, self.timeout).await
    }
}
