//! Accounts elsewhere from an app's own screens: S-058, S-060, S-064, S-065, S-156.

use std::time::Duration;

use http::header::{ETAG, IF_NONE_MATCH};
use http::{Method, Request};
use serde_json::{Value, json};
use symbolon::edge::store::Beside;
use symbolon::protocol::numeric_date::NumericDate;

use symbolon::model::message::MessageKind;

use crate::support::answer::code;
use crate::support::server::Setup;
use crate::support::spa::Spa;
use crate::support::stand_in::{CLIENT_ID, Lie, StandIn};
use crate::support::stand_in_graph::{Graph, GraphStandIn};
use crate::support::{Browser, TestServer};

async fn links(server: &TestServer, name: &str) -> usize {
    server.store().upstream_links(server.user(name).await.id).await.expect("read").len()
}

#[tokio::test]
async fn s_156_the_options_tell_who_is_offered() {
    let server = TestServer::start().await;
    let before = server.get("/api/v1/sign-in/options").await;
    assert_eq!(before.ok()["providers"], json!([]));
    StandIn::google_with(&server, |settings| {
        settings.audiences = vec!["ios-app".to_owned()];
        settings.notes = Some("ask Ada".to_owned());
    })
    .await;
    let tag = before.headers[ETAG].clone();
    let asked = Request::get("/api/v1/sign-in/options").header(IF_NONE_MATCH, tag);
    let after = server.send(asked.body(axum::body::Body::empty()).expect("a request")).await;
    assert_eq!(after.status, 200, "what is offered changed, and the tag with it");
    assert_eq!(
        after.ok()["providers"],
        json!([{
            "slug": "google", "kind": "google", "label": "Google", "logo_uri": null, "client_id": CLIENT_ID,
            "native_client_ids": ["ios-app"],
            "start_url": "http://localhost:8080/federation/google/start",
            "redirect_uri": "http://localhost:8080/federation/google/callback",
        }])
    );
    assert!(!after.text().contains("ask Ada"), "notes are the operator's (S-155)");
    let google = server.store().identity_provider("google").await.expect("read").expect("there");
    let mut google = google.as_ref().clone();
    google.disabled_at = Some(NumericDate::from_seconds(1));
    server.store().update_identity_provider(&google, Beside::default()).await.expect("changed");
    assert_eq!(server.get("/api/v1/sign-in/options").await.ok()["providers"], json!([]));
}

#[tokio::test]
async fn s_060_an_app_is_told_where_its_browser_goes() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let spa = Spa::open(&server).await;
    let url = spa.get("/federation/google/url?redirect_path=/account/sessions").await.ok()["url"].clone();
    let url = url.as_str().expect("a URL");
    assert_eq!(url, "http://localhost:8080/federation/google/start?from=app&to=account%2Fsessions");
    let there = spa.browser.get(url.strip_prefix("http://localhost:8080").expect("ours")).await;
    let page = spa.browser.open(&google.visit(&there)).await;
    assert!(page.page().words("main").contains("This browser"), "{page}");
    assert_eq!(spa.get("/session").await.ok()["user"]["email"], "carol@gmail.com");
    assert_eq!(code(&spa.get("/federation/nobody/url").await), "404 provider_not_found");
    let url = spa.get("/federation/google/url?redirect_path=https://evil.example/").await.ok()["url"].clone();
    let there =
        spa.browser.get(url.as_str().expect("a URL").strip_prefix("http://localhost:8080").expect("ours")).await;
    let page = spa.browser.open(&google.visit(&there)).await;
    assert!(page.page().has("sign-out"), "only pages of ours: {page}");
}

#[tokio::test]
async fn s_064_an_account_elsewhere_is_connected_by_a_browser() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let stranger = Spa::open(&server).await;
    assert_eq!(code(&stranger.post("/me/identities/google/link", &json!({})).await), "401 sign_in_required");
    let alice = Spa::signed_in(&server, "alice").await;
    assert_eq!(code(&alice.post("/me/identities/nobody/link", &json!({})).await), "404 provider_not_found");
    let answer = alice.post("/me/identities/google/link", &json!({})).await.ok();
    assert_eq!(answer["status"], "redirect");
    let (back, _) = google.agree(answer["redirect_url"].as_str().expect("a URL"));
    let back = back.strip_prefix("http://localhost:8080").expect("ours");
    // Nobody else finishes what she began.
    let bob = Browser::signed_in(&server, "bob").await;
    bob.get(back).await.of(http::StatusCode::BAD_REQUEST);
    assert_eq!(alice.browser.open(back).await.status, 200);
    let items = alice.get("/me/identities").await.ok()["items"].clone();
    assert_eq!(
        json!([items[0]["provider"], items[0]["label"], items[0]["identity"], items[0]["linked_at"]]),
        json!(["google", "Google", "carol@gmail.com", "2027-01-15T08:00:00Z"])
    );
    assert_eq!((links(&server, "alice").await, links(&server, "bob").await), (1, 0));
    // ASVS 6.3.7: she is told, also of its end.
    server.deliver().await;
    let told = server.mailbox().last_to("alice@example.com");
    assert_eq!(told.kind, Some(MessageKind::IdentityLinked));
    assert!(told.text.contains("Google"), "{}", told.text);
    let id = items[0]["id"].as_str().expect("an id");
    assert_eq!(alice.delete(&format!("/me/identities/{id}")).await.status, 204);
    server.deliver().await;
    assert_eq!(server.mailbox().last_to("alice@example.com").kind, Some(MessageKind::IdentityUnlinked));
}

#[tokio::test]
async fn s_064_an_account_elsewhere_is_connected_by_its_token() {
    let server = TestServer::start().await;
    let google = StandIn::google_with(&server, |settings| settings.audiences = vec!["ios-app".to_owned()]).await;
    let alice = Spa::signed_in(&server, "alice").await;
    let link = async |body: &Value| code(&alice.post("/me/identities/google/link", body).await);
    let token = |audience: &str, nonce: Option<&str>| google.id_token(audience, nonce);
    for (what, body) in [
        ("for another app", json!({"id_token": token("another-app", None)})),
        ("with another nonce", json!({"id_token": token("ios-app", Some("n")), "nonce": "m"})),
        ("with a nonce that nobody told", json!({"id_token": token("ios-app", Some("n"))})),
        ("without the nonce", json!({"id_token": token("ios-app", None), "nonce": "n"})),
        ("no token at all", json!({"id_token": "x"})),
        ("an access token that may be anybody's", json!({"access_token": "ya29"})),
    ] {
        assert_eq!(link(&body).await, "401 federation_token_invalid", "{what}");
    }
    google.lies(Lie::SignedWithPublicKey);
    let forged = json!({"id_token": token("ios-app", None)});
    google.lies(Lie::None);
    assert_eq!(link(&forged).await, "401 federation_token_invalid");
    assert_eq!(links(&server, "alice").await, 0);

    let body = json!({"id_token": token("ios-app", Some("n")), "nonce": "n"});
    let answer = alice.post("/me/identities/google/link", &body).await.ok();
    assert_eq!((&answer["status"], &answer["identity"]["provider"]), (&json!("connected"), &json!("google")));
    assert_eq!(link(&body).await, "401 federation_token_invalid", "a token counts once");
    let bob = Spa::signed_in(&server, "bob").await;
    let body = json!({"id_token": token(CLIENT_ID, None)});
    assert_eq!(code(&bob.post("/me/identities/google/link", &body).await), "409 identity_taken");
}

/// S-061: a bare access token counts where the provider says for which app it was made.
#[tokio::test]
async fn s_061_an_access_token_of_another_app_is_worth_nothing() {
    for graph in [Graph::Facebook, Graph::GitHub] {
        let server = TestServer::start().await;
        let there = GraphStandIn::open(&server, graph).await;
        let slug = if graph == Graph::Facebook { "facebook" } else { "github" };
        let person = if graph == Graph::Facebook { json!({"id": "7"}) } else { json!({"id": 7, "login": "a"}) };
        there.person(person, json!([]));
        let alice = Spa::signed_in(&server, "alice").await;
        let target = format!("/me/identities/{slug}/link");
        for token in [there.token_for("another-app"), "nobody's".to_owned()] {
            let answer = alice.post(&target, &json!({"access_token": token})).await;
            assert_eq!(code(&answer), "401 federation_token_invalid", "{graph:?}");
        }
        let answer = alice.post(&target, &json!({"access_token": there.token_for(CLIENT_ID)})).await;
        assert_eq!(answer.ok()["status"], "connected", "{graph:?}");
    }
}

#[tokio::test]
async fn s_065_a_connection_is_cut_by_who_proved_it_lately() {
    // Where no code signs in.
    let setup = Setup { configure: |config| config.otp.send_to_anonymous = false, ..Setup::default() };
    let server = TestServer::with(setup).await;
    let google = StandIn::google(&server).await;
    let alice = Spa::signed_in(&server, "alice").await;
    let body = json!({"id_token": google.id_token(CLIENT_ID, None)});
    let id = alice.post("/me/identities/google/link", &body).await.ok()["identity"]["id"].clone();
    let target = format!("/me/identities/{}", id.as_str().expect("an id"));
    let bob = Spa::signed_in(&server, "bob").await;
    assert_eq!(code(&bob.delete(&target).await), "404 not_found", "it is not his");
    server.advance(Duration::from_mins(11));
    assert_eq!(code(&alice.delete(&target).await), "403 reauth_required");
    assert_eq!(code(&alice.post("/me/identities/google/link", &json!({})).await), "403 reauth_required");
    // By the account elsewhere: hers, and asked of late.
    let by = |token: String| json!({"provider": "google", "id_token": token});
    google.lies(Lie::Claims(json!({"sub": "somebody else"})));
    let foreign = alice.post("/me/reauth", &by(google.id_token(CLIENT_ID, None))).await;
    assert_eq!(code(&foreign), "401 federation_token_invalid");
    google.lies(Lie::Claims(json!({"auth_time": server.clock.seconds() - 3_600})));
    let old = alice.post("/me/reauth", &by(google.id_token(CLIENT_ID, None))).await;
    assert_eq!(code(&old), "401 federation_token_invalid");
    google.lies(Lie::None);
    let silent = alice.post("/me/reauth", &by(google.id_token(CLIENT_ID, None))).await;
    assert_eq!(code(&silent), "401 federation_token_invalid", "a session there may have answered by itself");
    google.lies(Lie::Claims(json!({"auth_time": server.clock.seconds()})));
    alice.post("/me/reauth", &by(google.id_token(CLIENT_ID, None))).await.ok();
    assert_eq!(alice.send(Method::DELETE, &target, None).await.status, 204);
    assert_eq!(alice.get("/me/identities").await.ok()["items"], json!([]));

    // Who came by it alone keeps it.
    let carol = Spa::open(&server).await;
    let start = carol.browser.get("/federation/google/start").await;
    carol.browser.open(&google.visit(&start)).await;
    carol.get("/session").await.ok();
    let id = carol.get("/me/identities").await.ok()["items"][0]["id"].clone();
    let target = format!("/me/identities/{}", id.as_str().expect("an id"));
    assert_eq!(code(&carol.delete(&target).await), "409 last_sign_in_method");
}

/// PROTOCOL T20: a token counts once for as long as it is good, however long that is.
#[tokio::test]
async fn s_061_a_token_that_is_good_for_a_week_counts_once_in_that_week() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    google.lies(Lie::Claims(json!({"exp": server.clock.seconds() + 7 * 24 * 3_600})));
    let body = by_token("google", &google.id_token(CLIENT_ID, None));
    Spa::open(&server).await.post("/sign-in", &body).await.ok();
    for day in 1..7 {
        server.advance(Duration::from_hours(24));
        // What has run out is cleared away now and then.
        let now = NumericDate::from_seconds(server.clock.seconds());
        server.store().clear_expired(now, 1_000).await.expect("cleared");
        let again = Spa::open(&server).await.post("/sign-in", &body).await;
        assert_eq!(code(&again), "401 federation_token_invalid", "day {day}");
    }
}

fn by_token(provider: &str, id_token: &str) -> Value {
    json!({"method": "social_token", "provider": provider, "id_token": id_token})
}

/// S-061, S-062: an app on a phone brings the ID token that it got there.
#[tokio::test]
async fn s_061_an_app_signs_in_by_an_id_token() {
    let server = TestServer::start().await;
    let google = StandIn::google_with(&server, |settings| settings.audiences = vec!["ios-app".to_owned()]).await;
    google.person(json!({"sub": "7", "email": "carol@gmail.com", "email_verified": true}));
    let spa = Spa::open(&server).await;
    let mut body = by_token("google", &google.id_token("ios-app", Some("n-1")));
    assert_eq!(code(&spa.post("/sign-in", &body).await), "401 federation_token_invalid", "the nonce is not told");
    body["nonce"] = json!("n-1");
    (body["first_name"], body["last_name"]) = (json!("Carol"), json!("Danvers"));
    let answer = spa.post("/sign-in", &body).await.ok();
    assert_eq!(json!([answer["status"], answer["is_new_user"]]), json!(["complete", true]));
    assert_eq!(json!([answer["user"]["email"], answer["user"]["first_name"]]), json!(["carol@gmail.com", "Carol"]));
    let session = spa.get("/session").await.ok();
    assert_eq!(session["amr"], json!(["fed"]));
    assert_eq!(code(&spa.post("/sign-in", &body).await), "401 federation_token_invalid", "a token counts once");

    server.advance(Duration::from_secs(5));
    let again = Spa::open(&server).await;
    let mut body = by_token("google", &google.id_token(CLIENT_ID, None));
    body["first_name"] = json!("Mallory");
    let answer = again.post("/sign-in", &body).await.ok();
    assert_eq!(
        json!([answer["is_new_user"], answer["user"]["first_name"]]),
        json!([false, "Carol"]),
        "what is there stays"
    );
    for (provider, what) in [("nobody", "404 provider_not_found"), ("google", "422 required")] {
        let body = json!({"method": "social_token", "provider": provider});
        assert_eq!(code(&again.post("/sign-in", &body).await), what);
    }
    let body = by_token("google", &google.id_token("another-app", None));
    assert_eq!(code(&again.post("/sign-in", &body).await), "401 federation_token_invalid");
    google.lies(Lie::Down);
    server.advance(Duration::from_hours(2));
    let body = by_token("google", &google.id_token(CLIENT_ID, None));
    assert_eq!(code(&again.post("/sign-in", &body).await), "503 federation_failed");
}

/// S-062: Apple tells a name once, to the app; what the app passes on fills what is empty, and nothing else.
#[tokio::test]
async fn s_062_names_from_the_app_fill_what_is_empty() {
    let server = TestServer::start().await;
    let apple = StandIn::apple(&server).await;
    apple.person(json!({"sub": "001.a", "email": "x1@privaterelay.appleid.com", "email_verified": "true"}));
    let names = async |first: &str, last: &str| {
        server.advance(Duration::from_secs(1));
        let mut body = by_token("apple", &apple.id_token(CLIENT_ID, None));
        for (name, value) in [("first_name", first), ("last_name", last)] {
            if !value.is_empty() {
                body[name] = json!(value);
            }
        }
        let user = Spa::open(&server).await.post("/sign-in", &body).await.ok()["user"].clone();
        json!([user["first_name"], user["last_name"]])
    };
    assert_eq!(names("Carol", "").await, json!(["Carol", null]));
    assert_eq!(names("Mallory", "Danvers").await, json!(["Carol", "Danvers"]), "what is there stays");
    assert_eq!(names("Mallory", "Evil").await, json!(["Carol", "Danvers"]));
}

/// S-063: what needs a proof is done where a browser can ask for it.
#[tokio::test]
async fn s_061_a_token_connects_to_nobody_without_a_proof() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |_| ()).await;
    let spa = Spa::open(&server).await;
    for (email, expected) in
        [("alice@example.com", "403 verification_required"), ("d@new.example", "422 verification_required")]
    {
        corp.person(json!({"sub": email, "email": email, "email_verified": true}));
        let answer = spa.post("/sign-in", &by_token("corp", &corp.id_token(CLIENT_ID, None))).await;
        assert_eq!(code(&answer), expected);
        assert_eq!(answer.json()["start_url"], "http://localhost:8080/federation/corp/start");
    }
    assert_eq!(links(&server, "alice").await, 0);
}

/// S-067: an app's own pages hear how it ended, and nothing but a word of the catalogue.
#[tokio::test]
async fn s_067_an_app_hears_how_it_ended() {
    let server = TestServer::configured(Setup::default(), |config| {
        config.upstream.success_url = Some("https://app.example.com/in".to_owned());
        config.upstream.error_url = Some("https://app.example.com/out?lang=de".to_owned());
    })
    .await;
    let google = StandIn::google(&server).await;
    let spa = Spa::open(&server).await;
    let leaves = async || {
        let url = spa.get("/federation/google/url").await.ok()["url"].clone();
        let there = spa.browser.get(url.as_str().expect("a URL").strip_prefix("http://localhost:8080").expect("ours"));
        google.visit(&there.await)
    };
    let back = leaves().await;
    let (path, query) = back.split_once('?').expect("a query");
    let state = query.split('&').find(|pair| pair.starts_with("state=")).expect("a state");
    let denied = spa.browser.open(&format!("{path}?{state}&error=access_denied&error_description=EVIL")).await;
    assert_eq!(denied.location(), "https://app.example.com/out?lang=de&code=federation_denied");
    let back = leaves().await;
    google.lies(Lie::Refuses);
    let failed = spa.browser.open(&back).await;
    assert_eq!(failed.location(), "https://app.example.com/out?lang=de&code=federation_failed");
    google.lies(Lie::None);
    assert_eq!(spa.browser.open(&leaves().await).await.location(), "https://app.example.com/in");
    let carol = server.user("carol@gmail.com").await;
    let now = NumericDate::from_seconds(server.clock.seconds());
    server.store().disable_user(carol.id, now, Beside::default()).await.expect("disabled");
    let off = spa.browser.open(&leaves().await).await;
    assert_eq!(off.location(), "https://app.example.com/out?lang=de&code=account_disabled");
    // Who began on our own page stays on our pages.
    let page = spa.browser.open("/sign-in").await;
    let start = page.page().attribute("provider-google", "href").to_owned();
    let there = spa.browser.get(&start).await;
    spa.browser.open(&google.visit(&there)).await.of(http::StatusCode::FORBIDDEN);
}
