//! Pages that are switched off: S-181.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::json;
use symbolon::account::settings::SignUp;
use symbolon::config::Config;

use crate::acceptance::admin::Admin;
use crate::support::answer::code;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::stand_in::StandIn;
use crate::support::{Browser, RelyingParty, TestServer};

/// The pages of each switch.
const PAGES: &[(&str, &[&str])] = &[
    ("login", &[]),
    ("logout", &[]),
    ("validate", &[]),
    ("tokens", &[]),
    ("register", &["/register", "/register/code"]),
    ("activate", &["/activate"]),
    ("reset_mail", &["/recover", "/recover/code"]),
    ("reset", &["/recover/password", "/recover", "/recover/code"]),
    ("recovery", &["/recover/email", "/recover/email/code"]),
    ("otp", &["/sign-in/email_code", "/sign-in/sms_code"]),
    ("magic", &["/sign-in/magic_link", "/sign-in/magic"]),
    ("qr", &["/sign-in/qr", "/sign-in/qr/state"]),
    (
        "social",
        &[
            "/federation/connect",
            "/federation/done",
            "/federation/google/start",
            "/federation/google/callback",
            "/federation/google/backchannel-logout",
            "/account/identities",
            "/account/identities/google/connect",
        ],
    ),
    ("invitations", &["/invitation", "/account/invitations"]),
    (
        "me",
        &[
            "/account/profile",
            "/account/profile/picture",
            "/account/contacts",
            "/account/password",
            "/account/data",
            "/account/apps",
            "/account/sessions",
            "/account/sessions/end-others",
            "/account/history",
            "/account/export",
            "/email-change",
            "/.well-known/change-password",
        ],
    ),
    ("mfa", &["/account/security", "/sign-in/passkey/offer", "/.well-known/passkey-endpoints"]),
    ("admin", &["/admin", "/admin/messages"]),
];

async fn without(group: &str) -> TestServer {
    TestServer::configured(Setup::default(), |config| {
        let mut set = serde_json::to_value(&config.endpoints).expect("JSON");
        set[group] = json!(false);
        config.endpoints = serde_json::from_value(set).expect("switches");
    })
    .await
}

/// Every path of this server that links and forms lead to, from page to page.
async fn reached(browser: &Browser) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut ahead: Vec<String> = ["/", "/sign-in", "/account"].map(str::to_owned).to_vec();
    while let Some(target) = ahead.pop() {
        let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
        if !seen.insert(path.clone()) || path.starts_with("/docs/") || path.ends_with("/start") {
            continue;
        }
        let answer = browser.open(&target).await;
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "somebody is led to {target}");
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let page = answer.page();
        ahead.extend(page.attributes("a[href]", "href").into_iter().filter(|target| target.starts_with('/')));
        let forms =
            page.attributes("form[action]", "action").into_iter().chain(page.attributes("[formaction]", "formaction"));
        seen.extend(forms.map(|target| target.split('?').next().unwrap_or_default().to_owned()));
    }
    seen
}

/// Whether somebody is led to `path`, or to what is below it.
fn leads(reached: &BTreeSet<String>, path: &str) -> bool {
    reached.iter().any(|seen| seen == path || seen.starts_with(&format!("{path}/")) && path.matches('/').count() > 1)
}

/// Each switch by itself: its pages answer as any that there never was, and no other leads there.
#[tokio::test]
async fn s_181_pages_of_what_is_switched_off_are_nowhere() {
    let switches = serde_json::to_value(symbolon::config::endpoints::Endpoints::default()).expect("JSON");
    let known: BTreeSet<&str> = PAGES.iter().map(|(group, _)| *group).collect();
    let every: BTreeSet<&str> = switches.as_object().expect("switches").keys().map(String::as_str).collect();
    assert_eq!(known, every, "each switch says which pages it has");

    let whole = TestServer::start().await;
    StandIn::google(&whole).await;
    let mut all = reached(&Browser::signed_in(&whole, "ada").await).await;
    all.extend(reached(&Browser::new(&whole)).await);
    for path in
        ["/register", "/recover", "/recover/email", "/sign-in/email_code", "/sign-in/qr", "/account/history", "/admin"]
    {
        assert!(all.contains(path), "{path}: {all:?}");
    }
    assert!(all.contains("/federation/google/start") && all.contains("/account/identities/google/connect"), "{all:?}");

    for (group, pages) in PAGES.iter().filter(|(_, pages)| !pages.is_empty()) {
        let server = without(group).await;
        StandIn::google(&server).await;
        let ada = Browser::signed_in(&server, "ada").await;
        let unknown = ada.get("/nothing").await;
        for path in *pages {
            for browser in [&ada, &Browser::new(&server)] {
                for answer in [browser.get(path).await, browser.post(path, &[]).await] {
                    assert_eq!(
                        (answer.status, answer.page().heading()),
                        (unknown.status, unknown.page().heading()),
                        "{path}"
                    );
                }
            }
        }
        for seen in [reached(&ada).await, reached(&Browser::new(&server)).await] {
            let led: Vec<&&str> = pages.iter().filter(|path| leads(&seen, path)).collect();
            assert!(led.is_empty(), "{group}: {led:?} of {seen:?}");
        }
        // What others have goes on: of each, its first page.
        for (other, pages) in PAGES.iter().filter(|(other, _)| other != group) {
            let Some(first) = pages.first() else { continue };
            let goes_with = *group == "reset" && *other == "reset_mail";
            let is_there = ada.get(first).await.status != StatusCode::NOT_FOUND;
            assert_eq!(is_there, !goes_with, "{first} without {group}");
        }
    }
}

/// Apps lead people to the sign-in page: it stays when the API signs nobody in.
#[tokio::test]
async fn s_181_the_sign_in_page_stays_when_the_api_signs_nobody_in() {
    let server = without("login").await;
    let shop = RelyingParty::web(&server, "shop").await;
    let tokens = shop.tokens(&Browser::new(&server), "alice", "openid").await;
    assert!(tokens["access_token"].is_string(), "{tokens}");
}

/// The app is told, and no person meets a page that is not there.
#[tokio::test]
async fn s_181_an_app_that_wants_an_account_made_is_told_that_nobody_registers() {
    let server = without("register").await;
    let shop = RelyingParty::web(&server, "shop").await;
    let exchange = shop.begin("openid").with("prompt", "create");
    let answer = Browser::new(&server).begin(&exchange).await;
    assert!(answer.location().contains("error=access_denied"), "{answer}");
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert!(!metadata["prompt_values_supported"].to_string().contains("create"));
}

/// A mail says nothing that leads nowhere: what would send one goes with what its link leads to.
#[tokio::test]
async fn s_181_no_mail_leads_to_what_is_switched_off() {
    let by_link = |config: &mut Config| {
        config.registration.mode = SignUp::Link;
        config.endpoints.activate = false;
        config.endpoints.reset = false;
        config.endpoints.invitations = false;
    };
    let server = TestServer::configured(Setup::default(), by_link).await;
    let spa = Spa::open(&server).await;
    let carol = json!({"email": "carol@example.net", "password": PASSWORD});
    let asked = json!({"identifier": "alice@example.com"});
    for (path, body) in [("/registrations", carol), ("/password-resets", asked)] {
        assert_eq!(spa.post(path, &body).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let switches = spa.get("/sign-in/options").await.ok()["switches"].clone();
    assert_eq!((&switches["register"], &switches["reset_mail"]), (&json!(false), &json!(false)));
    let admin = Admin::owner(&server).await;
    let made = json!({"email": "dave@example.net"});
    admin.post("/users", &made).await.of(StatusCode::CREATED);
    assert_eq!(code(&admin.post("/invitations", &made).await), "403 invite_not_allowed");
    server.deliver().await;
    assert!(server.mailbox().messages().is_empty());
}
