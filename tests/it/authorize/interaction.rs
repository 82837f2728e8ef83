//! A request that waits for its person: tabs, the back button, another browser, and what happens when it takes too long.
//!
//! PROTOCOL R13; DECISIONS "The pending request".

use std::time::Duration;

use http::StatusCode;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use symbolon::model::interaction::Participation;
use symbolon::oauth::interaction::sign_in::took_part;
use symbolon::oauth::interaction::{self, Found};
use symbolon::protocol::secret::TokenHash;
use url::form_urlencoded;

use crate::support::{Browser, RelyingParty, TestServer, clients};

#[tokio::test]
async fn two_tabs_each_end_in_their_own_app() {
    let server = TestServer::start().await;
    let (shop, mail) = (RelyingParty::web(&server, "shop").await, RelyingParty::web(&server, "mail").await);
    let alice = Browser::new(&server);
    let (for_shop, for_mail) = (shop.begin("openid"), mail.begin("openid"));
    let first = alice.begin(&for_shop).await;
    let second = alice.begin(&for_mail).await;

    // She signs in in the first tab; the second still shows its form, and works.
    let consent = alice.sign_in(&first, "alice").await;
    let url = alice.finish(alice.sign_in(&second, "alice").await, "alice").await;
    let code = mail.code(&for_mail, &url);
    mail.redeem(&for_mail, &code).await.ok();

    let url = alice.finish(consent, "alice").await;
    let code = shop.code(&for_shop, &url);
    shop.redeem(&for_shop, &code).await.ok();
}

/// A tab whose person changed in another tab asks again instead of agreeing for the wrong account.
#[tokio::test]
async fn consent_of_one_account_is_not_taken_for_another() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let browser = Browser::new(&server);
    let exchange = shop.begin("openid email");
    let page = browser.begin(&exchange).await;
    let consent_of_alice = browser.sign_in(&page, "alice").await;
    let other_tab = browser.begin(&shop.begin("openid").with("prompt", "login")).await;
    browser.sign_in(&other_tab, "bob").await;

    let answer = browser.press(&consent_of_alice, "consent-accept").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    assert_eq!(answer.page().heading(), "This form is no longer valid");
    assert!(!answer.text().contains("code="), "{answer}");
}

#[tokio::test]
async fn the_back_button_leads_on_and_never_answers_twice() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let sign_in = alice.begin(&exchange).await;
    let consent = alice.sign_in(&sign_in, "alice").await;

    // Back to the sign-in form, and sent again: the consent page comes back.
    let again = alice.sign_in(&sign_in, "alice").await;
    assert!(again.page().has("consent-accept"), "{again}");
    let answered = alice.press(&again, "consent-accept").await;
    let code = shop.code(&exchange, answered.location());
    shop.redeem(&exchange, &code).await.ok();

    // Back to either form after the app has its answer: one button that leads to the app, and no second code.
    for (form, login) in [(&consent, None), (&sign_in, Some("alice"))] {
        let answer = match login {
            None => alice.press(form, "consent-accept").await,
            Some(login) => alice.sign_in(form, login).await,
        };
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
        assert_eq!(answer.page().way_back(), "https://shop.example/", "{answer}");
    }
}

/// A tab that found the request before another one answered it, and only then knows whose it is: the answer stays given.
#[tokio::test]
async fn a_tab_that_is_late_takes_no_answer_back() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let exchange = shop.begin("openid");
    let consent = alice.begin(&exchange).await;
    let action = consent.page().form_of("consent-accept").action;
    let (_, query) = action.split_once('?').expect("a query");
    let flow = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "flow").expect("a flow").1;
    let cookie = |name: &str| TokenHash::of(&alice.cookie(name).expect("a cookie"));
    let session = server.store().session_by_token(&cookie("symbolon_session")).await.expect("read").expect("there").id;
    let tab = interaction::Browser { flow: Some(cookie("symbolon_flow")), ..interaction::Browser::default() };
    let found = async || interaction::find(server.provider(), &flow, &tab).await.expect("read");
    let Found::Open(late) = found().await else { panic!("it waits") };

    let answered = alice.press(&consent, "consent-accept").await;
    shop.code(&exchange, answered.location());
    let took = took_part(server.provider(), *late, session, Participation::SignedIn).await.expect("answered");
    assert!(took.is_none(), "{took:?}");
    assert!(matches!(found().await, Found::Answered(_)), "no second code");
    let again = alice.press(&consent, "consent-accept").await;
    assert_eq!((again.status, again.page().way_back()), (StatusCode::BAD_REQUEST, "https://shop.example/"), "{again}");
}

/// A fault of the store takes nobody's request away: the same button answers it when the store is well.
#[tokio::test]
async fn consent_that_could_not_be_written_down_may_be_given_again() {
    let server = TestServer::start().await;
    // On PostgreSQL there is no such file.
    let Some(database) = server.files().into_iter().find(|file| file.ends_with("symbolon.db")) else { return };
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::signed_in(&server, "alice").await;
    let exchange = shop.begin("openid");
    let consent = alice.begin(&exchange).await;

    let options = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::from_secs(5));
    let mut beside = options.connect().await.expect("opens");
    let refuses = "CREATE TRIGGER refuses BEFORE INSERT ON consent BEGIN SELECT RAISE(ABORT, 'not now'); END";
    sqlx::query(refuses).execute(&mut beside).await.expect("made");
    let failed = alice.press(&consent, "consent-accept").await;
    assert!(failed.status.is_server_error(), "{failed}");
    sqlx::query("DROP TRIGGER refuses").execute(&mut beside).await.expect("dropped");
    let answered = alice.press(&consent, "consent-accept").await;
    let code = shop.code(&exchange, answered.location());
    shop.redeem(&exchange, &code).await.ok();
}

#[tokio::test]
async fn a_request_that_took_too_long_leads_back_to_the_app() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = alice.begin(&exchange).await;
    server.advance(Duration::from_mins(30));
    let answer = alice.sign_in(&page, "alice").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    assert_eq!(answer.page().heading(), "This took too long");
    assert_eq!(answer.page().way_back(), "https://shop.example/");

    let exchange = shop.begin("openid");
    let page = alice.begin(&exchange).await;
    server.advance(Duration::from_mins(29));
    let url = alice.finish(alice.sign_in(&page, "alice").await, "alice").await;
    shop.code(&exchange, &url);
}

/// Where the app says how to begin a login, the way back begins one (OIDC Core §4).
#[tokio::test]
async fn the_way_back_begins_a_new_login_where_the_app_can() {
    let server = TestServer::start().await;
    let start = serde_json::json!({"initiate_login_uri": "https://shop.example/login?x=1"});
    let shop = RelyingParty::of(&server, clients::client("shop", &start)).await;
    let alice = Browser::new(&server);
    let page = alice.begin(&shop.begin("openid")).await;
    server.advance(Duration::from_hours(1));
    let answer = alice.sign_in(&page, "alice").await;
    assert_eq!(
        answer.page().way_back(),
        "https://shop.example/login?x=1&iss=http%3A%2F%2Flocalhost%3A8080",
        "{answer}"
    );
}

/// An app that names no page of its own: the root of where its answers go. One that listens on its person's machine is there for a
/// moment only.
#[tokio::test]
async fn the_way_back_is_found_for_an_app_without_a_page() {
    let server = TestServer::start().await;
    let nameless =
        serde_json::json!({"client_uri": null, "redirect_uris": ["app.example:/x", "https://shop.example:8443/in/cb"]});
    let shop = RelyingParty::of(&server, clients::client("shop", &nameless)).await;
    let mut native = clients::native("native");
    native.metadata.client_uri = None;
    RelyingParty::of(&server, native).await;
    let alice = Browser::new(&server);
    for (client, expected) in [(shop.client_id.as_str(), "https://shop.example:8443/"), ("native", "/")] {
        let asked = shop.begin("openid").with("client_id", client).with("redirect_uri", "https://evil.example/");
        let answer = alice.begin(&asked).await;
        assert_eq!(answer.page().way_back(), expected, "{client}: {answer}");
    }

    // The same in a tab that came too late.
    let exchange = shop.begin("openid").with("redirect_uri", "https://shop.example:8443/in/cb");
    let page = alice.begin(&exchange).await;
    let consent = alice.sign_in(&page, "alice").await;
    assert!(alice.press(&consent, "consent-accept").await.location().contains("code="));
    let late = alice.press(&consent, "consent-accept").await;
    assert_eq!(late.page().way_back(), "https://shop.example:8443/", "{late}");
}

/// The id in the URL alone opens nothing.
#[tokio::test]
async fn another_browser_cannot_go_on_with_a_request() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let redirect = alice.get(&shop.begin("openid").target()).await;
    let page_url = redirect.location().to_owned();
    for mallory in [Browser::new(&server), Browser::signed_in(&server, "bob").await] {
        for path in ["/sign-in", "/consent", "/sign-in/account"] {
            let answer = mallory.open(&page_url.replacen("/sign-in", path, 1)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
            let page = answer.page();
            assert!(!page.has("login") && !page.has("consent-accept"), "{answer}");
            assert_eq!(page.way_back(), "https://shop.example/");
        }
    }
    assert!(alice.open(&page_url).await.page().has("login"), "and hers goes on");
}

/// An id that nobody made, of a client that nobody knows: still a page with a way on.
#[tokio::test]
async fn an_id_that_nobody_made_is_a_page() {
    let server = TestServer::start().await;
    let browser = Browser::signed_in(&server, "alice").await;
    for query in ["flow=x", "flow=", "flow=x&client_id=nobody", "", "flow=%00", "client_id=%FF"] {
        for path in ["/consent", "/sign-in/account"] {
            let answer = browser.open(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}?{query}: {answer}");
            assert_eq!(answer.page().way_back(), "/", "{path}?{query}");
        }
    }
}

#[tokio::test]
async fn a_client_that_is_switched_off_meanwhile_gets_no_answer() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let page = alice.begin(&shop.begin("openid")).await;
    server.store().delete_client(&"shop".parse().expect("an id")).await.expect("deleted");
    let answer = alice.sign_in(&page, "alice").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
}
