//! Languages: S-175.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use serde_json::Value;
use symbolon::model::message::Message;

use crate::support::outgoing::{code, send};
use crate::support::server::Setup;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

async fn get(server: &TestServer, target: &str, accepted: &str) -> Answer {
    let request = Request::get(target).header(ACCEPT_LANGUAGE, accepted);
    // Whoever asks for the API reads JSON whatever it accepts.
    let request = request.header(ACCEPT, "text/html");
    server.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn s_175_a_refusal_has_one_code_and_a_title_in_the_callers_language() {
    let server = TestServer::start().await;
    for (target, accepted, language, title) in [
        ("/api/v1/nothing", "de-CH, en;q=0.5", "de", "Hier ist nichts"),
        ("/api/v1/nothing?ui_locales=de", "en", "de", "Hier ist nichts"),
        ("/api/v1/nothing?ui_locales=tlh%20en", "de", "en", "There is nothing here"),
        ("/api/v1/nothing", "fr", "en", "There is nothing here"),
    ] {
        let answer = get(&server, target, accepted).await;
        let problem = answer.json();
        assert_eq!((&problem["code"], &problem["title"]), (&"not_found".into(), &title.into()), "{target} {accepted}");
        assert_eq!(answer.header("content-language"), language, "{target} {accepted}");
    }
}

/// Every code that is explained in English is explained in German, in other words.
#[tokio::test]
async fn s_175_the_catalogue_is_german_too() {
    let server = TestServer::start().await;
    let titles = async |language: &str| -> BTreeMap<String, String> {
        let catalogue = get(&server, "/api/v1/errors", language).await.ok();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let entries = catalogue["errors"].as_array().expect("a list").clone();
        entries.iter().map(|entry| (text(&entry["code"]), text(&entry["title"]))).collect()
    };
    let (english, german) = (titles("en").await, titles("de").await);
    assert!(english.keys().eq(german.keys()) && english.len() > 80);
    for (code, title) in &english {
        assert_ne!(title, &german[code], "{code}");
    }
}

#[tokio::test]
async fn s_175_pages_speak_the_language_that_app_or_browser_asks_for() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let page = Browser::new(&server).begin(&shop.begin("openid").with("ui_locales", "de")).await.page();
    assert_eq!(page.language(), "de");
    assert!(page.words("label[for=password]").contains("Passwort"), "{}", page.words("label[for=password]"));
    for (accepted, language, heading) in [
        ("de", "de", "Diese Seite gibt es nicht"),
        ("en", "en", "There is no such page"),
        ("fr", "en", "There is no such page"),
    ] {
        let answer = get(&server, "/nowhere", accepted).await;
        let page = answer.page();
        assert_eq!((page.language(), page.heading().as_str()), (language, heading), "{accepted}");
        assert_eq!(answer.header("content-language"), language);
        assert!(answer.header("vary").to_ascii_lowercase().contains("accept-language"), "caches keep them apart");
    }
}

#[tokio::test]
async fn s_175_mails_and_text_messages_speak_it_too() {
    let server = TestServer::start().await;
    for (to, languages) in
        [("alice@example.com", &["de-AT"][..]), ("+4930901820", &["de"]), ("bob@example.com", &["fr"])]
    {
        let languages = languages.iter().map(ToString::to_string).collect();
        send(&server, &Message { languages, ..code(to) }).await;
    }
    server.deliver().await;
    let mail = server.mailbox().last_to("alice@example.com");
    assert_eq!(mail.subject.as_deref(), Some("123 456 ist Ihr Code für Symbolon"));
    assert!(mail.text.contains("Geben Sie diesen Code ein"), "{}", mail.text);
    assert!(mail.html.expect("html").contains("<html lang=\"de\""));
    let text = server.mailbox().last_to("+4930901820").text;
    assert!(text.starts_with("123456 ist Ihr Code zum Anmelden"), "{text}");
    assert_eq!(
        server.mailbox().last_to("bob@example.com").subject.as_deref(),
        Some("123 456 is your code for Symbolon")
    );
}

/// A language is a folder of texts; what it lacks stands in English, and its script says its direction.
#[tokio::test]
async fn s_175_an_operator_adds_a_language_by_a_folder() {
    let theme = tempfile::tempdir().expect("a temporary folder");
    let folder = theme.path().join("locale/he");
    std::fs::create_dir_all(&folder).expect("made");
    let texts = "error-not_found = הדף לא נמצא\n    .cause = אין כאן דבר.\nmail-sign_in_code = קוד כניסה\n    .subject = { $code }: קוד כניסה אל { $app }\n";
    std::fs::write(folder.join("own.ftl"), texts).expect("written");
    let server =
        TestServer::configured(Setup::default(), |config| config.theme.folder = Some(theme.path().to_owned())).await;

    let answer = get(&server, "/nowhere", "he-IL").await;
    let page = answer.page();
    assert_eq!((page.language(), page.heading().as_str()), ("he", "הדף לא נמצא"));
    assert!(answer.text().contains("dir=\"rtl\""), "{}", answer.text());
    assert!(answer.text().contains("Check the address"), "English stands in");

    send(&server, &Message { languages: vec!["he".to_owned()], ..code("alice@example.com") }).await;
    server.deliver().await;
    let mail = server.mailbox().last_to("alice@example.com");
    // Between isolates, so that digits and a name of another script do not reorder the line.
    let subject = mail.subject.expect("a subject").replace(['\u{2068}', '\u{2069}'], "");
    assert_eq!(subject, "123 456: קוד כניסה אל Symbolon");
    assert!(mail.html.expect("html").contains("dir=\"rtl\""));
    let discovery = server.get("/.well-known/openid-configuration").await.ok();
    assert_eq!(discovery["ui_locales_supported"], serde_json::json!(["de", "en", "he"]));
}
