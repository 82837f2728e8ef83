//! `none`, `client_secret_basic`, `client_secret_post`: exactly one, and the registered one.
//!
//! RFC 6749 §2.3, §5.2; PROTOCOL T13.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::json;

use crate::support::clients::SECRET;
use crate::support::relying_party::{Proof, basic};
use crate::support::server::form;
use crate::support::{Answer, RelyingParty, TestServer, clients};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn with_header(mut request: Request<Body>, value: &str) -> Request<Body> {
    request.headers_mut().append(AUTHORIZATION, value.parse().expect("a header value"));
    request
}

async fn token(server: &TestServer, header: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![GRANT];
    all.extend(fields);
    let request = form("/oauth2/token", &all);
    server
        .send(match header {
            Some(value) => with_header(request, value),
            None => request,
        })
        .await
}

#[tokio::test]
async fn each_client_proves_itself_as_registered() {
    let server = TestServer::start().await;
    let posting = json!({"token_endpoint_auth_method": "client_secret_post", "grant_types": ["client_credentials"], "response_types": []});
    let by_post = RelyingParty::of(&server, clients::client("by-post", &posting)).await;
    RelyingParty::of(&server, clients::service("by-basic")).await;
    let by_name = RelyingParty::spa(&server, "by-name").await;

    let post = |id, secret| vec![("client_id", id), ("client_secret", secret)];
    token(&server, Some(&basic("by-basic", SECRET)), &[]).await.ok();
    token(&server, Some(&basic("by-basic", SECRET)), &[("client_id", "by-basic")]).await.ok();
    token(&server, None, &post("by-post", SECRET)).await.ok();

    for (header, fields, expected) in [
        // Wrong, missing or another method.
        (Some(basic("by-basic", "wrong")), vec![], "401 invalid_client"),
        (Some(basic("by-basic", "")), vec![], "401 invalid_client"),
        (Some(basic("nobody", SECRET)), vec![], "401 invalid_client"),
        (Some(basic("by-post", SECRET)), vec![], "401 invalid_client"),
        (None, post("by-basic", SECRET), "401 invalid_client"),
        (None, post("by-post", &SECRET[1..]), "401 invalid_client"),
        (None, post("by-post", ""), "401 invalid_client"),
        (None, vec![("client_id", "by-basic")], "401 invalid_client"),
        (None, vec![("client_id", "by-post")], "401 invalid_client"),
        (None, post("by-name", "anything"), "401 invalid_client"),
        (Some(basic("by-name", "anything")), vec![], "401 invalid_client"),
        (None, vec![], "401 invalid_client"),
        (None, vec![("client_secret", SECRET)], "401 invalid_client"),
        // Two at once (RFC 6749 §2.3), even when both are right.
        (Some(basic("by-basic", SECRET)), vec![("client_secret", SECRET)], "400 invalid_request"),
        (Some(basic("by-basic", SECRET)), post("by-basic", SECRET), "400 invalid_request"),
        (Some(basic("by-basic", SECRET)), vec![("client_id", "by-post")], "400 invalid_request"),
        (Some(basic("by-basic", SECRET)), vec![("client_assertion", "a.b.c")], "400 invalid_request"),
        (None, vec![("client_id", "by-post"), ("client_id", "by-post")], "400 invalid_request"),
    ] {
        let answer = token(&server, header.as_deref(), &fields).await;
        assert_eq!(answer.error(), expected, "{header:?} {fields:?}");
        let names_scheme = answer.header("www-authenticate").starts_with("Basic ");
        assert_eq!(names_scheme, expected.starts_with("401"), "RFC 6749 §5.2: {answer}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let mut honest = by_post.clone();
    honest.proof = Proof::Post(SECRET.to_owned());
    assert_eq!(honest.introspect("x").await.ok()["active"], false);
    let mut liar = by_post.clone();
    liar.proof = Proof::Basic(SECRET.to_owned());
    assert_eq!(liar.introspect("x").await.error(), "401 invalid_client", "the same rule at each endpoint");
    assert_eq!(by_name.post("/oauth2/token", &[GRANT]).await.error(), "400 unauthorized_client");
}

/// RFC 6749 §2.3.1: name and secret are form-urlencoded before they are joined.
#[tokio::test]
async fn basic_credentials_are_percent_decoded() {
    let server = TestServer::start().await;
    let secret = "s e+c%r:e=t&ü/?";
    let mut client = clients::service("https://client.example/id?x=1&y:2");
    client.secret =
        Some(symbolon::model::client::ClientSecret::Hashed(symbolon::protocol::secret::TokenHash::of(secret)));
    let id = client.id.to_string();
    RelyingParty::of(&server, client).await;
    token(&server, Some(&basic(&id, secret)), &[]).await.ok();
    let scheme = basic(&id, secret).replacen("Basic", "bAsIc", 1);
    token(&server, Some(&scheme), &[]).await.ok();
    for wrong in [
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
        format!("Basic {}", STANDARD.encode("no colon")),
        format!("Basic {}", STANDARD.encode("%zz:x")),
        format!("Basic {}", STANDARD.encode(b"\xff\xfe:\xff")),
        "Basic ***".to_owned(),
        "Basic".to_owned(),
        "Digest x".to_owned(),
        "Bearer x".to_owned(),
        String::new(),
    ] {
        let answer = token(&server, Some(&wrong), &[]).await;
        assert_eq!(answer.error(), "401 invalid_client", "{wrong}");
    }
    let twice = with_header(with_header(form("/oauth2/token", &[GRANT]), &basic(&id, secret)), &basic(&id, secret));
    assert!(server.send(twice).await.status.is_client_error());
}

/// PROTOCOL T13, T15: never in the query.
#[tokio::test]
async fn secrets_in_a_query_are_not_read() {
    let server = TestServer::start().await;
    RelyingParty::of(&server, clients::client("by-post", &json!({"token_endpoint_auth_method": "client_secret_post"})))
        .await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", "by-post"), ("client_secret", SECRET)])
        .finish();
    let answer = server.post(&format!("/oauth2/token?{query}"), &[GRANT]).await;
    assert_eq!(answer.error(), "401 invalid_client");
}

/// PROTOCOL T13: who guesses is not heard for a while, not even when they are right; others who call for the client are.
#[tokio::test]
async fn guessing_ends_the_guesser_and_not_the_client() {
    let server = TestServer::start().await;
    RelyingParty::of(&server, clients::service("robot")).await;
    let call = async |address: [u8; 4], secret: &str| {
        let request = with_header(form("/oauth2/token", &[GRANT]), &basic("robot", secret));
        server.send_from((address, 50_000).into(), request).await
    };
    let guesser = [192, 0, 2, 1];
    for number in 0..30 {
        let answer = call(guesser, &format!("guess {number}")).await;
        assert!(answer.error() == "401 invalid_client" && !answer.text().contains("too many"), "{answer}");
    }
    for secret in ["one more", SECRET] {
        let answer = call(guesser, secret).await;
        assert!(answer.error() == "401 invalid_client" && answer.text().contains("too many"), "{answer}");
    }
    call([192, 0, 2, 2], SECRET).await.ok();
    server.advance(std::time::Duration::from_secs(2));
    call(guesser, SECRET).await.ok();
}

/// RFC 6749 §5.2: whether it is the id or the secret that is wrong is told to the log, not to who guesses.
#[tokio::test]
async fn an_unknown_client_is_refused_like_a_wrong_secret() {
    let server = TestServer::start().await;
    RelyingParty::of(&server, clients::service("robot")).await;
    let unknown = token(&server, Some(&basic("nobody", SECRET)), &[]).await;
    let wrong = token(&server, Some(&basic("robot", "wrong")), &[]).await;
    assert_eq!((unknown.error(), unknown.text()), (wrong.error(), wrong.text()));
}
