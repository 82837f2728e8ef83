//! Stories of a browser at the demo app.

mod browser;
mod server;

use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use self::browser::{Browser, callback, parameter};
use self::server::{NOW, SECRET, Server, Tamper};
use crate::protocol::secret::TokenHash;

#[tokio::test]
async fn a_person_signs_in_and_sees_each_exchange() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    assert!(browser.opens("/").await.body.contains("id=\"demo-sign-in\""));

    let url = browser.begins(&server).await;
    assert_eq!(url.path(), "/oauth2/authorize");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "demo-web"),
        ("redirect_uri", "http://localhost:8090/callback"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&url, name), value);
    }
    let before = browser.cookie.clone();
    let page = browser.opens(&callback(&parameter(&url, "state"))).await;
    assert_eq!((page.status, page.location.as_deref()), (StatusCode::SEE_OTHER, Some("/")), "{}", page.body);
    assert_ne!(browser.cookie, before, "the cookie changes at sign-in");

    let heard = server.heard("/oauth2/token");
    let (form, login) = &heard[0];
    let verifier = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "code_verifier").unwrap().1;
    let challenge = URL_SAFE_NO_PAD.encode(TokenHash::of(&verifier).as_bytes());
    assert_eq!(challenge, parameter(&url, "code_challenge"), "RFC 7636 §4.6");
    assert!(login.as_ref().unwrap().starts_with("Basic "));

    let home = browser.opens("/").await.body;
    assert!(home.contains("signed in as Alice &lt;Adams&gt;"), "{home}");
    for title in ["Discovery", "Authorization request", "Authorization response", "Token request: the code", "UserInfo"]
    {
        assert!(home.contains(title), "{title}");
    }
    assert!(home.contains("class=\"exchange") && !home.contains(SECRET));
    assert!(!home.contains("id=\"demo-sign-in\""));
}

#[tokio::test]
async fn each_button_shows_its_exchange() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    for (action, fields, expected) in [
        ("/do/userinfo", "", "The server told 3 claims"),
        ("/do/verify", "", "An API would accept this access token"),
        ("/do/introspect", "", "the access token is active."),
        ("/do/refresh", "", "and a new refresh token"),
        ("/do/client-credentials", "", "The app has a token of its own"),
        ("/do/revoke", "&token=refresh_token", "unsupported_token_type. not here"),
    ] {
        let page = browser.presses(action, fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{action}: {}", page.body);
        let home = browser.opens("/").await.body;
        assert!(home.contains(expected), "{action}: {home}");
    }
    let refreshed = &server.heard("/oauth2/token")[1].0;
    assert!(refreshed.contains("refresh_token=refresh-after-authorization_code"), "{refreshed}");
    let revoked = &server.heard("/oauth2/revoke")[0].0;
    assert_eq!(revoked, "token=refresh-after-refresh_token&token_type_hint=refresh_token");

    *server.active.lock().unwrap() = false;
    browser.presses("/do/introspect", "").await;
    assert!(browser.opens("/").await.body.contains("not active any more"));
    browser.presses("/clear", "").await;
    assert!(!browser.opens("/").await.body.contains("class=\"exchange"));
}

/// OIDC Core §3.1.3.7
#[tokio::test]
async fn an_id_token_that_fails_a_check_signs_nobody_in() {
    let tampers: [(&str, Tamper); 8] = [
        ("iss", |claims| drop(claims.insert("iss".to_owned(), "http://evil.example".into()))),
        ("aud", |claims| drop(claims.insert("aud".to_owned(), "other".into()))),
        ("azp", |claims| drop(claims.insert("azp".to_owned(), "other".into()))),
        ("exp", |claims| drop(claims.insert("exp".to_owned(), (NOW - 60).into()))),
        ("iat", |claims| drop(claims.insert("iat".to_owned(), (NOW + 60).into()))),
        ("nonce", |claims| drop(claims.insert("nonce".to_owned(), "another".into()))),
        ("nonce", |claims| drop(claims.remove("nonce"))),
        ("at_hash", |claims| drop(claims.insert("at_hash".to_owned(), "another".into()))),
    ];
    let server = Server::new();
    let mut browser = Browser::at(&server);
    for (check, tamper) in tampers {
        *server.tamper.lock().unwrap() = tamper;
        let page = browser.signs_in(&server).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{check}");
        assert!(
            page.body.contains("The ID token is not believed") && page.body.contains(&format!("{check}: ")),
            "{}",
            page.body
        );
        assert!(browser.opens("/").await.body.contains("id=\"demo-sign-in\""), "{check}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_published_signs_nobody_in() {
    let other = Server::new();
    let server = Arc::new(Server { published: other.published.clone(), ..Arc::into_inner(Server::new()).unwrap() });
    let mut browser = Browser::at(&server);
    let page = browser.signs_in(&server).await;
    assert!(page.body.contains("signature: no published key"), "{}", page.body);
}

/// RFC 6749 §10.12, RFC 9207 §2.4
#[tokio::test]
async fn an_answer_for_another_browser_or_from_another_server_is_refused() {
    let server = Server::new();
    let mut alice = Browser::at(&server);
    let mut mallory = alice.stranger();
    let url = alice.begins(&server).await;
    let state = parameter(&url, "state");

    assert_eq!(mallory.opens(&callback(&state)).await.status, StatusCode::BAD_REQUEST);
    let page = alice.opens(&format!("/callback?code=the-code&state={state}&iss=http%3A%2F%2Fevil.example")).await;
    assert!(page.body.contains("The answer is not believed"), "{}", page.body);
    let page = alice.opens(&callback(&state)).await;
    assert!(page.body.contains("not for this browser"), "a state is good once: {}", page.body);
    assert!(server.heard("/oauth2/token").is_empty());
}

#[tokio::test]
async fn a_refusal_of_the_server_is_told_with_a_way_to_try_again() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    let url = browser.begins(&server).await;
    let answer = format!(
        "/callback?error=access_denied&error_description=no%20%3Cb%3E&state={}&iss=http%3A%2F%2Flocalhost%3A8080",
        parameter(&url, "state")
    );
    let page = browser.opens(&answer).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    for part in ["id=\"demo-error\"", "access_denied", "no &lt;b&gt;", "href=\"/sign-in\""] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}

#[tokio::test]
async fn signing_out_ends_at_the_server_and_comes_back() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    let page = browser.presses("/sign-out", "").await;
    let url: Url = page.location.unwrap().parse().unwrap();
    assert_eq!(url.path(), "/oauth2/logout");
    assert_eq!(parameter(&url, "post_logout_redirect_uri"), "http://localhost:8090/signed-out");
    assert_eq!(parameter(&url, "id_token_hint").split('.').count(), 3);
    assert!(browser.opens("/").await.body.contains("id=\"demo-sign-in\""), "signed out here at once");

    let back = format!("/signed-out?state={}", parameter(&url, "state"));
    assert_eq!(browser.opens(&back).await.status, StatusCode::SEE_OTHER);
    assert!(browser.opens("/").await.body.contains("Signed out here and at the server"));
}

/// OpenID Connect Back-Channel Logout §2.6
#[tokio::test]
async fn who_left_the_server_is_signed_out_here() {
    let server = Server::new();
    *server.tamper.lock().unwrap() = |claims| drop(claims.insert("sid".to_owned(), "s-1".into()));
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    let mut told = browser.stranger();
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let claims = |sid: &str, event: &Value| {
        json!({
            "iss": "http://localhost:8080", "sub": "alice-id", "aud": "demo-web", "iat": NOW, "exp": NOW + 120,
            "jti": "1", "sid": sid, "events": event,
        })
    };
    for (typ, claims, expected) in [
        ("JWT", claims("s-1", &event), 400),
        ("logout+jwt", claims("s-1", &json!({})), 400),
        ("logout+jwt", claims("s-2", &event), 200),
    ] {
        let token = server.key.sign(typ, &claims).unwrap();
        assert_eq!(told.posts("/backchannel-logout", &format!("logout_token={token}")).await.status.as_u16(), expected);
        assert!(browser.opens("/").await.body.contains("signed in as"), "{claims}");
    }
    let token = server.key.sign("logout+jwt", &claims("s-1", &event)).unwrap();
    assert_eq!(told.posts("/backchannel-logout", &format!("logout_token={token}")).await.status, StatusCode::OK);
    let home = browser.opens("/").await.body;
    assert!(home.contains("id=\"demo-sign-in\"") && home.contains("Back-channel logout"), "{home}");
    assert!(home.contains("you are signed out here as well"), "{home}");
}

#[tokio::test]
async fn a_form_from_elsewhere_does_nothing() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    let asked = server.heard("/oauth2/introspect").len();
    for path in ["/do/introspect", "/sign-out", "/clear"] {
        assert_eq!(browser.posts(path, "csrf=guessed").await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(server.heard("/oauth2/introspect").len(), asked);
    assert!(browser.opens("/").await.body.contains("signed in as"));
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    let page = browser.opens("/nowhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("There is no such page"));
    for (path, status) in
        [("/assets/none.css", 404), ("/sign-in?max_age=x", 400), ("/sign-in?iss=http%3A%2F%2Fevil", 400)]
    {
        assert_eq!(browser.opens(path).await.status.as_u16(), status, "{path}");
    }
    let page = browser.opens("/spa").await;
    assert!(page.status.is_success() && page.body.contains("data-client-id=\"demo-spa\""), "{}", page.body);
}

#[tokio::test]
async fn pages_and_their_files_need_no_inline_code() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    for path in ["/", "/spa", "/nowhere"] {
        let body = browser.opens(path).await.body;
        for forbidden in ["style=", "onclick=", "<style", "javascript:"] {
            assert!(!body.contains(forbidden), "{path}: {forbidden}");
        }
        assert!(!body.split("<script").skip(1).any(|rest| !rest.starts_with(" src=")), "{path}");
        for file in body.split("/assets/").skip(1) {
            let name = file.split('"').next().unwrap();
            let page = browser.opens(&format!("/assets/{name}")).await;
            assert!(page.status.is_success() && !page.body.is_empty(), "{name}");
        }
    }
}
