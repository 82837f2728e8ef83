//! The development mailbox: what would have been sent by mail or SMS, kept in memory for a person or a harness to read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;

use crate::app::Post;
use crate::edge::clock::Clock;
use crate::edge::mail::{Mail, Mailer};
use crate::edge::sms::{Sms, SmsSender};
use crate::edge::template::{Frame, Templates, context};
use crate::edge::undelivered::Undelivered;
use crate::http::render::Stage;
use crate::http::security_header::protect_page;
use crate::model::message::MessageKind;
use crate::protocol::authorization_request::Display;
use crate::protocol::numeric_date::NumericDate;

/// A message that was sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Message {
    /// Its number since start, as text.
    pub id: String,
    /// The way it went.
    pub channel: Channel,
    /// The address or phone number.
    pub to: String,
    /// The subject of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When, in seconds since the epoch.
    pub sent_at: NumericDate,
    /// What it is about; `None` for what the development server itself has to say.
    #[serde(skip)]
    pub kind: Option<MessageKind>,
}

/// The way of a message.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// E-mail.
    Mail,
    /// A text message.
    Sms,
}

impl Channel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The way it goes.
    pub channel: Channel,
    /// The address or phone number.
    pub to: String,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML of a mail.
    pub html: Option<String>,
    /// What it is about, if it is of the catalogue.
    pub kind: Option<MessageKind>,
}

/// The messages kept, oldest dropped first. Clones share one mailbox.
#[derive(Clone)]
pub struct Mailbox(Arc<Shelf>);

struct Shelf {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<Message>,
    sent: u64,
}

impl Mailbox {
    /// The most messages kept: a harness may sign in hundreds of times before it looks.
    pub const CAPACITY: usize = 1000;

    /// An empty mailbox.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shelf { clock, kept: Mutex::default() }))
    }

    /// The way of every message into this mailbox.
    pub fn post(&self) -> Post {
        Post::Given { mailer: Arc::new(self.clone()), sms: Arc::new(self.clone()) }
    }

    /// Puts a message into the mailbox; its id is answered.
    pub fn deliver(&self, delivery: Delivery) -> String {
        let mut kept = self.kept();
        kept.sent += 1;
        let id = kept.sent.to_string();
        if kept.messages.len() == Self::CAPACITY {
            kept.messages.pop_front();
        }
        let Delivery { channel, to, subject, text, html, kind } = delivery;
        let sent_at = self.0.clock.now();
        kept.messages.push_back(Message { id: id.clone(), channel, to, subject, text, html, sent_at, kind });
        id
    }

    /// What is kept, newest last.
    pub fn messages(&self) -> Vec<Message> {
        self.kept().messages.iter().cloned().collect()
    }

    /// `GET /dev/messages` and the page `GET /dev/mail`, for the development server only. `base` is the issuer's path.
    pub fn router(&self, templates: Arc<Templates>, base: String) -> Router {
        let shown = Shown { mailbox: self.clone(), templates, base };
        Router::new().route("/dev/messages", get(list)).route("/dev/mail", get(page)).with_state(shown)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic elsewhere leaves whole messages behind.
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for Mailbox {
    fn name(&self) -> &'static str {
        "mailbox"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        tracing::info!(to = mail.message.to, subject = mail.subject, "mail");
        self.deliver(Delivery {
            channel: Channel::Mail,
            to: mail.message.to.clone(),
            subject: Some(mail.subject.clone()),
            text: mail.text.clone(),
            html: mail.html.clone(),
            kind: Some(mail.message.kind),
        });
        Ok(())
    }
}

#[async_trait]
impl SmsSender for Mailbox {
    fn name(&self) -> &'static str {
        "mailbox"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        tracing::info!(to = sms.message.to, text = sms.text, "text message");
        self.deliver(Delivery {
            channel: Channel::Sms,
            to: sms.message.to.clone(),
            subject: None,
            text: sms.text.clone(),
            html: None,
            kind: Some(sms.message.kind),
        });
        Ok(())
    }
}

#[derive(Clone)]
struct Shown {
    mailbox: Mailbox,
    templates: Arc<Templates>,
    base: String,
}

async fn list(State(shown): State<Shown>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(shown.mailbox.messages())).into_response()
}

async fn page(State(shown): State<Shown>, headers: HeaderMap) -> Response {
    let accept_language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let frame = Frame {
        base: shown.base,
        language: shown.templates.negotiate(&[], accept_language),
        trace_id: String::new(),
        development: true,
        display: Display::Page,
    };
    let messages = shown.mailbox.messages().into_iter().rev().map(Message::in_page).collect();
    match shown.templates.page("dev/mailbox.html", &frame, &context::Mailbox { messages }) {
        Ok(html) => {
            let mut response = Html(html).into_response();
            protect_page(response.headers_mut(), Stage::Development);
            response
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the mailbox page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Message {
    fn in_page(self) -> context::Message {
        context::Message {
            id: self.id,
            channel: self.channel.as_str().to_owned(),
            to: self.to,
            subject: self.subject,
            text: self.text,
            html: self.html,
            sent_at: self.sent_at.seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    fn mail(text: &str) -> Delivery {
        Delivery {
            channel: Channel::Mail,
            to: "alice@example.com".to_owned(),
            subject: Some("123 456 is your code".to_owned()),
            text: text.to_owned(),
            html: None,
            kind: None,
        }
    }

    /// Time that goes on by a second with each look.
    #[derive(Default)]
    struct Ticking(AtomicI64);

    impl Clock for Ticking {
        fn now(&self) -> NumericDate {
            NumericDate::from_seconds(10 + self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    fn empty() -> Mailbox {
        Mailbox::new(Arc::new(Ticking::default()))
    }

    async fn get(mailbox: &Mailbox, path: &str) -> (StatusCode, String) {
        let templates = Arc::new(Templates::new(None).unwrap());
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = mailbox.router(templates, String::new()).oneshot(request).await.unwrap();
        let status = answer.status();
        (status, String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_harness_lists_what_was_sent_newest_last() {
        let mailbox = empty();
        mailbox.deliver(mail("first"));
        let sms = Delivery { channel: Channel::Sms, to: "+12025550143".to_owned(), subject: None, ..mail("second") };
        mailbox.deliver(sms);

        let (status, body) = get(&mailbox, "/dev/messages").await;
        assert_eq!(status, StatusCode::OK);
        insta::assert_snapshot!(body, @r#"[{"id":"1","channel":"mail","to":"alice@example.com","subject":"123 456 is your code","text":"first","sent_at":10},{"id":"2","channel":"sms","to":"+12025550143","text":"second","sent_at":11}]"#);
    }

    #[tokio::test]
    async fn a_person_reads_them_as_a_page() {
        let mailbox = empty();
        mailbox.deliver(mail("open <b>this</b>"));
        let (status, body) = get(&mailbox, "/dev/mail").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("alice@example.com") && body.contains("open &lt;b&gt;this"), "{body}");
    }

    #[test]
    fn the_oldest_are_dropped() {
        let mailbox = empty();
        for number in 0..=Mailbox::CAPACITY {
            mailbox.deliver(mail(&number.to_string()));
        }
        let messages = mailbox.messages();
        assert_eq!(messages.len(), Mailbox::CAPACITY);
        assert_eq!(messages[0].text, "1");
        assert_eq!(messages[Mailbox::CAPACITY - 1].id, "1001");
    }
}
