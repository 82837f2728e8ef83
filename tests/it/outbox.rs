//! Messages on their way: written down with their fact, carried out afterwards, never lost, never without end.
//!
//! PROTOCOL §4.8.

use std::time::Duration;

use symbolon::edge::store::Beside;
use symbolon::jobs::courier::Couriers;
use symbolon::model::event::Provenance;
use symbolon::model::job::{NewJob, Queue};
use symbolon::model::message::{Channel, Message, MessageData, MessageKind};
use symbolon::protocol::numeric_date::NumericDate;

use crate::support::TestServer;

fn now(server: &TestServer) -> NumericDate {
    NumericDate::from_seconds(server.clock.seconds())
}

fn code(to: &str) -> Message {
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

fn job(server: &TestServer, message: &Message, key: Option<&str>) -> NewJob {
    let now = now(server);
    let expires_at = now.plus(Duration::from_mins(5));
    server.provider().edges.outbox.job(message, key.map(str::to_owned), (now, expires_at)).expect("a job")
}

async fn send(server: &TestServer, message: &Message, key: Option<&str>) {
    let beside = Beside::default().and_job(job(server, message, key));
    server.store().record(beside).await.expect("recorded");
}

#[tokio::test]
async fn a_code_arrives_as_mail_and_as_text_message() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com"), None).await;
    send(&server, &code("+4930901820"), None).await;
    assert!(server.mailbox().messages().is_empty(), "no request waits for a mail server");
    assert_eq!(server.deliver().await, 2);

    let mail = server.mailbox().last_to("alice@example.com");
    assert_eq!(mail.kind, Some(MessageKind::SignInCode));
    insta::assert_snapshot!(mail.subject.expect("mails have one"), @"123 456 is your code for Symbolon");
    insta::assert_snapshot!(mail.text, @r"");
    assert!(mail.html.expect("mails have one").contains("123456"));
    assert_eq!(server.mailbox().code_for("alice@example.com"), "123456");
    insta::assert_snapshot!(server.mailbox().last_to("+4930901820").text, @r"");
    assert_eq!(server.mailbox().code_for("+4930901820"), "123456");
    assert_eq!(server.deliver().await, 0, "each once");
}

#[tokio::test]
async fn two_jobs_of_one_key_are_one_message_also_when_the_first_is_done() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com"), Some("sign-in 1")).await;
    send(&server, &code("alice@example.com"), Some("sign-in 1")).await;
    assert_eq!(server.deliver().await, 1);
    send(&server, &code("alice@example.com"), Some("sign-in 1")).await;
    assert_eq!(server.deliver().await, 0);
    assert_eq!(server.mailbox().to("alice@example.com").len(), 1);

    // Long after the code has run out the key is free again.
    server.advance(Duration::from_hours(2));
    server.store().clear_expired(now(&server), 100).await.expect("cleared");
    send(&server, &code("alice@example.com"), Some("sign-in 1")).await;
    assert_eq!(server.deliver().await, 1);
}

#[tokio::test]
async fn a_code_that_has_run_out_is_not_sent() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com"), None).await;
    server.advance(Duration::from_mins(6));
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty());
    let dead = server.store().dead_jobs(10).await.expect("listed");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_error, "its time was over before it could be sent");
    assert!(!server.store().revive_job(dead[0].id, now(&server)).await.expect("asked"), "it would come too late");
}

/// A process that dies between taking a message and sending it delays the message, and no more.
#[tokio::test]
async fn a_message_whose_carrier_died_goes_out_by_another() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com"), None).await;
    let until = now(&server).plus(Duration::from_secs(90));
    let taken = server.store().lease_jobs(Queue::Mail, (now(&server), until), 10).await.expect("leased");
    assert_eq!(taken.len(), 1);
    assert_eq!(server.deliver().await, 0, "it belongs to another");
    server.advance(Duration::from_secs(91));
    assert_eq!(server.deliver().await, 1);
    assert_eq!(server.mailbox().to("alice@example.com").len(), 1);
    // Should the first come back after all, it changes nothing.
    assert!(!server.store().finish_job(taken[0].id, taken[0].attempt, now(&server)).await.expect("asked"));
}

#[tokio::test]
async fn a_fact_that_fails_sends_nothing() {
    let server = TestServer::start().await;
    let mut beside = Beside::default().and_job(job(&server, &code("alice@example.com"), None));
    let again = beside.jobs[0].clone();
    beside.jobs.push(again);
    assert!(server.store().record(beside).await.is_err(), "the same row twice");
    assert_eq!(server.deliver().await, 0);
}

/// The worker of a running server is woken by the fact.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_there_a_moment_after_its_request() {
    let server = TestServer::start().await;
    let _workers = Couriers::start(std::sync::Arc::clone(&server.app.courier));
    for round in 1..=3 {
        let start = std::time::Instant::now();
        send(&server, &code("alice@example.com"), None).await;
        while server.mailbox().to("alice@example.com").len() < round {
            assert!(start.elapsed() < Duration::from_millis(400), "not within a fraction of a second");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Let it fall asleep.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}
