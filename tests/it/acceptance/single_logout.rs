//! Apps are told that a session is over: S-092, S-094, S-019.
//!
//! OpenID Connect Back-Channel Logout 1.0, Front-Channel Logout 1.0, as a provider.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::model::client::{Client, RefreshTokenPolicy};
use symbolon::model::event::{EventName, Outcome};
use symbolon::oauth::policy::Mode;
use symbolon::protocol::numeric_date::NumericDate;
use url::form_urlencoded::Serializer;

use super::admin::Admin;
use super::federation::events;
use super::session_list::signed_in;
use crate::support::http_sink::HttpSink;
use crate::support::server::{PASSWORD, Setup};
use crate::support::spa::Spa;
use crate::support::{Answer, Browser, RelyingParty, TestServer, clients, tokens};

/// A server that reaches apps over the real way out, and where the apps listen.
async fn start() -> (TestServer, HttpSink) {
    (TestServer::sending(Setup::default(), |_| {}).await, HttpSink::start().await)
}

/// An app that is told at `told` and gets a refresh token each time.
fn told_at(id: &str, told: &str) -> Client {
    let mut client = clients::client(id, &json!({"backchannel_logout_uri": told}));
    client.policy.first_party = true;
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    client
}

async fn app(server: &TestServer, id: &str, sink: &HttpSink) -> RelyingParty {
    RelyingParty::of(server, told_at(id, &format!("{}/{id}", sink.origin()))).await
}

/// Who was told since the last look, with the claims of what they were told.
async fn told(server: &TestServer, sink: &HttpSink, before: usize) -> Vec<(String, Value)> {
    let mut told = Vec::new();
    for posted in sink.posted().iter().skip(before) {
        assert_eq!(posted.method, Method::POST);
        assert_eq!(posted.header("content-type"), "application/x-www-form-urlencoded");
        let token = posted.field("logout_token");
        let verified = tokens::verify(server, &token).await;
        assert_eq!(verified.header["typ"], "logout+jwt");
        told.push((posted.path.trim_start_matches('/').to_owned(), verified.claims));
    }
    told.sort_by(|one, other| one.0.cmp(&other.0));
    told
}

/// What is due is told, by apps that answer 200; who was told.
async fn tells(server: &TestServer, sink: &HttpSink) -> Vec<(String, Value)> {
    let before = sink.posted().len();
    for _ in 0..20 {
        sink.answer(200);
    }
    server.tell_apps().await;
    sink.answers_as_always();
    told(server, sink, before).await
}

fn names(told: &[(String, Value)]) -> Vec<&str> {
    told.iter().map(|(name, _)| name.as_str()).collect()
}

async fn id_token(app: &RelyingParty, tokens: &Value) -> Value {
    app.verified(tokens["id_token"].as_str().expect("an ID token")).await
}

fn logout(parameters: &[(&str, &str)]) -> String {
    format!("/oauth2/logout?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

#[tokio::test]
async fn s_092_who_signs_out_is_signed_out_of_every_app_of_the_session() {
    let (server, sink) = start().await;
    let (shop, post) = (app(&server, "shop", &sink).await, app(&server, "post", &sink).await);
    app(&server, "unused", &sink).await;
    let deaf = RelyingParty::web(&server, "deaf").await;
    let alice = Browser::new(&server);
    let at_shop = shop.tokens(&alice, "alice", "openid").await;
    let at_post = post.tokens(&alice, "alice", "openid offline_access").await;
    deaf.tokens(&alice, "alice", "openid").await;
    let bob = Browser::new(&server);
    shop.tokens(&bob, "bob", "openid").await;
    assert!(tells(&server, &sink).await.is_empty(), "nobody left");

    let hint = at_shop["id_token"].as_str().expect("an ID token");
    let bye = [("id_token_hint", hint), ("post_logout_redirect_uri", "https://shop.example/bye")];
    assert_eq!(alice.open(&logout(&bye)).await.location(), "https://shop.example/bye");
    let told = tells(&server, &sink).await;
    assert_eq!(
        names(&told),
        ["post", "shop"],
        "Back-Channel Logout §2.5: those of the session, the one that asked too"
    );
    let now = server.clock.seconds();
    let mut jtis = BTreeSet::new();
    for ((name, claims), id_token) in
        told.iter().zip([id_token(&post, &at_post).await, id_token(&shop, &at_shop).await])
    {
        assert_eq!(claims["iss"], server.issuer);
        assert_eq!(claims["aud"], name.as_str());
        assert_eq!((&claims["sub"], &claims["sid"]), (&id_token["sub"], &id_token["sid"]));
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 120)));
        assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
        assert!(claims.get("nonce").is_none(), "{claims}");
        assert!(jtis.insert(claims["jti"].as_str().expect("a name").to_owned()));
    }
    assert!(tells(&server, &sink).await.is_empty(), "each once");
    // §2.7: what was not meant to outlive the session ends with it.
    let refresh = |tokens: &Value| tokens["refresh_token"].as_str().expect("a token").to_owned();
    assert_eq!(shop.refresh(&refresh(&at_shop)).await.error(), "400 invalid_grant");
    post.refresh(&refresh(&at_post)).await.ok();

    // By the API, too; and a cookie of before tells nobody anything.
    let spa = signed_in(&server, "alice").await;
    shop.tokens(&spa.browser, "alice", "openid").await;
    assert!(spa.delete("/session").await.ok().get("frontchannel_logout_uris").is_none(), "nobody wants it so");
    spa.delete("/session").await.ok();
    assert_eq!(names(&tells(&server, &sink).await), ["shop"]);
}

#[tokio::test]
async fn s_092_an_app_is_told_in_its_own_terms() {
    let (server, sink) = start().await;
    let uri = format!("{}/pair?app=1", sink.origin());
    let mut client = told_at("pair", &uri);
    let terms = json!({"subject_type": "pairwise", "id_token_signed_response_alg": "ES256"});
    let mut metadata = serde_json::to_value(&client.metadata).expect("JSON");
    metadata.as_object_mut().expect("an object").extend(terms.as_object().expect("an object").clone());
    client.metadata = serde_json::from_value(metadata).expect("metadata");
    let pair = RelyingParty::of(&server, client).await;
    let alice = Browser::new(&server);
    let known = id_token(&pair, &pair.tokens(&alice, "alice", "openid").await).await;
    let page = alice.open("/oauth2/logout").await;
    alice.press(&page, "logout-confirm").await;
    let told = tells(&server, &sink).await;
    assert_eq!(names(&told), ["pair"]);
    assert_eq!((&told[0].1["sub"], &told[0].1["sid"]), (&known["sub"], &known["sid"]));
    assert_ne!(known["sub"], server.user("alice").await.id.to_string());
    let token = sink.posted().pop().expect("it was told").field("logout_token");
    assert_eq!(tokens::part(&token, 0)["alg"], "ES256");
}

/// PROTOCOL §4.8: it is told again for a quarter of an hour, and nobody waits for it.
#[tokio::test]
async fn s_092_an_app_that_is_down_hears_it_later_or_an_operator_does() {
    let (server, sink) = start().await;
    let apps =
        [app(&server, "shop", &sink).await, app(&server, "fussy", &sink).await, app(&server, "gone", &sink).await];
    let signs_out = async || {
        let alice = Browser::new(&server);
        for app in &apps {
            app.tokens(&alice, "alice", "openid").await;
        }
        let page = alice.open("/oauth2/logout").await;
        assert!(alice.press(&page, "logout-confirm").await.page().has("logged-out"));
    };
    let failures = async || {
        let told = events(&server).await;
        let failed = told.into_iter().filter(|event| event.name == EventName::LogoutNotDelivered);
        let failed = failed.map(|event| {
            assert_eq!(event.outcome, Outcome::Failure);
            (event.client.expect("an app").to_string(), event.details["reason"].as_str().expect("words").to_owned())
        });
        failed.collect::<Vec<_>>()
    };
    signs_out().await;
    // In the order of their names or not: each is answered by its path.
    sink.answers_by_path(&[("/shop", 503), ("/fussy", 400), ("/gone", 302)]);
    assert_eq!(server.tell_apps().await, 3);
    let first = told(&server, &sink, 0).await;
    assert_eq!(names(&first), ["fussy", "gone", "shop"]);
    let refused = failures().await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].0 == "fussy" && refused[0].1.contains("400"), "{refused:?}");

    server.advance(Duration::from_secs(3));
    sink.answers_by_path(&[("/shop", 204), ("/gone", 302)]);
    assert_eq!(server.tell_apps().await, 2, "who refused is not asked again");
    let second = told(&server, &sink, 3).await;
    let jti = |told: &[(String, Value)], name: &str| {
        told.iter().find(|(told, _)| told == name).expect("it was told").1["jti"].clone()
    };
    assert_ne!(jti(&first, "shop"), jti(&second, "shop"), "each token has a name of its own");
    for _ in 0..30 {
        server.advance(Duration::from_mins(1));
        server.tell_apps().await;
    }
    let heard = sink.posted();
    assert_eq!(heard.iter().filter(|posted| posted.path == "/shop").count(), 2, "it has heard");
    let last = heard.iter().filter(|posted| posted.path == "/gone").count();
    assert!((6..=20).contains(&last), "{last} attempts");
    let given_up = failures().await;
    let gone = given_up.iter().find(|(app, _)| app == "gone").expect("an operator hears of it");
    assert!(gone.1.contains("302"), "a redirect is not followed: {gone:?}");

    // Somebody who is not an app answers, or nobody at all: sign-out works all the same.
    signs_out().await;
    sink.answers_by_path(&[("/shop", 200), ("/fussy", 200), ("/gone", 200)]);
    assert_eq!(server.tell_apps().await, 3);
}

#[tokio::test]
async fn s_094_a_session_that_is_revoked_is_over_at_its_apps() {
    let (server, sink) = start().await;
    let shop = app(&server, "shop", &sink).await;
    let laptop = signed_in(&server, "alice").await;
    server.advance(Duration::from_secs(1));
    let mut sids = Vec::new();
    for _ in 0..2 {
        let browser = Browser::new(&server);
        sids.push(id_token(&shop, &shop.tokens(&browser, "alice", "openid").await).await["sid"].clone());
    }
    shop.tokens(&laptop.browser, "alice", "openid").await;
    let first = sids[0].as_str().expect("a name");
    assert_eq!(laptop.delete(&format!("/me/sessions/{first}")).await.status, StatusCode::NO_CONTENT);
    let over = tells(&server, &sink).await;
    assert_eq!(over.iter().map(|(_, claims)| &claims["sid"]).collect::<Vec<_>>(), [&sids[0]]);
    assert_eq!(laptop.delete("/me/sessions").await.status, StatusCode::NO_CONTENT);
    let over = tells(&server, &sink).await;
    assert_eq!(over.iter().map(|(_, claims)| &claims["sid"]).collect::<Vec<_>>(), [&sids[1]], "not the one that stays");

    // A new password ends every other session.
    let browser = Browser::new(&server);
    let sid = id_token(&shop, &shop.tokens(&browser, "alice", "openid").await).await["sid"].clone();
    let body = json!({"current_password": PASSWORD, "new_password": "seven quiet herons at dawn"});
    laptop.send(Method::PUT, "/me/password", Some(&body)).await.of(StatusCode::NO_CONTENT);
    let over = tells(&server, &sink).await;
    assert_eq!(over.iter().map(|(_, claims)| &claims["sid"]).collect::<Vec<_>>(), [&sid]);
}

#[tokio::test]
async fn s_019_who_is_switched_off_or_deleted_is_signed_out_of_their_apps() {
    let (server, sink) = start().await;
    let shop = app(&server, "shop", &sink).await;
    let admin = Admin::owner(&server).await;
    let visits = async |login: &str| {
        let browser = Browser::new(&server);
        id_token(&shop, &shop.tokens(&browser, login, "openid").await).await["sid"].clone()
    };
    let sorted = |mut sids: Vec<Value>| {
        sids.sort_by_key(ToString::to_string);
        sids
    };
    let told_sids = async || {
        let told = tells(&server, &sink).await;
        sorted(told.into_iter().map(|(_, claims)| claims["sid"].clone()).collect())
    };
    let user = format!("/users/{}", server.user("alice").await.id);
    let sids = vec![visits("alice").await, visits("alice").await];
    visits("bob").await;
    admin.put(&format!("{user}/state"), Some(&json!({"state": "disabled"}))).await.ok();
    assert_eq!(told_sids().await, sorted(sids), "both sessions of hers, and none of Bob's");

    admin.put(&format!("{user}/state"), Some(&json!({"state": "active"}))).await.ok();
    let sid = visits("alice").await;
    assert_eq!(admin.delete(&format!("{user}/sessions")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(told_sids().await, [sid]);

    let sid = visits("alice").await;
    assert_eq!(admin.delete(&user).await.status, StatusCode::NO_CONTENT);
    assert_eq!(told_sids().await, [sid], "she is gone, and her apps hear of it");
}

/// Grants are cleared away long before a session is over.
#[tokio::test]
async fn s_092_an_app_is_told_whose_tokens_ran_out_long_ago() {
    let (server, sink) = start().await;
    let mut client = told_at("shop", &format!("{}/shop", sink.origin()));
    client.policy.refresh_token = RefreshTokenPolicy::OfflineAccess;
    let shop = RelyingParty::of(&server, client).await;
    let alice = Browser::new(&server);
    let sid = id_token(&shop, &shop.tokens(&alice, "alice", "openid").await).await["sid"].clone();
    server.advance(Duration::from_hours(6));
    let now = NumericDate::from_seconds(server.clock.seconds());
    assert!(server.store().clear_expired(now, 100).await.expect("cleared") > 0);
    while server.store().clear_expired(now, 100).await.expect("cleared") > 0 {}
    let page = alice.open("/oauth2/logout").await;
    alice.press(&page, "logout-confirm").await;
    let over = tells(&server, &sink).await;
    assert_eq!(over.iter().map(|(_, claims)| &claims["sid"]).collect::<Vec<_>>(), [&sid]);
}

#[tokio::test]
async fn s_092_a_client_says_where_it_is_told() {
    let server = TestServer::start().await;
    let discovery = server.get("/.well-known/openid-configuration").await.ok();
    for member in [
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ] {
        assert_eq!(discovery[member], true, "{member}");
    }
    let register = async |members: Value| {
        let mut metadata = json!({"redirect_uris": ["https://new.example/callback"]});
        metadata.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        server.json((Method::POST, "/oauth2/register"), &metadata, None).await
    };
    let good = json!({
        "backchannel_logout_uri": "https://other.example/told?a=b", "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://new.example/shown", "frontchannel_logout_session_required": true,
    });
    let registered = register(good.clone()).await.of(StatusCode::CREATED).json();
    for (member, value) in good.as_object().expect("an object") {
        assert_eq!(&registered[member], value, "{member}");
    }
    for bad in [
        json!({"backchannel_logout_uri": "https://new.example/told#fragment"}),
        json!({"backchannel_logout_uri": "http://new.example/told"}),
        json!({"backchannel_logout_uri": "http://10.0.0.5/told"}),
        json!({"backchannel_logout_uri": "https://user:secret@new.example/told"}),
        json!({"backchannel_logout_uri": "/told"}),
        json!({"backchannel_logout_uri": ["https://new.example/told"]}),
        json!({"backchannel_logout_session_required": "true"}),
        json!({"frontchannel_logout_uri": "https://evil.example/shown"}),
        json!({"frontchannel_logout_uri": "http://new.example/shown"}),
        json!({"frontchannel_logout_uri": "https://new.example:8443/shown"}),
        json!({"frontchannel_logout_uri": "javascript:alert(1)"}),
        json!({"frontchannel_logout_session_required": 1}),
    ] {
        assert_eq!(register(bad.clone()).await.error(), "400 invalid_client_metadata", "{bad}");
    }
}

/// A client chooses the URL: it must not lead us to what only we can reach (PROTOCOL §4.5).
#[tokio::test]
async fn s_092_nobody_has_us_knock_at_private_doors() {
    let sink = HttpSink::start().await;
    let here = sink.origin();
    let production = Setup { issuer: "https://id.example", mode: Mode::Production, ..Setup::default() };
    for (setup, allow, told, expected) in [
        (production.clone(), None, format!("{here}/app"), "refused"),
        (production.clone(), None, "https://10.0.0.5/app".to_owned(), "refused"),
        (production.clone(), None, "https://[::ffff:169.254.169.254]/latest/meta-data".to_owned(), "refused"),
        (Setup::default(), None, "https://10.0.0.5/app".to_owned(), "refused"),
        (Setup::default(), None, format!("{here}/app"), "told"),
        (production, Some(here.clone()), format!("{here}/app"), "told"),
    ] {
        let server = TestServer::sending(setup, |config| config.fetch.allow.extend(allow)).await;
        let app = RelyingParty::of(&server, told_at("app", &told)).await;
        let alice = Browser::new(&server);
        app.tokens(&alice, "alice", "openid").await;
        let page = alice.open("/oauth2/logout").await;
        alice.press(&page, "logout-confirm").await;
        let before = sink.posted().len();
        sink.answer(200);
        assert_eq!(server.tell_apps().await, 1, "{told}");
        sink.answers_as_always();
        let reached = sink.posted().len() - before;
        let failed = events(&server).await.into_iter().find(|event| event.name == EventName::LogoutNotDelivered);
        if expected == "told" {
            assert!(reached == 1 && failed.is_none(), "{told}");
        } else {
            let reason = failed.expect("an operator hears of it").details["reason"].to_string();
            assert!(reached == 0 && reason.contains("may not be fetched"), "{told}: {reason}");
        }
    }
}

/// Front-Channel Logout §2, §3.
#[tokio::test]
async fn s_092_the_browser_tells_apps_that_want_it_so() {
    let server = TestServer::start().await;
    let hears_by_frame = async |id: &str, path: &str| {
        let uri = format!("https://{id}.example{path}");
        let mut client = clients::client(id, &json!({"frontchannel_logout_uri": uri}));
        client.policy.first_party = true;
        RelyingParty::of(&server, client).await
    };
    let (shop, post) = (hears_by_frame("shop", "/out").await, hears_by_frame("post", "/out?lang=de").await);
    hears_by_frame("unused", "/out").await;
    let plain = RelyingParty::web(&server, "plain").await;
    let visits = async |browser: &Browser| {
        let tokens = shop.tokens(browser, "alice", "openid").await;
        post.tokens(browser, "alice", "openid").await;
        plain.tokens(browser, "alice", "openid").await;
        let sid = id_token(&shop, &tokens).await["sid"].as_str().expect("a name").to_owned();
        let query = Serializer::new(String::new()).append_pair("iss", server.issuer).append_pair("sid", &sid).finish();
        let frames = [format!("https://post.example/out?lang=de&{query}"), format!("https://shop.example/out?{query}")];
        (tokens["id_token"].as_str().expect("an ID token").to_owned(), frames)
    };
    let check = |answer: &Answer, frames: &[String]| {
        let page = answer.page();
        assert!(page.has("logged-out"), "{answer}");
        assert_eq!(page.attributes("iframe", "src"), frames);
        let policy = answer.header("content-security-policy");
        assert!(policy.ends_with("; frame-src https://post.example https://shop.example"), "{policy}");
        assert!(page.attributes("iframe", "sandbox").iter().all(|rights| !rights.contains("top-navigation")));
    };

    let alice = Browser::new(&server);
    let (_, frames) = visits(&alice).await;
    let page = alice.open("/oauth2/logout").await;
    let left = alice.press(&page, "logout-confirm").await;
    check(&left, &frames);
    assert!(left.page().attributes("[data-onward]", "data-onward").is_empty(), "it stays here");
    let again = alice.open("/oauth2/logout").await;
    assert!(again.page().attributes("iframe", "src").is_empty(), "nobody is signed in: {again}");
    assert!(!again.header("content-security-policy").contains("frame-src"));

    // An app that wants the person back gets them, once the others had a moment.
    let (hint, frames) = visits(&alice).await;
    let bye =
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://shop.example/bye"), ("state", "s")];
    let left = alice.open(&logout(&bye)).await;
    check(&left, &frames);
    let onward = "https://shop.example/bye?state=s";
    assert_eq!(left.page().attributes("[data-onward]", "data-onward"), [onward]);
    assert!(left.text().contains("<noscript><meta http-equiv=\"refresh\" content=\"2;url=https:"), "{left}");
    assert_eq!(left.page().attribute("back", "href"), onward);

    // A page of one's own is told what to open.
    let spa = Spa::signed_in(&server, "alice").await;
    let (_, frames) = visits(&spa.browser).await;
    assert_eq!(spa.delete("/session").await.ok()["frontchannel_logout_uris"], json!(frames));
}
