//! Text messages on their way out: what is sent, and the ways it may go.
//!
//! One is tried after the other until one takes it. To add one: a file with an `impl SmsSender`, its settings in
//! `config/sms.rs`, a line in `app/post.rs`.

use std::sync::Arc;

use async_trait::async_trait;

use crate::edge::turns::Turns;
use crate::edge::undelivered::Undelivered;
use crate::model::id::JobId;
use crate::model::message::Message;
use crate::protocol::numeric_date::NumericDate;

pub mod file;
pub mod gsm7;
pub mod log;
pub mod twilio;
pub mod webhook;

/// A text message, put into words.
#[derive(Clone, Debug)]
pub struct Sms {
    /// The job that sends it. Each attempt has the same, so that whoever gets it twice can tell.
    pub job: JobId,
    /// What it is about.
    pub message: Message,
    /// When it is sent.
    pub at: NumericDate,
    /// The words.
    pub text: String,
}

/// A way for text messages.
#[async_trait]
pub trait SmsSender: Send + Sync {
    /// Its name in the log.
    fn name(&self) -> &'static str;

    /// Hands `sms` over to the provider; returns when that has taken it, or says why it did not, within a minute.
    async fn send(&self, sms: &Sms) -> Result<(), Undelivered>;
}

/// Several ways: the first that takes a message has it, and one that failed a moment ago is tried last.
pub struct FirstOf {
    ways: Vec<Arc<dyn SmsSender>>,
    turns: Turns,
}

impl FirstOf {
    /// In this order.
    pub fn new(ways: Vec<Arc<dyn SmsSender>>) -> Self {
        Self { turns: Turns::of(ways.len()), ways }
    }
}

#[async_trait]
impl SmsSender for FirstOf {
    fn name(&self) -> &'static str {
        "sms"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        let mut failed: Option<Undelivered> = None;
        for number in self.turns.order(sms.at) {
            let Some(way) = self.ways.get(number) else { continue };
            let sent = way.send(sms).await;
            self.turns.fared(number, &sent, sms.at);
            let Err(why) = sent else { return Ok(()) };
            failed = Some(Undelivered::all(failed, why.by(way.name())));
        }
        Err(failed.unwrap_or_else(|| Undelivered::passing("sms.transport is not set, so no text message is sent")))
    }
}
