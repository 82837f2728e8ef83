//! Accounts on hosted pages, without a script: made, found again, within the request of an app.

use std::time::Duration;

use http::StatusCode;
use symbolon::account::settings::{Presence, SignUp};
use symbolon::config::Config;
use symbolon::model::message::MessageKind;
use symbolon::model::user::IdentifierKind;

use crate::support::answer::parameters;
use crate::support::server::{PASSWORD, Setup};
use crate::support::{Answer, Browser, RelyingParty, TestServer};

const CAROL: &str = "carol@example.net";

async fn server(configure: fn(&mut Config)) -> TestServer {
    TestServer::with(Setup { configure, ..Setup::default() }).await
}

/// Fills in the page that asks for a new account.
async fn registers(browser: &Browser, page: &Answer, email: &str) -> Answer {
    let form = page.page().form_of("register-submit").fill("email", email).fill("password", PASSWORD);
    browser.submit(form).await
}

async fn types(browser: &Browser, page: &Answer, code: &str) -> Answer {
    browser.submit(page.page().form_of("code-submit").fill("code", code)).await
}

/// Initiating User Registration via OpenID Connect 1.0
#[tokio::test]
async fn s_002_prompt_create_leads_through_registration_to_the_app() {
    let server = TestServer::start().await;
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert!(metadata["prompt_values_supported"].as_array().is_some_and(|values| values.contains(&"create".into())));
    let shop = RelyingParty::web(&server, "shop").await;
    let carol = Browser::new(&server);
    let exchange = shop.begin("openid email").with("prompt", "create").with("login_hint", CAROL);
    let page = carol.begin(&exchange).await;
    assert_eq!(page.page().attribute("email", "value"), CAROL);
    let page = registers(&carol, &page, CAROL).await;
    assert_eq!(page.page().attribute("code", "autocomplete"), "one-time-code");
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    let (first, second) = sent.split_at(3);
    let agreed = types(&carol, &page, &format!("{first} {second}")).await;
    let url = carol.finish(agreed, CAROL).await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
    let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
    assert_eq!(claims["sub"], server.user(CAROL).await.id.to_string());
    let userinfo = shop.userinfo(tokens["access_token"].as_str().expect("an access token")).await.ok();
    assert_eq!((&userinfo["email"], &userinfo["email_verified"]), (&CAROL.into(), &true.into()));
}

#[tokio::test]
async fn s_003_the_link_of_another_browser_leads_back_to_the_app() {
    let server = server(|config| config.registration.mode = SignUp::Link).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let carol = Browser::new(&server);
    let exchange = shop.begin("openid").with("prompt", "create");
    let page = carol.begin(&exchange).await;
    let sent = registers(&carol, &page, CAROL).await;
    assert!(sent.page().has("notice-activation_sent"), "{sent}");
    server.deliver().await;
    let link = server.mailbox().link_for(CAROL);
    let path = link.strip_prefix(server.issuer).expect("a page of ours").to_owned();
    let phone = Browser::new(&server);
    let page = phone.open(&path).await;
    let done = phone.press(&page, "mailed-confirm").await;
    assert!(done.page().has("notice-activated") && done.page().has("back"), "the way back to the app: {done}");
    // In the first browser the request still waits.
    let page = carol.open(sent.page().attribute("next", "href")).await;
    let url = carol.finish(page, CAROL).await;
    assert!(!shop.code(&exchange, &url).is_empty());
}

#[tokio::test]
async fn s_007_every_mistake_is_told_at_its_field() {
    let server = server(|config| config.registration.username = Presence::Required).await;
    let browser = Browser::new(&server);
    let page = browser.open("/register").await;
    let form = page.page().form_of("register-submit").fill("email", "nobody").fill("password", "short");
    let refused = browser.submit(form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["email", "username", "password"] {
        let page = refused.page();
        assert_eq!(page.attribute(field, "aria-invalid"), "true", "{field}");
        let told = page.attribute(field, "aria-describedby");
        assert!(told.split(' ').any(|id| id == format!("{field}-mistake")), "{told}");
        assert!(!page.words(&format!("#{field}-mistake")).is_empty());
        assert_eq!(page.attributes(&format!("label[for={field}]"), "for").len(), 1, "a label");
    }
    assert_eq!(refused.page().attribute("email", "value"), "nobody", "it need not be typed again");
    assert_eq!(refused.page().attribute("password", "value"), "");
    assert_eq!(refused.page().attribute("password", "autocomplete"), "new-password");
    assert_eq!(refused.page().attribute("email", "autocomplete"), "email");
}

#[tokio::test]
async fn s_006_the_page_asks_for_a_password() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let page = browser.open("/register").await;
    let refused = browser.submit(page.page().form_of("register-submit").fill("email", CAROL)).await;
    assert_eq!(refused.page().attribute("password", "aria-invalid"), "true", "{refused}");
    server.deliver().await;
    assert!(server.mailbox().to(CAROL).is_empty());
}

#[tokio::test]
async fn s_009_the_page_looks_the_same_for_an_address_that_has_an_account() {
    let server = TestServer::start().await;
    let seen = async |email: &str| {
        let browser = Browser::new(&server);
        let page = browser.open("/register").await;
        let page = registers(&browser, &page, email).await;
        let wrong = types(&browser, &page, "000000").await;
        let plain = |answer: &Answer| {
            let page = answer.page();
            let csrf = page.attributes("input[name=csrf]", "value");
            let mut text = page.text.replace(email, "somebody");
            for token in csrf {
                text = text.replace(&token, "token");
            }
            (answer.status, text)
        };
        (plain(&page), plain(&wrong))
    };
    let (known, unknown) = (seen("alice@example.com").await, seen("carol@example.net").await);
    assert_eq!(known.0.1, unknown.0.1);
    assert_eq!((known.1.0, known.1.1.contains("code-mistake")), (unknown.1.0, unknown.1.1.contains("code-mistake")));
    server.deliver().await;
    assert_eq!(server.mailbox().kinds_to("alice@example.com"), [MessageKind::AccountExists]);
}

#[tokio::test]
async fn s_008_who_proved_the_address_chooses_another_username() {
    let server = server(|config| config.registration.username = Presence::Optional).await;
    let carol = Browser::new(&server);
    let page = carol.open("/register").await;
    let form = page.page().form_of("register-submit").fill("email", CAROL).fill("password", PASSWORD);
    let page = carol.submit(form.fill("username", "alice")).await;
    server.deliver().await;
    let sent = server.mailbox().code_for(CAROL);
    let page = types(&carol, &page, &sent).await;
    assert_eq!(page.page().attribute("username", "aria-describedby"), "username-mistake", "{page}");
    let form = page.page().form_of("code-submit").fill("code", &sent).fill("username", "carol");
    let account = carol.submit(form).await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(server.user(CAROL).await.login(), "carol");
}

#[tokio::test]
async fn s_002_a_code_is_sent_again_and_a_reload_shows_the_same_page() {
    let server = TestServer::start().await;
    let carol = Browser::new(&server);
    let page = carol.open("/register").await;
    let page = registers(&carol, &page, CAROL).await;
    let refused = carol.press(&page, "code-resend").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    assert!(refused.page().has("code-submit"), "the page stays of use");
    server.advance(Duration::from_mins(1));
    let again = carol.press(&refused, "code-resend").await;
    assert!(again.page().has("code-resent"), "{again}");
    let reloaded = carol.open("/register/code").await;
    server.deliver().await;
    assert_eq!(server.mailbox().to(CAROL).len(), 2);
    let account = types(&carol, &reloaded, &server.mailbox().code_for(CAROL)).await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(Browser::new(&server).open("/register/code").await.page().heading(), page_heading(&server).await);
}

/// What somebody sees who has not begun.
async fn page_heading(server: &TestServer) -> String {
    Browser::new(server).open("/register").await.page().heading()
}

#[tokio::test]
async fn s_035_a_code_sets_a_password_on_the_page() {
    let server = TestServer::start().await;
    let alice = Browser::new(&server).with_password("another battery staple horse");
    let page = alice.open("/recover").await;
    let form = page.page().form_of("recover-code").fill("login", "alice@example.com");
    let page = alice.submit(form).await;
    server.deliver().await;
    let sent = server.mailbox().code_for("alice@example.com");
    let form = page.page().form_of("code-submit").fill("code", &sent);
    let weak = alice.submit(form.clone().fill("password", "short")).await;
    assert!(weak.page().has("password-mistake"), "{weak}");
    assert!(weak.page().attribute("password", "aria-describedby").contains("password-mistake"));
    let done = alice.submit(form.fill("password", "another battery staple horse")).await;
    assert!(done.page().has("notice-password_set"), "{done}");
    let page = alice.open(done.page().attribute("next", "href")).await;
    assert!(alice.sign_in(&page, "alice").await.page().has("sign-out"));
}

/// Initiating User Registration via OpenID Connect 1.0: the app is told, whoever is signed in, and no page is shown.
#[tokio::test]
async fn s_017_an_app_that_asks_for_a_new_account_is_told_that_there_is_none() {
    let server = server(|config| config.registration.mode = SignUp::Off).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let exchange = shop.begin("openid").with("prompt", "create");
    for browser in [Browser::new(&server), Browser::signed_in(&server, "alice").await] {
        let answer = browser.begin(&exchange).await;
        let told = parameters(answer.location());
        let says = |name: &str| told.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(says("error"), Some("access_denied"), "{answer}");
        assert_eq!((says("code"), says("iss")), (None, Some(server.issuer)));
        assert!(says("state").is_some(), "{answer}");
    }
}

/// A theme's form may ask for a password twice.
#[tokio::test]
async fn s_030_pages_tell_that_two_entries_differ() {
    const NEW: &str = "another battery staple horse";
    let server = TestServer::start().await;
    let differs = |page: &Answer| {
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert_eq!(page.page().words("#confirm_password-mistake"), "The two passwords differ.");
    };
    let twice = |page: &Answer, button: &str, again: &str| {
        page.page().form_of(button).fill("password", NEW).fill("confirm_password", again)
    };
    let carol = Browser::new(&server);
    let page = carol.open("/register").await;
    let email = |again: &str| twice(&page, "register-submit", again).fill("email", "carol@example.net");
    differs(&carol.submit(email(PASSWORD)).await);
    assert!(carol.submit(email(NEW)).await.page().has("code-submit"));

    // By the code, and by the link.
    let alice = Browser::new(&server);
    let page = alice.open("/recover").await;
    let page = alice.submit(page.page().form_of("recover-code").fill("login", "alice@example.com")).await;
    server.deliver().await;
    let sent = server.mailbox().code_for("alice@example.com");
    differs(&alice.submit(twice(&page, "code-submit", PASSWORD).fill("code", &sent)).await);
    server.advance(Duration::from_mins(2));
    let page = alice.open("/recover").await;
    alice.submit(page.page().form_of("recover-submit").fill("login", "alice@example.com")).await;
    server.deliver().await;
    let link = server.mailbox().link_for("alice@example.com");
    let page = alice.open(link.strip_prefix(server.issuer).expect("a page of ours")).await;
    differs(&alice.submit(twice(&page, "new-password-submit", PASSWORD)).await);
    let done = alice.submit(twice(&page, "new-password-submit", NEW)).await;
    assert!(done.page().has("notice-password_set"), "{done}");
}

#[tokio::test]
async fn s_032_the_page_looks_the_same_for_every_name() {
    let server = TestServer::start().await;
    for button in ["recover-submit", "recover-code", "recover-text"] {
        let seen = async |login: &str| {
            let browser = Browser::new(&server);
            let page = browser.open("/recover").await;
            let answer = browser.submit(page.page().form_of(button).fill("login", login)).await;
            let page = answer.page();
            let mut text = page.text.replace(login, "somebody");
            for token in page.attributes("input[name=csrf]", "value") {
                text = text.replace(&token, "token");
            }
            (answer.status, text)
        };
        assert_eq!(seen("alice@example.com").await, seen("nobody@example.net").await, "{button}");
    }
}

#[tokio::test]
async fn s_121_the_page_tells_a_forgotten_address() {
    let server = TestServer::start().await;
    let alice = Browser::new(&server);
    let page = alice.open("/recover").await;
    let page = alice.open(page.page().attribute("recover-other", "href")).await;
    assert_eq!(
        (page.page().attribute("login", "type"), page.page().attribute("login", "autocomplete")),
        ("tel", "tel")
    );
    let page = alice.submit(page.page().form_of("recover-submit").fill("login", "+49 30 90182001")).await;
    server.deliver().await;
    let told = types(&alice, &page, &server.mailbox().code_for("+493090182001")).await;
    assert!(told.page().has("notice-emails") && told.text().contains("a•••@e•••.com"), "{told}");
}

#[tokio::test]
async fn s_010_the_page_takes_a_number_too() {
    const NUMBER: &str = "+31612345678";
    for mode in [SignUp::Code, SignUp::Link] {
        let configure: fn(&mut Config) = match mode {
            SignUp::Link => |config| config.registration.mode = SignUp::Link,
            SignUp::Code | SignUp::Off => |_| {},
        };
        let server = server(configure).await;
        let shop = RelyingParty::web(&server, "shop").await;
        let erika = Browser::new(&server);
        let exchange = shop.begin("openid phone").with("prompt", "create").with("ui_locales", "de");
        let page = erika.begin(&exchange).await;
        let page = erika.open(page.page().attribute("register-by-phone", "href")).await;
        assert_eq!(page.page().words("label[for=phone]"), "Telefonnummer");
        assert_eq!(
            (page.page().attribute("phone", "type"), page.page().attribute("phone", "autocomplete")),
            ("tel", "tel")
        );
        assert!(page.page().has("register-by-email") && !page.page().has("email"), "{page}");
        let typed = |number: &str, page: &Answer| {
            page.page().form_of("register-submit").fill("phone", number).fill("password", PASSWORD)
        };
        let refused = erika.submit(typed("0612345678", &page)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.page().attribute("phone", "aria-describedby"), "phone-mistake phone-help");
        assert_eq!(refused.page().attribute("phone", "value"), "0612345678");
        let page = erika.submit(typed("+31 06 12345678", &refused)).await;
        assert_eq!(page.page().heading(), "Nummer bestätigen", "a number is confirmed by a code: {page}");
        server.deliver().await;
        let sent = server.mailbox().last_to(NUMBER);
        assert_eq!(sent.kind, Some(MessageKind::RegistrationCode));
        let agreed = types(&erika, &page, &server.mailbox().code_for(NUMBER)).await;
        let url = erika.finish(agreed, NUMBER).await;
        let tokens = shop.redeem(&exchange, &shop.code(&exchange, &url)).await.ok();
        let claims = shop.verified(tokens["id_token"].as_str().expect("an ID token")).await;
        assert_eq!(claims["amr"], serde_json::json!(["sms"]));
        let userinfo = shop.userinfo(tokens["access_token"].as_str().expect("an access token")).await.ok();
        assert_eq!((&userinfo["phone_number"], &userinfo["phone_number_verified"]), (&NUMBER.into(), &true.into()));

        // By the number the way back is found, too.
        server.advance(Duration::from_mins(2));
        let elsewhere = Browser::new(&server).with_password("another battery staple horse");
        let page = elsewhere.open("/recover").await;
        let page = elsewhere.submit(page.page().form_of("recover-text").fill("login", NUMBER)).await;
        server.deliver().await;
        let form = page.page().form_of("code-submit").fill("code", &server.mailbox().code_for(NUMBER));
        let done = elsewhere.submit(form.fill("password", "another battery staple horse")).await;
        assert!(done.page().has("notice-password_set"), "{done}");
        let page = elsewhere.open(done.page().attribute("next", "href")).await;
        assert!(elsewhere.sign_in(&page, NUMBER).await.page().has("sign-out"));
    }
}

#[tokio::test]
async fn s_010_a_number_is_asked_for_where_text_messages_go_out() {
    for configure in [(|config: &mut Config| config.sms.transport = Some(Vec::new())) as fn(&mut Config), |config| {
        config.identity.fields = vec![IdentifierKind::Email];
    }] {
        let server = server(configure).await;
        let browser = Browser::new(&server);
        for path in ["/register", "/register?by=phone"] {
            let page = browser.open(path).await;
            assert!(page.page().has("email") && !page.page().has("register-by-phone"), "{page}");
        }
        assert!(!browser.open("/recover").await.page().has("recover-text"));
    }
    let by_phone = |config: &mut Config| config.identity.fields = vec![IdentifierKind::Phone];
    let page = Browser::new(&server(by_phone).await).open("/register").await;
    assert!(page.page().has("phone") && !page.page().has("register-by-email"), "{page}");
}
