//! Sign-in by the API: S-011, S-020, S-025, S-026, S-091, S-170, S-181, S-188.

use std::time::Duration;

use axum::body::Body;
use http::header::IF_NONE_MATCH;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use symbolon::edge::store::Beside;
use symbolon::model::id::{IdentifierId, UserId};
use symbolon::model::user::{Identifier, IdentifierKind, User};
use symbolon::oauth::policy::Mode;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::secret::Secret;

use crate::support::answer::{code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::world::BEGINNING;
use crate::support::{Answer, TestServer};

/// An account with one name and nothing else.
async fn with_one_name(server: &TestServer, kind: IdentifierKind, value: &str, password: Option<&str>) -> UserId {
    let now = NumericDate::from_seconds(BEGINNING);
    let number = u8::try_from(value.len()).expect("a short name");
    let alice = server.user("alice").await;
    let user = User {
        id: UserId::new([number; 16]),
        identifiers: vec![Identifier {
            id: IdentifierId::new(now, [number; 10]),
            kind,
            value: value.to_owned(),
            verified_at: Some(now),
            is_primary: true,
        }],
        ..alice.as_ref().clone()
    };
    let hash = match password {
        Some(password) => Some(server.app.hasher.hash(&Secret::from(password)).await.expect("a hash")),
        None => None,
    };
    server.store().create_user(&user, hash.as_deref()).await.expect("stored");
    user.id
}

/// What a refusal tells, but for the names of its request.
fn told(answer: &Answer) -> (StatusCode, Vec<(String, String)>, Value) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned())).collect();
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (answer.status, headers, body)
}

#[tokio::test]
async fn s_025_the_right_password_signs_in() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let answer = spa.sign_in("alice", PASSWORD).await.ok();
    assert_eq!(answer["status"], "complete");
    assert_eq!(answer["is_new_user"], false);
    assert_eq!(answer["user"]["email"], "alice@example.com");
    let session = spa.get("/session").await.ok();
    assert_eq!(session["user"], answer["user"]);
    assert_eq!(session["csrf_token"], answer["csrf_token"], "the answer carried the token of the new session");
    assert!(spa.browser.open("/account").await.page().has("sign-out"), "pages know the same session");
}

#[tokio::test]
async fn s_025_whoever_is_wrong_learns_the_same() {
    let server = TestServer::start().await;
    with_one_name(&server, IdentifierKind::Username, "carol", None).await;
    let spa = Spa::open(&server).await;
    let mut answers = Vec::new();
    for (identifier, password) in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("nobody", PASSWORD),
        ("carol", "wrong"),
        ("carol", " "),
        ("a\u{1}b", "x"),
    ] {
        let answer = spa.sign_in(identifier, password).await;
        assert_eq!(code(&answer), "401 invalid_credentials", "{identifier}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer}");
        answers.push(told(&answer));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

#[tokio::test]
async fn s_025_guesses_are_slowed_down() {
    let setup = Setup { issuer: "https://id.example", mode: Mode::Production, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let spa = Spa::open(&server).await;
    for _ in 0..10 {
        assert_eq!(code(&spa.sign_in("alice", "wrong").await), "401 invalid_credentials");
    }
    let refused = spa.sign_in("alice@example.com", PASSWORD).await;
    assert_eq!(code(&refused), "429 too_many_attempts");
    assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused}");
    server.advance(Duration::from_mins(1));
    assert_eq!(spa.sign_in("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn s_026_every_field_is_told_at_once() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    for (body, expected) in [
        (json!({"method": "password"}), vec!["identifier required", "password required"]),
        (json!({"method": "password", "identifier": "", "password": ""}), vec!["identifier blank", "password blank"]),
        (json!({"method": "password", "identifier": "  ", "password": " "}), vec!["identifier blank"]),
        (json!({"method": "password", "identifier": null}), vec!["identifier wrong_type", "password required"]),
        (json!({}), vec!["method required", "identifier required", "password required"]),
        (
            json!({"method": "telepathy", "identifier": 1, "password": ["x"], "client_id": {}, "admin": true}),
            vec![
                "method invalid_value",
                "identifier wrong_type",
                "password wrong_type",
                "client_id wrong_type",
                "admin unknown_field",
            ],
        ),
    ] {
        let answer = spa.post("/sign-in", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {answer}");
        assert_eq!(fields(&answer), expected, "{body}");
    }
    let long = spa.sign_in("alice", &"p".repeat(5_000)).await;
    assert_eq!(fields(&long), ["password too_long"]);
    assert_eq!(long.json()["errors"][0]["params"]["max"], 4096);
}

#[tokio::test]
async fn s_020_the_state_of_an_account_is_told_after_proof_alone() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await.id;
    server.store().disable_user(bob, NumericDate::from_seconds(BEGINNING), Beside::default()).await.expect("disabled");
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.sign_in("bob", PASSWORD).await), "403 account_disabled");
    assert_eq!(spa.browser.cookie("symbolon_session"), None);
    let wrong = spa.sign_in("bob", "wrong").await;
    assert_eq!(told(&wrong), told(&spa.sign_in("nobody", "wrong").await));

    let page = spa.browser.open("/sign-in").await;
    let refused = spa.browser.sign_in(&page, "bob").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.page().words("#sign-in-error").contains("switched off"), "{refused}");
}

#[tokio::test]
async fn s_011_any_name_of_an_account_signs_in() {
    let server = TestServer::start().await;
    let alice = server.user("alice").await.id.to_string();
    for identifier in ["alice", " ALICE ", "alice@example.com", "Alice@Example.COM", "+493090182001"] {
        let answer = Spa::open(&server).await.sign_in(identifier, PASSWORD).await.ok();
        assert_eq!(answer["user"]["id"], alice.as_str(), "{identifier}");
    }
}

#[tokio::test]
async fn s_188_accounts_without_an_address_sign_in() {
    let server = TestServer::start().await;
    for (kind, value) in [(IdentifierKind::Username, "dave"), (IdentifierKind::Phone, "+4930901829999")] {
        let id = with_one_name(&server, kind, value, Some(PASSWORD)).await;
        let spa = Spa::open(&server).await;
        let user = spa.sign_in(value, PASSWORD).await.ok()["user"].clone();
        assert_eq!(user["id"], id.to_string());
        assert_eq!((&user["email"], &user["email_verified"]), (&Value::Null, &json!(false)));
        assert_eq!(spa.get("/session").await.ok()["user"]["id"], id.to_string());
        spa.delete("/session").await.ok();
    }
}

#[tokio::test]
async fn s_188_what_needs_mail_answers_neutrally_where_there_is_none() {
    let server = TestServer::start().await;
    let dave = with_one_name(&server, IdentifierKind::Username, "dave", Some(PASSWORD)).await;
    let stranger = Spa::open(&server).await;
    let told = |answer: &Answer| {
        let mut body = answer.json();
        for drawn in ["flow", "request_id"] {
            body.as_object_mut().expect("an object").remove(drawn);
        }
        (answer.status, body)
    };
    for channel in ["link", "email_code", "sms_code"] {
        let asks = async |name: &str| {
            told(&stranger.post("/password-resets", &json!({"identifier": name, "channel": channel})).await)
        };
        assert_eq!(asks("dave").await, asks("nobody").await, "{channel}");
    }
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty());

    let spa = Spa::open(&server).await;
    spa.sign_in("dave", PASSWORD).await.ok();
    assert_eq!(
        code(&spa.post("/me/export", &json!({})).await),
        "422 verification_required",
        "there is nowhere to send it"
    );
    let changed = json!({"current_password": PASSWORD, "new_password": "another battery staple horse"});
    assert_eq!(spa.send(http::Method::PUT, "/me/password", Some(&changed)).await.status, StatusCode::NO_CONTENT);
    spa.get("/session").await.ok();
    let added = spa.post("/me/emails", &json!({"email": "dave@example.net"})).await.of(StatusCode::ACCEPTED).json();
    server.deliver().await;
    let sent = server.mailbox().code_for("dave@example.net");
    let path = format!("/me/emails/{}/confirm", added["id"].as_str().expect("an id"));
    assert_eq!(spa.post(&path, &json!({"code": sent})).await.ok()["verified"], true);
    assert_eq!(spa.get("/me").await.ok()["email"], "dave@example.net");
    assert_eq!(spa.delete("/me").await.status, StatusCode::ACCEPTED);
    let name = symbolon::model::user::LookupName::parse("dave").expect("a name");
    let user = server.store().user_by_name(&name).await.expect("read").expect("it waits for its end");
    assert_eq!((user.id, user.is_enabled()), (dave, false));
}

#[tokio::test]
async fn s_091_a_sign_in_changes_the_session() {
    let server = TestServer::start().await;
    let spa = Spa::open(&server).await;
    let before = spa.csrf();
    spa.sign_in("alice", PASSWORD).await.ok();
    let (first, token) = (spa.browser.cookie("symbolon_session"), spa.csrf());
    assert_ne!(token, before);
    spa.set_csrf(before.as_deref());
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "403 csrf_failed", "the token of before is void");
    spa.set_csrf(token.as_deref());
    spa.sign_in("alice", PASSWORD).await.ok();
    assert_ne!(spa.browser.cookie("symbolon_session"), first, "again another");
    assert_ne!(spa.csrf(), token);
}

#[tokio::test]
async fn s_170_nobody_is_signed_in_by_another_site() {
    let server = TestServer::start().await;
    let spa = Spa::new(&server);
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "403 csrf_failed", "no cookie, no token");
    spa.get("/session").await.ok();
    let body = json!({"method": "password", "identifier": "alice", "password": PASSWORD});
    let foreign = spa.send_from("https://evil.example", (http::Method::POST, "/sign-in"), Some(&body)).await;
    assert_eq!(code(&foreign), "403 csrf_failed");
    let token = spa.csrf();
    spa.set_csrf(None);
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "403 csrf_failed");
    let other = Spa::open(&server).await;
    spa.set_csrf(other.csrf().as_deref());
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "403 csrf_failed", "a token of another browser");
    spa.set_csrf(token.as_deref());
    assert_eq!(spa.sign_in("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_is_kept_when_the_person_wants_it() {
    let server = TestServer::start().await;
    for (remember, kept) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let spa = Spa::open(&server).await;
        let body = json!({"method": "password", "identifier": "alice", "password": PASSWORD, "remember": remember});
        let answer = spa.post("/sign-in", &body).await;
        let cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("ASCII"));
        let session = cookies.filter(|cookie| cookie.starts_with("symbolon_session=")).collect::<Vec<_>>();
        assert_eq!(session.len(), 1, "{answer}");
        assert_eq!(session[0].contains("Max-Age=2592000"), kept, "{session:?}");
        assert!(session[0].contains("HttpOnly") && session[0].contains("SameSite=Lax"), "{session:?}");
    }
}

#[tokio::test]
async fn a_screen_learns_what_it_has_to_offer() {
    let server = TestServer::start().await;
    let answer = server.get("/api/v1/sign-in/options").await;
    let options = answer.ok();
    assert_eq!(options["methods"], json!(["password", "passkey", "email_code", "sms_code", "magic_link", "qr"]));
    assert_eq!(options["switches"]["login"], true);
    let known = |tag: &str| {
        let request = Request::get("/api/v1/sign-in/options").header(IF_NONE_MATCH, tag);
        server.send(request.body(Body::empty()).expect("a request"))
    };
    let unchanged = known(answer.header("etag")).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert!(unchanged.body.is_empty());
    assert_eq!(known("\"other\"").await.status, StatusCode::OK);
    let unknown = server.get("/api/v1/sign-in/options?client_id=nobody").await;
    assert_eq!(code(&unknown), "404 not_found");
    assert_eq!(code(&server.get("/api/v1/sign-in/options?client_id=%ff").await), "400 malformed_query");
}

#[tokio::test]
async fn s_181_sign_in_can_be_switched_off() {
    let configure = |config: &mut symbolon::config::Config| config.endpoints.login = false;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    let spa = Spa::open(&server).await;
    assert_eq!(code(&spa.sign_in("alice", PASSWORD).await), "404 not_found");
    let options = server.get("/api/v1/sign-in/options").await.ok();
    assert_eq!((&options["methods"], &options["switches"]["login"]), (&json!([]), &json!(false)));
    let document = server.get("/api/v1/openapi.json").await.ok();
    assert!(document["paths"].get("/api/v1/sign-in").is_none());
}
