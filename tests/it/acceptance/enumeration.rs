//! Nobody learns by asking whether an account exists: each public way to ask gives the same bytes, and takes the same time.
//!
//! PROTOCOL A6, S-009, S-025, S-032. What is drawn by chance, the moment, and the address that the asker typed are looked away from;
//! everything else is compared, headers and cookies too.

use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde_json::json;
use symbolon::account::settings::SignUp;
use symbolon::config::Config;
use symbolon::config::api::Switch;

use super::first_party::app;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

/// Two addresses and numbers of one length: whose account exists, and whose does not.
const NAMES: [(&str, &str); 2] = [("alice@example.com", "alicf@example.com"), ("+493090182001", "+493090182999")];

/// A public way to ask, which takes an address or number.
type Ask = (&'static str, usize, &'static [(&'static str, &'static str)]);

/// By the API: the path, which of [`NAMES`] it takes, and its members, in which `?` stands for that.
const OPERATIONS: &[Ask] = &[
    ("/sign-in", 0, &[("method", "password"), ("identifier", "?"), ("password", "not the password")]),
    ("/sign-in", 0, &[("method", "magic_link"), ("identifier", "?")]),
    ("/registrations", 0, &[("email", "?"), ("password", PASSWORD)]),
    ("/registrations", 0, &[("email", "?")]),
    ("/registrations", 1, &[("phone", "?"), ("password", PASSWORD)]),
    ("/password-resets", 0, &[("identifier", "?")]),
    ("/password-resets", 0, &[("identifier", "?"), ("channel", "email_code")]),
    ("/password-resets", 1, &[("identifier", "?"), ("channel", "sms_code")]),
    ("/recovery/emails", 1, &[("phone", "?")]),
    ("/password-checks", 0, &[("email", "?"), ("password", "seven quiet herons at dawn")]),
];

/// What sends a code to sign in with: to anybody, since the right one makes an account (S-018).
const BEGINNINGS: &[Ask] = &[
    ("/sign-in", 0, &[("method", "email_code"), ("identifier", "?")]),
    ("/sign-in", 1, &[("method", "sms_code"), ("identifier", "?")]),
];

/// On pages, each with the button that sends the form.
const FORMS: &[(&str, Ask)] = &[
    ("login-submit", ("/sign-in", 0, &[("login", "?"), ("password", "not the password")])),
    ("send-code-submit", ("/sign-in/magic_link", 0, &[("login", "?")])),
    ("register-submit", ("/register", 0, &[("email", "?"), ("password", PASSWORD)])),
    ("register-submit", ("/register?by=phone", 1, &[("phone", "?"), ("password", PASSWORD)])),
    ("recover-submit", ("/recover", 0, &[("login", "?")])),
    ("recover-code", ("/recover", 0, &[("login", "?")])),
    ("recover-text", ("/recover", 1, &[("login", "?")])),
    ("recover-submit", ("/recover/email", 1, &[("login", "?")])),
];

fn settings(config: &mut Config) {
    config.api.challenge_endpoint = Switch::On;
}

async fn server() -> TestServer {
    server_with(settings).await
}

async fn server_with(configure: fn(&mut Config)) -> TestServer {
    let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
    RelyingParty::of(&server, app("phone")).await;
    server
}

/// What the asker sees, without what is drawn by chance and without the name that they typed.
fn seen(answer: &Answer, name: &str) -> (u16, Vec<String>, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(header, _)| !["x-request-id", "date"].contains(&header.as_str()))
        .map(|(header, value)| format!("{header}: {}", without_chance(value.to_str().unwrap_or_default(), name)))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, without_chance(answer.text(), name))
}

/// Handles, tokens and trace ids are runs of base64url or hex; `etag` and the like would be, too, if they differed.
fn without_chance(text: &str, name: &str) -> String {
    let typed = [name.to_owned(), name.replace('@', "%40"), name.replace('+', "%2B"), name.replace('+', "&#43;")];
    let text = typed.iter().fold(text.to_owned(), |text, typed| text.replace(typed.as_str(), "NAME"));
    let is_of_a_run = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let (mut plain, mut run) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if is_of_a_run(c) {
            run.push(c);
            continue;
        }
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        // What a page shows beside a link is six digits.
        let is_drawn = (run.len() >= 22 && digits > 0) || (run.len() == 6 && digits == 6);
        plain.push_str(if is_drawn { "DRAWN" } else { &run });
        run.clear();
        plain.push(c);
    }
    plain
}

fn filled<'a>(fields: &[(&'a str, &'a str)], name: &'a str) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(field, value)| (*field, if *value == "?" { name } else { *value })).collect()
}

async fn asks(spa: &Spa, (path, _, members): Ask, name: &str) -> Answer {
    let body = filled(members, name).into_iter().map(|(field, value)| (field.to_owned(), json!(value))).collect();
    spa.post(path, &serde_json::Value::Object(body)).await
}

async fn challenges(server: &TestServer, name: &str) -> Answer {
    let body = format!(
        "client_id=phone&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&username={}&password=wrong",
        name.replace('@', "%40")
    );
    let request = Request::builder().method(Method::POST).uri("/oauth2/challenge");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body));
    server.send(request.expect("a request")).await
}

#[tokio::test]
async fn s_009_no_operation_tells_whether_an_account_exists() {
    let server = server().await;
    for ask in OPERATIONS {
        let (known, unknown) = NAMES[ask.1];
        let spa = Spa::open(&server).await;
        let there = seen(&asks(&spa, *ask, known).await, known);
        let not_there = seen(&asks(&spa, *ask, unknown).await, unknown);
        assert_eq!(there, not_there, "{ask:?}");
        // And again within the minute, which is refused or the same for both.
        let there = seen(&asks(&spa, *ask, known).await, known);
        assert_eq!(there, seen(&asks(&spa, *ask, unknown).await, unknown), "{ask:?}, again");
        server.advance(Duration::from_mins(2));
    }
    let (known, unknown) = NAMES[0];
    let there = seen(&challenges(&server, known).await, known);
    assert_eq!(there.0, 400);
    assert_eq!(there, seen(&challenges(&server, unknown).await, unknown));
}

#[tokio::test]
async fn s_009_no_page_tells_whether_an_account_exists() {
    let server = server().await;
    for (button, (path, which, fields)) in FORMS {
        let mut shown = Vec::new();
        for name in [NAMES[*which].0, NAMES[*which].1] {
            let browser = Browser::new(&server);
            let page = browser.open(path).await;
            let mut form = page.page().form_of(button);
            for (field, value) in filled(fields, name) {
                form = form.fill(field, value);
            }
            shown.push(seen(&browser.submit(form).await, name));
        }
        assert_eq!(shown[0], shown[1], "{path} by {button}");
        server.advance(Duration::from_mins(2));
    }
}

/// A code that was never sent is as wrong as another.
#[tokio::test]
async fn s_032_no_code_tells_whether_an_account_exists() {
    let server = server().await;
    let (known, unknown) = NAMES[0];
    let spa = Spa::open(&server).await;
    let mut told = Vec::new();
    for name in [known, unknown] {
        let body = json!({"identifier": name, "channel": "email_code"});
        let flow = spa.post("/password-resets", &body).await.json()["flow"].clone();
        let mut answers = Vec::new();
        for number in 0..7 {
            let body =
                json!({"flow": flow, "code": format!("00000{number}"), "password": "seven quiet herons at dawn"});
            answers.push(seen(&spa.post("/password-resets/confirm", &body).await, name));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
}

/// How long something took, for one of the two.
#[derive(Default)]
struct Samples(Vec<f64>);

impl Samples {
    /// Half of them took less: what a pause of the machine does not move.
    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    /// As much as half of them lie away from the median, as a standard deviation would be.
    fn spread(&self) -> f64 {
        let median = self.median();
        1.4826 * Self(self.0.iter().map(|sample| (sample - median).abs()).collect()).median()
    }
}

/// How far the medians lie apart: in deviations of one sample, and in parts of the whole.
fn apart(samples: &[Samples; 2]) -> (f64, f64) {
    let [known, unknown] = samples;
    let pooled = f64::hypot(known.spread(), unknown.spread()) / std::f64::consts::SQRT_2;
    let off = known.median() - unknown.median();
    (off / pooled.max(1e-9), off / known.median().min(unknown.median()))
}

/// Holds the time of a name that is there against that of one that is not. Where they lie apart they are measured again: a difference that
/// is one shows each time and in one direction, while a machine that answers in steps (a write takes one turn of the disk, or two) may
/// put two medians on two steps once.
///
/// The difference of two medians of 200 samples strays by an eighth of a deviation: half of one is seen by chance once in some ten
/// thousand runs. Less than 5 % is no difference (S-025), however steady it is.
async fn measure(server: &TestServer, what: &str, ask: impl AsyncFn(usize) -> Answer) {
    const TIMES: usize = 3;
    let mut seen = Vec::new();
    for _ in 0..TIMES {
        let samples = sample(server, what, &ask).await;
        let (off, part) = apart(&samples);
        let [known, unknown] = samples.each_ref().map(|samples| samples.median() * 1e3);
        let told = format!("{known:.2} ms and {unknown:.2} ms: {off:+.2} deviations, {:+.1} %", part * 100.0);
        println!("{what}: {told}");
        seen.push((off, told));
        let one_way = seen.iter().all(|(other, _)| other.is_sign_positive() == off.is_sign_positive());
        if off.abs() < 0.5 || part.abs() < 0.05 || !one_way {
            return;
        }
    }
    panic!("{what}: {seen:?}");
}

/// Asks by turns for the one and for the other. Whatever slows the machine slows both; who goes first has the cold caches, and that is
/// either as often.
async fn sample(server: &TestServer, what: &str, ask: &impl AsyncFn(usize) -> Answer) -> [Samples; 2] {
    const SAMPLES: usize = 200;
    const WARM_UP: usize = 10;
    let mut samples = [Samples::default(), Samples::default()];
    for sample in 0..SAMPLES + WARM_UP {
        for which in if sample % 2 == 0 { [0, 1] } else { [1, 0] } {
            let began = Instant::now();
            let answer = ask(which).await;
            let took = began.elapsed().as_secs_f64();
            assert!(!answer.status.is_server_error() && answer.status.as_u16() != 429, "{what}: {answer}");
            if sample >= WARM_UP {
                samples[which].0.push(took);
            }
        }
        server.advance(Duration::from_mins(2));
    }
    samples
}

#[test]
fn samples_are_held_against_each_other_by_their_medians() {
    let around = |middle: f64| Samples((0..200).map(|n| middle + f64::from(n % 21) - 10.0).collect());
    let (off, part) = apart(&[around(100.0), around(100.0)]);
    assert!(off.abs() < 1e-9 && part.abs() < 1e-9);
    let (off, part) = apart(&[around(110.0), around(100.0)]);
    assert!((1.0..2.0).contains(&off) && (part - 0.1).abs() < 1e-9, "{off} {part}");
    let mut paused = around(100.0);
    paused.0.extend([1e6; 5]);
    let (off, _) = apart(&[paused, around(100.0)]);
    assert!(off.abs() < 0.2, "a pause of the machine moves nothing: {off}");
}

#[tokio::test]
#[ignore = "measures time for some minutes: tests/all faults"]
async fn s_025_whoever_asks_it_takes_the_same_time() {
    let server = server().await;
    let spa = Spa::open(&server).await;
    for ask in OPERATIONS.iter().chain(BEGINNINGS) {
        let names = NAMES[ask.1];
        let asking = async |which: usize| asks(&spa, *ask, [names.0, names.1][which]).await;
        measure(&server, &format!("{} {:?}", ask.0, ask.2), asking).await;
    }
    let names = NAMES[0];
    measure(&server, "/oauth2/challenge", async |which| challenges(&server, [names.0, names.1][which]).await).await;
}

/// Where an account waits for its link, one is made for who has none.
#[tokio::test]
#[ignore = "measures time for some minutes: tests/all faults"]
async fn s_009_an_account_that_waits_for_its_link_takes_no_longer() {
    let server = server_with(|config| config.registration.mode = SignUp::Link).await;
    let spa = Spa::open(&server).await;
    for members in [&[("email", "?")][..], &[("email", "?"), ("password", PASSWORD)]] {
        let asks =
            async |which: usize| asks(&spa, ("/registrations", 0, members), [NAMES[0].0, NAMES[0].1][which]).await;
        measure(&server, &format!("/registrations by link {members:?}"), asks).await;
    }
}

#[tokio::test]
#[ignore = "measures time for some minutes: tests/all faults"]
async fn s_009_whoever_asks_on_a_page_it_takes_the_same_time() {
    let server = server().await;
    for (button, (path, which_names, fields)) in FORMS {
        let names = NAMES[*which_names];
        let browser = Browser::new(&server);
        let page = browser.open(path).await;
        let sends = async |which: usize| {
            let mut form = page.page().form_of(button);
            for (field, value) in filled(fields, [names.0, names.1][which]) {
                form = form.fill(field, value);
            }
            browser.post(&form.action, &form.fields).await
        };
        measure(&server, &format!("{path} by {button}"), sends).await;
    }
}

/// Somebody who is signed in asks for the address of somebody else, or for one that is free.
#[tokio::test]
#[ignore = "measures time for some minutes: tests/all faults"]
async fn s_116_an_address_that_is_taken_takes_as_long_as_one_that_is_free() {
    let long = |config: &mut Config| config.session.step_up_lifetime = Duration::from_hours(23);
    let server = TestServer::with(Setup { configure: long, ..Setup::default() }).await;
    let spa = Spa::signed_in(&server, "bob").await;
    let names = NAMES[0];
    for (path, field) in [("/me/email-changes", "new_email"), ("/me/emails", "email")] {
        let asks = async |which: usize| {
            let name = [names.0, names.1][which];
            spa.post(path, &json!({field: name})).await
        };
        measure(&server, path, asks).await;
    }
}
