//! Mail and text messages, from the outbox to the servers that take them: S-050, S-131, S-132, S-134, S-135, S-136, S-137, S-165.
//!
//! Mail servers and providers are real ones on loopback; mails are taken apart by `mail-parser`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::MimeHeaders as _;
use serde_json::json;
use symbolon::config::mail::{MailTransport, SmtpTls};
use symbolon::config::secret::SecretSource;
use symbolon::config::sms::SmsTransport;
use symbolon::config::{Config, Sources};
use symbolon::edge::mail::smtp::Security;
use symbolon::model::id::ClientId;
use symbolon::model::message::{Message, MessageKind};
use symbolon::protocol::secret::{Secret, hmac_sha256};

use crate::support::TestServer;
use crate::support::clients;
use crate::support::http_sink::HttpSink;
use crate::support::outgoing::{code, now, send, send_by, whole};
use crate::support::server::Setup;
use crate::support::smtp_sink::SmtpSink;

fn secret(text: &str) -> SecretSource {
    SecretSource::Value(Secret::from(text))
}

/// A server that mails by `sink`.
pub(super) async fn mailing(sink: &SmtpSink, security: Security, login: Option<(&str, &str)>) -> TestServer {
    TestServer::sending(Setup::default(), |config| by_smtp(config, sink, security, login)).await
}

fn by_smtp(config: &mut Config, sink: &SmtpSink, security: Security, login: Option<(&str, &str)>) {
    config.mail.transport = Some(vec![MailTransport::Smtp]);
    config.mail.from = Some("Harbour Books <login@harbour.example>".to_owned());
    config.mail.smtp.host = sink.host();
    config.mail.smtp.ca = Some(sink.ca());
    config.mail.smtp.tls = match security {
        Security::Tls => SmtpTls::Tls,
        Security::Starttls => SmtpTls::Starttls,
        Security::None => SmtpTls::None,
    };
    if let Some((user, password)) = login {
        config.mail.smtp.username = Some(user.to_owned());
        config.mail.smtp.password = Some(secret(password));
    }
}

/// A server whose templates stand in `theme`, with a mailbox.
async fn themed(theme: &Path) -> TestServer {
    TestServer::configured(Setup::default(), |config| config.theme.folder = Some(theme.to_owned())).await
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("it is below the folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// What could not be sent for good, newest first.
async fn given_up(server: &TestServer) -> Vec<String> {
    let dead = server.store().dead_jobs(10).await.expect("listed");
    dead.into_iter().map(|job| job.last_error).collect()
}

#[tokio::test]
async fn s_135_a_mail_server_gets_the_mail_over_tls_after_a_login() {
    for security in [Security::Starttls, Security::Tls] {
        let sink = SmtpSink::start(security, Some(("symbolon", "p\u{e4}ss word"))).await;
        let server = mailing(&sink, security, Some(("symbolon", "p\u{e4}ss word"))).await;
        send(&server, &code("alice@example.com")).await;
        assert_eq!(server.deliver().await, 1);

        let taken = sink.taken().pop().unwrap_or_else(|| panic!("{security:?}: nothing came"));
        assert!(taken.secure, "{security:?}");
        assert_eq!(taken.login.as_deref(), Some("symbolon"));
        assert_eq!((taken.from.as_str(), taken.to), ("login@harbour.example", vec!["alice@example.com".to_owned()]));
    }
}

/// Who cannot prove who they are, or does not offer TLS, gets nothing: no login, no code.
#[tokio::test]
async fn s_135_a_mail_server_that_is_not_who_it_says_gets_nothing() {
    let sink = SmtpSink::start(Security::Starttls, Some(("symbolon", "password"))).await;
    let server = TestServer::sending(Setup::default(), |config| {
        by_smtp(config, &sink, Security::Starttls, Some(("symbolon", "password")));
        config.mail.smtp.ca = None;
    })
    .await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;

    let open = SmtpSink::start(Security::None, None).await;
    let downgraded = mailing(&open, Security::Starttls, None).await;
    send(&downgraded, &code("alice@example.com")).await;
    downgraded.deliver().await;
    assert!(sink.taken().is_empty() && open.taken().is_empty());
    assert!(sink.connections() > 0 && open.connections() > 0, "they were asked");
}

#[tokio::test]
async fn s_135_one_connection_carries_many_mails() {
    let sink = SmtpSink::start(Security::Starttls, None).await;
    let server = mailing(&sink, Security::Starttls, None).await;
    for _ in 0..5 {
        send(&server, &code("alice@example.com")).await;
    }
    assert_eq!(server.deliver().await, 5);
    let taken = sink.taken();
    assert_eq!(taken.iter().map(|mail| mail.connection).collect::<Vec<_>>(), [1; 5]);
}

#[tokio::test]
async fn s_135_a_provider_gets_the_mail_as_json() {
    let sink = HttpSink::start().await;
    let server = TestServer::sending(Setup::default(), |config| {
        config.mail.transport = Some(vec![MailTransport::Http]);
        config.mail.from = Some("Harbour Books <login@harbour.example>".to_owned());
        config.mail.http.url = format!("{}/v3/mail/send", sink.origin());
        config.mail.http.token = Some(secret("SG.token"));
        config.fetch.allow = vec![sink.origin()];
    })
    .await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;

    let posted = sink.posted().pop().expect("it came");
    assert_eq!((posted.method.as_str(), posted.path.as_str()), ("POST", "/v3/mail/send"));
    assert_eq!(posted.header("authorization"), "Bearer SG.token");
    assert_eq!(posted.header("idempotency-key").len(), 36);
    let body = posted.json();
    assert_eq!(body["personalizations"], json!([{ "to": [{ "email": "alice@example.com" }] }]));
    assert_eq!(body["from"], json!({ "email": "login@harbour.example", "name": "Harbour Books" }));
    assert_eq!(body["subject"], "123 456 is your code for Symbolon");
    let types: Vec<_> = body["content"].as_array().expect("a list").iter().map(|part| &part["type"]).collect();
    assert_eq!(types, ["text/plain", "text/html"]);
}

#[tokio::test]
async fn s_135_a_folder_gets_a_file_for_each_mail() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = TestServer::sending(Setup::default(), |config| {
        config.mail.transport = Some(vec![MailTransport::File]);
        config.mail.file.folder = Some(folder.path().join("mail"));
    })
    .await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    let files: Vec<_> = std::fs::read_dir(folder.path().join("mail")).expect("made").collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let file = file.as_ref().expect("an entry");
    let raw = std::fs::read(file.path()).expect("read");
    let mail = mail_parser::MessageParser::default().parse(&raw).expect("a mail");
    assert_eq!(mail.subject(), Some("123 456 is your code for Symbolon"));
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().expect("known").permissions().mode() & 0o777, 0o600, "it holds a code");
    }
}

#[tokio::test]
async fn s_135_when_one_way_is_closed_the_next_is_taken() {
    let (smtp, http) = (SmtpSink::start(Security::None, None).await, HttpSink::start().await);
    let server = TestServer::sending(Setup::default(), |config| {
        by_smtp(config, &smtp, Security::None, None);
        config.mail.transport = Some(vec![MailTransport::Smtp, MailTransport::Http]);
        config.mail.http.url = http.origin();
        config.fetch.allow = vec![http.origin()];
    })
    .await;
    smtp.script("CONNECT", "421 4.3.2 we are closed");
    send(&server, &code("alice@example.com")).await;
    assert_eq!(server.deliver().await, 1, "in the same attempt");
    assert_eq!((smtp.taken().len(), http.posted().len()), (0, 1));

    // The one that failed rests; after a minute it is the first again.
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    assert_eq!((smtp.taken().len(), http.posted().len()), (0, 2));
    server.advance(Duration::from_secs(61));
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    assert_eq!((smtp.taken().len(), http.posted().len()), (1, 2));
}

#[tokio::test]
async fn s_136_what_a_mail_server_missed_comes_when_it_is_back() {
    // A port where nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address: SocketAddr = free.local_addr().expect("an address");
    drop(free);
    let server = TestServer::sending(Setup::default(), |config| {
        config.mail.transport = Some(vec![MailTransport::Smtp]);
        config.mail.smtp.host = format!("localhost:{}", address.port());
        config.mail.smtp.tls = SmtpTls::None;
    })
    .await;
    send(&server, &code("alice@example.com")).await;
    let mut pauses = Vec::new();
    let mut since = 0;
    for second in 0..31 {
        if server.deliver().await > 0 {
            pauses.push(second - since);
            since = second;
        }
        server.advance(Duration::from_secs(1));
    }
    assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]), "ever longer: {pauses:?}");
    assert!((4..=6).contains(&pauses.len()), "{pauses:?}");

    let sink = SmtpSink::at(address, Security::None, None).await;
    server.advance(Duration::from_secs(32));
    assert_eq!(server.deliver().await, 1);
    assert_eq!(sink.taken().len(), 1);
    server.advance(Duration::from_hours(1));
    assert_eq!(server.deliver().await, 0, "once");
}

#[tokio::test]
async fn s_136_what_never_goes_out_is_set_aside_and_can_be_sent_again() {
    let sink = SmtpSink::start(Security::None, None).await;
    let server = mailing(&sink, Security::None, None).await;
    // Refused for good: trying again would not help.
    sink.script("RCPT", "550 5.1.1 no such user");
    send(&server, &code("nobody@example.com")).await;
    assert_eq!(server.deliver().await, 1);
    server.advance(Duration::from_mins(1));
    assert_eq!(server.deliver().await, 0);
    let errors = given_up(&server).await;
    assert!(errors[0].contains("no such user"), "{errors:?}");
    assert!(!errors[0].contains("123456"), "{errors:?}");

    // Refused for now, more often than we try.
    let (mut attempts, begin) = (0, now(&server));
    send_by(&server, &code("alice@example.com"), (None, Duration::from_hours(24))).await;
    for _ in 0..40 {
        sink.script("RCPT", "451 4.3.0 try again later");
        attempts += server.deliver().await;
        server.advance(Duration::from_hours(1));
        if given_up(&server).await.len() == 2 {
            break;
        }
    }
    assert_eq!(attempts, 20);
    assert!(now(&server).since(begin) > Duration::from_hours(10));

    // Once the operator has mended it, it goes out. The script of the last round is used up first.
    let dead = server.store().dead_jobs(10).await.expect("listed");
    assert!(server.store().revive_job(dead[0].id, now(&server)).await.expect("asked"));
    let rest = server.deliver().await;
    assert_eq!((rest, sink.taken().len()), (1, 1));
    assert_eq!(sink.taken()[0].to, ["alice@example.com"]);
}

/// What a mail is made of, as a mail program sees it.
#[tokio::test]
async fn s_131_a_mail_has_a_text_and_the_same_as_html() {
    let sink = SmtpSink::start(Security::None, None).await;
    let server = mailing(&sink, Security::None, None).await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    let taken = sink.taken();
    let mail = taken[0].parsed();
    let kind = mail.content_type().expect("a type");
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
    assert_eq!(mail.subject(), Some("123 456 is your code for Symbolon"), "the code can be read without opening it");
    let from = mail.from().and_then(|from| from.first()).expect("a sender");
    assert_eq!((from.name(), from.address()), (Some("Harbour Books"), Some("login@harbour.example")));
    assert_eq!(mail.header("Auto-Submitted").and_then(|value| value.as_text()), Some("auto-generated"));
    assert_eq!(mail.date().map(mail_parser::DateTime::to_timestamp), Some(server.clock.seconds()));
    assert!(mail.message_id().is_some_and(|id| id.ends_with("@harbour.example")));
    let (text, html) = (mail.body_text(0).expect("a text"), mail.body_html(0).expect("html"));
    assert!(text.lines().any(|line| line.trim() == "123456"), "{text}");
    assert!(html.contains("123456") && html.contains("prefers-color-scheme: dark"), "{html}");
    assert!(!html.contains("src="), "nothing is loaded from elsewhere: {html}");
}

#[tokio::test]
async fn s_131_each_kind_of_message_has_its_words() {
    let server = TestServer::start().await;
    for kind in MessageKind::ALL {
        send(&server, &whole(*kind, "alice@example.com")).await;
        send(&server, &whole(*kind, "+4930901820")).await;
    }
    server.deliver().await;
    let mut subjects = std::collections::BTreeSet::new();
    // Those of one second have no order.
    let mut kinds = server.mailbox().kinds_to("alice@example.com");
    kinds.sort_by_key(|kind| MessageKind::ALL.iter().position(|listed| listed == kind));
    assert_eq!(kinds, MessageKind::ALL);
    assert_eq!(server.mailbox().link_for("alice@example.com"), "https://login.example.com/recover/password?token=x");
    let mails = server.mailbox().to("alice@example.com");
    for mail in mails {
        let (subject, html) = (mail.subject.expect("a subject"), mail.html.expect("html"));
        assert!(!subject.contains(['\r', '\n']) && subject.contains("Symbolon"), "{:?}: {subject}", mail.kind);
        assert!(html.contains("123456") && mail.text.contains("recover/password?token=x"), "{:?}", mail.kind);
        subjects.insert((html.contains("<h1"), subject));
    }
    assert!(subjects.len() > MessageKind::ALL.len() / 2, "{subjects:#?}");
    let texts = server.mailbox().to("+4930901820");
    assert_eq!(texts.len(), MessageKind::ALL.len());
    for text in texts {
        assert!(text.text.contains("Symbolon") && text.text.ends_with("#123456"), "{}", text.text);
    }
}

/// File by file, for one kind, one language, one app: the most special that is there.
#[tokio::test]
async fn s_131_templates_are_replaced_file_by_file() {
    let theme = tempfile::tempdir().expect("a temporary folder");
    write(theme.path(), "mail/sign_in_code/subject.txt", "Harbour: {{ code }}");
    write(theme.path(), "mail/sign_in_code/de/subject.txt", "Hafen: {{ code }}");
    write(theme.path(), "client/shop/mail/sign_in_code/subject.txt", "Shop: {{ code }}");
    write(theme.path(), "client/shop/sms/text.txt", "unused");
    write(theme.path(), "sms/sign_in_code/text.txt", "Harbour {{ code }}");
    let server = themed(theme.path()).await;
    let german = Message { languages: vec!["de-AT".to_owned()], ..code("bob@example.com") };
    let of_shop = Message { client: Some("shop".parse::<ClientId>().expect("an id")), ..code("ada@example.com") };
    for message in [&code("alice@example.com"), &german, &of_shop, &code("+4930901820")] {
        send(&server, message).await;
    }
    server.deliver().await;
    let subject = |to: &str| server.mailbox().last_to(to).subject.expect("a subject");
    assert_eq!(subject("alice@example.com"), "Harbour: 123456");
    assert_eq!(subject("bob@example.com"), "Hafen: 123456");
    assert_eq!(subject("ada@example.com"), "Shop: 123456");
    assert_eq!(server.mailbox().last_to("+4930901820").text, "Harbour 123456");
    let alice = server.mailbox().last_to("alice@example.com");
    assert!(alice.text.contains("Enter this code to sign in"), "what is not replaced stays: {}", alice.text);
}

#[tokio::test]
async fn s_131_no_name_makes_a_second_line_of_a_subject() {
    let theme = tempfile::tempdir().expect("a temporary folder");
    write(theme.path(), "mail/sign_in_code/subject.txt", "{{ user.name }}\r\nBcc: all@example.com\n\n{{ code }}\n");
    let sink = SmtpSink::start(Security::None, None).await;
    let server = TestServer::sending(Setup::default(), |config| {
        by_smtp(config, &sink, Security::None, None);
        config.theme.folder = Some(theme.path().to_owned());
    })
    .await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    let taken = sink.taken();
    let mail = taken[0].parsed();
    assert_eq!(mail.subject(), Some("Alice Bcc: all@example.com 123456"));
    assert!(mail.bcc().is_none());
    assert_eq!(taken[0].to, ["alice@example.com"]);
}

#[tokio::test]
async fn s_132_templates_know_the_person_the_app_and_the_request() {
    let theme = tempfile::tempdir().expect("a temporary folder");
    let shown = "{{ user.name }} {{ user.to }} {{ code }} {{ url }} {{ valid_minutes }} {{ request.address }} \
                 {{ client.name }} {{ client.uri }} \
                 {{ data.imprint }} {{ issuer }}";
    write(theme.path(), "mail/magic_link/body.txt", shown);
    write(theme.path(), "mail/magic_link/body.html", shown);
    let server = TestServer::configured(Setup::default(), |config| {
        config.theme.folder = Some(theme.path().to_owned());
        config.mail.data.insert("imprint".to_owned(), json!("Harbour & Sons"));
    })
    .await;
    let shop = clients::client("shop", &json!({ "client_name": "Harbour <Books>" }));
    server.store().create_client(&shop).await.expect("stored");
    let mut message = whole(MessageKind::MagicLink, "alice@example.com");
    message.client = Some(shop.id);
    message.data.name = Some("<b>Alice</b> \"A\"".replace('/', ""));
    send(&server, &message).await;
    server.deliver().await;
    let mail = server.mailbox().last_to("alice@example.com");
    insta::assert_snapshot!(mail.text, @r#"<b>Alice<b> "A" alice@example.com 123456 https://login.example.com/recover/password?token=x 5 192.0.2.7 Harbour <Books> https://shop.example/ Harbour & Sons http://localhost:8080"#);
    let html = mail.html.expect("html");
    assert!(html.starts_with("&lt;b&gt;Alice&lt;b&gt; &quot;A&quot;"), "{html}");
    assert!(html.contains("Harbour &amp; Sons") && html.contains("Harbour &lt;Books&gt;"), "{html}");
}

#[tokio::test]
async fn s_134_a_server_of_ones_own_sends_instead() {
    let sink = HttpSink::start().await;
    let server = TestServer::sending(Setup::default(), |config| {
        config.mail.transport = Some(vec![MailTransport::Webhook]);
        config.mail.webhook.url = format!("{}/send", sink.origin());
        config.mail.webhook.secret = Some(secret("a shared secret"));
        config.fetch.allow = vec![sink.origin()];
    })
    .await;
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    let posted = sink.posted().pop().expect("it came");
    let body = posted.json();
    assert_eq!((&body["kind"], &body["to"]), (&json!("sign_in_code"), &json!("alice@example.com")));
    assert_eq!((&body["data"]["code"], &body["data"]["valid_minutes"]), (&json!("123456"), &json!(5)));
    assert_eq!(body["subject"], "123 456 is your code for Symbolon");

    // It can tell that it is from us: Standard Webhooks.
    let (id, moment) = (posted.header("webhook-id"), posted.header("webhook-timestamp"));
    assert_eq!(body["id"], id);
    assert_eq!(moment, server.clock.seconds().to_string());
    let tag = hmac_sha256(b"a shared secret", &[format!("{id}.{moment}.").as_bytes(), &posted.body]);
    assert_eq!(posted.header("webhook-signature"), format!("v1,{}", STANDARD.encode(tag)));
}

#[tokio::test]
async fn s_134_a_program_of_ones_own_sends_instead() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (program, kept) = (folder.path().join("send"), folder.path().join("kept.json"));
    write(
        folder.path(),
        "send",
        &format!("#!/bin/sh\ncat > {}\nexit $(cat {})\n", kept.display(), folder.path().join("code").display()),
    );
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("set");
    }
    let server = TestServer::sending(Setup::default(), |config| {
        config.mail.transport = Some(vec![MailTransport::Command]);
        config.mail.command.program = vec![program.display().to_string()];
    })
    .await;
    write(folder.path(), "code", "75");
    send(&server, &code("alice@example.com")).await;
    server.deliver().await;
    assert!(given_up(&server).await.is_empty(), "it may be tried again");
    write(folder.path(), "code", "0");
    server.advance(Duration::from_secs(3));
    assert_eq!(server.deliver().await, 1);
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&kept).expect("written")).expect("JSON");
    assert_eq!((&kept["kind"], &kept["data"]["code"]), (&json!("sign_in_code"), &json!("123456")));
    server.advance(Duration::from_hours(1));
    assert_eq!(server.deliver().await, 0);

    write(folder.path(), "code", "67");
    send(&server, &code("nobody@example.com")).await;
    server.deliver().await;
    assert_eq!(given_up(&server).await, ["command: the program refused it with exit code 67"]);
}

#[tokio::test]
async fn s_050_providers_of_text_messages_are_tried_in_turn() {
    let (twilio, own) = (HttpSink::start().await, HttpSink::start().await);
    let server = TestServer::sending(Setup::default(), |config| {
        config.sms.transport = Some(vec![SmsTransport::Twilio, SmsTransport::Webhook]);
        config.sms.twilio.url = twilio.origin();
        config.sms.twilio.account_sid = "AC123".to_owned();
        config.sms.twilio.auth_token = Some(secret("token"));
        config.sms.twilio.from = "+12025550100".to_owned();
        config.sms.webhook.url = format!("{}/sms", own.origin());
        config.fetch.allow = vec![twilio.origin(), own.origin()];
    })
    .await;
    send(&server, &code("+4930901820")).await;
    server.deliver().await;
    let posted = twilio.posted().pop().expect("it came");
    assert_eq!(posted.path, "/2010-04-01/Accounts/AC123/Messages.json");
    assert_eq!(posted.header("authorization"), format!("Basic {}", STANDARD.encode("AC123:token")));
    assert_eq!((posted.field("To").as_str(), posted.field("From").as_str()), ("+4930901820", "+12025550100"));
    insta::assert_snapshot!(posted.field("Body"), @r"
    123456 is your code to sign in to Symbolon. Never tell it to anybody.

    @localhost #123456
    ");

    twilio.answer(503);
    send(&server, &code("+4930901820")).await;
    assert_eq!(server.deliver().await, 1);
    let posted = own.posted().pop().expect("the next one has it");
    let body = posted.json();
    assert_eq!((&body["to"], &body["data"]["code"]), (&json!("+4930901820"), &json!("123456")));
    assert!(body["text"].as_str().is_some_and(|text| text.contains("123456")), "{body}");
}

/// What of a log was written by this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn s_137_on_a_developers_machine_messages_stand_in_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let server = TestServer::sending(Setup::default(), |_| ()).await;
    {
        let _log = tracing::subscriber::set_default(log);
        send(&server, &code("alice@example.com")).await;
        send(&server, &code("+4930901820")).await;
        server.deliver().await;
    }
    let text = String::from_utf8(lines.0.lock().expect("nobody panics").clone()).expect("UTF-8");
    for part in ["mail that was not sent", "alice@example.com", "text message that was not sent", "123456"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn s_137_a_server_for_others_refuses_to_write_codes_into_its_log() {
    let settings = |issuer: &str, transport: &str| {
        let set = [("ISSUER", issuer), ("MAIL__TRANSPORT", transport), ("SMS__TRANSPORT", transport)];
        let environment = set.map(|(key, value)| (format!("SYMBOLON__{key}"), value.to_owned())).into();
        Config::examine(&Sources { environment, ..Sources::default() })
    };
    let mistakes = settings("https://login.example.com", "log").expect_err("refused");
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(told.iter().filter(|line| line.contains("is log")).count(), 2, "{told:#?}");
    let config = settings("http://localhost:8080", "log").expect("it is for a developer");
    let weak = config
        .weaknesses(&std::collections::BTreeMap::new())
        .into_iter()
        .map(|weakness| weakness.key)
        .collect::<Vec<_>>();
    assert!(weak.contains(&"mail.transport") && weak.contains(&"sms.transport"), "{weak:?}");
}

#[tokio::test]
async fn s_165_what_was_asked_for_before_a_restart_goes_out_after_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let configure = |config: &mut Config| {
        config.mail.transport = Some(vec![MailTransport::File]);
        config.mail.file.folder = Some(folder.path().to_owned());
    };
    let server = TestServer::sending(Setup::default(), configure).await;
    send(&server, &code("alice@example.com")).await;
    let server = server.restarted(configure).await;
    assert_eq!(server.deliver().await, 1);
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 1);
}

/// Two nodes, many messages: each goes out once, and no more at a time than a node may send.
#[tokio::test(flavor = "multi_thread")]
async fn s_165_two_workers_share_what_is_to_be_done() {
    let sink = SmtpSink::start(Security::None, None).await;
    let server = mailing(&sink, Security::None, None).await;
    for number in 0..40 {
        send(&server, &code(&format!("person{number}@example.com"))).await;
    }
    let (first, second) = tokio::join!(server.deliver(), server.deliver());
    assert_eq!(first + second, 40);
    let mut to: Vec<String> = sink.taken().into_iter().flat_map(|mail| mail.to).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), sink.taken().len()), (40, 40));
}
