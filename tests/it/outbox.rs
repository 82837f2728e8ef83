//! Messages on their way: written down with their fact, carried out afterwards, never lost, never without end.
//!
//! PROTOCOL §4.8.

use std::time::Duration;

use symbolon::config::mail::{MailTransport, SmtpTls};
use symbolon::edge::mail::smtp::Security;
use symbolon::edge::store::Beside;
use symbolon::jobs::courier::Couriers;
use symbolon::model::job::Queue;
use symbolon::model::message::MessageKind;

use crate::support::TestServer;
use crate::support::outgoing::{code, job, now, send, send_by};
use crate::support::server::Setup;
use crate::support::smtp_sink::SmtpSink;

/// As long as a code is good.
const GOOD_FOR: Duration = Duration::from_mins(5);

#[tokio::test]
async fn a_code_arrives_as_mail_and_as_text_message() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com")).await;
    send(&server, &code("+4930901820")).await;
    assert!(server.mailbox().messages().is_empty(), "no request waits for a mail server");
    assert_eq!(server.deliver().await, 2);

    let mail = server.mailbox().last_to("alice@example.com");
    assert_eq!(mail.kind, Some(MessageKind::SignInCode));
    insta::assert_snapshot!(mail.subject.expect("mails have one"), @"123 456 is your code for Symbolon");
    insta::assert_snapshot!(mail.text, @"
    Hello Alice,

    Enter this code to sign in to Symbolon.

        123456

    This is good for 5 minutes and works once.

    If this was not you, somebody typed your address. Without the code they get no further. Never tell it to anybody.

    The request came from 192.0.2.7 (unknown device) on 15 January 2027, 08:00 UTC.

    --
    Symbolon
    http://localhost:8080
    ");
    assert!(mail.html.expect("mails have one").contains("123456"));
    assert_eq!(server.mailbox().code_for("alice@example.com"), "123456");
    insta::assert_snapshot!(server.mailbox().last_to("+4930901820").text, @"
    123456 is your code to sign in to Symbolon. Never tell it to anybody.

    @localhost #123456
    ");
    assert_eq!(server.mailbox().code_for("+4930901820"), "123456");
    assert_eq!(server.deliver().await, 0, "each once");
}

/// DECISIONS: `messages` is a JSON list, newest last; the page shows the same.
#[tokio::test]
async fn a_development_server_shows_what_was_sent() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    server.advance(Duration::from_secs(1));
    send(&server, &code("+4930901820")).await;
    server.deliver().await;
    let inbox = server.mailbox();
    let list: serde_json::Value = serde_json::from_str(&inbox.get(&server, "/dev/messages").await).expect("JSON");
    let [mail, sms] = list.as_array().expect("a list").as_slice() else { panic!("{list}") };
    assert_eq!((&mail["channel"], &mail["to"]), (&"mail".into(), &"alice@example.com".into()));
    assert_eq!(mail["subject"], "123 456 is your code for Symbolon");
    assert!(mail["html"].as_str().is_some_and(|html| html.contains("123456")), "{mail}");
    assert_eq!((&sms["channel"], &sms["to"]), (&"sms".into(), &"+4930901820".into()));
    assert_eq!(sms["sent_at"], server.clock.seconds());
    let page = inbox.get(&server, "/dev/mail").await;
    assert!(page.contains("123 456 is your code for Symbolon") && page.contains("+4930901820"), "{page}");
}

#[tokio::test]
async fn two_jobs_of_one_key_are_one_message_also_when_the_first_is_done() {
    let server = TestServer::start().await;
    send_by(&server, &code("alice@example.com"), (Some("sign-in 1"), GOOD_FOR)).await;
    send_by(&server, &code("alice@example.com"), (Some("sign-in 1"), GOOD_FOR)).await;
    assert_eq!(server.deliver().await, 1);
    send_by(&server, &code("alice@example.com"), (Some("sign-in 1"), GOOD_FOR)).await;
    assert_eq!(server.deliver().await, 0);
    assert_eq!(server.mailbox().to("alice@example.com").len(), 1);

    // Long after the code has run out the key is free again.
    server.advance(Duration::from_hours(2));
    server.store().clear_expired(now(&server), 100).await.expect("cleared");
    send_by(&server, &code("alice@example.com"), (Some("sign-in 1"), GOOD_FOR)).await;
    assert_eq!(server.deliver().await, 1);
}

#[tokio::test]
async fn a_code_that_has_run_out_is_not_sent() {
    let server = TestServer::start().await;
    send(&server, &code("alice@example.com")).await;
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
    send(&server, &code("alice@example.com")).await;
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
    let mut beside = Beside::default().and_job(job(&server, &code("alice@example.com"), (None, GOOD_FOR)));
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
        send(&server, &code("alice@example.com")).await;
        while server.mailbox().to("alice@example.com").len() < round {
            assert!(start.elapsed() < Duration::from_millis(400), "not within a fraction of a second");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Let it fall asleep.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

/// A server that stops hands over what it has taken, and takes nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_finishes_what_it_began() {
    let sink = SmtpSink::start(Security::None, None).await;
    let server = TestServer::sending(Setup::default(), |config| {
        config.mail.transport = Some(vec![MailTransport::Smtp]);
        config.mail.smtp.host = sink.host();
        config.mail.smtp.tls = SmtpTls::None;
    })
    .await;
    let workers = Couriers::start(std::sync::Arc::clone(&server.app.courier));
    sink.hesitate(Duration::from_millis(300));
    send(&server, &code("alice@example.com")).await;
    while sink.connections() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    workers.stop(Duration::from_secs(20)).await;
    assert_eq!(sink.taken().len(), 1);
    assert!(server.store().waiting_jobs(10).await.expect("read").is_empty(), "and it is noted");
    send(&server, &code("bob@example.com")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.store().waiting_jobs(10).await.expect("read").len(), 1, "this is for the next start");
}
