//! Mails and text messages as an operator sees them: whether they would go out, and what became of those that did not.

use serde_json::json;
use symbolon::edge::mail::smtp::Security;

use crate::cli::station::Station;
use crate::support::smtp_sink::SmtpSink;

/// A station whose server ran once and whose mail goes to `sink`.
async fn mailing(sink: &SmtpSink, security: &str, password: &str) -> Station {
    let station = Station::new();
    drop(station.serve().await);
    let settings = format!(
        "[mail]\ntransport = \"smtp\"\nfrom = \"Harbour <login@harbour.example>\"\n[mail.smtp]\nhost = \"{}\"\ntls = \"{security}\"\n\
         ca = \"{}\"\nusername = \"symbolon\"\npassword = \"{password}\"\n",
        sink.host(),
        sink.ca().display(),
    );
    station.write_settings(&settings);
    station
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_shows_that_mail_goes_out() {
    let sink = SmtpSink::start(Security::Starttls, Some(("symbolon", "secret"))).await;
    let station = mailing(&sink, "starttls", "secret").await;
    assert_eq!(
        station.run(&["message", "test", "ada@example.com", "--language", "de", "--json"]).json(),
        json!({"sent": true, "to": "ada@example.com"})
    );
    let taken = sink.taken();
    let [mail] = taken.as_slice() else { panic!("{taken:?}") };
    assert!(mail.secure && mail.to == ["ada@example.com"], "{mail:?}");
    assert_eq!(mail.parsed().subject(), Some("Eine Nachricht von Symbolon kommt an"));
    station.run(&["message", "test", "+4930901820"]).ok();

    let station = mailing(&sink, "starttls", "wrong").await;
    let told = station.run(&["message", "test", "ada@example.com"]).refused(1);
    assert!(told.starts_with("symbolon: nobody took the message to ada@example.com: smtp: "), "{told}");
    assert!(told.contains("wrong user or password") && !told.contains("wrong\""), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_knocks_at_the_mail_server() {
    let sink = SmtpSink::start(Security::Tls, Some(("symbolon", "secret"))).await;
    let findings = |station: &Station| {
        let said: serde_json::Value = serde_json::from_str(&station.run(&["doctor", "--json"]).out).expect("JSON");
        let all = said["findings"].as_array().expect("a list").clone();
        let of_mail = all.into_iter().filter(|finding| finding["check"] == "mail");
        of_mail.map(|finding| format!("{}: {}", finding["level"], finding["message"])).collect::<Vec<_>>().join("\n")
    };
    let sound = findings(&mailing(&sink, "tls", "secret").await);
    assert_eq!(sound, format!("\"ok\": \"smtp {} is ready to take mail\"", sink.host()));
    assert!(sink.taken().is_empty(), "nothing is sent");
    for (security, password, part) in [
        ("tls", "wrong", "wrong user or password"),
        // TLS is spoken where none is expected.
        ("none", "secret", "takes no mail"),
    ] {
        let told = findings(&mailing(&sink, security, password).await);
        assert!(told.starts_with("\"wrong\": \"smtp ") && told.contains(part), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_on_is_listed_retried_and_thrown_away() {
    let station = Station::new();
    let server = station.serve().await;
    assert_eq!(station.run(&["message", "list"]).ok(), "none\n");
    // Sealed by nobody: it opens for no one, and goes out never.
    station
        .sql(
            "INSERT INTO job (id, queue, payload, created_at, run_at, expires_at, attempts, dead_at, last_error)
             VALUES (x'0190a1b2c3d47000800000000000000a', 'mail', x'00', 1, 1, 4000000000, 20, 7, 'the mail server is away'),
                    (x'0190a1b2c3d47000800000000000000b', 'sms', x'00', 1, 1, 9, 20, 8, 'no credit')",
        )
        .await;
    let listed = station.run(&["message", "list", "--json"]).json();
    let states: Vec<_> =
        listed.as_array().expect("a list").iter().map(|job| (&job["state"], &job["last_error"])).collect();
    assert_eq!(
        states,
        [(&json!("given_up"), &json!("no credit")), (&json!("given_up"), &json!("the mail server is away"))]
    );
    let words = station.run(&["message", "list"]).ok();
    assert!(words.contains("1970-01-01T00:00:07Z") && words.contains("the mail server is away"), "{words}");
    let numbers = station.ask_operations("/metrics").await.expect("numbers");
    assert!(numbers.contains("symbolon_messages_undone{channel=\"mail\",state=\"given_up\"} 1"), "{numbers}");

    let late = station.run(&["message", "retry", "0190a1b2-c3d4-7000-8000-00000000000b"]).refused(1);
    assert!(late.contains("it would come too late"), "{late}");
    assert_eq!(station.run(&["message", "retry", "--all", "--json"]).json(), json!({"retried": 1}));
    // The running server takes it up, and cannot open it.
    station
        .until("it is given up on again", async || {
            station.run(&["message", "list", "--json"]).json()[0]["last_error"]
                .as_str()
                .is_some_and(|told| told.contains("job"))
        })
        .await;
    assert_eq!(station.run(&["message", "discard", "--all", "--json"]).json(), json!({"discarded": 2}));
    assert_eq!(station.run(&["message", "list", "--json"]).json(), json!([]));
    drop(server);
}

#[test]
fn templates_are_looked_over() {
    let station = Station::new();
    let told = station.run(&["template", "check", "--json", "--write", "shown"]).json();
    assert_eq!((&told["ok"], &told["problems"], &told["languages"]), (&json!(true), &json!([]), &json!(["de", "en"])));
    let shown =
        std::fs::read_to_string(station.folder.path().join("shown/de/mail/sign_in_code/body.txt")).expect("written");
    assert!(shown.contains("204617"), "{shown}");

    station.write_settings("[theme]\nfolder = \"theme\"\n");
    let folder = station.folder.path().join("theme/mail/sign_in_code");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("body.txt"), "Hello {{ user.name }}").expect("written");
    let ran = station.run(&["template", "check"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.out.contains("en/mail/sign_in_code/body.txt  does not show the code"), "{ran:?}");
    assert_eq!(ran.err, "symbolon: 2 things are wrong with the templates\n");
    std::fs::write(folder.join("body.txt"), "{% if %}").expect("written");
    let broken = station.run(&["template", "check"]).refused(2);
    assert!(broken.contains("template mail/sign_in_code/body.txt does not compile"), "{broken}");
}
