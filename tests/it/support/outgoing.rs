//! Messages as facts ask for them, for stories about their way alone.

use std::time::Duration;

use symbolon::edge::store::Beside;
use symbolon::model::event::Provenance;
use symbolon::model::job::NewJob;
use symbolon::model::message::{Channel, Message, MessageData, MessageKind};
use symbolon::protocol::numeric_date::NumericDate;

use super::TestServer;

/// What the clock of a story says.
pub(crate) fn now(server: &TestServer) -> NumericDate {
    NumericDate::from_seconds(server.clock.seconds())
}

/// A code to sign in, by mail or, to a number, as a text message.
pub(crate) fn code(to: &str) -> Message {
    Message {
        kind: MessageKind::SignInCode,
        channel: if to.starts_with('+') { Channel::Sms } else { Channel::Mail },
        to: to.to_owned(),
        user: None,
        client: None,
        languages: vec!["en".to_owned()],
        data: MessageData {
            name: Some("Alice".to_owned()),
            code: Some("123456".to_owned()),
            valid_minutes: Some(5),
            request: Some(Provenance { address: "192.0.2.7".to_owned(), ..Provenance::default() }),
            ..MessageData::default()
        },
    }
}

/// A message of any kind with everything that one may tell.
pub(crate) fn whole(kind: MessageKind, to: &str) -> Message {
    let message = code(to);
    let data = MessageData {
        url: Some("https://login.example.com/recover/password?token=x".to_owned()),
        address: Some("a…@example.org".to_owned()),
        remaining: Some(3),
        ..message.data
    };
    Message { kind, data, ..message }
}

/// A job that sends a message, good for so long.
pub(crate) fn job(server: &TestServer, message: &Message, (key, good_for): (Option<&str>, Duration)) -> NewJob {
    let now = now(server);
    let expires_at = now.plus(good_for);
    server.provider().edges.outbox.job(message, key.map(str::to_owned), (now, expires_at)).expect("a job")
}

/// Writes a message into the outbox, good for five minutes.
pub(crate) async fn send(server: &TestServer, message: &Message) {
    send_by(server, message, (None, Duration::from_mins(5))).await;
}

/// Writes a message into the outbox, with an idempotency key and good for so long.
pub(crate) async fn send_by(server: &TestServer, message: &Message, terms: (Option<&str>, Duration)) {
    let beside = Beside::default().and_job(job(server, message, terms));
    server.store().record(beside).await.expect("recorded");
}
