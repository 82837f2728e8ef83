//! S-015: a person's picture.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::support::answer::code;
use crate::support::spa::Spa;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

/// A picture of eight pixels by eight, all of them red.
const RED: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC";

async fn puts(server: &TestServer, spa: &Spa, (content_type, bytes): (&str, Vec<u8>)) -> Answer {
    let request = Request::builder().method(Method::PUT).uri("/api/v1/me/avatar");
    let request = request.header(CONTENT_TYPE, content_type).header(ORIGIN, server.issuer);
    let request = request.header("x-csrf-token", spa.csrf().expect("a token"));
    spa.browser.send(request.body(Body::from(bytes)).expect("a request")).await
}

fn red() -> Vec<u8> {
    STANDARD.decode(RED).expect("base64")
}

#[tokio::test]
async fn s_015_a_picture_is_drawn_anew_and_told_to_apps() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let set = puts(&server, &alice, ("image/png", red())).await.ok();
    let url = set["avatar_url"].as_str().expect("a URL").to_owned();
    let path = url.strip_prefix(server.issuer).expect("of this server").to_owned();
    let picture = server.get(&path).await;
    assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/jpeg"));
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid profile").await;
    let claims = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!(claims["picture"], url.as_str());

    let other = puts(&server, &alice, ("image/png", red())).await.ok();
    assert_ne!(other["avatar_url"], url.as_str());
    assert_eq!(server.get(&path).await.status, 404, "the one before is gone");
    assert_eq!(alice.delete("/me/avatar").await.status, 204);
    assert_eq!(alice.get("/me").await.ok()["avatar_url"], Value::Null);
    let path = other["avatar_url"].as_str().and_then(|url| url.strip_prefix(server.issuer)).expect("of this server");
    assert_eq!(server.get(path).await.status, 404);
    assert_eq!(alice.delete("/me/avatar").await.status, 204, "there is none");
}

#[tokio::test]
async fn s_015_what_is_no_picture_or_too_large_is_refused() {
    let server = TestServer::start().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    for (content_type, bytes, expected) in [
        ("image/svg+xml", svg.clone(), "415 unsupported_media_type"),
        ("image/png", svg, "415 unsupported_media_type"),
        ("image/png", Vec::new(), "415 unsupported_media_type"),
        ("application/json", b"{}".to_vec(), "415 unsupported_media_type"),
        ("image/png", vec![0; 1024 * 1024 + 1], "413 payload_too_large"),
    ] {
        let refused = puts(&server, &alice, (content_type, bytes)).await;
        assert_eq!(code(&refused), expected, "{content_type}");
    }
    let spa = Spa::open(&server).await;
    assert_eq!(code(&puts(&server, &spa, ("image/png", red())).await), "401 sign_in_required");
    assert_eq!(server.get("/avatars/nothing").await.status, 404);
}

/// A form with a file, as a browser sends it.
async fn sends(browser: &Browser, csrf: &str, action: &str, file: Option<(&str, &[u8])>) -> Answer {
    let mut body = Vec::new();
    for (name, value) in [("csrf", csrf), ("do", action)] {
        body.extend_from_slice(b"--line\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(format!("{name}\"\r\n\r\n{value}\r\n").as_bytes());
    }
    let (kind, bytes) = file.unwrap_or(("application/octet-stream", b""));
    let name = if file.is_some() { "me.png" } else { "" };
    let head = format!("--line\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\n");
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(format!("Content-Type: {kind}\r\n\r\n").as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--line--\r\n");
    browser.send(posted("multipart/form-data; boundary=line", body)).await
}

fn posted(content_type: &str, body: Vec<u8>) -> Request<Body> {
    let request = Request::post("/account/profile/picture").header(CONTENT_TYPE, content_type).header(ORIGIN, "null");
    request.header("sec-fetch-site", "same-origin").body(Body::from(body)).expect("a request")
}

/// The token of the forms on the page of the profile.
async fn csrf(browser: &Browser) -> String {
    let page = browser.open("/account/profile").await.page();
    let fields = page.form_of("picture-submit").fields;
    fields.into_iter().find(|(name, _)| name == "csrf").expect("a token").1
}

#[tokio::test]
async fn s_015_the_profile_page_sets_shows_and_removes_it() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let before = alice.open("/account/profile").await.page();
    assert_eq!(before.form_of("picture-submit").action, "/account/profile/picture");
    assert!(!before.has("picture-shown") && !before.has("picture-remove"));
    let token = csrf(&alice).await;

    let set = sends(&alice, &token, "set", Some(("image/png", &red()[..]))).await;
    let page = alice.follow(set).await.page();
    assert!(page.has("profile-kept"));
    let url = page.attribute("picture-shown", "src").to_owned();
    let path = url.strip_prefix(server.issuer).unwrap_or(&url).to_owned();
    assert_eq!(server.get(&path).await.header("content-type"), "image/jpeg", "drawn anew, as by the API");
    let spa = Spa::signed_in(&server, "alice").await;
    assert_eq!(spa.get("/me").await.ok()["avatar_url"], format!("{}{path}", server.issuer));

    let removed = sends(&alice, &token, "remove", None).await;
    let page = alice.follow(removed).await.page();
    assert!(!page.has("picture-shown") && !page.has("picture-remove"));
    assert_eq!(server.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(spa.get("/me").await.ok()["avatar_url"], Value::Null);
}

#[tokio::test]
async fn s_015_the_page_says_what_is_wrong_with_a_file() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let token = csrf(&alice).await;
    let large = vec![0; 1024 * 1024 + 1];
    let larger = vec![0; 2 * 1024 * 1024];
    let svg: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let png = red();
    for (file, status, words) in [
        (None, 422, "This is needed."),
        (Some(("image/png", &b""[..])), 422, "This is needed."),
        (Some(("image/svg+xml", svg)), 422, "no picture"),
        (Some(("image/png", svg)), 422, "no picture"),
        (Some(("text/html", &png[..])), 422, "no picture"),
        (Some(("image/png", &large[..])), 422, "larger than 1 MB"),
        (Some(("image/png", &larger[..])), 413, "larger than 1 MB"),
    ] {
        let answer = sends(&alice, &token, "set", file).await;
        assert_eq!(answer.status.as_u16(), status, "{words}: {answer}");
        let said = answer.page().words("#picture-mistake");
        assert!(said.contains(words), "{said}");
    }
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", b"csrf=x&do=remove".to_vec()),
        ("multipart/form-data", Vec::new()),
        ("multipart/form-data; boundary=line", Vec::new()),
        ("multipart/form-data; boundary=line", b"--line\r\n\xff\xfe: \xff\r\n\r\nx\r\n--line--".to_vec()),
        (
            "multipart/form-data; boundary=line",
            b"--line\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nx".to_vec(),
        ),
        ("image/png", red()),
    ] {
        let refused = alice.send(posted(content_type, body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{content_type}");
        assert!(refused.page().has("error-page"), "{refused}");
    }
    assert_eq!(Spa::signed_in(&server, "alice").await.get("/me").await.ok()["avatar_url"], Value::Null);
}

#[tokio::test]
async fn s_015_only_the_person_s_own_form_is_taken() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    let bob = Browser::signed_in(&server, "bob").await;
    let foreign = csrf(&bob).await;
    for token in ["", "wrong", foreign.as_str()] {
        let refused = sends(&alice, token, "set", Some(("image/png", &red()[..]))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused}");
    }
    let stranger = Browser::new(&server);
    stranger.open("/sign-in").await;
    let refused = sends(&stranger, &foreign, "set", Some(("image/png", &red()[..]))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused}");
    let large = sends(&stranger, &foreign, "set", Some(("image/png", &vec![0; 2 * 1024 * 1024][..]))).await;
    assert!(large.location().starts_with("/sign-in"), "{large}");
    assert!(!alice.open("/account/profile").await.page().has("picture-shown"));
}
