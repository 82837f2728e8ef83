//! A mail as it travels: both forms of the text in one message.
//!
//! RFC 5322, RFC 2046 §5.1.4 (multipart/alternative, the plain text first), RFC 3834 §5 (`Auto-Submitted`: no vacation notes).

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{MultiPart, SinglePart};

use crate::edge::mail::Mail;
use crate::edge::mail::address::MailAddress;
use crate::edge::undelivered::Undelivered;

/// Whom mail comes from.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// `From`.
    pub from: MailAddress,
    /// `Reply-To`.
    pub reply_to: Option<MailAddress>,
}

/// Composes `mail`. Its `Message-ID` is that of the job: who gets it twice can tell.
///
/// # Errors
/// Lasting, when its address is none that mail can go to.
pub(super) fn compose(mail: &Mail, envelope: &Envelope) -> Result<Message, Undelivered> {
    let to: MailAddress = mail.message.to.parse().map_err(|_| Undelivered::lasting("the address is none for mail"))?;
    let seconds = u64::try_from(mail.at.seconds()).unwrap_or(0);
    let mut message = Message::builder()
        .message_id(Some(format!("<{}@{}>", mail.job, envelope.from.domain())))
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .from(envelope.from.0.clone())
        .to(to.0)
        .subject(mail.subject.clone())
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    if let Some(reply_to) = &envelope.reply_to {
        message = message.reply_to(reply_to.0.clone());
    }
    let composed = match &mail.html {
        Some(html) => message.multipart(MultiPart::alternative_plain_html(mail.text.clone(), html.clone())),
        None => message.singlepart(SinglePart::plain(mail.text.clone())),
    };
    composed.map_err(|error| Undelivered::lasting(format!("it cannot be composed: {error}")))
}
