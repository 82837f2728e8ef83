//! S-044, S-051: what becomes of a code that does not go out, and how many text messages do.

use serde_json::json;
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::config::mail::MailTransport;
use symbolon::config::sms::SmsTransport;

use crate::support::TestServer;
use crate::support::answer::code;
use crate::support::http_sink::HttpSink;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;

async fn server(sink: &HttpSink, sync: bool) -> TestServer {
    TestServer::sending(Setup::default(), |config: &mut Config| settings(config, sink, sync)).await
}

fn settings(config: &mut Config, sink: &HttpSink, sync: bool) {
    config.mail.transport = Some(vec![MailTransport::Webhook]);
    config.mail.webhook.url = format!("{}/mail", sink.origin());
    config.sms.transport = Some(vec![SmsTransport::Webhook]);
    config.sms.webhook.url = format!("{}/sms", sink.origin());
    config.mail.sync = sync;
    config.fetch.allow = vec![sink.origin()];
}

#[tokio::test]
async fn s_044_who_waits_for_a_code_hears_that_it_does_not_go_out() {
    let sink = HttpSink::start().await;
    let server = server(&sink, true).await;
    for (method, identifier) in
        [("email_code", "alice@example.com"), ("magic_link", "alice@example.com"), ("sms_code", "+493090182001")]
    {
        let spa = Spa::open(&server).await;
        let body = json!({"method": method, "identifier": identifier});
        sink.answer(500);
        let failed = spa.post("/sign-in", &body).await;
        assert_eq!(code(&failed), "503 delivery_failed", "{method}");
        // No pause began: the next try is heard at once, and its code is good.
        let sent = spa.post("/sign-in", &body).await;
        assert_eq!(sent.status, 202, "{method}: {sent}");
        let told = sink.posted().pop().expect("it came").json().to_string();
        let flow = sent.json()["flow"].clone();
        let again = spa.post("/sign-in", &body).await;
        assert_eq!(again.json()["flow"], flow, "the same start is the same one");
        if method != "magic_link" {
            let codes: Vec<&str> = told.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 6).collect();
            let right = codes.last().expect("a code in the message");
            let body = json!({"flow": flow, "type": method, "value": right});
            assert_eq!(spa.post("/sign-in/challenge", &body).await.ok()["status"], "complete", "{told}");
        }
    }
    assert_eq!(server.deliver().await, 0, "nothing waits in the outbox");
}

#[tokio::test]
async fn s_044_else_it_waits_in_the_outbox_and_is_tried_again() {
    let sink = HttpSink::start().await;
    let server = server(&sink, false).await;
    let spa = Spa::open(&server).await;
    sink.answer(500);
    let sent = spa.post("/sign-in", &json!({"method": "email_code", "identifier": "alice@example.com"})).await;
    assert_eq!(sent.status, 202);
    server.deliver().await;
    assert_eq!(sink.posted().len(), 1, "it failed");
    server.advance(std::time::Duration::from_mins(2));
    server.deliver().await;
    assert_eq!(sink.posted().len(), 2, "it went out");
}

/// Six digits of a message.
fn digits(told: &str) -> String {
    let mut runs = told.split(|c: char| !c.is_ascii_digit());
    runs.rfind(|run| run.len() == 6).expect("a code in the message").to_owned()
}

#[tokio::test]
async fn s_044_who_registers_hears_that_the_message_does_not_go_out() {
    let sink = HttpSink::start().await;
    for by_link in [false, true] {
        let server = TestServer::sending(Setup::default(), |config: &mut Config| {
            settings(config, &sink, true);
            if by_link {
                config.registration.mode = SignUp::Link;
            }
        })
        .await;
        let spa = Spa::open(&server).await;
        let address = if by_link { "link@example.net" } else { "code@example.net" };
        let body = json!({"email": address, "password": PASSWORD});
        sink.answer(500);
        let failed = spa.post("/registrations", &body).await;
        assert_eq!(code(&failed), "503 delivery_failed", "{address}");
        // No pause began: the next try is heard at once, and its message is good.
        let begun = spa.post("/registrations", &body).await;
        assert_eq!(begun.status, 202, "{address}: {begun}");
        let told = sink.posted().pop().expect("it came").json().to_string();
        if !by_link {
            let registration = begun.json()["registration"].clone();
            server.advance(std::time::Duration::from_mins(1));
            sink.answer(500);
            let again = spa.post("/registrations/resend", &json!({"registration": registration})).await;
            assert_eq!(code(&again), "503 delivery_failed");
            // What arrived before is still good, since nothing came in its place.
            let body = json!({"registration": registration, "code": digits(&told)});
            let made = spa.post("/registrations/confirm", &body).await;
            assert_eq!(made.status, 201, "{made}");
        }
        assert_eq!(server.deliver().await, 0, "nothing waits in the outbox");
    }
}

/// Whoever has the address: the refusal is the same.
#[tokio::test]
async fn s_044_who_forgot_their_password_hears_it_and_learns_nothing() {
    let sink = HttpSink::start().await;
    let server = server(&sink, true).await;
    for channel in ["link", "email_code"] {
        let spa = Spa::open(&server).await;
        let body = json!({"identifier": "alice@example.com", "channel": channel});
        sink.answer(500);
        assert_eq!(code(&spa.post("/password-resets", &body).await), "503 delivery_failed", "{channel}");
        let begun = spa.post("/password-resets", &body).await;
        assert_eq!(begun.status, 202, "no pause began: {begun}");
        let told = sink.posted().pop().expect("it came").json().to_string();
        assert_eq!(server.deliver().await, 0, "nothing waits in the outbox");
        if channel == "email_code" {
            let body =
                json!({"flow": begun.json()["flow"], "code": digits(&told), "password": "a new and long enough one"});
            assert_eq!(spa.post("/password-resets/confirm", &body).await.status, 204);
        }
        server.advance(std::time::Duration::from_mins(2));
    }
}

/// Every text message counts, whatever it is for.
#[tokio::test]
async fn s_051_the_budget_is_one_for_every_purpose() {
    let configure = |config: &mut Config| {
        config.limits.sms_number = Some("2/d".parse().expect("a rate"));
    };
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    for (number, is_known) in [("+493090182001", true), ("+493090182999", false)] {
        let sign_in = json!({"method": "sms_code", "identifier": number});
        assert_eq!(spa.post("/sign-in", &sign_in).await.status, 202);
        let reset = json!({"identifier": number, "channel": "sms_code"});
        assert_eq!(spa.post("/password-resets", &reset).await.status, 202);
        server.advance(std::time::Duration::from_mins(2));
        // Who asks about an account of somebody else is told nothing; nothing goes out.
        assert_eq!(spa.post("/password-resets", &reset).await.status, 202);
        server.deliver().await;
        assert_eq!(server.mailbox().to(number).len(), if is_known { 2 } else { 0 }, "known: {is_known}");
        let register = json!({"phone": number, "password": PASSWORD});
        assert_eq!(code(&spa.post("/registrations", &register).await), "429 sms_budget_exceeded", "known: {is_known}");
    }
}
