//! Text messages by Twilio, or by a provider with its interface.
//!
//! <https://www.twilio.com/docs/messaging/api/message-resource>: a form with `To`, `From`, `Body`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::edge::fetch::Fetch;
use crate::edge::post::{Call, answered};
use crate::edge::sms::{Sms, SmsSender};
use crate::edge::undelivered::Undelivered;
use crate::protocol::secret::Secret;

/// The way to a provider.
pub struct Twilio {
    /// The way out.
    pub fetch: Arc<dyn Fetch>,
    /// Where its interface stands.
    pub url: String,
    /// The account.
    pub account_sid: String,
    /// Its token.
    pub auth_token: Secret,
    /// A number, a name, or the id of a messaging service.
    pub from: String,
    /// How long an answer may take.
    pub timeout: Duration,
}

#[async_trait]
impl SmsSender for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", self.url.trim_end_matches('/'), self.account_sid);
        let sender = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let call = Call::form(&url, &[("To", &sms.message.to), (sender, &self.from), ("Body", &sms.text)]);
        let login = STANDARD.encode(format!("{}:{}", self.account_sid, self.auth_token.expose()));
        let call = call.with_secret("authorization", &format!("Basic {login}"));
        answered(&*self.fetch, call.with("idempotency-key", &sms.job.to_string()), self.timeout).await
    }
}
