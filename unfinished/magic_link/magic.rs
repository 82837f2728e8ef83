//! S-052 to S-054: links that sign in once.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon::model::message::MessageKind;

use crate::support::answer::{code, fields, parameters};
use crate::support::spa::Spa;
use crate::support::tokens::part;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

async fn asks(spa: &Spa, more: &Value) -> Answer {
    let mut body = json!({"method": "magic_link", "identifier": "alice@example.com"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    spa.post("/sign-in", &body).await
}

/// The path of the link in the newest mail.
fn link(server: &TestServer) -> String {
    let link = server.mailbox().link_for("alice@example.com");
    link.strip_prefix("http://localhost:8080").expect("of the issuer").to_owned()
}

#[tokio::test]
async fn s_052_a_link_signs_in_once_in_the_browser_that_asked() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let answer = asks(&spa, &json!({})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["expires_in"]), (202, &json!(600)));
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::MagicLink]);
    let link = link(&server);
    let token = parameters(&format!("http://localhost{link}")).remove(0).1;
    assert_eq!(token.len(), 43, "256 bits");
    // Opening it changes nothing: scanners do.
    for _ in 0..3 {
        assert!(spa.browser.get(&link).await.page().has("magic-submit"));
    }
    let page = spa.browser.open(&link).await;
    let form = page.page().form_of("magic-submit");
    let account = spa.browser.submit(form.clone()).await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(spa.get("/session").await.ok()["amr"], json!(["otp"]));
    let again = spa.browser.submit(form).await;
    assert_eq!((again.status.as_u16(), again.page().has("error-page")), (410, true), "{again}");

    server.advance(Duration::from_mins(2));
    let late = Spa::open(&server).await;
    asks(&late, &json!({})).await;
    server.deliver().await;
    let link = self::link(&server);
    server.advance(Duration::from_mins(10));
    assert_eq!(late.browser.get(&link).await.status, 410);
}

#[tokio::test]
async fn s_052_another_browser_is_asked_what_the_first_one_shows() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let shown = asks(&spa, &json!({})).await.json()["confirm_code"].as_str().expect("a code").to_owned();
    server.deliver().await;
    let link = link(&server);
    let phone = Browser::new(&server);
    let page = phone.open(&link).await;
    assert!(page.page().has("otp"), "{page}");
    let wrong = phone.submit(page.page().form_of("magic-submit").fill("code", "000000")).await;
    assert_eq!((wrong.status.as_u16(), wrong.page().has("magic-error")), (422, true));
    assert_eq!(phone.submit(page.page().form_of("magic-submit")).await.status, 422, "without it");
    let account = phone.submit(page.page().form_of("magic-submit").fill("code", &shown)).await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null, "nobody is signed in where nobody pressed");
}

#[tokio::test]
async fn s_053_a_link_leads_within_this_server() {
    let server = TestServer::start().await;
    for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let spa = Spa::open(&server).await;
        let refused = asks(&spa, &json!({"redirect_path": bad})).await;
        assert_eq!(fields(&refused), ["redirect_path invalid_redirect"], "{bad}");
    }
    let spa = Spa::open(&server).await;
    asks(&spa, &json!({"redirect_path": "/dash?x=1"})).await;
    server.deliver().await;
    let page = spa.browser.open(&link(&server)).await;
    let form = page.page().form_of("magic-submit");
    assert_eq!(spa.browser.post(&form.action, &form.fields).await.header("location"), "/dash?x=1");
}

#[tokio::test]
async fn s_054_the_link_tells_neither_address_nor_code() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let shown = asks(&spa, &json!({})).await.json()["confirm_code"].as_str().expect("a code").to_owned();
    server.deliver().await;
    let link = server.mailbox().link_for("alice@example.com");
    assert!(!link.contains("alice") && !link.contains(&shown), "{link}");
    let stranger = Spa::open(&server).await;
    let body = json!({"method": "magic_link", "identifier": "nobody"});
    let answer = stranger.post("/sign-in", &body).await;
    assert_eq!(code(&answer), "202 (no code)", "whoever has an account");
}

/// The pages: back into the request of an app.
#[tokio::test]
async fn s_052_a_link_resumes_the_request_of_an_app() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = browser.begin(&exchange).await;
    let form = browser.open(&page.page().attribute("method-magic_link", "href").to_owned()).await;
    let sent = browser.submit(form.page().form_of("send-code-submit").fill("login", "alice@example.com")).await;
    assert!(sent.page().has("magic-code"), "{sent}");
    server.deliver().await;
    let page = browser.open(&link(&server)).await;
    let consent = browser.submit(page.page().form_of("magic-submit")).await;
    let url = browser.finish(consent, "alice").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    assert_eq!(part(tokens["id_token"].as_str().expect("an ID token"), 1)["amr"], json!(["otp"]));
}
