//! Mail to a server of the operator (S-134).

use async_trait::async_trait;
use serde_json::Value;

use crate::edge::mail::{Mail, Mailer};
use crate::edge::undelivered::Undelivered;
use crate::edge::webhook::{self, Webhook};

#[async_trait]
impl Mailer for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        self.post(mail.job, &told(mail)).await
    }
}

/// What a sender of the operator's own is told.
pub(super) fn told(mail: &Mail) -> Value {
    let words = [("subject", Some(&*mail.subject)), ("text", Some(&*mail.text)), ("html", mail.html.as_deref())];
    webhook::told(mail.job, &mail.message, words)
}
