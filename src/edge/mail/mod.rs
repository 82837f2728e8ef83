//! Mail on its way out: what is sent, and the ways it may go.
//!
//! One is tried after the other until one takes it. To add one: a file with an `impl Mailer`, its settings in
//! `config/mail.rs`, a line in `app/post.rs`.

use std::sync::Arc;

use async_trait::async_trait;

use crate::edge::turns::Turns;
use crate::edge::undelivered::Undelivered;
use crate::model::id::JobId;
use crate::model::message::Message;
use crate::protocol::numeric_date::NumericDate;

pub mod address;
pub mod command;
pub mod file;
pub mod http;
pub mod log;
pub mod mime;
pub mod smtp;
pub mod webhook;

/// A mail, put into words.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The job that sends it. Each attempt has the same, so that whoever gets it twice can tell.
    pub job: JobId,
    /// What it is about.
    pub message: Message,
    /// When it is sent.
    pub at: NumericDate,
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
}

/// A way for mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Its name in the log.
    fn name(&self) -> &'static str;

    /// Hands `mail` over to the next server; returns when that has taken it, or says why it did not, within a minute.
    async fn send(&self, mail: &Mail) -> Result<(), Undelivered>;

    /// Whether it would take a mail now, as far as that can be told without sending one; `None` when it cannot.
    async fn probe(&self) -> Option<Result<(), Undelivered>> {
        None
    }
}

/// Several ways: the first that takes a mail has it, and one that failed a moment ago is tried last.
pub struct FirstOf {
    ways: Vec<Arc<dyn Mailer>>,
    turns: Turns,
}

impl FirstOf {
    /// In this order.
    pub fn new(ways: Vec<Arc<dyn Mailer>>) -> Self {
        Self { turns: Turns::of(ways.len()), ways }
    }
}

#[async_trait]
impl Mailer for FirstOf {
    fn name(&self) -> &'static str {
        "mail"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let mut failed: Option<Undelivered> = None;
        for number in self.turns.order(mail.at) {
            let Some(way) = self.ways.get(number) else { continue };
            let sent = way.send(mail).await;
            self.turns.fared(number, &sent, mail.at);
            let Err(why) = sent else { return Ok(()) };
            failed = Some(Undelivered::all(failed, why.by(way.name())));
        }
        Err(failed.unwrap_or_else(|| Undelivered::passing("mail.transport is not set, so no mail is sent")))
    }

    /// As the first that can tell, and would.
    async fn probe(&self) -> Option<Result<(), Undelivered>> {
        let mut told = None;
        for way in &self.ways {
            match way.probe().await {
                Some(Ok(())) => return Some(Ok(())),
                Some(Err(why)) => told = Some(Err(why)),
                None => {}
            }
        }
        told
    }
}
