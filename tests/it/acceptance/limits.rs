//! Limits, blocks and proxies: S-122 to S-126, S-129.

use std::time::Duration;

use axum::body::Body;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use symbolon::authn::limit::Limit;
use symbolon::config::Config;
use symbolon::http::proxy::Peers;
use symbolon::model::event::EventName;
use symbolon::oauth::policy::Mode;
use symbolon::protocol::numeric_date::NumericDate;

use super::blocked_address::waits;
use super::first_party::app;
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::stand_in::StandIn;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// A production server, and an app on it that signs people in without a cookie.
pub(super) async fn production(configure: fn(&mut Config)) -> TestServer {
    let server =
        TestServer::with(Setup { issuer: "https://id.example", mode: Mode::Production, configure, ..Setup::default() });
    let server = server.await;
    let mut client = app("phone");
    client.policy.direct_tokens = true;
    RelyingParty::of(&server, client).await;
    server
}

/// Sign-ins that come as fast as one likes: what counts failures alone is to be seen.
pub(super) fn at_any_rate(config: &mut Config) {
    config.limits.sign_in = Some(Limit::Off);
}

/// One attempt, from a peer, with headers.
pub(super) async fn attempt(
    server: &TestServer,
    (peer, headers): (&str, &[(&str, &str)]),
    login: &str,
    password: &str,
) -> Answer {
    let body = json!({"client_id": "phone", "method": "password", "identifier": login, "password": password});
    let mut request =
        Request::builder().method(Method::POST).uri("/api/v1/tokens").header(CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name.parse::<HeaderName>().expect("a header"), *value);
    }
    let peer = format!("{peer}:40000").parse().expect("an address");
    server.send_from(peer, request.body(Body::from(body.to_string())).expect("a request")).await
}

#[tokio::test]
async fn s_122_one_more_than_the_rate_is_refused_and_told_when_to_come_back() {
    let server = production(|_| {}).await;
    let spa = Spa::open(&server).await;
    for _ in 0..10 {
        let answer = spa.sign_in("alice", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        assert_eq!(answer.header("ratelimit-policy"), "\"sign_in\";q=10;w=60");
    }
    let refused = spa.sign_in("alice", PASSWORD).await;
    assert_eq!(code(&refused), "429 rate_limited");
    assert_eq!(refused.header("retry-after"), "6");
    assert_eq!(refused.header("ratelimit"), "\"sign_in\";r=0;t=6");
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let answer =
        browser.submit(page.page().form_of("login-submit").fill("login", "alice").fill("password", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "a page counts with it");
    assert!(answer.page().heading().contains("Not so fast"), "{answer}");
    server.advance(Duration::from_secs(6));
    assert_eq!(spa.sign_in("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn s_122_an_app_is_told_in_the_words_of_oauth() {
    let server = production(|_| {}).await;
    let mut last = None;
    for _ in 0..11 {
        let request = Request::post("/oauth2/challenge").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        last = Some(server.send(request.body(Body::from("client_id=phone")).expect("a request")).await);
    }
    let refused = last.expect("eleven answers");
    assert_eq!(refused.error(), "429 access_denied");
    assert!(refused.json()["error_description"].as_str().expect("a sentence").contains("Retry-After"), "{refused}");
    assert_eq!(refused.header("retry-after"), "6");
}

/// How a refusal tells of the rule `name`: the policy beside those of the route, and the seconds to wait.
#[track_caller]
fn tells_of(refused: &Answer, (name, policy): (&str, &str)) {
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    let wait = refused.header("retry-after");
    assert!(wait.parse::<u64>().is_ok_and(|seconds| seconds > 0), "{refused}");
    assert_eq!(refused.header("ratelimit"), format!("\"{name}\";r=0;t={wait}"));
    let policies: Vec<&str> = refused.header("ratelimit-policy").split(", ").collect();
    assert!(policies.contains(&policy), "{policies:?}");
}

/// Whichever way a code is asked for: what the body says is counted where it is known.
#[tokio::test]
async fn s_122_codes_of_apps_are_counted_with_those_of_pages() {
    let server = production(|config| {
        at_any_pace(config);
        config.limits.otp = "3/h".parse().ok();
    })
    .await;
    let spa = Spa::open(&server).await;
    for (method, identifier) in
        [("email_code", "alice@example.com"), ("magic_link", "bob@example.com"), ("sms_code", "+493090182001")]
    {
        let asked = spa.post("/sign-in", &json!({"method": method, "identifier": identifier})).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked}");
    }
    let body = json!({"method": "email_code", "identifier": "nobody@example.org"});
    let refused = spa.post("/sign-in", &body).await;
    assert_eq!(code(&refused), "429 rate_limited");
    tells_of(&refused, ("otp", "\"otp\";q=3;w=3600"));
    let page = spa.browser.open("/sign-in/email_code").await;
    let form = page.page().form_of("send-code-submit").fill("login", "nobody@example.org");
    assert_eq!(spa.browser.submit(form).await.status, StatusCode::TOO_MANY_REQUESTS, "a page counts with it");
    assert_eq!(spa.sign_in("alice", PASSWORD).await.status, StatusCode::OK, "a password is no code");
    let elsewhere = Spa::at(&server, [192, 0, 2, 7]).await;
    assert_eq!(elsewhere.post("/sign-in", &body).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn s_122_an_app_answers_so_many_challenges_in_a_time() {
    let server = production(|config| {
        at_any_rate(config);
        config.api.challenge_endpoint = symbolon::config::api::Switch::On;
        config.limits.challenge = "2/min".parse().ok();
    })
    .await;
    let answers = async |body: &'static str| {
        let request = Request::post("/oauth2/challenge").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        server.send(request.body(Body::from(body)).expect("a request")).await
    };
    for _ in 0..2 {
        assert_eq!(answers("client_id=phone&auth_session=unknown&otp=000000").await.error(), "400 invalid_session");
    }
    let refused = answers("client_id=phone&auth_session=unknown&otp=000000").await;
    assert_eq!(refused.error(), "429 access_denied");
    tells_of(&refused, ("challenge", "\"challenge\";q=2;w=60"));
    assert_eq!(answers("client_id=phone").await.status, StatusCode::BAD_REQUEST, "to begin is another thing");
}

/// What is counted by the address that a message goes to is told as what is counted by route, in the API and on pages.
#[tokio::test]
async fn s_122_each_refusal_names_its_rule_and_when_to_come_back() {
    let server = production(|config| config.limits.code_start = "1/h".parse().ok()).await;
    let spa = Spa::open(&server).await;
    waits(&spa, "alice@example.com").await;
    let begun = spa.post("/registrations", &json!({"email": "carol@example.net", "password": PASSWORD})).await;
    let registration = begun.of(StatusCode::ACCEPTED).json()["registration"].clone();
    let page = spa.browser.open("/register").await;
    let form = page.page().form_of("register-submit").fill("email", "dave@example.net").fill("password", PASSWORD);
    let typed = spa.browser.submit(form).await;
    let soon = spa.browser.press(&typed, "code-resend").await;
    assert_eq!((soon.status, soon.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"), "{soon}");
    server.advance(Duration::from_secs(61));
    let rule = ("code_start", "\"code_start\";q=1;w=3600");
    let body = json!({"method": "email_code", "identifier": "alice@example.com"});
    tells_of(&spa.post("/sign-in", &body).await, rule);
    tells_of(&spa.post("/registrations/resend", &json!({"registration": registration})).await, rule);
    tells_of(&spa.browser.press(&typed, "code-resend").await, rule);
    let page = spa.browser.open("/sign-in/email_code").await;
    let form = page.page().form_of("send-code-submit").fill("login", "alice@example.com");
    tells_of(&spa.browser.submit(form).await, rule);
}

#[tokio::test]
async fn s_122_a_rate_is_the_operators_and_off_is_off() {
    let server = production(at_any_rate).await;
    let spa = Spa::open(&server).await;
    for _ in 0..15 {
        let answer = spa.sign_in("alice", PASSWORD).await;
        assert_eq!((answer.status, answer.header("ratelimit-policy")), (StatusCode::OK, ""));
    }
    let server = production(|config| config.limits.password_check = Some("2/h".parse().expect("a rate"))).await;
    let spa = Spa::open(&server).await;
    for expected in ["200", "200", "429"] {
        let answer = spa.post("/password-checks", &json!({"password": "seven quiet herons at dawn"})).await;
        assert_eq!(answer.status.as_str(), expected);
    }
}

#[tokio::test]
async fn s_123_ten_failures_silence_an_address_and_a_success_forgets_them() {
    let server = production(at_any_rate).await;
    let here = ("192.0.2.7", &[][..]);
    for number in 0..10 {
        let answer = attempt(&server, here, &format!("nobody-{number}"), "wrong").await;
        assert_eq!(code(&answer), "401 invalid_credentials");
    }
    let refused = attempt(&server, here, "alice", PASSWORD).await;
    assert_eq!(code(&refused), "429 too_many_attempts", "even what is right");
    assert_eq!(refused.json()["retry_after"].to_string(), refused.header("retry-after"));
    // Nor is anything sent to anybody.
    let spa = Spa::at(&server, [192, 0, 2, 7]).await;
    for (path, body) in [
        ("/registrations", json!({"email": "carol@example.net"})),
        ("/password-resets", json!({"identifier": "alice@example.com"})),
        ("/sign-in", json!({"method": "email_code", "identifier": "alice@example.com"})),
        ("/recovery/emails", json!({"phone": "+493090182001"})),
    ] {
        assert_eq!(code(&spa.post(path, &body).await), "429 too_many_attempts", "{path}");
    }
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty());
    assert_eq!(attempt(&server, ("192.0.2.8", &[]), "alice", PASSWORD).await.status, StatusCode::OK, "others go on");
    server.advance(Duration::from_mins(5));
    assert_eq!(attempt(&server, here, "alice", PASSWORD).await.status, StatusCode::OK);

    for _ in 0..3 {
        for number in 0..9 {
            let answer = attempt(&server, here, &format!("somebody-{number}"), "wrong").await;
            assert_eq!(code(&answer), "401 invalid_credentials");
        }
        assert_eq!(attempt(&server, here, "alice", PASSWORD).await.status, StatusCode::OK);
    }
}

/// What is typed may come as fast as one likes: what counts failures alone is to be seen.
pub(super) fn at_any_pace(config: &mut Config) {
    at_any_rate(config);
    config.limits.challenge = Some(Limit::Off);
    config.limits.code_start = Some(Limit::Off);
}

#[tokio::test]
async fn s_123_a_subscriber_has_one_counter_for_all_their_addresses() {
    let server = production(at_any_rate).await;
    for number in 0..10 {
        let peer = format!("[2001:db8:1:2::{number}]");
        attempt(&server, (&peer, &[]), &format!("nobody-{number}"), "wrong").await;
    }
    let answer = attempt(&server, ("[2001:db8:1:2:ffff::1]", &[]), "alice", PASSWORD).await;
    assert_eq!(code(&answer), "429 too_many_attempts");
    let answer = attempt(&server, ("[2001:db8:1:3::1]", &[]), "alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn s_124_strangers_at_an_account_do_not_shut_out_a_browser_that_it_knows() {
    let server = production(at_any_rate).await;
    let known = Spa::signed_in(&server, "alice").await;
    known.delete("/session").await.ok();
    for number in 0..10 {
        let answer = attempt(&server, (&format!("198.51.100.{number}"), &[]), "alice", "wrong").await;
        assert_eq!(code(&answer), "401 invalid_credentials");
    }
    let refused = attempt(&server, ("203.0.113.1", &[]), "alice@example.com", PASSWORD).await;
    assert_eq!(code(&refused), "429 too_many_attempts", "by whichever name, from wherever");
    assert_eq!(known.sign_in("alice", PASSWORD).await.status, StatusCode::OK);
    server.advance(Duration::from_hours(1));
    assert_eq!(attempt(&server, ("203.0.113.1", &[]), "alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn s_125_headers_of_a_stranger_are_not_believed() {
    let server = production(at_any_rate).await;
    let mut refused = 0;
    for number in 0..15 {
        let forged = format!("203.0.113.{number}");
        let headers = [(X_FORWARDED_FOR, forged.as_str()), ("forwarded", "for=203.0.113.99"), ("x-real-ip", &forged)];
        let answer = attempt(&server, ("192.0.2.7", &headers), &format!("nobody-{number}"), "wrong").await;
        refused += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 5, "fifteen headers are one address");
}

#[tokio::test]
async fn s_126_what_listed_proxies_say_is_believed() {
    fn proxies(config: &mut Config) {
        at_any_rate(config);
        config.server.trusted_proxies =
            ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network")).into_iter().collect();
    }
    let server = production(proxies).await;
    let alice = server.user("alice").await.id;
    // Ten failures of one caller, by one proxy, by two, with hearsay before it.
    for number in 0..10 {
        let header = match number % 3 {
            0 => "198.51.100.1".to_owned(),
            1 => format!("1.1.1.{number}, 198.51.100.1"),
            _ => "198.51.100.1, 10.0.0.9".to_owned(),
        };
        let answer = attempt(&server, ("10.0.0.1", &[(X_FORWARDED_FOR, &header)]), "alice", "wrong").await;
        assert_eq!(code(&answer), "401 invalid_credentials");
    }
    let refused = attempt(&server, ("10.0.0.2", &[(X_FORWARDED_FOR, "198.51.100.1")]), "bob", PASSWORD).await;
    assert_eq!(code(&refused), "429 too_many_attempts");
    let other = attempt(&server, ("10.0.0.1", &[(X_FORWARDED_FOR, "198.51.100.2")]), "bob", PASSWORD).await;
    assert_eq!(other.status, StatusCode::OK, "another caller behind the same proxy");

    attempt(&server, ("10.0.0.1", &[(X_FORWARDED_FOR, "2001:db8::7")]), "alice", PASSWORD).await;
    let events = server.store().events_of(alice, NumericDate::from_seconds(0), (None, 50)).await.expect("read");
    let blocked: Vec<_> = events.iter().filter(|event| event.name == EventName::SecurityBlocked).collect();
    assert_eq!(blocked.len(), 1, "{events:?}");
    // The address as limits count it: the /64 of a subscriber.
    assert_eq!(blocked[0].provenance.address, format!("{:x}/64", 0x2001_0db8_0000_0000_u64));
}

#[tokio::test]
async fn s_126_strangers_may_be_kept_from_connecting() {
    fn strict(config: &mut Config) {
        config.server.trusted_proxies =
            ["10.0.0.0/8"].map(|network| network.parse().expect("a network")).into_iter().collect();
        config.server.peers = Peers::ProxiesOnly;
    }
    let server = TestServer::with(Setup { configure: strict, ..Setup::default() }).await;
    for (peer, expected) in [("10.1.2.3:1", StatusCode::OK), ("192.0.2.1:1", StatusCode::FORBIDDEN)] {
        for target in ["/sign-in", "/.well-known/openid-configuration"] {
            let request = Request::get(target).body(Body::empty()).expect("a request");
            assert_eq!(
                server.send_from(peer.parse().expect("a peer"), request).await.status,
                expected,
                "{peer} {target}"
            );
        }
    }
}

#[tokio::test]
async fn s_129_a_block_is_written_down_once() {
    let server = production(at_any_rate).await;
    let alice = server.user("alice").await.id;
    for number in 0..30 {
        attempt(&server, (&format!("198.51.100.{number}"), &[]), "alice", "wrong").await;
    }
    let events = server.store().events_of(alice, NumericDate::from_seconds(0), (None, 50)).await.expect("read");
    let blocked: Vec<_> = events.iter().filter(|event| event.name == EventName::SecurityBlocked).collect();
    assert_eq!(blocked.len(), 1, "{events:?}");
    assert_eq!(blocked[0].details["reason"], "account");
    assert!(blocked[0].details["until"].is_i64() || blocked[0].details["until"].is_u64());
    assert!(!format!("{:?}", blocked[0].details).contains("alice"), "only the hash of the name");
}

/// A cookie that somebody made up opens no way around the block of their address.
#[tokio::test]
async fn s_123_a_made_up_mark_does_not_pass_the_block() {
    let server = production(at_any_rate).await;
    for number in 0..10 {
        attempt(&server, ("192.0.2.7", &[]), &format!("nobody-{number}"), "wrong").await;
    }
    let mark = "A".repeat(64);
    for made_up in [mark.as_str(), "x", &mark[..43]] {
        let cookie = format!("__Host-symbolon_device={made_up}");
        let refused = attempt(&server, ("192.0.2.7", &[("cookie", &cookie)]), "alice", PASSWORD).await;
        assert_eq!(code(&refused), "429 too_many_attempts", "{made_up}");
    }
}

/// The table of limits names routes that are there, and leaves none out that takes something.
#[tokio::test]
async fn s_122_each_limited_route_is_there() {
    let configure = |config: &mut Config| config.api.challenge_endpoint = symbolon::config::api::Switch::On;
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    for (path, _) in symbolon::http::rate_limit::ROUTES {
        let mut told = Vec::new();
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            told.push(server.json((method, path), &json!({}), None).await.status);
        }
        let is_there =
            told.iter().any(|status| ![StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(status));
        assert!(is_there, "{path}: {told:?}");
    }
    let limited = |path: &str| symbolon::http::rate_limit::ROUTES.iter().any(|(route, _)| *route == path);
    for (path, _) in symbolon::http::captcha::ROUTES {
        assert!(limited(path), "{path} asks for a captcha and has no limit");
    }
    // Every form of a page that a stranger may send.
    let source = include_str!("../../../src/http/routes.rs");
    let free = ["/sign-in/account", "/consent", "/sign-out", "/oauth2/", "/admin/"];
    let pages = source.split(".page(").skip(1);
    for line in pages.filter(|page| page.contains("post(page::") || page.contains("post(link::")) {
        let path = line.split('"').nth(1).expect("a path");
        let is_of_a_person = path.starts_with("/account/") && !line.contains("link::") && !line.contains("mailed_link");
        let is_free = is_of_a_person || free.iter().any(|free| path.starts_with(free));
        assert!(limited(path) || is_free, "{path} takes forms and has no limit");
    }
}

/// From as many addresses as they like, in as many spellings as they like.
#[tokio::test]
async fn s_122_a_mailbox_gets_five_codes_an_hour_and_ten_guesses() {
    let server = production(|_| {}).await;
    let (mut sent, mut last) = (0, None);
    for number in 0..8_u8 {
        let spa = Spa::at(&server, [192, 0, 2, number]).await;
        let body = json!({"email": format!("carol+{number}@example.net"), "password": PASSWORD});
        let answer = spa.post("/registrations", &body).await;
        match code(&answer).as_str() {
            "202 (no code)" => {
                sent += 1;
                last = Some((spa, answer.json()["registration"].clone()));
            }
            refused => assert_eq!(refused, "429 rate_limited"),
        }
        server.advance(Duration::from_secs(61));
    }
    assert_eq!(sent, 5);
    // A code that is sent once more brings no new tries, and several codes of one mailbox no more than ten.
    let (spa, registration) = last.expect("the fifth");
    let guesses = async |spa: &Spa, registration: &Value, numbers: std::ops::Range<u32>| {
        let mut judged = 0;
        for guess in numbers {
            let body = json!({"registration": registration, "code": format!("{guess:06}")});
            let answer = spa.post("/registrations/confirm", &body).await;
            assert!(["422 wrong_code", "410 code_attempts_exceeded", "429 rate_limited"].contains(&&*code(&answer)));
            judged += u32::from(code(&answer) == "422 wrong_code");
        }
        judged
    };
    assert_eq!(guesses(&spa, &registration, 0..6).await, 5);

    let mut judged = 0;
    for number in 0..4_u8 {
        let spa = Spa::at(&server, [192, 0, 2, 100 + number]).await;
        let body = json!({"email": "dave@example.net", "password": PASSWORD});
        let registration =
            spa.post("/registrations", &body).await.of(StatusCode::ACCEPTED).json()["registration"].clone();
        judged += guesses(&spa, &registration, 100..105).await;
        server.advance(Duration::from_secs(61));
    }
    assert_eq!(judged, 10, "and no more, before the first of them is forgotten");
}

/// S-051: text messages that nobody asked for cost money, whatever they are for.
#[tokio::test]
async fn s_122_a_number_gets_five_messages_a_day_whatever_they_are_for() {
    let server = production(|_| {}).await;
    let number = "+493090182001";
    for (place, (path, body)) in [
        ("/registrations", json!({"phone": number, "password": PASSWORD})),
        ("/password-resets", json!({"identifier": number, "channel": "sms_code"})),
        ("/recovery/emails", json!({"phone": number})),
    ]
    .into_iter()
    .cycle()
    .take(9)
    .enumerate()
    {
        let spa = Spa::at(&server, [192, 0, 2, u8::try_from(place).expect("a few")]).await;
        let answer = spa.post(path, &body).await;
        // Who asks about an account of somebody else is told nothing.
        let quiet = path != "/registrations" && code(&answer) != "202 (no code)";
        assert!(!quiet, "{path}: {answer}");
        server.advance(Duration::from_mins(2));
        server.deliver().await;
    }
    assert_eq!(server.mailbox().to(number).len(), 5);
}

/// Pages that put something aside when they are opened are heard so often from an address; what is answered at once is not counted.
#[tokio::test]
async fn s_122_opening_pages_does_not_fill_the_store() {
    let server = production(|config| config.limits.waiting = "3/min".parse().ok()).await;
    StandIn::google(&server).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let start = async || server.get("/federation/google/start").await;
    for _ in 0..3 {
        assert_eq!(start().await.status, StatusCode::SEE_OTHER);
    }
    let refused = start().await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "20"));
    assert_eq!(server.get("/device").await.status, StatusCode::TOO_MANY_REQUESTS, "one room for all of it");
    let waits = shop.begin("openid");
    assert_eq!(server.get(&waits.target()).await.status, StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..5 {
        let at_once = shop.begin("openid").with("prompt", "none");
        let answer = server.get(&at_once.target()).await;
        assert!(answer.location().contains("error=login_required"), "{answer}");
    }
    server.advance(Duration::from_mins(1));
    assert_eq!(server.get(&waits.target()).await.status, StatusCode::SEE_OTHER);
}

/// Who comes back from nowhere is written down, ten times a minute and no more.
#[tokio::test]
async fn s_129_made_up_answers_of_providers_do_not_fill_the_history() {
    let server = production(|_| {}).await;
    StandIn::google(&server).await;
    let before = server.store().latest_events(1_000).await.expect("read").len();
    let mut refused = 0;
    for number in 0..30 {
        let answer = server.get(&format!("/federation/google/callback?state=made-up-{number}&code=x")).await;
        refused += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    server.settled().await;
    let after = server.store().latest_events(1_000).await.expect("read").len();
    assert_eq!((refused, after - before), (20, 10));
}
