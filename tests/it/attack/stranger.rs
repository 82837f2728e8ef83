//! A stranger with time, addresses and odd bytes.

use std::time::Duration;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::json;
use symbolon::authn::limit::Limit;
use symbolon::authn::one_time_link;
use symbolon::config::Config;
use symbolon::config::client_registration::ClientRegistrationMode;
use symbolon::oauth::policy::Mode;

use crate::support::server::{PASSWORD, Setup};
use crate::support::{Browser, RelyingParty, TestServer};

/// A server for real people that lets everybody register.
async fn open_house() -> TestServer {
    let setup = Setup { mode: Mode::Production, client_registration: ClientRegistrationMode::Open, ..Setup::default() };
    TestServer::with(setup).await
}

/// PROTOCOL A4, A5: guessing ends early, and the person stays able to sign in with their own browser.
#[tokio::test]
async fn a_stranger_shuts_nobody_out_of_their_own_browser() {
    let configure = |config: &mut Config| config.limits.sign_in = Some(Limit::Off);
    let server = TestServer::with(Setup { mode: Mode::Production, configure, ..Setup::default() }).await;
    let own = Browser::signed_in(&server, "alice").await;
    let stranger = Browser::new(&server);
    let try_as = async |browser: &Browser, password: &str| {
        let page = browser.get("/sign-in").await;
        let form = page.page().form_of("login-submit").fill("login", "alice").fill("password", password);
        browser.submit(form).await.status.as_u16()
    };
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(try_as(&stranger, "wrong").await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 2, "ten at once: {statuses:?}");
    assert_eq!(try_as(&stranger, PASSWORD).await, 429, "not even the right one is heard");
    own.forget_cookie("symbolon_session");
    assert_eq!(try_as(&own, PASSWORD).await, 200, "her own browser is known");
}

/// PROTOCOL A4, A5, A17; NIST SP 800-63B-4 §3.2.2: patience does not help a guesser, nor does a restart. The person comes in with
/// a browser of theirs or by a link; a stranger is told the same before and after, and the same of a name that nobody has.
#[tokio::test]
async fn a_hundred_failures_in_a_row_are_the_end_of_guessing() {
    let server = TestServer::with(Setup { mode: Mode::Production, ..Setup::default() }).await;
    let own = Browser::signed_in(&server, "alice").await;
    own.forget_cookie("symbolon_session");
    let stranger = Browser::new(&server);
    let try_as = async |browser: &Browser, login: &str, password: &str| {
        let page = browser.get("/sign-in").await;
        let form = page.page().form_of("login-submit").fill("login", login).fill("password", password);
        browser.submit(form).await
    };
    for login in ["alice", "nobody"] {
        for number in 0..90 {
            let answer = try_as(&stranger, login, "wrong").await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{login} {number}: {answer}");
            server.advance(Duration::from_mins(1));
        }
        for pause in [Duration::ZERO, Duration::from_hours(12)] {
            server.advance(pause);
            let ended = try_as(&stranger, login, PASSWORD).await;
            assert_eq!(ended.status, StatusCode::UNPROCESSABLE_ENTITY, "{login}: time heals nothing: {ended}");
            assert!(ended.page().words("#sign-in-error").contains("sign-in link"), "{ended}");
        }
    }

    // A thief of her mark has what is left of the hundred, and no more.
    let thief = Browser::new(&server);
    let name = "symbolon_device";
    thief.set_cookie(name, &own.cookie(name).expect("a mark"));
    for number in 0..9 {
        let answer = try_as(&thief, "alice", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}: {answer}");
        server.advance(Duration::from_mins(1));
    }
    assert!(try_as(&own, "alice", PASSWORD).await.page().has("sign-out"), "her own browser is known");
    assert!(try_as(&Browser::new(&server), "alice", PASSWORD).await.page().has("sign-out"), "they were in a row");
}

/// Guesses at the password of `login` until no browser is heard that the account does not know.
pub(crate) async fn strangers_close(server: &TestServer, login: &str) {
    let (user, now) = (server.user(login).await.id, server.provider().now());
    while server.store().count_sign_in(user, 90, now).await.expect("counted") {}
}

/// PROTOCOL A5: whom strangers have shut out everywhere comes back by a link.
#[tokio::test]
async fn a_link_opens_what_strangers_have_closed() {
    let server = TestServer::with(Setup { mode: Mode::Production, ..Setup::default() }).await;
    let alice = server.user("alice").await.id;
    strangers_close(&server, "alice").await;
    let sign_in = async |browser: Browser| {
        let page = browser.open("/sign-in").await;
        browser.sign_in(&page, "alice").await
    };
    assert_eq!(sign_in(Browser::new(&server)).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let token = one_time_link::make(&server.provider().edges, alice, Duration::from_hours(1)).await.expect("made");
    let phone = Browser::new(&server);
    let page = phone.open(&format!("/sign-in/link?token={}", token.expose())).await;
    assert!(phone.press(&page, "link-confirm").await.page().has("sign-out"));
    assert!(sign_in(Browser::new(&server)).await.page().has("sign-out"), "the password is heard again");
}

/// An open door is not a way to fill the disk (PROTOCOL B4).
#[tokio::test]
async fn registration_is_limited_by_caller() {
    let server = open_house().await;
    let body = json!({"redirect_uris": ["https://evil.example/cb"]});
    let register = async || server.json((Method::POST, "/oauth2/register"), &body, None).await;
    for _ in 0..20 {
        register().await.ok();
    }
    let refused = register().await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "60"), "{refused}");
    server.advance(Duration::from_mins(1));
    register().await.ok();
}

/// A path that is no text is refused in the words of the endpoint.
#[tokio::test]
async fn a_path_that_is_no_text_names_nothing() {
    let server = TestServer::start().await;
    let request = Request::get("/oauth2/register/%ff").header(AUTHORIZATION, "Bearer x");
    assert_eq!(server.send(request.body(Body::empty()).expect("a request")).await.error(), "401 invalid_token");
    let page = Browser::new(&server).get("/assets/%ff").await;
    assert_eq!(page.status.as_u16(), 404, "{page}");
}

/// Documents that no layer stands around are as hard as the rest.
#[tokio::test]
async fn ready_documents_are_hardened() {
    let server = TestServer::with(Setup { issuer: "https://id.example", ..Setup::default() }).await;
    for target in ["/.well-known/openid-configuration", "/oauth2/jwks", "/sign-in"] {
        let answer = server.get(target).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{target}");
        assert!(answer.header("strict-transport-security").starts_with("max-age=63072000"), "{target}");
    }
}

/// Known and unknown people are answered alike, byte for byte (PROTOCOL A17).
#[tokio::test]
async fn a_wrong_password_tells_nothing_about_the_name() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let page = browser.get("/sign-in").await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody", "alice@example.com", "nobody@example.com"] {
        let form = page.page().form_of("login-submit").fill("login", name).fill("password", "wrong");
        let answer = browser.submit(form).await;
        let text = answer.text().replace(&name.replace('@', "&#x40;"), "…").replace(name, "…");
        // Every page has a challenge for a passkey of its own.
        let text = ["data-options=\"", "name=\"state\" value=\""].iter().fold(text, |text, start| masked(&text, start));
        answers.push((answer.status, text));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

/// `text` with what stands between `start` and the next quotation mark made illegible, at its length.
fn masked(text: &str, start: &str) -> String {
    let (before, rest) = text.split_once(start).expect("the start");
    let (value, after) = rest.split_once('"').expect("the end");
    format!("{before}{start}{}\"{after}", "*".repeat(value.len()))
}

/// No bytes of a stranger are a fault of ours.
#[tokio::test]
async fn odd_input_is_refused_and_never_a_fault() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let good = shop.begin("openid").parameters;
    let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let odd = [
        "",
        "%00",
        "%ff",
        "%",
        "%zz",
        "%C3%A9",
        "%0D%0AX:%20y",
        "99999999999999999999",
        "-1",
        "[]",
        "{}",
        "null",
        "..",
        "%22",
        "%E2%80%AE",
    ];
    for endpoint in [
        "/oauth2/authorize",
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/revoke",
        "/oauth2/userinfo",
        "/oauth2/logout",
        "/sign-in",
        "/sign-in/link",
        "/sign-out",
        "/consent",
    ] {
        for name in [
            "client_id",
            "scope",
            "max_age",
            "prompt",
            "claims",
            "redirect_uri",
            "grant_type",
            "code",
            "token",
            "refresh_token",
            "client_assertion",
            "id_token_hint",
            "flow",
            "csrf",
            "login",
            "ui_locales",
        ] {
            for value in odd {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.extend_pairs(good.iter().filter(|(known, _)| *known != name));
                let body = format!("{}&{name}={value}", query.finish());
                let posted = Request::post(endpoint)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from(body.clone()))
                    .expect("a request");
                let asked = Request::get(format!("{endpoint}?{body}")).body(Body::empty()).expect("a request");
                for request in [posted, asked] {
                    let answer = server.send(request).await;
                    assert!(!answer.status.is_server_error(), "{endpoint} {name}={value}: {answer}");
                    assert!(answer.headers.get("x").is_none(), "a header was smuggled: {answer}");
                }
            }
        }
    }
    for credentials in ["Basic", "Basic !!!", "Basic Og==", "Basic JTo=", "Bearer", "Bearer ", "Digest x", "Basic /w=="]
    {
        for endpoint in ["/oauth2/token", "/oauth2/userinfo", "/oauth2/introspect", "/oauth2/register"] {
            let request = Request::post(endpoint)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(AUTHORIZATION, credentials)
                .body(Body::empty())
                .expect("a request");
            let answer = server.send(request).await;
            assert!(answer.status.is_client_error(), "{endpoint} {credentials}: {answer}");
        }
    }
}
