//! An app on a phone brings the token of a provider.
//!
//! RFC 8693; S-061.

use serde_json::json;
use symbolon::edge::store::Beside;
use symbolon::model::client::Client;
use symbolon::protocol::numeric_date::NumericDate;

use super::second_factor::enrol;
use crate::support::server::Setup;
use crate::support::spa::Spa;
use crate::support::stand_in::{CLIENT_ID, Lie, StandIn};
use crate::support::stand_in_graph::{Graph, GraphStandIn};
use crate::support::{Answer, RelyingParty, TestServer, clients};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn phone(id: &str) -> Client {
    let mut client = clients::native(id);
    client.metadata.grant_types.push(GRANT.parse().expect("known"));
    client.policy.first_party = true;
    client
}

async fn exchanges(app: &RelyingParty, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("grant_type", GRANT), ("subject_token", token)];
    if !more.iter().any(|(name, _)| *name == "subject_token_type") {
        fields.push(("subject_token_type", ID_TOKEN));
    }
    fields.extend(more);
    app.post("/oauth2/token", &fields).await
}

#[tokio::test]
async fn s_061_an_app_exchanges_the_token_of_a_provider() {
    let server = TestServer::start().await;
    let google = StandIn::google_with(&server, |settings| settings.audiences = vec!["ios-app".to_owned()]).await;
    let app = RelyingParty::of(&server, phone("phone")).await;
    let token = google.id_token("ios-app", Some("n-1"));
    let tokens = exchanges(&app, &token, &[("scope", "openid email offline_access"), ("nonce", "n-1")]).await.ok();
    assert_eq!(tokens["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(tokens["token_type"], "Bearer");
    let access_token = tokens["access_token"].as_str().expect("a token");
    let carol = server.user("carol@gmail.com").await;
    assert_eq!(app.userinfo(access_token).await.ok()["email"], "carol@gmail.com");
    let claims = app.verified(tokens["id_token"].as_str().expect("a token")).await;
    assert_eq!(json!([claims["sub"], claims["amr"], claims["nonce"]]), json!([carol.id, ["fed"], "n-1"]));
    app.refresh(tokens["refresh_token"].as_str().expect("a token")).await.ok();
    assert_eq!(
        exchanges(&app, &token, &[("nonce", "n-1")]).await.error(),
        "400 invalid_request",
        "a token counts once"
    );

    let discovery = server.get("/.well-known/openid-configuration").await.ok();
    assert!(discovery["grant_types_supported"].as_array().expect("a list").contains(&json!(GRANT)));
}

#[tokio::test]
async fn s_061_what_is_not_good_is_not_exchanged() {
    let server = TestServer::start().await;
    let google = StandIn::google(&server).await;
    let app = RelyingParty::of(&server, phone("phone")).await;
    let good = || google.id_token(CLIENT_ID, None);
    for (what, token, more, expected) in [
        ("for another app", google.id_token("another-app", None), vec![], "400 invalid_request"),
        ("a nonce that nobody told", google.id_token(CLIENT_ID, Some("n")), vec![], "400 invalid_request"),
        ("another nonce", google.id_token(CLIENT_ID, Some("n")), vec![("nonce", "m")], "400 invalid_request"),
        ("no token", "x".to_owned(), vec![], "400 invalid_request"),
        ("no such provider", good(), vec![("subject_issuer", "nobody")], "400 invalid_request"),
        ("a bare access token", "ya29".to_owned(), vec![("subject_token_type", ACCESS_TOKEN)], "400 invalid_request"),
        (
            "an access token that may be anybody's",
            "ya29".to_owned(),
            vec![("subject_token_type", ACCESS_TOKEN), ("subject_issuer", "google")],
            "400 invalid_request",
        ),
        ("another type", good(), vec![("subject_token_type", "jwt")], "400 invalid_request"),
        ("an actor", good(), vec![("actor_token", "t"), ("actor_token_type", ID_TOKEN)], "400 invalid_request"),
        ("another audience", good(), vec![("audience", "https://other.example")], "400 invalid_target"),
        ("a scope that nobody knows", good(), vec![("scope", "moon")], "400 invalid_scope"),
    ] {
        assert_eq!(exchanges(&app, &token, &more).await.error(), expected, "{what}");
    }
    for lie in [Lie::Unsigned, Lie::SignedWithPublicKey, Lie::SignedByAnother] {
        let what = format!("{lie:?}");
        google.lies(lie);
        let token = good();
        google.lies(Lie::None);
        assert_eq!(exchanges(&app, &token, &[]).await.error(), "400 invalid_request", "{what}");
    }
    // Only apps of the house that are registered for it.
    let mut foreign = phone("foreign");
    foreign.policy.first_party = false;
    let foreign = RelyingParty::of(&server, foreign).await;
    assert_eq!(exchanges(&foreign, &good(), &[]).await.error(), "400 unauthorized_client");
    let shop = RelyingParty::web(&server, "shop").await;
    assert_eq!(exchanges(&shop, &good(), &[]).await.error(), "400 unauthorized_client");
    google.lies(Lie::Down);
    server.advance(std::time::Duration::from_hours(2));
    assert_eq!(exchanges(&app, &good(), &[]).await.error(), "503 temporarily_unavailable");
}

#[tokio::test]
async fn s_061_what_a_person_has_to_prove_is_not_left_out() {
    let server = TestServer::start().await;
    let corp = StandIn::corp(&server, |settings| settings.trust.email_domains = vec!["gmail.com".to_owned()]).await;
    let app = RelyingParty::of(&server, phone("phone")).await;
    // The account of that address is proven first.
    corp.person(json!({"sub": "a", "email": "alice@example.com", "email_verified": true}));
    let answer = exchanges(&app, &corp.id_token(CLIENT_ID, None), &[]).await;
    assert_eq!(answer.error(), "400 invalid_request");
    let told = answer.json()["error_description"].as_str().expect("words").to_owned();
    assert!(told.contains("http://localhost:8080/federation/corp/start"), "{told}");

    // A second factor is asked for where it can be answered.
    let alice = Spa::signed_in(&server, "alice").await;
    server.advance(std::time::Duration::from_secs(1));
    let token = json!({"id_token": corp.id_token(CLIENT_ID, None)});
    assert_eq!(alice.post("/me/identities/corp/link", &token).await.ok()["status"], "connected");
    enrol(&server, &alice).await;
    server.advance(std::time::Duration::from_secs(1));
    let answer = exchanges(&app, &corp.id_token(CLIENT_ID, None), &[]).await;
    assert_eq!(answer.error(), "400 invalid_request");
    assert!(answer.json()["error_description"].as_str().expect("words").contains("second factor"), "{answer}");

    let alice = server.user("alice").await;
    let now = NumericDate::from_seconds(server.clock.seconds());
    server.store().disable_user(alice.id, now, Beside::default()).await.expect("disabled");
    server.advance(std::time::Duration::from_secs(1));
    assert_eq!(exchanges(&app, &corp.id_token(CLIENT_ID, None), &[]).await.error(), "400 invalid_request");
}

/// S-061: an access token counts where the provider says for which app it was made.
#[tokio::test]
async fn s_061_an_access_token_is_exchanged_where_its_maker_can_be_asked() {
    let server = TestServer::start().await;
    let github = GraphStandIn::open(&server, Graph::GitHub).await;
    github.person(json!({"id": 7, "login": "carol"}), json!([]));
    let app = RelyingParty::of(&server, phone("phone")).await;
    let by = [("subject_token_type", ACCESS_TOKEN), ("subject_issuer", "github")];
    assert_eq!(exchanges(&app, &github.token_for("another-app"), &by).await.error(), "400 invalid_request");
    // Nobody has this identity yet, and no address comes with it.
    let answer = exchanges(&app, &github.token_for(CLIENT_ID), &by).await;
    assert!(answer.json()["error_description"].as_str().expect("words").contains("prove"), "{answer}");
}

/// It is a way to sign in, and counts as all of them do.
#[tokio::test]
async fn s_122_exchanges_count_as_sign_ins() {
    let few = |config: &mut symbolon::config::Config| config.limits.sign_in = Some("2/min".parse().expect("a rate"));
    let server = TestServer::configured(Setup::default(), few).await;
    let google = StandIn::google(&server).await;
    let app = RelyingParty::of(&server, phone("phone")).await;
    for _ in 0..2 {
        assert_eq!(exchanges(&app, "x", &[]).await.error(), "400 invalid_request");
    }
    let refused = exchanges(&app, &google.id_token(CLIENT_ID, None), &[]).await;
    assert_eq!((refused.error().as_str(), refused.header("retry-after")), ("429 access_denied", "30"));
    // Other grants do not count with it.
    assert_eq!(app.refresh("x").await.error(), "400 invalid_grant");
    server.advance(std::time::Duration::from_secs(30));
    exchanges(&app, &google.id_token(CLIENT_ID, None), &[]).await.ok();
}
