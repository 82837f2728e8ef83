//! Messages to a server of the operator, which sends them as it likes (S-050, S-134).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::edge::clock::Clock;
use crate::edge::fetch::Fetch;
use crate::edge::post::{Call, answered};
use crate::edge::undelivered::Undelivered;
use crate::model::id::JobId;
use crate::model::message::Message;
use crate::protocol::secret::Secret;

/// The way to a server of the operator: for mail and for text messages, each with a URL of its own.
pub struct Webhook {
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

impl Webhook {
    /// Posts what a sender is told of the message of `job`.
    pub(super) async fn post(&self, job: JobId, body: &Value) -> Result<(), Undelivered> {
        let call = Call::json(&self.url, body).signed(self.secret.as_ref(), &job.to_string(), self.clock.now());
        answered(&*self.fetch, call, self.timeout).await
    }
}

/// What a sender of the operator's own is told: the message, and `words`, those that we would have used.
pub(super) fn told<const N: usize>(job: JobId, message: &Message, words: [(&str, Option<&str>); N]) -> Value {
    let told = json!({
        "id": job,
        "channel": message.channel,
        "kind": message.kind,
        "to": message.to,
        "languages": message.languages,
        "user": message.user,
        "client": message.client,
        "data": message.data,
    });
    let words = words.into_iter().map(|(name, text)| (name.to_owned(), json!(text)));
    Value::Object(told.as_object().cloned().unwrap_or_default().into_iter().chain(words).collect())
}
