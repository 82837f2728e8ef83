//! Mail to a provider that takes JSON.
//!
//! <https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send>: `SendGrid`'s version 3, which others take too.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::edge::fetch::Fetch;
use crate::edge::mail::address::MailAddress;
use crate::edge::mail::mime::Envelope;
use crate::edge::mail::{Mail, Mailer};
use crate::edge::post::{Call, answered};
use crate::edge::undelivered::Undelivered;
use crate::protocol::secret::Secret;

/// The way to a provider.
pub struct HttpMailer {
    /// The way out.
    pub fetch: Arc<dyn Fetch>,
    /// Where mails are posted.
    pub url: String,
    /// The bearer token.
    pub token: Option<Secret>,
    /// Whom mail comes from.
    pub envelope: Envelope,
    /// How long an answer may take.
    pub timeout: Duration,
}

#[async_trait]
impl Mailer for HttpMailer {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let call = Call::json(&self.url, &self.body(mail)).with("idempotency-key", &mail.job.to_string());
        let call = match &self.token {
            Some(token) => call.with_secret("authorization", &format!("Bearer {}", token.expose())),
            None => call,
        };
        answered(&*self.fetch, call, self.timeout).await
    }
}

impl HttpMailer {
    fn body(&self, mail: &Mail) -> Value {
        let mut content = vec![json!({ "type": "text/plain", "value": mail.text })];
        content.extend(mail.html.iter().map(|html| json!({ "type": "text/html", "value": html })));
        let mut body = json!({
            "personalizations": [{ "to": [{ "email": mail.message.to }] }],
            "from": party(&self.envelope.from),
            "subject": mail.subject,
            "content": content,
            "headers": { "Auto-Submitted": "auto-generated" },
            "custom_args": { "message_id": mail.job, "kind": mail.message.kind },
        });
        if let (Some(reply_to), Some(body)) = (&self.envelope.reply_to, body.as_object_mut()) {
            body.insert("reply_to".to_owned(), party(reply_to));
        }
        body
    }
}

fn party(address: &MailAddress) -> Value {
    match address.name() {
        Some(name) => json!({ "email": address.email(), "name": name }),
        None => json!({ "email": address.email() }),
    }
}
