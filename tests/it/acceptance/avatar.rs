//! S-015: a person's picture.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Method, Request};
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
