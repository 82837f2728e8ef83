//! Text messages to a server of the operator (S-050, S-134).

use async_trait::async_trait;

use crate::edge::sms::{Sms, SmsSender};
use crate::edge::undelivered::Undelivered;
use crate::edge::webhook::{Webhook, told};

#[async_trait]
impl SmsSender for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        self.post(sms.job, &told(sms.job, &sms.message, [("text", Some(&*sms.text))])).await
    }
}
