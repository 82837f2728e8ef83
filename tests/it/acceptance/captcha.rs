//! Captchas: S-127.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use symbolon::authn::captcha::Demand;
use symbolon::authn::limit::Rule;
use symbolon::config::Config;
use symbolon::config::captcha::Provider;
use symbolon::config::secret::SecretSource;
use symbolon::protocol::secret::Secret;

use super::first_party::app;
use crate::support::answer::{code, fields};
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

fn always(config: &mut Config) {
    config.captcha.sign_in = Demand::Always;
    config.captcha.difficulty = 1_000;
}

async fn with(configure: fn(&mut Config)) -> TestServer {
    TestServer::with(Setup { configure, ..Setup::default() }).await
}

/// Finds the number, as a browser's script does.
fn solve(challenge: &Value) -> String {
    let text = |name: &str| challenge[name].as_str().expect("a text").to_owned();
    let hash = |number: u64| {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{}{number}", text("salt")).as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let most = challenge["maxnumber"].as_u64().expect("a number");
    let number = (0..=most).find(|number| hash(*number) == text("challenge")).expect("it can be solved");
    let answer = json!({
        "algorithm": "SHA-256", "challenge": text("challenge"), "number": number, "salt": text("salt"),
        "signature": text("signature"),
    });
    STANDARD.encode(answer.to_string())
}

async fn sign_in(spa: &Spa, password: &str, captcha: Option<&str>) -> Answer {
    let mut body = json!({"method": "password", "identifier": "alice", "password": password});
    if let Some(captcha) = captcha {
        body["captcha"] = captcha.into();
    }
    spa.post("/sign-in", &body).await
}

#[tokio::test]
async fn s_127_the_built_in_captcha_is_asked_for_and_solved_once() {
    let server = with(always).await;
    let spa = Spa::open(&server).await;
    let options = spa.get("/sign-in/options").await.ok();
    assert_eq!(
        options["captcha"],
        json!({"provider": "proof_of_work", "sign_in": "always", "registration": "off", "recovery": "off"})
    );
    assert_eq!(fields(&sign_in(&spa, PASSWORD, None).await), ["captcha captcha_required"]);
    assert_eq!(fields(&sign_in(&spa, PASSWORD, Some("nonsense")).await), ["captcha captcha_invalid"]);
    let solved = solve(&spa.get("/captcha").await.ok());
    assert_eq!(sign_in(&spa, PASSWORD, Some(&solved)).await.ok()["status"], "complete");
    let again = Spa::open(&server).await;
    assert_eq!(fields(&sign_in(&again, PASSWORD, Some(&solved)).await), ["captcha captcha_invalid"], "it counts once");
    let late = solve(&again.get("/captcha").await.ok());
    server.advance(std::time::Duration::from_mins(21));
    let again = Spa::open(&server).await;
    assert_eq!(
        fields(&sign_in(&again, PASSWORD, Some(&late)).await),
        ["captcha captcha_invalid"],
        "for twenty minutes"
    );
}

#[tokio::test]
async fn s_127_the_adaptive_one_asks_after_three_failures() {
    fn adaptive(config: &mut Config) {
        config.captcha.sign_in = Demand::Adaptive;
        config.captcha.difficulty = 1_000;
    }
    let server = with(adaptive).await;
    let spa = Spa::open(&server).await;
    for _ in 0..3 {
        assert_eq!(code(&sign_in(&spa, "wrong", None).await), "401 invalid_credentials");
    }
    assert_eq!(fields(&sign_in(&spa, PASSWORD, None).await), ["captcha captcha_required"]);
    let solved = solve(&spa.get("/captcha").await.ok());
    assert_eq!(sign_in(&spa, PASSWORD, Some(&solved)).await.ok()["status"], "complete");
}

#[tokio::test]
async fn s_127_the_page_carries_a_challenge_and_asks_for_its_answer() {
    let server = with(always).await;
    let browser = Browser::new(&server);
    let page = browser.open("/sign-in").await;
    let challenge = page.page().attribute("captcha-challenge", "data-captcha").to_owned();
    let form = || page.page().form_of("login-submit").fill("login", "alice").fill("password", PASSWORD);
    let refused = browser.submit(form()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.page().heading().contains("robot"), "{refused}");
    let solved = solve(&serde_json::from_str(&challenge).expect("JSON"));
    let answer = browser.submit(form().fill("captcha", &solved)).await;
    assert!(answer.page().has("sign-out"), "{answer}");
}

/// What begins something, or tries a password, asks: no route beside the page is a way around it.
#[test]
fn s_127_each_route_that_begins_something_asks() {
    let asks = |path: &str| symbolon::http::captcha::place(path).is_some();
    let exempt = |path: &str| symbolon::http::captcha::EXEMPT.iter().any(|(route, _)| *route == path);
    let begins = |rule: &Rule| matches!(rule, Rule::SignIn | Rule::Registration | Rule::PasswordReset);
    for (path, rules) in symbolon::http::rate_limit::ROUTES.iter().filter(|(_, rules)| rules.iter().any(begins)) {
        assert!(asks(path) != exempt(path), "{path} is counted by {rules:?}: it asks, or a reason says why not");
    }
    for (path, reason) in symbolon::http::captcha::EXEMPT {
        let is_counted = symbolon::http::rate_limit::rules(path).iter().any(begins);
        assert!(is_counted && !reason.is_empty(), "{path} needs no exception");
    }
}

/// A way to a session that gives tokens at once is a sign-in as any other.
#[tokio::test]
async fn s_127_tokens_in_one_call_are_no_way_around_it() {
    fn adaptive(config: &mut Config) {
        config.captcha.sign_in = Demand::Adaptive;
        config.captcha.difficulty = 1_000;
    }
    let server = with(adaptive).await;
    let mut client = app("phone");
    client.policy.direct_tokens = true;
    RelyingParty::of(&server, client).await;
    let tokens = async |password: &str, captcha: Option<&str>| {
        let mut body = json!({"client_id": "phone", "method": "password", "identifier": "alice", "password": password});
        if let Some(captcha) = captcha {
            body["captcha"] = captcha.into();
        }
        server.json((http::Method::POST, "/api/v1/tokens"), &body, None).await
    };
    for _ in 0..3 {
        assert_eq!(code(&tokens("wrong", None).await), "401 invalid_credentials");
    }
    assert_eq!(fields(&tokens(PASSWORD, None).await), ["captcha captcha_required"]);
    let spa = Spa::open(&server).await;
    assert_eq!(fields(&sign_in(&spa, PASSWORD, None).await), ["captcha captcha_required"], "one count for all of it");
    let solved = solve(&spa.get("/captcha").await.ok());
    assert!(tokens(PASSWORD, Some(&solved)).await.ok()["access_token"].is_string());
    let openapi = spa.get("/openapi.json").await.ok();
    let described = &openapi["paths"]["/api/v1/tokens"]["post"];
    let schema = described["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().expect("a schema");
    let name = schema.rsplit('/').next().expect("a name");
    assert_eq!(openapi["components"]["schemas"][name]["properties"]["captcha"]["type"], "string");
}

/// The page that `path` is, its button, and what is typed there.
async fn asks_and_takes(server: &TestServer, (path, button): (&str, &str), typed: &[(&str, &str)]) -> Answer {
    let browser = Browser::new(server);
    let page = browser.open(path).await;
    let challenge = page.page().attribute("captcha-challenge", "data-captcha").to_owned();
    let form = || typed.iter().fold(page.page().form_of(button), |form, (name, value)| form.fill(name, value));
    let refused = browser.submit(form()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {refused}");
    assert!(refused.page().heading().contains("robot"), "{path}: {refused}");
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty(), "{path}: nothing is sent");
    let solved = solve(&serde_json::from_str(&challenge).expect("JSON"));
    browser.submit(form().fill("captcha", &solved)).await
}

#[tokio::test]
async fn s_127_pages_that_send_codes_and_links_ask() {
    for (path, login) in [
        ("/sign-in/email_code", "alice@example.com"),
        ("/sign-in/sms_code", "+493090182001"),
        ("/sign-in/magic_link", "alice@example.com"),
    ] {
        let server = with(always).await;
        let answer = asks_and_takes(&server, (path, "send-code-submit"), &[("login", login)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer}");
        server.deliver().await;
        assert_eq!(server.mailbox().to(login).len(), 1, "{path}");
    }
}

#[tokio::test]
async fn s_127_registration_asks_on_its_page_and_in_the_api() {
    fn registering(config: &mut Config) {
        config.captcha.registration = Demand::Always;
        config.captcha.difficulty = 1_000;
    }
    let server = with(registering).await;
    let typed = [("email", "carol@example.net"), ("password", PASSWORD)];
    let answer = asks_and_takes(&server, ("/register", "register-submit"), &typed).await;
    assert!(answer.page().has("code-submit"), "{answer}");
    let spa = Spa::open(&server).await;
    let mut body = json!({"email": "dave@example.net", "password": PASSWORD});
    assert_eq!(fields(&spa.post("/registrations", &body).await), ["captcha captcha_required"]);
    body["captcha"] = solve(&spa.get("/captcha").await.ok()).into();
    assert_eq!(spa.post("/registrations", &body).await.status, StatusCode::ACCEPTED);
    assert_eq!(sign_in(&spa, PASSWORD, None).await.ok()["status"], "complete", "a sign-in does not ask");
}

/// Where answers are the same for everybody each question counts.
#[tokio::test]
async fn s_127_recovery_asks_on_its_pages_and_in_the_api() {
    fn recovering(config: &mut Config) {
        config.captcha.recovery = Demand::Always;
        config.captcha.difficulty = 1_000;
    }
    let server = with(recovering).await;
    let answer = asks_and_takes(&server, ("/recover", "recover-submit"), &[("login", "alice@example.com")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let server = with(recovering).await;
    let answer = asks_and_takes(&server, ("/recover/email", "recover-submit"), &[("login", "+493090182001")]).await;
    assert!(answer.page().has("code-submit"), "{answer}");

    let server = with(|config| {
        config.captcha.recovery = Demand::Adaptive;
        config.captcha.difficulty = 1_000;
    })
    .await;
    let spa = Spa::open(&server).await;
    for number in 0..3 {
        let body = json!({"identifier": format!("nobody-{number}@example.net")});
        assert_eq!(spa.post("/password-resets", &body).await.status, StatusCode::ACCEPTED);
    }
    for (path, body) in [
        ("/password-resets", json!({"identifier": "alice@example.com"})),
        ("/recovery/emails", json!({"phone": "+493090182001"})),
    ] {
        assert_eq!(fields(&spa.post(path, &body).await), ["captcha captcha_required"], "{path}");
        let mut solved = body;
        solved["captcha"] = solve(&spa.get("/captcha").await.ok()).into();
        assert_eq!(spa.post(path, &solved).await.status, StatusCode::ACCEPTED, "{path}");
    }
}

#[tokio::test]
async fn s_127_services_are_asked_at_their_documented_endpoints() {
    fn service(provider: Provider) -> impl Fn(&mut Config) {
        move |config| {
            config.captcha.provider = provider;
            config.captcha.site_key = Some("our-site".to_owned());
            config.captcha.secret = Some(SecretSource::Value(Secret::from("our-secret")));
            config.captcha.sign_in = Demand::Always;
        }
    }
    for (configure, name, endpoint) in [
        (
            (|config| service(Provider::Recaptcha)(config)) as fn(&mut Config),
            "recaptcha",
            "https://www.google.com/recaptcha/api/siteverify",
        ),
        (|config| service(Provider::Hcaptcha)(config), "hcaptcha", "https://api.hcaptcha.com/siteverify"),
        (
            |config| service(Provider::Turnstile)(config),
            "turnstile",
            "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        ),
    ] {
        let server = with(configure).await;
        let spa = Spa::open(&server).await;
        let options = spa.get("/sign-in/options").await.ok();
        assert_eq!(
            (&options["captcha"]["provider"], &options["captcha"]["site_key"]),
            (&json!(name), &json!("our-site"))
        );
        assert_eq!(code(&spa.get("/captcha").await), "404 not_found");
        assert_eq!(code(&sign_in(&spa, PASSWORD, Some("token")).await), "503 unavailable", "nobody answers");
        server.web.publish(endpoint, r#"{"success": false, "error-codes": ["timeout-or-duplicate"]}"#);
        assert_eq!(fields(&sign_in(&spa, PASSWORD, Some("token")).await), ["captcha captcha_invalid"]);
        server.web.publish(endpoint, r#"{"success": false, "error-codes": ["invalid-input-secret"]}"#);
        assert_eq!(code(&sign_in(&spa, PASSWORD, Some("token")).await), "503 unavailable", "our fault");
        server.web.publish(endpoint, r#"{"success": true, "hostname": "id.example"}"#);
        assert_eq!(sign_in(&spa, PASSWORD, Some("token")).await.ok()["status"], "complete");
        let page = Browser::new(&server).open("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-src https://") && !policy.contains("unsafe"), "{policy}");
    }
}
