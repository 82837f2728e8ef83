//! Tokens in cookies, for pages that hold none: S-076 to S-079, with a jar that obeys paths, domains and schemes.

use std::time::Duration;

use axum::body::Body;
use http::header::{COOKIE, ORIGIN, SET_COOKIE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use symbolon::model::client::{AccessTokenFormat, Client, TokenDelivery};
use symbolon::model::event::EventName;
use symbolon::protocol::numeric_date::NumericDate;

use super::second_factor::enrol;
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, RelyingParty, TestServer, clients};

const HTTPS: &str = "https://id.example";

/// A page of the house whose tokens are in cookies, as `symbolon client create --token-delivery cookies` makes it.
fn portal(id: &str) -> Client {
    let mut client = clients::spa(id);
    client.policy.first_party = true;
    client.policy.token_delivery = TokenDelivery::Cookies;
    client.policy.access_token = AccessTokenFormat::Opaque;
    client
}

async fn over_https() -> TestServer {
    let server = TestServer::with(Setup { issuer: HTTPS, ..Setup::default() }).await;
    RelyingParty::of(&server, portal("portal")).await;
    server
}

fn credentials(login: &str, client_id: &str) -> Value {
    json!({"method": "password", "identifier": login, "password": PASSWORD, "client_id": client_id})
}

/// A page of the app in which a person is signed in.
async fn signed_in(server: &TestServer, login: &str) -> Spa {
    let spa = Spa::open(server).await;
    spa.post("/sign-in", &credentials(login, "portal")).await.of(StatusCode::NO_CONTENT);
    spa
}

fn set_cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("ASCII").to_owned()).collect()
}

/// The `Set-Cookie` of this name.
#[track_caller]
fn set_cookie(answer: &Answer, name: &str) -> String {
    let found = set_cookies(answer).into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name}: {answer}"))
}

#[track_caller]
fn clears_both(answer: &Answer) {
    for name in ["__Host-access", "__Secure-refresh"] {
        let cookie = set_cookie(answer, name);
        assert!(cookie.starts_with(&format!("{name}=; ")) && cookie.ends_with("; Max-Age=0"), "{cookie}");
    }
}

fn refresh_of(spa: &Spa) -> String {
    spa.browser.cookie("__Secure-refresh").expect("a refresh token")
}

async fn refreshes(spa: &Spa) -> Answer {
    spa.post("/tokens/refresh", &json!({})).await
}

/// What somebody gets who has this refresh token, in a browser of their own.
async fn refreshes_elsewhere(server: &TestServer, refresh_token: &str) -> Answer {
    let thief = Spa::open(server).await;
    thief.browser.set_cookie("__Secure-refresh", refresh_token);
    refreshes(&thief).await
}

#[tokio::test]
async fn s_076_a_sign_in_gives_two_cookies_and_no_token_in_the_body() {
    let server = over_https().await;
    let spa = Spa::open(&server).await;
    let answer = spa.post("/sign-in", &credentials("alice", "portal")).await.of(StatusCode::NO_CONTENT);
    assert!(answer.body.is_empty());
    let access = set_cookie(&answer, "__Host-access");
    assert!(access.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=900"), "{access}");
    let refresh = set_cookie(&answer, "__Secure-refresh");
    assert!(
        refresh.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/api/v1/tokens; Max-Age=604800"),
        "as long as the token, S-072: {refresh}"
    );
    let names: Vec<String> = set_cookies(&answer);
    assert!(!names.iter().any(|cookie| cookie.contains("symbolon_session")), "no session beside them: {names:?}");

    // The jar obeys the paths: the refresh token goes nowhere else, and nothing goes over plain http or to a neighbour.
    let page = spa.browser.cookie_header_for("/api/v1/me");
    assert!(page.contains("__Host-access=") && !page.contains("refresh"), "{page}");
    assert!(spa.browser.cookie_header_for("/api/v1/tokens/refresh").contains("__Secure-refresh="));
    assert!(spa.browser.cookie_header_for("/api/v1/tokens/sign-out").contains("__Secure-refresh="));
    assert!(!spa.browser.cookie_header_for("/api/v1/tokensx").contains("__Secure-refresh="));
    assert_eq!(spa.browser.cookie_header_at("app.id.example", "/api/v1/tokens/refresh"), "");

    assert_eq!(spa.get("/me").await.ok()["username"], "alice");
    let claims = spa.get("/tokens/claims").await.ok();
    assert_eq!((&claims["client_id"], &claims["typ"]), (&json!("portal"), &json!("opaque")));
}

#[tokio::test]
async fn s_076_a_jwt_fits_as_well_and_one_that_is_too_long_is_no_cookie() {
    let server = TestServer::with(Setup { issuer: HTTPS, ..Setup::default() }).await;
    let mut client = portal("portal");
    client.policy.access_token = AccessTokenFormat::Jwt;
    RelyingParty::of(&server, client.clone()).await;
    let spa = signed_in(&server, "alice").await;
    assert_eq!(spa.get("/tokens/claims").await.ok()["typ"], "at+jwt");
    assert_eq!(spa.get("/me").await.ok()["username"], "alice");

    client.id = "wordy".parse().expect("an id");
    client.policy.audience = (0..60).map(|n| format!("https://api-{n}.example.com/{}", "a".repeat(60))).collect();
    RelyingParty::of(&server, client).await;
    let refused = Spa::open(&server).await.post("/sign-in", &credentials("alice", "wordy")).await;
    assert_eq!(code(&refused), "500 server_error", "the operator is told in the log what to do");
    assert!(set_cookies(&refused).is_empty());
}

#[tokio::test]
async fn s_076_names_paths_and_domain_are_the_operators() {
    let configure = |config: &mut symbolon::config::Config| {
        let set = &mut config.token_cookies;
        set.access_name = "at".to_owned();
        set.refresh_name = "rt".to_owned();
        set.same_site = symbolon::config::token_cookies::SameSite::Strict;
        set.path = "/api".to_owned();
        set.domain = Some("id.example".to_owned());
    };
    let setup = Setup { issuer: "https://login.id.example", configure, ..Setup::default() };
    let server = TestServer::with(setup).await;
    RelyingParty::of(&server, portal("portal")).await;
    let spa = Spa::open(&server).await;
    let answer = spa.post("/sign-in", &credentials("alice", "portal")).await.of(StatusCode::NO_CONTENT);
    let access = set_cookie(&answer, "__Secure-at");
    let end = "; HttpOnly; SameSite=Strict; Secure; Path=/api; Domain=id.example; Max-Age=900";
    assert!(access.ends_with(end), "{access}");
    let refresh = set_cookie(&answer, "__Secure-rt");
    assert!(refresh.contains("; Path=/api/v1/tokens; Domain=id.example; "), "{refresh}");
    assert_eq!(spa.get("/me").await.ok()["username"], "alice");
    assert!(spa.browser.cookie_header_at("api.id.example", "/api/orders").contains("__Secure-at="));
    assert_eq!(spa.browser.cookie_header_at("api.id.example", "/other"), "");
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s_076_secure_is_left_out_on_this_machine_alone() {
    let server = TestServer::start().await;
    RelyingParty::of(&server, portal("portal")).await;
    let spa = Spa::open(&server).await;
    let answer = spa.post("/sign-in", &credentials("alice", "portal")).await.of(StatusCode::NO_CONTENT);
    let access = set_cookie(&answer, "access");
    assert!(access.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=900"), "{access}");
    assert_eq!(spa.get("/me").await.ok()["username"], "alice");
    spa.post("/tokens/sign-out", &json!({})).await.of(StatusCode::NO_CONTENT);
    assert_eq!((spa.browser.cookie("access"), spa.browser.cookie("refresh")), (None, None));
}

#[tokio::test]
async fn s_076_an_issuer_with_a_path_keeps_the_refresh_token_below_it() {
    let server = TestServer::with(Setup { issuer: "https://id.example/tenant", ..Setup::default() }).await;
    RelyingParty::of(&server, portal("portal")).await;
    let spa = Spa::open(&server).await;
    let sends = async |path: &str, body: Value| spa.send_from(HTTPS, (Method::POST, path), Some(&body)).await;
    sends("/sign-in", credentials("alice", "portal")).await.of(StatusCode::NO_CONTENT);
    assert!(spa.browser.cookie_header_for("/tenant/api/v1/tokens/refresh").contains("__Secure-refresh="));
    assert!(!spa.browser.cookie_header_for("/api/v1/tokens/refresh").contains("__Secure-refresh="));
    sends("/tokens/refresh", json!({})).await.of(StatusCode::NO_CONTENT);
    clears_both(&sends("/tokens/sign-out", json!({})).await.of(StatusCode::NO_CONTENT));
}

#[tokio::test]
async fn s_076_a_second_factor_is_asked_for_before_any_cookie() {
    let server = over_https().await;
    let alice = Spa::signed_in(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let spa = Spa::open(&server).await;
    let asked = spa.post("/sign-in", &credentials("alice", "portal")).await;
    assert!(set_cookies(&asked).is_empty(), "{asked}");
    let flow = asked.ok()["flow"].clone();
    let answer = json!({"flow": flow, "type": "totp", "value": app.fresh(&server), "client_id": "portal"});
    let csrf = spa.csrf();
    spa.set_csrf(None);
    assert_eq!(code(&spa.post("/sign-in/challenge", &answer).await), "403 csrf_failed");
    spa.set_csrf(csrf.as_deref());
    let given = spa.post("/sign-in/challenge", &answer).await.of(StatusCode::NO_CONTENT);
    set_cookie(&given, "__Host-access");
    assert_eq!(spa.get("/me").await.ok()["username"], "alice");
}

#[tokio::test]
async fn s_076_only_apps_of_the_house_without_a_secret() {
    let server = over_https().await;
    let mut foreign = portal("foreign");
    foreign.policy.first_party = false;
    RelyingParty::of(&server, foreign).await;
    let mut secret = clients::web("secret");
    secret.policy = portal("secret").policy;
    RelyingParty::of(&server, secret).await;
    let spa = Spa::open(&server).await;
    for id in ["foreign", "secret", "nobody"] {
        let refused = spa.post("/sign-in", &credentials("alice", id)).await;
        assert_eq!(code(&refused), "403 unauthorized_client", "{id}");
        assert!(set_cookies(&refused).is_empty(), "{id}");
    }
}

/// S-170 for these cookies: the token of the page, from our own origin.
#[tokio::test]
async fn s_076_no_other_site_and_no_forged_request_does_anything() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let token = spa.csrf();
    let calls = [
        (Method::POST, "/sign-in", credentials("alice", "portal")),
        (Method::PATCH, "/me", json!({"first_name": "Mallory"})),
        (Method::POST, "/tokens/refresh", json!({})),
        (Method::POST, "/tokens/sign-out", json!({})),
    ];
    for (method, path, body) in &calls {
        for wrong in [None, Some("wrong")] {
            spa.set_csrf(wrong);
            let refused = spa.send(method.clone(), path, Some(body)).await;
            assert_eq!(code(&refused), "403 csrf_failed", "{path} {wrong:?}");
            assert_eq!(refused.header("content-type"), "application/problem+json");
        }
        spa.set_csrf(token.as_deref());
        for origin in ["https://evil.example", "https://app.id.example", "http://id.example"] {
            let refused = spa.send_from(origin, (method.clone(), path), Some(body)).await;
            assert_eq!(code(&refused), "403 csrf_failed", "{path} {origin}");
        }
    }
    // What a form of another site sends: no header of ours, and the browser says where it comes from.
    let forged = Request::post("/api/v1/tokens/sign-out")
        .header(COOKIE, spa.browser.cookie_header_for("/api/v1/tokens/sign-out"))
        .header("sec-fetch-site", "cross-site")
        .header(ORIGIN, "null");
    let refused = server.send(forged.body(Body::empty()).expect("a request")).await;
    assert_eq!(code(&refused), "403 csrf_failed");
    assert_eq!(spa.get("/me").await.ok()["first_name"], "Alice", "reading needs no token, and nothing was changed");
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
    spa.send(Method::PATCH, "/me", Some(&json!({"first_name": "Alicia"}))).await.of(StatusCode::OK);
}

/// A token without the flow cookie that its CSRF token is bound to changes nothing: the browser was restarted.
#[tokio::test]
async fn s_077_after_a_restart_the_page_asks_for_its_token_first() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    spa.browser.forget_cookie("__Host-symbolon_flow");
    assert_eq!(code(&refreshes(&spa).await), "403 csrf_failed");
    spa.get("/session").await.ok();
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s_077_a_refresh_gives_new_cookies_and_uses_the_old_one_up() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let (first, access) = (refresh_of(&spa), spa.browser.cookie("__Host-access"));
    server.advance(Duration::from_mins(16));
    assert_eq!(code(&spa.get("/me").await), "401 sign_in_required", "the access token is over");
    let answer = refreshes(&spa).await.of(StatusCode::NO_CONTENT);
    assert!(answer.body.is_empty());
    assert!(set_cookie(&answer, "__Host-access").ends_with("; Max-Age=900"));
    assert!(set_cookie(&answer, "__Secure-refresh").ends_with("; Max-Age=604800"));
    assert_ne!((refresh_of(&spa), spa.browser.cookie("__Host-access")), (first, access));
    assert_eq!(spa.get("/me").await.ok()["username"], "alice");
    server.advance(Duration::from_hours(7 * 24));
    let late = refreshes(&spa).await;
    assert_eq!(code(&late), "401 invalid_refresh_token", "idle for a week");
    clears_both(&late);
}

#[tokio::test]
async fn s_077_without_a_cookie_or_with_a_bad_one_it_is_401() {
    let server = over_https().await;
    let spa = Spa::open(&server).await;
    let without = refreshes(&spa).await;
    assert_eq!(code(&without), "401 invalid_refresh_token");
    assert!(set_cookies(&without).is_empty(), "there is nothing to take away");
    for bad in ["", "x", &"A".repeat(43), "<script>", "a.b.c", "%00", "\"quoted\"", &"A".repeat(4000)] {
        let spa = Spa::open(&server).await;
        spa.browser.set_cookie("__Secure-refresh", bad);
        let refused = refreshes(&spa).await;
        assert_eq!(code(&refused), "401 invalid_refresh_token", "{bad:.20}");
        clears_both(&refused);
    }
}

#[tokio::test]
async fn s_077_what_no_browser_would_send_is_no_fault_of_ours() {
    let server = over_https().await;
    let huge = "A".repeat(15_000);
    let cookies: [&[u8]; 7] = [
        b"__Host-access=\xff\xfe; __Secure-refresh=\xff",
        b"__Host-access",
        b"=; ; ;;=__Secure-refresh",
        b"__Host-access=..; __Secure-refresh=..",
        b"__Host-access=a.b.c.d.e; __Secure-refresh=a",
        b"__Secure-refresh=one; __Secure-refresh=two; __Host-access=1; __Host-access=2",
        huge.as_bytes(),
    ];
    for cookie in cookies {
        for (method, path) in [
            (Method::GET, "/api/v1/me"),
            (Method::GET, "/api/v1/session"),
            (Method::GET, "/api/v1/tokens/claims"),
            (Method::POST, "/api/v1/tokens/refresh"),
            (Method::POST, "/api/v1/tokens/sign-out"),
        ] {
            let request =
                Request::builder().method(method.clone()).uri(path).header(ORIGIN, HTTPS).header(COOKIE, cookie);
            let answer = server.send(request.body(Body::empty()).expect("a request")).await;
            assert!(!answer.status.is_server_error(), "{method} {path} {cookie:?}: {answer}");
        }
    }
}

/// RFC 9700 §4.14.2: a refresh token that comes again ends its family, in cookies as elsewhere, and it is told.
#[tokio::test]
async fn s_077_an_old_cookie_that_comes_again_ends_the_family() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let stolen = refresh_of(&spa);
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
    server.advance(Duration::from_secs(11));
    let refused = refreshes_elsewhere(&server, &stolen).await;
    assert_eq!(code(&refused), "401 invalid_refresh_token");
    clears_both(&refused);
    assert_eq!(code(&spa.get("/me").await), "401 sign_in_required");
    assert_eq!(code(&refreshes(&spa).await), "401 invalid_refresh_token", "the newest one is dead too");
    server.settled().await;
    let alice = server.user("alice").await.id;
    let events = server.store().events_of(alice, NumericDate::from_seconds(0), (None, 100)).await.expect("listed");
    assert_eq!(events.iter().filter(|event| event.name == EventName::TokenReuseDetected).count(), 1);
}

/// Two tabs refresh with one cookie: both get the same successor, within the grace.
#[tokio::test]
async fn s_077_two_tabs_at_once_go_on_with_one_successor() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let before = refresh_of(&spa);
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
    let after = refresh_of(&spa);
    spa.browser.set_cookie("__Secure-refresh", &before);
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
    assert_eq!(refresh_of(&spa), after);
}

#[tokio::test]
async fn s_077_a_cookie_is_of_its_app() {
    let server = over_https().await;
    RelyingParty::of(&server, portal("shop")).await;
    let spa = signed_in(&server, "alice").await;
    let other = spa.post("/tokens/refresh", &json!({"client_id": "shop"})).await;
    assert_eq!(code(&other), "401 invalid_refresh_token");
    assert!(set_cookies(&other).is_empty(), "it stays with the app that it is of");
    spa.post("/tokens/refresh", &json!({"client_id": "portal"})).await.of(StatusCode::NO_CONTENT);

    // A refresh token of an app that keeps it elsewhere is none here, and it is not used up by the attempt.
    let web = RelyingParty::web(&server, "web").await;
    let tokens = web.tokens(&crate::support::Browser::new(&server), "bob", "openid offline_access").await;
    let foreign = tokens["refresh_token"].as_str().expect("a token");
    let refused = refreshes_elsewhere(&server, foreign).await;
    assert_eq!(code(&refused), "401 invalid_refresh_token");
    clears_both(&refused);
    assert_eq!(web.refresh(foreign).await.status, StatusCode::OK);

    // Its access token is none in a cookie either.
    let thief = Spa::open(&server).await;
    thief.browser.set_cookie("__Host-access", tokens["access_token"].as_str().expect("a token"));
    assert_eq!(code(&thief.get("/me").await), "401 sign_in_required");
}

/// The operator takes the delivery back: cookies that are out are good for nothing from then on.
#[tokio::test]
async fn s_077_an_app_that_may_no_longer_has_no_cookies() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let mut client = portal("portal");
    client.policy.token_delivery = TokenDelivery::Session;
    server.store().update_client(&client).await.expect("stored");
    assert_eq!(code(&spa.get("/me").await), "401 sign_in_required");
    assert_eq!(code(&refreshes(&spa).await), "401 invalid_refresh_token");
}

#[tokio::test]
async fn s_078_signing_out_takes_the_tokens_back_and_the_cookies_away() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let (refresh, access) = (refresh_of(&spa), spa.browser.cookie("__Host-access").expect("a token"));
    let answer = spa.post("/tokens/sign-out", &json!({})).await.of(StatusCode::NO_CONTENT);
    clears_both(&answer);
    assert_eq!((spa.browser.cookie("__Host-access"), spa.browser.cookie("__Secure-refresh")), (None, None));
    assert_eq!(code(&spa.get("/me").await), "401 sign_in_required");
    // What somebody saved before is worth nothing.
    assert_eq!(code(&refreshes_elsewhere(&server, &refresh).await), "401 invalid_refresh_token");
    let by_header = server.get_with("/api/v1/me", &access).await;
    assert_eq!(code(&by_header), "401 token_invalid");
    let elsewhere = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", "portal")];
    assert_eq!(server.post("/oauth2/token", &elsewhere).await.error(), "400 invalid_grant");
    // Once more is no mistake.
    spa.post("/tokens/sign-out", &json!({})).await.of(StatusCode::NO_CONTENT);
}

/// Others take their place in the browser: nobody has them any longer, so they are good for nothing.
#[tokio::test]
async fn s_078_another_sign_in_ends_the_tokens_of_the_one_before() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let before = refresh_of(&spa);
    spa.post("/sign-in", &credentials("bob", "portal")).await.of(StatusCode::NO_CONTENT);
    assert_eq!(spa.get("/me").await.ok()["username"], "bob");
    assert_eq!(code(&refreshes_elsewhere(&server, &before).await), "401 invalid_refresh_token");
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
}

/// The access cookie is over after a quarter of an hour: signing out still takes the family back.
#[tokio::test]
async fn s_078_signing_out_late_takes_the_family_back_as_well() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let refresh = refresh_of(&spa);
    server.advance(Duration::from_mins(16));
    spa.browser.forget_cookie("__Host-access");
    clears_both(&spa.post("/tokens/sign-out", &json!({})).await.of(StatusCode::NO_CONTENT));
    assert_eq!(code(&refreshes_elsewhere(&server, &refresh).await), "401 invalid_refresh_token");
}

/// A page of ours and an app share the browser: signing out of one leaves the other, and neither speaks for the other's person.
#[tokio::test]
async fn s_078_a_session_beside_the_cookies_is_another_thing() {
    let server = over_https().await;
    let spa = signed_in(&server, "alice").await;
    let page = spa.browser.open("/sign-in").await;
    spa.browser.sign_in(&page, "bob").await;
    assert_eq!(spa.get("/me").await.ok()["username"], "bob", "the session of the page");
    spa.set_prefer(Some("cookies"));
    assert_eq!(spa.get("/me").await.ok()["username"], "alice", "the tokens of the app");
    spa.get("/session").await.ok();
    clears_both(&spa.post("/tokens/sign-out", &json!({})).await.of(StatusCode::NO_CONTENT));
    assert_eq!(code(&spa.get("/me").await), "401 sign_in_required", "not the other person's");
    spa.set_prefer(None);
    assert_eq!(spa.get("/me").await.ok()["username"], "bob");
}

#[tokio::test]
async fn s_079_an_app_that_may_both_says_which() {
    let server = over_https().await;
    let mut both = portal("both");
    both.policy.direct_tokens = true;
    RelyingParty::of(&server, both).await;
    let spa = Spa::open(&server).await;

    let by_default = spa.post("/sign-in", &credentials("alice", "both")).await.of(StatusCode::NO_CONTENT);
    assert_eq!(by_default.header("preference-applied"), "");
    set_cookie(&by_default, "__Host-access");

    spa.set_prefer(Some("token"));
    let in_body = spa.post("/sign-in", &credentials("alice", "both")).await;
    assert_eq!(in_body.header("preference-applied"), "token");
    assert!(set_cookies(&in_body).is_empty(), "{in_body}");
    let tokens = in_body.ok();
    assert!(tokens["access_token"].is_string() && tokens["id_token"].is_string(), "{tokens}");

    spa.set_prefer(Some("Cookies"));
    let in_cookies = spa.post("/sign-in", &credentials("alice", "both")).await.of(StatusCode::NO_CONTENT);
    assert_eq!(in_cookies.header("preference-applied"), "cookies");
    let refreshed = refreshes(&spa).await.of(StatusCode::NO_CONTENT);
    assert_eq!(refreshed.header("preference-applied"), "cookies");

    // A script cannot talk the server into showing it what the cookie keeps from it.
    spa.set_prefer(Some("token"));
    let refused = refreshes(&spa).await;
    assert_eq!(code(&refused), "400 delivery_not_allowed");
    for unknown in ["session", "respond-async", "cookies, token", "token=1"] {
        spa.set_prefer(Some(unknown));
        assert_eq!(code(&spa.post("/sign-in", &credentials("alice", "both")).await), "400 delivery_not_allowed");
        assert_eq!(code(&refreshes(&spa).await), "400 delivery_not_allowed", "{unknown}");
    }
    spa.set_prefer(None);
    refreshes(&spa).await.of(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s_079_what_an_app_may_not_have_is_refused() {
    let server = over_https().await;
    let mut session = portal("session");
    session.policy.token_delivery = TokenDelivery::Session;
    RelyingParty::of(&server, session).await;
    let spa = Spa::open(&server).await;
    let with_none = json!({"method": "password", "identifier": "alice", "password": PASSWORD});
    for (wish, body) in [
        ("token", credentials("alice", "portal")),
        ("cookies", credentials("alice", "session")),
        ("token", credentials("alice", "session")),
        ("cookies", with_none.clone()),
        ("token", with_none),
    ] {
        spa.set_prefer(Some(wish));
        assert_eq!(code(&spa.post("/sign-in", &body).await), "400 delivery_not_allowed", "{wish} {body}");
    }
}

/// What a sign-in was begun for stays, through every step.
#[tokio::test]
async fn s_079_a_sign_in_ends_in_the_way_it_was_begun_for() {
    let server = over_https().await;
    let mut both = portal("both");
    both.policy.direct_tokens = true;
    RelyingParty::of(&server, both).await;
    let alice = Spa::signed_in(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let spa = Spa::open(&server).await;
    spa.set_prefer(Some("token"));
    let flow = spa.post("/sign-in", &credentials("alice", "both")).await.ok()["flow"].clone();
    let answer = json!({"flow": flow, "type": "totp", "value": app.fresh(&server), "client_id": "both"});
    spa.set_prefer(Some("cookies"));
    assert_eq!(code(&spa.post("/sign-in/challenge", &answer).await), "400 delivery_not_allowed");
    spa.set_prefer(None);
    let given = spa.post("/sign-in/challenge", &answer).await;
    assert!(set_cookies(&given).is_empty(), "{given}");
    assert!(given.ok()["access_token"].is_string());
}

#[tokio::test]
async fn s_079_the_options_and_the_document_tell_of_it() {
    let server = over_https().await;
    let options = server.get("/api/v1/sign-in/options?client_id=portal").await.ok();
    assert_eq!(options["client"]["token_delivery"], "cookies");
    let document = server.get("/api/v1/openapi.json").await.ok();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["access_cookie"]["name"], "__Host-access");
    assert_eq!(schemes["refresh_cookie"]["name"], "__Secure-refresh");
    let refresh = &document["paths"]["/api/v1/tokens/refresh"]["post"];
    assert!(refresh["responses"]["204"].is_object(), "{refresh}");
    assert!(
        refresh["security"].as_array().is_some_and(|ways| ways.contains(&json!({"refresh_cookie": [], "csrf": []})))
    );
    let prefer = |path: &str| document["paths"][path]["post"]["parameters"][0]["name"].clone();
    assert_eq!((prefer("/api/v1/sign-in"), prefer("/api/v1/tokens/refresh")), (json!("Prefer"), json!("Prefer")));
}
