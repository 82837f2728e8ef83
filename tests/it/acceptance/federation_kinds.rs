//! Apple, Microsoft, Facebook, GitHub and servers of OAuth 2.0, each with its quirks: S-058, S-059, S-062, S-063.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use symbolon::model::identity_provider::ProviderKind;

use crate::support::stand_in::{self, StandIn, TENANT, json_answer};
use crate::support::stand_in_graph::{Graph, GraphStandIn};
use crate::support::world::Site;
use crate::support::{Answer, Browser, TestServer};

async fn leaves(browser: &Browser, slug: &str) -> Answer {
    let page = browser.open("/sign-in").await;
    let start = page.page().attribute(&format!("provider-{slug}"), "href").to_owned();
    browser.get(&start).await
}

/// Apple's form, posted by a page of Apple's: no cookie of ours comes with it.
async fn apple_posts(server: &TestServer, browser: &Browser, answer: &[(String, String)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let form = Request::builder().method(Method::POST).uri("/federation/apple/callback");
    let form =
        form.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header("origin", "https://appleid.apple.com");
    let aside = server.send(form.header("sec-fetch-site", "cross-site").body(body.into()).expect("a request")).await;
    browser.open(aside.location()).await
}

#[tokio::test]
async fn s_059_apple_posts_a_form_and_tells_the_name_once() {
    let server = TestServer::start().await;
    let apple = StandIn::apple(&server).await;
    apple.person(json!({"sub": "001999.e1.0815", "email": "d3v@privaterelay.appleid.com", "email_verified": "true",
        "is_private_email": "true"}));
    let dora = Browser::new(&server);
    let (_, mut answer) = apple.agree(leaves(&dora, "apple").await.location());
    let user = json!({"name": {"firstName": "Dora", "lastName": "Doe"}, "email": "alice@example.com"});
    answer.push(("user".to_owned(), user.to_string()));
    let account = apple_posts(&server, &dora, &answer).await;
    assert!(account.page().has("sign-out"), "{account}");
    let person = server.user("d3v@privaterelay.appleid.com").await;
    assert_eq!(person.profile.name.as_deref(), Some("Dora Doe"));
    assert!(person.identifiers.iter().all(|own| own.value != "alice@example.com"), "nobody has signed that address");

    let again = Browser::new(&server);
    let (_, answer) = apple.agree(leaves(&again, "apple").await.location());
    assert!(apple_posts(&server, &again, &answer).await.page().has("sign-out"));
    assert_eq!(server.user("d3v@privaterelay.appleid.com").await.profile.name.as_deref(), Some("Dora Doe"));
}

#[tokio::test]
async fn s_059_apple_is_left_where_its_key_is_none() {
    let server = TestServer::start().await;
    StandIn::apple(&server).await;
    stand_in::add_with(&server, ("apple-2", ProviderKind::Apple), "no key at all", |settings| {
        settings.team_id = Some("T".to_owned());
        settings.key_id = Some("K".to_owned());
    })
    .await;
    let page = Browser::new(&server).get("/federation/apple-2/start").await.of(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.page().heading(), "That did not work");
}

/// An address that an administrator of some tenant typed is nobody's proof ("nOAuth").
#[tokio::test]
async fn s_063_microsoft_vouches_for_no_address_by_itself() {
    let server = TestServer::start().await;
    let microsoft = StandIn::microsoft(&server, |settings| {
        settings.trust.email_domains = vec!["*".to_owned()];
        settings.trust.auto_link = true;
    })
    .await;
    let person = |edov: Value| json!({"sub": "AAAA", "tid": TENANT, "oid": "1", "email": "alice@example.com", "email_verified": true, "xms_edov": edov});
    microsoft.person(person(Value::Null));
    let mallory = Browser::new(&server);
    let page = mallory.open(&microsoft.visit(&leaves(&mallory, "microsoft").await)).await;
    assert!(page.page().has("register-submit"), "an address is asked for: {page}");
    assert_eq!(mallory.cookie("symbolon_session"), None);

    microsoft.person(person(json!(true)));
    let alice = Browser::new(&server);
    let account = alice.open(&microsoft.visit(&leaves(&alice, "microsoft").await)).await;
    assert!(account.page().has("sign-out"), "the owner of the domain was verified: {account}");
    let links = server.store().upstream_links(server.user("alice").await.id).await.expect("read");
    assert_eq!(links[0].issuer, format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "of the tenant");
}

#[tokio::test]
async fn s_059_microsoft_is_of_the_tenant_and_only_of_those_that_are_let_in() {
    let server = TestServer::start().await;
    let microsoft = StandIn::microsoft(&server, |settings| settings.organizations = vec![TENANT.to_owned()]).await;
    let other = "9188040d-6c67-4c5b-b112-36a304b66dad";
    for (claims, status) in [
        (json!({"tid": other}), 400),
        (json!({"tid": other, "iss": format!("https://login.microsoftonline.com/{other}/v2.0")}), 400),
        (json!({"tid": "../../evil"}), 400),
        (json!({}), 400),
        (json!({"tid": TENANT}), 200),
    ] {
        let mut person = json!({"sub": "AAAA", "email": "d@corp.example"});
        person.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        microsoft.person(person);
        let browser = Browser::new(&server);
        let page = browser.open(&microsoft.visit(&leaves(&browser, "microsoft").await)).await;
        assert_eq!(page.status, status, "{claims}: {page}");
    }
}

/// Facebook tells an address without a word about who owns it.
#[tokio::test]
async fn s_063_facebook_vouches_for_no_address() {
    let server = TestServer::start().await;
    let facebook = GraphStandIn::open(&server, Graph::Facebook).await;
    let person = json!({"id": "10158", "name": "Dora Doe", "first_name": "Dora", "last_name": "Doe",
        "email": "alice@example.com"});
    facebook.person(person, Value::Null);
    let dora = Browser::new(&server);
    let page = dora.open(&facebook.visit(&leaves(&dora, "facebook").await)).await;
    assert!(page.page().has("register-submit"), "{page}");
    let form = page.page().form_of("register-submit").fill("email", "dora@other.example");
    let page = dora.submit(form).await;
    server.deliver().await;
    let code = server.mailbox().code_for("dora@other.example");
    let form = page.page().form_of("code-submit").fill("code", &code);
    assert!(dora.submit(form).await.page().has("sign-out"));
    let dora_here = server.user("dora@other.example").await;
    assert_eq!(dora_here.profile.given_name.as_deref(), Some("Dora"));
    let again = Browser::new(&server);
    let account = again.open(&facebook.visit(&leaves(&again, "facebook").await)).await;
    assert!(account.page().has("sign-out"), "{account}");
    let links = server.store().upstream_links(dora_here.id).await.expect("read");
    assert_eq!((links[0].issuer.as_str(), links[0].subject.as_str()), ("https://www.facebook.com", "10158"));
}

#[tokio::test]
async fn s_059_a_code_of_facebook_counts_once_and_its_words_stay_there() {
    let server = TestServer::start().await;
    let facebook = GraphStandIn::open(&server, Graph::Facebook).await;
    facebook.person(json!({"id": "10158"}), Value::Null);
    let dora = Browser::new(&server);
    let first = facebook.visit(&leaves(&dora, "facebook").await);
    let code = first.split(['?', '&']).find(|pair| pair.starts_with("code=")).expect("a code").to_owned();
    assert_eq!(dora.open(&first).await.status, 200);
    let second = facebook.visit(&leaves(&dora, "facebook").await);
    let own = second.split(['?', '&']).find(|pair| pair.starts_with("code=")).expect("a code").to_owned();
    let page = dora.open(&second.replace(&own, &code)).await.of(StatusCode::BAD_REQUEST);
    assert!(!page.text().contains("EVIL"), "{page}");
}

/// GitHub: a person is a number, and only the primary address counts, where it is verified.
#[tokio::test]
async fn s_063_github_tells_which_address_is_verified() {
    let server = TestServer::start().await;
    let github = GraphStandIn::open(&server, Graph::GitHub).await;
    let person = json!({"id": 583_231, "login": "octodora", "name": "Dora Doe", "email": "alice@example.com",
        "avatar_url": "https://avatars.githubusercontent.com/u/583231"});
    let emails = |verified: bool| {
        json!([{"email": "old@other.example", "primary": false, "verified": true, "visibility": null},
            {"email": "dora@other.example", "primary": true, "verified": verified, "visibility": "private"}])
    };
    github.person(person.clone(), emails(false));
    let dora = Browser::new(&server);
    let page = dora.open(&github.visit(&leaves(&dora, "github").await)).await;
    assert!(page.page().has("register-submit"), "{page}");
    github.person(person, emails(true));
    let account = dora.open(&github.visit(&leaves(&dora, "github").await)).await;
    assert!(account.page().has("sign-out"), "{account}");
    let here = server.user("dora@other.example").await;
    assert!(here.profile.picture.as_deref().is_some_and(|url| url.starts_with("https://avatars.")));
    assert_eq!(server.store().upstream_links(here.id).await.expect("read")[0].subject, "583231");
}

/// An own server of OAuth 2.0, with names of its own.
struct OwnServer;

impl Site for OwnServer {
    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        Some(match request.uri().path() {
            "/token" => json_answer(200, &json!({"access_token": "t", "token_type": "bearer"})),
            "/me" if request.headers().get("authorization").is_some_and(|header| header == "Bearer t") => json_answer(
                200,
                &json!({"user": {"id": 7, "mail": "dora@corp.example", "confirmed": true, "title": "Dora Doe"}}),
            ),
            _ => json_answer(404, &json!({})),
        })
    }
}

#[tokio::test]
async fn s_058_any_server_of_oauth_that_tells_who_it_is() {
    let server = TestServer::start().await;
    server.web.open("https://login.corp.example", Arc::new(OwnServer));
    stand_in::add(&server, ("own", ProviderKind::OAuth2), |settings| {
        settings.endpoints.authorization = Some("https://login.corp.example/authorize?tenant=1".to_owned());
        settings.endpoints.token = Some("https://login.corp.example/token".to_owned());
        settings.endpoints.userinfo = Some("https://login.corp.example/me".to_owned());
        settings.trust.email_domains = vec!["corp.example".to_owned()];
        let names =
            [("sub", "user.id"), ("email", "user.mail"), ("email_verified", "user.confirmed"), ("name", "user.title")];
        settings.claims = names.into_iter().map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).collect();
    })
    .await;
    let dora = Browser::new(&server);
    let there = leaves(&dora, "own").await;
    let url = url::Url::parse(there.location()).expect("a URL");
    let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    assert!(url.query().unwrap_or_default().starts_with("tenant=1&"), "{url}");
    let account = dora.open(&format!("/federation/own/callback?state={state}&code=c")).await;
    assert!(account.page().has("sign-out"), "{account}");
    let here = server.user("dora@corp.example").await;
    assert_eq!(here.profile.name.as_deref(), Some("Dora Doe"));
    let link = &server.store().upstream_links(here.id).await.expect("read")[0];
    assert!(link.issuer.starts_with("urn:symbolon:provider:") && link.subject == "7", "{link:?}");
}
