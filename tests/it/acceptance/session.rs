//! The session of a browser: S-090 to S-092, S-169 to S-172.

use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::answer::code;
use crate::support::browser::Browser;
use crate::support::server::Setup;
use crate::support::spa::Spa;

/// Signs in on the hosted page, in the browser of `spa`.
async fn signs_in(server: &TestServer, spa: &Spa, login: &str) {
    let page = spa.browser.open(&format!("{}/sign-in", server.base())).await;
    let account = spa.browser.sign_in(&page, login).await;
    assert!(account.page().has("sign-out"), "{account}");
}

#[tokio::test]
async fn s_090_a_stranger_has_a_session_without_a_person() {
    let server = TestServer::start().await;
    let spa = Spa::new(&server);
    let answer = spa.get("/session").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let session = answer.ok();
    assert_eq!(session["user"], Value::Null);
    assert!(session["csrf_token"].as_str().is_some_and(|token| token.len() >= 43), "{session}");
    assert_eq!(spa.get("/session").await.ok()["csrf_token"], session["csrf_token"], "a reload needs no new one");
}

#[tokio::test]
async fn s_090_the_session_tells_who_is_signed_in() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    signs_in(&server, &spa, "alice").await;
    let session = spa.get("/session").await.ok();
    assert_eq!(session["user"]["email"], "alice@example.com");
    assert_eq!(session["user"]["id"], server.user("alice").await.id.to_string());
    assert_eq!(session["user"]["staff"], false);
    assert_eq!(session["auth_time"], "2027-01-15T08:00:00Z");
    assert_eq!(session["expires_at"], "2027-01-15T20:00:00Z");
    assert_eq!(session["amr"], json!(["pwd"]));
}

#[tokio::test]
async fn s_091_the_token_changes_with_the_person() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let before = spa.csrf().expect("a token");
    signs_in(&server, &spa, "alice").await;
    let cookie = spa.browser.cookie("symbolon_session");
    assert_eq!(code(&spa.delete("/session").await), "403 csrf_failed", "the token of before is void");

    spa.get("/session").await.ok();
    let signed_in = spa.csrf().expect("a token");
    assert_ne!(signed_in, before);
    let signed_out = spa.delete("/session").await.ok();
    assert_eq!(spa.browser.cookie("symbolon_session"), None);
    assert!(cookie.is_some());
    let after = signed_out["csrf_token"].as_str().expect("a token").to_owned();
    assert!(![&before, &signed_in].contains(&&after), "nothing of before is good");
    assert_eq!(spa.get("/session").await.ok()["csrf_token"], after);
}

#[tokio::test]
async fn s_092_signing_out_ends_the_session() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    signs_in(&server, &spa, "alice").await;
    spa.get("/session").await.ok();
    let cookie = spa.browser.cookie("symbolon_session").expect("a session");
    spa.delete("/session").await.ok();
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null);
    spa.browser.set_cookie("symbolon_session", &cookie);
    assert_eq!(spa.get("/session").await.ok()["user"], Value::Null, "a kept cookie opens nothing");
}

#[tokio::test]
async fn s_092_who_is_not_signed_in_may_sign_out() {
    let server = TestServer::start().await;
    let stranger = Spa::new(&server);
    assert!(stranger.delete("/session").await.ok()["csrf_token"].is_string());
    assert!(stranger.delete("/session").await.ok()["csrf_token"].is_string(), "again");
}

#[tokio::test]
async fn s_170_a_cookie_alone_changes_nothing() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    signs_in(&server, &spa, "alice").await;
    spa.get("/session").await.ok();
    let good = spa.csrf().expect("a token");
    for token in [None, Some(""), Some("x"), Some(&good[1..])] {
        spa.set_csrf(token);
        assert_eq!(code(&spa.delete("/session").await), "403 csrf_failed", "{token:?}");
    }
    spa.set_csrf(Some(&good));
    for origin in ["https://evil.example", "http://localhost:8081", "https://localhost:8080", "null.example"] {
        let answer = spa.send_from(origin, (Method::DELETE, "/session"), None).await;
        assert_eq!(code(&answer), "403 csrf_failed", "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let request = Request::delete("/api/v1/session").header("x-csrf-token", &good);
    let request = request.header("sec-fetch-site", "cross-site").body(axum::body::Body::empty()).expect("a request");
    assert_eq!(code(&spa.browser.send(request).await), "403 csrf_failed");
    assert_eq!(spa.get("/session").await.ok()["user"]["username"], "alice", "nothing happened");
    assert_eq!(spa.delete("/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn s_171_a_token_is_of_one_browser() {
    let server = TestServer::start().await;
    let (alice, bob) = (Spa::open(&server).await, Spa::open(&server).await);
    signs_in(&server, &alice, "alice").await;
    signs_in(&server, &bob, "bob").await;
    alice.get("/session").await.ok();
    bob.set_csrf(alice.csrf().as_deref());
    assert_eq!(code(&bob.delete("/session").await), "403 csrf_failed");
    let readable = bob.browser.cookie_header();
    assert!(!readable.contains(&alice.csrf().expect("a token")), "{readable}");
}

#[tokio::test]
async fn s_171_pages_and_apps_in_one_browser_do_not_break_each_other() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    signs_in(&server, &spa, "ada").await;
    spa.get("/session").await.ok();
    let account = spa.browser.open("/account").await;
    let admin = spa.browser.open("/admin").await;
    assert_eq!(admin.status, StatusCode::OK, "{admin}");
    spa.get("/session").await.ok();
    let out = spa.browser.press(&account, "sign-out").await;
    assert!(!out.page().has("error-page"), "the form of the page is still good: {out}");
}

fn with_origin(method: Method, origin: &str) -> Request<axum::body::Body> {
    let request = Request::builder().method(method).uri("/api/v1/session").header(ORIGIN, origin);
    let request = request.header("access-control-request-method", "DELETE").header(CONTENT_TYPE, "application/json");
    request.body(axum::body::Body::empty()).expect("a request")
}

#[tokio::test]
async fn s_169_listed_origins_may_call_with_cookies() {
    let listed = "https://app.example.com";
    let configure = |config: &mut symbolon::config::Config| {
        config.api.allowed_origins =
            serde_json::from_value(json!(["https://app.example.com", "http://localhost:3000"])).expect("origins");
    };
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let preflight = server.send(with_origin(Method::OPTIONS, listed)).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-origin"), listed);
    assert_eq!(preflight.header("access-control-allow-credentials"), "true");
    assert!(preflight.header("vary").contains("Origin"));
    assert!(preflight.header("access-control-allow-methods").contains("DELETE"));
    assert!(preflight.header("access-control-allow-headers").contains("X-CSRF-Token"));
    let answer = server.send(with_origin(Method::GET, listed)).await;
    assert_eq!(answer.header("access-control-allow-origin"), listed);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    for origin in [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "http://localhost:3001",
        "null",
        "*",
    ] {
        for method in [Method::OPTIONS, Method::GET] {
            let answer = server.send(with_origin(method, origin)).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}: {answer}");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{origin}: {answer}");
            assert!(answer.header("vary").contains("Origin"));
        }
    }
    let spa = Spa::open(&server).await;
    signs_in(&server, &spa, "alice").await;
    spa.get("/session").await.ok();
    let elsewhere = spa.send_from("http://localhost:3001", (Method::DELETE, "/session"), None).await;
    assert_eq!(code(&elsewhere), "403 csrf_failed");
    assert_eq!(spa.send_from(listed, (Method::DELETE, "/session"), None).await.status, StatusCode::OK);
}

#[test]
fn s_169_everybody_with_cookies_refuses_to_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("symbolon.toml");
    for (origins, accepted) in [
        (r#"["https://app.example.com"]"#, true),
        (r#"["*"]"#, false),
        (r#""*""#, false),
        (r#"["https://app.example.com", "*"]"#, false),
        (r#"["app.example.com"]"#, false),
    ] {
        std::fs::write(&file, format!("[api]\nallowed_origins = {origins}\n")).expect("written");
        let read = symbolon::config::Config::load(&symbolon::config::Sources::file(&file));
        assert_eq!(read.is_ok(), accepted, "{origins}");
        if let Err(refusal) = read {
            assert!(refusal.to_string().contains("api.allowed_origins"), "{refusal}");
        }
    }
}

#[tokio::test]
async fn s_172_answers_are_framed_and_kept_by_nobody() {
    let setup =
        Setup { issuer: "https://id.example", mode: symbolon::oauth::policy::Mode::Production, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let browser = Browser::new(&server);
    for answer in [
        server.get("/api/v1/session").await,
        server.get("/api/v1/nothing").await,
        server.post("/api/v1/session", &[]).await,
        browser.open("/sign-in").await,
    ] {
        for (name, part) in [
            ("strict-transport-security", "max-age=63072000"),
            ("content-security-policy", "default-src 'none'"),
            ("content-security-policy", "frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert!(answer.header(name).contains(part), "{name}: {answer}");
        }
        assert!(!answer.header("content-security-policy").contains("unsafe-inline"), "{answer}");
    }
}
