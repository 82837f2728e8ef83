//! Signing in by an account elsewhere: S-058, S-059, S-063 to S-066, S-070, S-153 to S-155; PROTOCOL A20 to A22.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde_json::json;
use symbolon::account::settings::SignUp;
use symbolon::edge::store::Beside;
use symbolon::model::event::{Event, EventName, Outcome};
use symbolon::model::identity_provider::{IdentityProvider, ProviderSecret, ProviderSettings};
use symbolon::model::user::LookupName;
use symbolon::protocol::numeric_date::NumericDate;

use super::second_factor::with_code_app;
use crate::support::server::{PASSWORD, Setup};
use crate::support::stand_in::{self, Lie, REST, StandIn};
use crate::support::{Answer, Browser, RelyingParty, TestServer};

/// Goes to a provider from the sign-in page; returns its redirect.
pub(super) async fn leaves(browser: &Browser, slug: &str) -> Answer {
    let page = browser.open("/sign-in").await;
    leaves_from(browser, &page, slug).await
}

pub(super) async fn leaves_from(browser: &Browser, page: &Answer, slug: &str) -> Answer {
    let start = page.page().attribute(&format!("provider-{slug}"), "href").to_owned();
    browser.get(&start).await
}

/// There and back; what is left is a page, or the redirect to an app.
pub(super) async fn signs_in(browser: &Browser, there: &StandIn, slug: &str) -> Answer {
    let redirect = leaves(browser, slug).await;
    browser.open(&there.visit(&redirect)).await
}

pub(super) async fn events(server: &TestServer) -> Vec<Event> {
    server.settled().await;
    server.store().latest_events(50).await.expect("read")
}

/// Why nobody came of the latest attempt, as it was written down.
async fn refusal(server: &TestServer) -> String {
    let events = events(server).await;
    let failed = events.iter().find(|event| event.name == EventName::SignIn && event.outcome == Outcome::Failure);
    let failed = failed.expect("a failure was written down");
    assert_eq!(failed.details["method"], "upstream");
    failed.details["reason"].as_str().expect("a reason").to_owned()
}

async fn is_known(server: &TestServer, address: &str) -> bool {
    let name = LookupName::parse(address).expect("a name");
    server.store().user_by_name(&name).await.expect("read").is_some()
}

pub(super) async fn changed(server: &TestServer, slug: &str, change: impl FnOnce(&mut IdentityProvider)) {
    let provider = server.store().identity_provider(slug).await.expect("read").expect("there");
    let mut provider = provider.as_ref().clone();
    change(&mut provider);
    assert!(server.store().update_identity_provider(&provider, Beside::default()).await.expect("changed"));
}

#[tokio::test]
async fn s_058_providers_that_are_offered_have_a_button() {
    let server = TestServer::start().await;
    let alice = Browser::new(&server);
    assert!(!alice.open("/sign-in").await.page().has("providers"), "nothing is offered yet");
    StandIn::google(&server).await;
    StandIn::corp(&server, |settings| settings.label = Some("Corp <b>".to_owned())).await;
    let page = alice.open("/sign-in").await.page();
    assert_eq!(page.words("#provider-google"), "Continue with Google");
    assert_eq!(page.words("#provider-corp"), "Continue with Corp <b>");
    assert_eq!(alice.get("/federation/nobody/start").await.status, 404);
}

#[tokio::test]
async fn s_155_what_is_switched_off_is_gone_at_once() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let alice = Browser::new(&server);
    let redirect = leaves(&alice, "google").await;
    changed(&server, "google", |provider| provider.disabled_at = Some(NumericDate::from_seconds(1))).await;
    assert!(!alice.open("/sign-in").await.page().has("provider-google"));
    let start = alice.get("/federation/google/start").await.of(StatusCode::NOT_FOUND);
    assert_eq!(start.page().heading(), "There is no such way to sign in");
    alice.open(&google.visit(&redirect)).await.of(StatusCode::NOT_FOUND);
    assert_eq!(alice.cookie("symbolon_session"), None);
}

#[tokio::test]
async fn s_059_google_there_and_back_into_the_app() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let carol = Browser::new(&server);
    let exchange = shop.begin("openid email profile");
    let page = carol.begin(&exchange).await;
    let redirect = leaves_from(&carol, &page, "google").await;
    let url = redirect.location().to_owned();
    for part in ["https://accounts.google.com/o/oauth2/v2/auth?", "state=", "nonce=", "code_challenge_method=S256"] {
        assert!(url.contains(part), "{part}: {url}");
    }
    assert!(url.contains("redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Ffederation%2Fgoogle%2Fcallback"), "{url}");
    let consent = carol.open(&google.visit(&redirect)).await;
    let answer = carol.finish(consent, "").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &answer)).await.ok();
    let id_token = shop.verified(tokens["id_token"].as_str().expect("a token")).await;
    assert_eq!(json!([id_token["amr"], id_token["acr"]]), json!([["fed"], "urn:symbolon:acr:1"]));
    let person = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!(
        json!([person["email"], person["email_verified"], person["name"], person["given_name"]]),
        json!(["carol@gmail.com", true, "Carol Danvers", "Carol"])
    );
    assert_ne!(person["sub"], "110248495921238986420", "who she is there is nobody's business");

    // The next time she is known by (issuer, sub), whatever her address is.
    google.person(json!({"sub": "110248495921238986420", "email": "danvers@gmail.com", "email_verified": true}));
    let again = Browser::new(&server);
    let account = signs_in(&again, &google, "google").await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(server.user("carol@gmail.com").await.id.to_string(), person["sub"].as_str().expect("a sub"));
    assert!(!is_known(&server, "danvers@gmail.com").await);
    again.press(&account, "sign-out").await;
    assert_eq!(again.open("/sign-in").await.page().words("#provider-last"), "Last used");
}

#[tokio::test]
async fn s_059_a_hint_goes_past_the_page() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let carol = Browser::new(&server);
    let exchange = shop.begin("openid").with("idp_hint", "google").with("login_hint", "carol@gmail.com");
    let redirect = carol.begin(&exchange).await;
    assert!(redirect.location().contains("login_hint=carol%40gmail.com"), "{redirect}");
    let consent = carol.open(&google.visit(&redirect)).await;
    shop.code(&exchange, &carol.finish(consent, "").await);
    // Whom nobody knows is offered the page.
    let exchange = shop.begin("openid").with("idp_hint", "nobody").with("prompt", "login");
    assert!(carol.begin(&exchange).await.page().has("login-submit"));
    // A sign-in that must be new is new there, too: so not at one that does not say when it asked.
    StandIn::corp(&server, |_| ()).await;
    for (hint, is_led) in [("corp", true), ("google", false)] {
        let exchange = shop.begin("openid").with("idp_hint", hint).with("prompt", "login");
        let answer = carol.begin(&exchange).await;
        assert_eq!(answer.header("location").contains("prompt=login"), is_led, "{answer}");
        assert_eq!(answer.status == 200, !is_led, "the page offers what is left: {answer}");
    }
}

/// PROTOCOL A21: `state` is of this browser and good once.
#[tokio::test]
async fn s_059_a_return_that_was_not_begun_here_is_refused() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let carol = Browser::new(&server);
    let back = google.visit(&leaves(&carol, "google").await);
    let refused = async |browser: &Browser, target: &str| {
        let answer = browser.get(target).await.of(StatusCode::BAD_REQUEST);
        assert_eq!(answer.page().heading(), "This sign-in did not begin here");
        assert_eq!(answer.page().way_back(), "/sign-in");
        assert_eq!(browser.cookie("symbolon_session"), None);
    };
    let mallory = Browser::new(&server);
    mallory.open("/sign-in").await;
    refused(&mallory, &back).await;
    refused(&carol, "/federation/google/callback?code=4/0A").await;
    refused(&carol, "/federation/google/callback?state=x&code=4/0A").await;
    StandIn::corp(&server, |_| ()).await;
    refused(&carol, &back.replace("google", "corp")).await;
    assert_eq!(refusal(&server).await, "state");
    let account = carol.open(&back).await;
    assert!(account.page().has("sign-out"), "what others tried took nothing from her: {account}");
    carol.press(&account, "sign-out").await;
    refused(&carol, &back).await;

    let late = google.visit(&leaves(&carol, "google").await);
    server.advance(Duration::from_mins(15));
    refused(&carol, &late).await;
}

/// A form of another site brings no cookies of ours.
#[tokio::test]
async fn s_059_an_answer_may_come_as_a_form_of_another_site() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["*".to_owned()]).await;
    let carol = Browser::new(&server);
    let (url, answer) = corp.agree(leaves(&carol, "corp").await.location());
    assert!(url.contains("code="), "{url}");
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&answer).finish();
    let form = |body: &str| {
        let form = Request::builder().method(Method::POST).uri("/federation/corp/callback");
        let form =
            form.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header("sec-fetch-site", "cross-site");
        form.header("origin", "https://idp.corp.example").body(body.to_owned().into()).expect("a request")
    };
    let aside = server.send(form(&body)).await;
    assert!(!aside.location().contains("4/0A"), "a code stands in no URL: {aside}");
    let account = carol.open(aside.location()).await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(carol.get(aside.location()).await.status, 400, "once");
    server.send(form("state=nobody&code=x")).await.of(StatusCode::BAD_REQUEST);
}

/// PROTOCOL A20, A21: each lie gets the same neutral page, opens nothing and is written down.
#[tokio::test]
async fn s_059_a_provider_that_lies_is_not_believed() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let now = server.clock.seconds();
    for (lie, reason) in [
        (Lie::Claims(json!({"iss": "https://evil.example"})), "untrue"),
        (Lie::Claims(json!({"iss": null})), "untrue"),
        (Lie::Claims(json!({"aud": "another-app"})), "untrue"),
        (Lie::Claims(json!({"aud": [stand_in::CLIENT_ID, "another-app"]})), "untrue"),
        (Lie::Claims(json!({"aud": null})), "untrue"),
        (Lie::Claims(json!({"azp": "another-app"})), "untrue"),
        (Lie::Claims(json!({"nonce": "of-another-sign-in"})), "untrue"),
        (Lie::Claims(json!({"nonce": null})), "untrue"),
        (Lie::Claims(json!({"exp": now - 61})), "untrue"),
        (Lie::Claims(json!({"exp": "tomorrow"})), "untrue"),
        (Lie::Claims(json!({"iat": now + 3_600})), "untrue"),
        (Lie::Claims(json!({"sub": null})), "untrue"),
        (Lie::Claims(json!({"sub": ""})), "untrue"),
        (Lie::Unsigned, "untrue"),
        (Lie::SignedWithPublicKey, "untrue"),
        (Lie::SignedByAnother, "untrue"),
        (Lie::Redirect("http://169.254.169.254/latest/meta-data"), "untrue"),
        (Lie::Huge, "untrue"),
        (Lie::Refuses, "refused"),
        (Lie::Slow, "unreachable"),
        (Lie::Down, "unreachable"),
    ] {
        let told = format!("{lie:?}");
        let carol = Browser::new(&server);
        google.lies(Lie::None);
        server.advance(Duration::from_secs(1));
        let back = google.visit(&leaves(&carol, "google").await);
        google.lies(lie);
        let page = carol.open(&back).await;
        let expected = if reason == "unreachable" { 503 } else { 400 };
        assert_eq!(page.status, expected, "{told}: {page}");
        assert_eq!(page.page().heading(), "That did not work", "{told}");
        assert!(!page.text().contains("Alice has lapsed"), "what it says is not repeated");
        assert_eq!(carol.cookie("symbolon_session"), None, "{told}");
        assert_eq!(refusal(&server).await, reason, "{told}");
        let again = carol.open(page.page().way_back()).await;
        assert!(again.page().has("login-submit"), "another way is open: {told}");
    }
    assert!(!is_known(&server, "carol@gmail.com").await, "nothing of it left an account");
    google.lies(Lie::None);
    assert!(signs_in(&Browser::new(&server), &google, "google").await.page().has("sign-out"));
}

#[tokio::test]
async fn s_059_the_words_of_a_provider_are_not_repeated() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let carol = Browser::new(&server);
    for (error, status, heading) in [
        ("access_denied", 403, "You were not signed in"),
        ("server_error", 400, "That did not work"),
        ("%3Cscript%3E", 400, "That did not work"),
    ] {
        let back = google.visit(&leaves(&carol, "google").await);
        let (path, query) = back.split_once('?').expect("a query");
        let state = query.split('&').find(|pair| pair.starts_with("state=")).expect("a state");
        let words = "error_description=Call+0900-EVIL&error_uri=https%3A%2F%2Fevil.example";
        let page = carol.open(&format!("{path}?{state}&error={error}&{words}")).await;
        assert_eq!((page.status.as_u16(), page.page().heading().as_str()), (status, heading));
        assert!(!page.text().contains("EVIL") && !page.text().contains("evil.example"), "{page}");
        carol.get(&back).await.of(StatusCode::BAD_REQUEST);
    }
}

/// RFC 9207: whoever says that its answers name it is held to that.
#[tokio::test]
async fn s_059_an_answer_names_who_it_is_of() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["*".to_owned()]).await;
    corp.states("authorization_response_iss_parameter_supported", json!(true));
    let carol = Browser::new(&server);
    for (iss, good) in
        [("", false), ("&iss=https%3A%2F%2Fevil.example", false), ("&iss=https%3A%2F%2Fidp.corp.example", true)]
    {
        let back = corp.visit(&leaves(&carol, "corp").await);
        let page = carol.open(&format!("{back}{iss}")).await;
        assert_eq!(page.page().has("sign-out"), good, "{iss}: {page}");
    }
}

#[tokio::test]
async fn s_059_a_new_key_is_looked_for_once_and_not_too_often() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    signs_in(&Browser::new(&server), &google, "google").await;
    assert_eq!(google.asked("/oauth2/v3/certs"), 1);
    google.rotates();
    let page = signs_in(&Browser::new(&server), &google, "google").await;
    assert_eq!(page.status, 400, "keys are a moment old: whoever makes tokens up does not make us ask");
    assert_eq!(google.asked("/oauth2/v3/certs"), 1);
    server.advance(Duration::from_secs(61));
    assert!(signs_in(&Browser::new(&server), &google, "google").await.page().has("sign-out"));
    assert_eq!(google.asked("/oauth2/v3/certs"), 2);
    server.advance(Duration::from_secs(3_601));
    assert!(signs_in(&Browser::new(&server), &google, "google").await.page().has("sign-out"));
    assert_eq!(google.asked("/oauth2/v3/certs"), 3, "after an hour they are read again");
}

#[tokio::test]
async fn s_059_metadata_are_those_of_the_issuer_and_userinfo_that_of_the_person() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["gmail.com".to_owned()]).await;
    corp.lies(Lie::AnotherIssuer);
    let page = leaves(&Browser::new(&server), "corp").await;
    assert_eq!((page.status.as_u16(), refusal(&server).await.as_str()), (400, "untrue"));
    corp.lies(Lie::None);
    corp.tells_little();
    corp.lies(Lie::AnotherUserInfo);
    assert_eq!(signs_in(&Browser::new(&server), &corp, "corp").await.status, 400);
    corp.lies(Lie::None);
    let account = signs_in(&Browser::new(&server), &corp, "corp").await;
    assert!(account.page().has("sign-out"), "{account}");
    assert!(is_known(&server, "carol@gmail.com").await, "her address came by UserInfo");
}

/// PROTOCOL §3: an upstream that is down costs nobody five seconds for long, and touches nothing else.
#[tokio::test]
async fn s_059_a_provider_that_fails_rests() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let corp = StandIn::corp(&server, |_| ()).await;
    google.lies(Lie::Down);
    let carol = Browser::new(&server);
    for _ in 0..8 {
        let page = leaves(&carol, "google").await.of(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(page.page().heading(), "That did not work");
    }
    assert_eq!(google.asked("/.well-known/openid-configuration"), 5, "then it was left alone");
    assert_eq!(leaves(&carol, "corp").await.status, 303, "others go on: {}", corp.issuer);
    Browser::signed_in(&server, "alice").await;
    google.lies(Lie::None);
    server.advance(REST);
    assert!(signs_in(&carol, &google, "google").await.page().has("sign-out"));
}

#[tokio::test]
async fn s_153_a_variable_that_is_missing_stops_one_provider_only() {
    let server = TestServer::start().await;
    StandIn::google(&server).await;
    StandIn::corp(&server, |_| ()).await;
    changed(&server, "corp", |corp| {
        corp.secret = Some(ProviderSecret::Environment("SYMBOLON_TEST_NOBODY_SETS_THIS".to_owned()));
    })
    .await;
    let carol = Browser::new(&server);
    let page = carol.open("/sign-in").await.page();
    assert!(page.has("provider-google") && !page.has("provider-corp"));
    carol.get("/federation/corp/start").await.of(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(carol.get("/federation/google/start").await.status, 303);
    // A variable that is there.
    changed(&server, "corp", |corp| {
        corp.secret = Some(ProviderSecret::Environment("PATH".to_owned()));
    })
    .await;
    assert_eq!(carol.get("/federation/corp/start").await.status, 303);
}

/// S-154, S-070: neither our secret there nor a token of theirs stands in what we keep.
#[tokio::test]
async fn s_070_what_a_provider_gave_is_not_kept() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    assert!(signs_in(&Browser::new(&server), &google, "google").await.page().has("sign-out"));
    server.settled().await;
    let provider = server.store().identity_provider("google").await.expect("read").expect("there");
    let Some(ProviderSecret::Sealed(sealed)) = &provider.secret else { panic!("it is sealed") };
    assert!(!sealed.windows(8).any(|window| stand_in::SECRET.as_bytes().starts_with(window)));
    let user = server.user("carol@gmail.com").await;
    let links = server.store().upstream_links(user.id).await.expect("read");
    let kept = format!("{links:?} {user:?} {:?}", events(&server).await);
    assert!(kept.contains("110248495921238986420"), "what is kept is who she is there");
    assert!(!kept.contains("ya29") && !kept.contains("eyJ"), "{kept}");
}

/// S-063: a provider that is trusted and may connect does so, and only with a boolean.
#[tokio::test]
async fn s_063_a_trusted_provider_connects_by_a_proven_address() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| {
        settings.trust.email_domains = vec!["example.com".to_owned()];
        settings.trust.auto_link = true;
    })
    .await;
    for verified in [json!(false), json!(null), json!("true")] {
        corp.person(json!({"sub": "a-1", "email": "alice@example.com", "email_verified": verified}));
        let page = signs_in(&Browser::new(&server), &corp, "corp").await;
        assert!(page.page().has("register-submit"), "{verified}: an address is asked for: {page}");
        assert_eq!(refusal(&server).await, "unproven", "{verified}");
    }
    corp.person(json!({"sub": "a-1", "email": "alice@example.com", "email_verified": 1}));
    assert_eq!(signs_in(&Browser::new(&server), &corp, "corp").await.status, 400, "that is no claim at all");
    corp.person(json!({"sub": "a-1", "email": "Alice@Example.com", "email_verified": true}));
    let alice = Browser::new(&server);
    let account = signs_in(&alice, &corp, "corp").await;
    assert!(account.page().has("sign-out"), "{account}");
    assert_eq!(server.store().upstream_links(server.user("alice").await.id).await.expect("read").len(), 1);
    let told = events(&server).await;
    let linked = told.iter().find(|event| event.name == EventName::IdentityLinked).expect("it is told");
    assert_eq!((linked.user, &linked.details["provider"]), (Some(server.user("alice").await.id), &json!("corp")));
    // Another domain of the same provider is another matter.
    corp.person(json!({"sub": "b-2", "email": "bob@other.example", "email_verified": true}));
    assert!(signs_in(&Browser::new(&server), &corp, "corp").await.page().has("register-submit"));
}

/// S-063, PROTOCOL A20: else the account is proven first, in the same browser.
#[tokio::test]
async fn s_063_an_account_is_proven_before_it_is_connected() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |_| ()).await;
    corp.person(json!({"sub": "a-1", "email": "alice@example.com", "email_verified": true}));
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = alice.begin(&exchange).await;
    let there = leaves_from(&alice, &page, "corp").await;
    let page = alice.open(&corp.visit(&there)).await;
    assert!(page.page().words("#connects").contains("alice@example.com"), "{page}");
    assert_eq!(page.page().attribute("login", "value"), "alice@example.com");
    assert!(!page.page().has("provider-corp"), "it would come back with the same");
    assert_eq!(alice.get("/federation/connect").await.location(), "/sign-in?to=federation%2Fconnect");
    let bob = alice.sign_in(&page, "bob").await.of(StatusCode::CONFLICT);
    assert_eq!(bob.page().heading(), "That belongs to another account");

    let page = alice.open("/sign-in?to=federation/connect").await;
    let connect = alice.sign_in(&page, "alice@example.com").await;
    assert!(connect.page().words("h1").contains("Connect corp?"), "{connect}");
    let links = async || server.store().upstream_links(server.user("alice").await.id).await.expect("read");
    assert!(links().await.is_empty(), "not before she says so");
    let consent = alice.press(&connect, "connect-submit").await;
    shop.code(&exchange, &alice.finish(consent, "").await);
    assert_eq!(links().await[0].label.as_deref(), Some("alice@example.com"));

    let again = Browser::new(&server);
    assert!(signs_in(&again, &corp, "corp").await.page().has("sign-out"), "from now on it opens her account");
    assert_eq!(events(&server).await.iter().filter(|event| event.name == EventName::IdentityLinked).count(), 1);
}

#[tokio::test]
async fn s_063_who_does_not_want_to_connect_is_signed_in_all_the_same() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |_| ()).await;
    corp.person(json!({"sub": "a-1", "email": "alice@example.com", "email_verified": true}));
    let alice = Browser::new(&server);
    let page = signs_in(&alice, &corp, "corp").await;
    let connect = alice.sign_in(&page, "alice").await;
    let account = alice.press(&connect, "connect-skip").await;
    assert!(account.page().has("sign-out"), "{account}");
    let alice_id = server.user("alice").await.id;
    assert!(server.store().upstream_links(alice_id).await.expect("read").is_empty());
    assert!(alice.open("/federation/connect").await.page().has("sign-out"), "nothing waits any more");
}

/// S-063: an address that nobody vouches for is proven by a code; then the account is there and connected.
#[tokio::test]
async fn s_063_what_is_missing_is_asked_for() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |_| ()).await;
    corp.person(json!({"sub": "d-4", "email": "dora@other.example", "email_verified": true, "name": "Dora Doe"}));
    let shop = RelyingParty::web(&server, "shop").await;
    let dora = Browser::new(&server);
    let exchange = shop.begin("openid profile email");
    let page = dora.begin(&exchange).await;
    let there = leaves_from(&dora, &page, "corp").await;
    let page = dora.open(&corp.visit(&there)).await;
    assert_eq!(page.page().attribute("email", "value"), "dora@other.example");
    assert!(!page.page().has("password"), "she needs none");
    assert!(!is_known(&server, "dora@other.example").await, "nothing is kept before the address is proven");
    let page = dora.press(&page, "register-submit").await;
    server.deliver().await;
    let code = server.mailbox().code_for("dora@other.example");
    let form = page.page().form_of("code-submit").fill("code", &code);
    let consent = dora.submit(form).await;
    let answer = dora.finish(consent, "").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &answer)).await.ok();
    let person = shop.userinfo(tokens["access_token"].as_str().expect("a token")).await.ok();
    assert_eq!(json!([person["email"], person["name"]]), json!(["dora@other.example", "Dora Doe"]));
    assert!(signs_in(&Browser::new(&server), &corp, "corp").await.page().has("sign-out"), "she is known");
}

/// S-063: where accounts are activated by a link, the link connects what waits in the browser that began, and in no other.
#[tokio::test]
async fn s_063_a_link_connects_in_the_browser_that_began() {
    let setup = Setup { configure: |config| config.registration.mode = SignUp::Link, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let corp = StandIn::corp(&server, |_| ()).await;
    for (name, is_same_browser) in [("dora", true), ("erin", false)] {
        let address = format!("{name}@other.example");
        corp.person(json!({"sub": name, "email": address, "email_verified": true}));
        let browser = Browser::new(&server);
        let page = signs_in(&browser, &corp, "corp").await;
        assert!(page.page().words("#connects").contains("in this browser"), "{page}");
        let form = page.page().form_of("register-submit").fill("password", PASSWORD);
        assert!(browser.submit(form).await.page().has("notice-activation_sent"));
        server.deliver().await;
        let link = server.mailbox().link_for(&address).replacen("http://localhost:8080", "", 1);
        // Mails are read when people read them.
        server.advance(Duration::from_hours(1));
        let opened = if is_same_browser { browser } else { Browser::new(&server) };
        let page = opened.open(&link).await;
        assert!(opened.press(&page, "mailed-confirm").await.page().has("notice-activated"));
        let links = server.store().upstream_links(server.user(&address).await.id).await.expect("read");
        assert_eq!(!links.is_empty(), is_same_browser, "{name}");
    }
}

/// PROTOCOL A22: an account that somebody made with her address before she came owns nothing.
#[tokio::test]
async fn s_063_an_account_made_beforehand_falls_when_the_owner_comes() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let hash = server.app.hasher.hash(&PASSWORD.into()).await.expect("a hash");
    let mut mallory = server.user("bob").await.as_ref().clone();
    mallory.id = symbolon::model::id::UserId::new([0x66; 16]);
    mallory.identifiers.truncate(2);
    for (identifier, (value, row)) in mallory.identifiers.iter_mut().zip([("mallory", 1), ("carol@gmail.com", 2)]) {
        identifier.id = symbolon::model::id::IdentifierId::new(NumericDate::from_seconds(1), [row; 10]);
        value.clone_into(&mut identifier.value);
        identifier.verified_at = None;
    }
    server.store().create_user(&mallory, Some(&hash)).await.expect("stored");
    let carol = Browser::new(&server);
    let account = signs_in(&carol, &google, "google").await;
    assert!(account.page().has("sign-out"), "{account}");
    let owner = server.user("carol@gmail.com").await;
    assert_ne!(owner.id, mallory.id, "she has an account of her own");
    assert!(owner.identifiers.iter().any(|own| own.value == "carol@gmail.com" && own.verified_at.is_some()));
    let thief = Browser::new(&server);
    let page = thief.open("/sign-in").await;
    assert_eq!(thief.sign_in(&page, "carol@gmail.com").await.status, 422, "the old password opens nothing of hers");
}

#[tokio::test]
async fn s_063_where_nobody_makes_accounts_none_is_made() {
    let server = TestServer::configured(Setup::default(), |config| config.registration.mode = SignUp::Off).await;
    let google = StandIn::google(&server).await;
    let page = signs_in(&Browser::new(&server), &google, "google").await.of(StatusCode::FORBIDDEN);
    assert_eq!(page.page().heading(), "Nobody can create an account here");
    assert!(!is_known(&server, "carol@gmail.com").await);
    assert_eq!(refusal(&server).await, "sign_up");

    let server = TestServer::start().await;
    let google = StandIn::google_with(&server, |settings: &mut ProviderSettings| settings.trust.sign_up = false).await;
    signs_in(&Browser::new(&server), &google, "google").await.of(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn s_059_an_account_that_is_switched_off_stays_off() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    signs_in(&Browser::new(&server), &google, "google").await;
    let carol = server.user("carol@gmail.com").await;
    let now = NumericDate::from_seconds(server.clock.seconds());
    assert!(server.store().disable_user(carol.id, now, Beside::default()).await.expect("disabled"));
    let browser = Browser::new(&server);
    let page = signs_in(&browser, &google, "google").await.of(StatusCode::FORBIDDEN);
    assert_eq!(page.page().heading(), "This account is switched off");
    assert_eq!(browser.cookie("symbolon_session"), None);
}

#[tokio::test]
async fn s_064_an_identity_is_connected_and_cut_in_the_account() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let alice = Browser::signed_in(&server, "alice").await;
    let page = alice.open("/account/identities").await;
    let there = alice.post_of(&page, "connect-google").await;
    let page = alice.open(&google.visit(&there)).await;
    assert!(page.page().words("main").contains("carol@gmail.com"), "whatever address it has: {page}");
    assert!(!page.page().has("connect-google"));

    // It belongs to one account.
    let bob = Browser::signed_in(&server, "bob").await;
    let page = bob.open("/account/identities").await;
    let there = bob.post_of(&page, "connect-google").await;
    let taken = bob.open(&google.visit(&there)).await.of(StatusCode::CONFLICT);
    assert_eq!(taken.page().heading(), "That account belongs to somebody else here");

    // Both need a proof of a moment ago.
    server.advance(Duration::from_mins(11));
    let page = alice.open("/account/identities").await;
    let alice_id = server.user("alice").await.id;
    let link = server.store().upstream_links(alice_id).await.expect("read")[0].id;
    let again = alice.press(&page, &format!("cut-{link}")).await;
    let form = again.page().form_of("again-submit").fill("password", PASSWORD);
    let page = alice.submit(form).await;
    let page = alice.press(&page, &format!("cut-{link}")).await;
    assert!(page.page().has("connect-google"), "{page}");
    assert!(server.store().upstream_links(alice_id).await.expect("read").is_empty());
}

#[tokio::test]
async fn s_065_the_last_way_in_stays() {
    let setup = Setup { configure: |config| config.otp.send_to_anonymous = false, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let google = StandIn::google(&server).await;
    let carol = Browser::new(&server);
    signs_in(&carol, &google, "google").await;
    let id = server.user("carol@gmail.com").await.id;
    let link = server.store().upstream_links(id).await.expect("read")[0].id;
    let page = carol.open("/account/identities").await;
    let refused = carol.press(&page, &format!("cut-{link}")).await;
    assert_eq!((refused.status.as_u16(), refused.page().heading().as_str()), (409, "This is your last way in"));
    assert_eq!(server.store().upstream_links(id).await.expect("read").len(), 1);
}

#[tokio::test]
async fn s_065_who_signs_in_by_a_code_as_well_may_cut_it() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let carol = Browser::new(&server);
    signs_in(&carol, &google, "google").await;
    let id = server.user("carol@gmail.com").await.id;
    let link = server.store().upstream_links(id).await.expect("read")[0].id;
    let page = carol.open("/account/identities").await;
    carol.press(&page, &format!("cut-{link}")).await;
    assert!(server.store().upstream_links(id).await.expect("read").is_empty(), "a code reaches her address");
}

#[tokio::test]
async fn whose_address_is_at_home_elsewhere_is_led_there() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.home_domains = vec!["Corp.example".to_owned()]).await;
    corp.person(json!({"sub": "c-1", "email": "carol@corp.example", "email_verified": true}));
    let shop = RelyingParty::web(&server, "shop").await;
    let carol = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = carol.begin(&exchange).await;
    let there = carol.sign_in(&page, "carol@corp.example").await;
    let url = there.location();
    assert!(url.starts_with("https://idp.corp.example/") && url.contains("login_hint=carol%40corp.example"), "{url}");

    // An app that knows the address goes past the page.
    let hinted = Browser::new(&server).begin(&shop.begin("openid").with("login_hint", "carol@corp.example")).await;
    assert!(hinted.location().starts_with("https://idp.corp.example/"), "{hinted}");
    // Others are asked here, and so is everybody when the provider is off.
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    shop.code(&exchange, &alice.authorize(&exchange, "alice").await);
    changed(&server, "corp", |provider| provider.disabled_at = Some(provider.created_at)).await;
    let page = carol.open("/sign-in").await;
    let refused = carol.sign_in(&page, "carol@corp.example").await;
    assert_eq!(refused.status.as_u16(), 422, "{refused}");
}

/// S-066: a second factor that a person requires is asked for whoever vouches for them, and no handle stands in a URL.
#[tokio::test]
async fn s_066_a_second_factor_is_asked_for_all_the_same() {
    let (server, app, _) = with_code_app(Setup::default()).await;
    let corp = StandIn::corp(&server, |settings| {
        settings.trust.email_domains = vec!["example.com".to_owned()];
        settings.trust.auto_link = true;
    })
    .await;
    corp.person(json!({"sub": "a-1", "email": "alice@example.com", "email_verified": true}));
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = alice.begin(&exchange).await;
    let there = leaves_from(&alice, &page, "corp").await;
    let second = alice.get(&corp.visit(&there)).await;
    assert_eq!(alice.cookie("symbolon_session"), None, "half a sign-in opens nothing (PROTOCOL S8)");
    let half = alice.cookie("symbolon_half").expect("a handle");
    assert!(!second.location().contains(&half), "{second}");
    let page = alice.follow(second).await;
    let form = page.page().form_of("otp-submit").fill("code", &app.fresh(&server));
    let consent = alice.submit(form).await;
    let answer = alice.finish(consent, "").await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, &answer)).await.ok();
    let id_token = shop.verified(tokens["id_token"].as_str().expect("a token")).await;
    assert_eq!(json!([id_token["amr"], id_token["acr"]]), json!([["fed", "otp", "mfa"], "urn:symbolon:acr:2"]));
}

/// `DECISIONS.md`, acr and amr: what is said there stands beside ours, and never in its place.
#[tokio::test]
async fn what_a_provider_says_of_a_sign_in_is_kept_beside_ours() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["gmail.com".to_owned()]).await;
    corp.person(json!({"sub": "c-1", "email": "carol@gmail.com", "email_verified": true, "name": "Carol",
        "sid": "s-1", "acr": "urn:symbolon:acr:2", "amr": ["pwd", "hwk"]}));
    let carol = Browser::new(&server);
    signs_in(&carol, &corp, "corp").await;
    let events = events(&server).await;
    let signed_in = events.iter().find(|event| event.name == EventName::SignIn).expect("it is told");
    let told = |name: &str| signed_in.details[name].clone();
    assert_eq!(
        json!([told("provider"), told("upstream_acr"), told("upstream_amr"), told("upstream_sid")]),
        json!(["corp", "urn:symbolon:acr:2", ["pwd", "hwk"], "s-1"])
    );
    let session = server.store().session(signed_in.session.expect("a session")).await.expect("read").expect("there");
    assert_eq!(session.authentication.amr_values(), ["fed"]);
    assert_eq!(session.authentication.acr().as_str(), "urn:symbolon:acr:1", "their word for it is not ours");
    let page = carol.open("/account/sessions").await;
    assert!(page.page().words("main").contains("by corp"), "{page}");
}

/// S-098: whoever came by a provider alone proves there that they are themselves, and is asked anew.
#[tokio::test]
async fn s_098_a_person_proves_again_by_an_account_elsewhere() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["gmail.com".to_owned()]).await;
    let carol = Browser::new(&server);
    signs_in(&carol, &corp, "corp").await;
    let asked = async || {
        server.advance(Duration::from_mins(11));
        let page = carol.open("/account/identities").await;
        let id = server.user("carol@gmail.com").await.id;
        let link = server.store().upstream_links(id).await.expect("read")[0].id;
        let again = carol.press(&page, &format!("cut-{link}")).await;
        let start = again.page().attribute("provider-corp", "href").to_owned();
        let there = carol.get(&start).await;
        let url = there.location().to_owned();
        assert!(url.contains("prompt=login") && url.contains("max_age=0"), "{url}");
        there
    };
    // Whoever was signed in there for an hour has proven nothing now.
    let there = asked().await;
    let now = server.clock.seconds();
    corp.lies(Lie::Claims(json!({"auth_time": now - 3_600})));
    assert_eq!(carol.open(&corp.visit(&there)).await.status, 400);
    assert_eq!(refusal(&server).await, "untrue");
    // Whoever does not say when they were asked may have asked nobody.
    corp.lies(Lie::None);
    let there = asked().await;
    assert_eq!(carol.open(&corp.visit(&there)).await.status, 400);
    assert_eq!(refusal(&server).await, "untrue");
    // Somebody else is somebody else.
    let there = asked().await;
    let now = server.clock.seconds();
    corp.lies(Lie::Claims(json!({"sub": "another", "email": "dave@gmail.com", "auth_time": now})));
    assert_eq!(carol.open(&corp.visit(&there)).await.status, 409);
    corp.lies(Lie::Claims(json!({"auth_time": server.clock.seconds() + 660})));
    let there = asked().await;
    assert!(carol.open(&corp.visit(&there)).await.page().has("sign-out"));
    let page = carol.open("/account/identities").await;
    let id = server.user("carol@gmail.com").await.id;
    let link = server.store().upstream_links(id).await.expect("read")[0].id;
    let cut = carol.press(&page, &format!("cut-{link}")).await;
    assert!(!cut.text().contains("again-submit"), "it was proven a moment ago: {cut}");
}

/// S-098: a session there answers by itself, and a provider that does not say when it asked the person proves nothing anew.
#[tokio::test]
async fn s_098_a_provider_that_does_not_say_when_it_asked_is_not_offered() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let carol = Browser::new(&server);
    signs_in(&carol, &google, "google").await;
    server.advance(Duration::from_mins(11));
    let page = carol.open("/account/identities").await;
    let id = server.user("carol@gmail.com").await.id;
    let link = server.store().upstream_links(id).await.expect("read")[0].id;
    let again = carol.press(&page, &format!("cut-{link}")).await;
    assert!(again.page().has("again-submit") && !again.page().has("provider-google"), "{again}");
    assert_eq!(carol.get("/federation/google/start?again=yes&to=account").await.status, 400, "nor is it by its URL");
    // Nor does an ordinary sign-in there make one here younger; one by a code does.
    signs_in(&carol, &google, "google").await;
    let page = carol.open("/account/identities").await;
    let again = carol.press(&page, &format!("cut-{link}")).await;
    let other = carol.open(again.page().attribute("again-other", "href")).await;
    assert!(other.page().has("method-email_code"), "{other}");
}

/// OIDC Core §3.1.2.1: an app that wants a new sign-in gets one that was new elsewhere too, and is told when that was.
#[tokio::test]
async fn who_has_to_sign_in_anew_is_asked_anew_elsewhere() {
    let server = TestServer::start().await;
    StandIn::google(&server).await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["gmail.com".to_owned()]).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let carol = Browser::new(&server);
    for (name, value) in [("prompt", "login"), ("max_age", "300")] {
        let exchange = shop.begin("openid").with(name, value);
        let page = carol.begin(&exchange).await;
        assert!(!page.page().has("provider-google"), "it cannot say when it asked her: {page}");
        let start = page.page().attribute("provider-corp", "href").to_owned();
        assert_eq!(carol.get(&start.replace("/corp/", "/google/")).await.status, 400);
        for (lie, what) in [
            (Lie::None, "it does not say when"),
            (Lie::Claims(json!({"auth_time": server.clock.seconds() - 3_600})), "an hour ago"),
        ] {
            corp.lies(lie);
            let there = leaves_from(&carol, &page, "corp").await;
            assert!(there.location().contains("prompt=login") && there.location().contains("max_age=0"), "{there}");
            assert_eq!(carol.get(&corp.visit(&there)).await.status, 400, "{what}");
            assert_eq!(refusal(&server).await, "untrue", "{what}");
        }
        let asked_at = server.clock.seconds() - 20;
        corp.lies(Lie::Claims(json!({"auth_time": asked_at})));
        let there = leaves_from(&carol, &page, "corp").await;
        let back = carol.open(&corp.visit(&there)).await;
        let answer = carol.finish(back, "").await;
        let tokens = shop.redeem(&exchange, &shop.code(&exchange, &answer)).await.ok();
        let id_token = shop.verified(tokens["id_token"].as_str().expect("a token")).await;
        assert_eq!(id_token["auth_time"], asked_at, "{name}");
        server.advance(Duration::from_mins(10));
    }
}
