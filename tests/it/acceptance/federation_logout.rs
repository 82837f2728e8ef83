//! Who leaves a provider leaves here as well: OpenID Connect Back-Channel Logout, received.

use serde_json::{Value, json};
use symbolon::model::client::RefreshTokenPolicy;
use symbolon::model::event::{EventName, Outcome};

use super::federation::{changed, events, leaves_from, signs_in};
use crate::support::server::Setup;
use crate::support::stand_in::{Lie, StandIn};
use crate::support::{Answer, Browser, RelyingParty, TestServer, clients};

const TARGET: &str = "/federation/corp/backchannel-logout";

async fn corp(server: &TestServer) -> StandIn {
    StandIn::corp(server, |settings| settings.trust.email_domains = vec!["corp.example".to_owned()]).await
}

fn person(name: &str, sid: &str) -> Value {
    json!({"sub": name, "email": format!("{name}@corp.example"), "email_verified": true, "name": name, "sid": sid})
}

/// A browser in which somebody came by `corp`, in a session of this name there.
async fn comes(server: &TestServer, corp: &StandIn, (name, sid): (&str, &str)) -> Browser {
    corp.person(person(name, sid));
    let browser = Browser::new(server);
    assert!(signs_in(&browser, corp, "corp").await.page().has("sign-out"));
    browser
}

async fn is_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

async fn says(server: &TestServer, token: &str) -> Answer {
    server.post(TARGET, &[("logout_token", token)]).await
}

/// A first-party app that gets a refresh token each time.
async fn app(server: &TestServer, id: &str) -> RelyingParty {
    let mut client = clients::web(id);
    client.policy.first_party = true;
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    RelyingParty::of(server, client).await
}

#[tokio::test]
async fn who_leaves_the_provider_is_signed_out_here() {
    let server = TestServer::start().await;
    let corp = corp(&server).await;
    let (shop, post) = (app(&server, "shop").await, app(&server, "post").await);
    let alice = Browser::signed_in(&server, "alice").await;
    let dave = comes(&server, &corp, ("dave", "d-1")).await;

    corp.person(person("carol", "s-1"));
    let carol = Browser::new(&server);
    let exchange = shop.begin("openid");
    let page = carol.begin(&exchange).await;
    let there = leaves_from(&carol, &page, "corp").await;
    let back = carol.open(&corp.visit(&there)).await;
    let tokens = shop.redeem(&exchange, &shop.code(&exchange, back.location())).await.ok();
    let offline = post.tokens(&carol, "carol", "openid offline_access").await;

    let token = corp.logout_token(&json!({"sub": "carol"}));
    let answer = says(&server, &token).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control"), answer.text()), (200, "no-store", ""));
    assert!(!is_in(&carol).await, "she left there");
    assert!(is_in(&alice).await && is_in(&dave).await, "nobody else did");
    let refresh = |tokens: &Value| tokens["refresh_token"].as_str().expect("a token").to_owned();
    assert_eq!(shop.refresh(&refresh(&tokens)).await.error(), "400 invalid_grant");
    post.refresh(&refresh(&offline)).await.ok();
    let told = events(&server).await;
    let ended = told.iter().find(|event| event.name == EventName::SessionEnded).expect("it is told");
    assert_eq!(json!([ended.details["reason"], ended.details["provider"]]), json!(["upstream_logout", "corp"]));
    assert_eq!(ended.user, Some(server.user("carol@corp.example").await.id));

    // A token is heard once, and not for what began after it.
    let carol = comes(&server, &corp, ("carol", "s-1")).await;
    assert_eq!(says(&server, &token).await.error(), "400 invalid_request");
    assert!(is_in(&carol).await);
    // Also on another node.
    let neighbour = server.neighbour().await;
    assert_eq!(says(&neighbour, &token).await.error(), "400 invalid_request");
    // Of somebody who is not here, and by a provider that is not offered any more.
    assert_eq!(says(&server, &corp.logout_token(&json!({"sub": "nobody"}))).await.status, 200);
    changed(&server, "corp", |corp| corp.disabled_at = Some(corp.created_at)).await;
    assert_eq!(says(&server, &corp.logout_token(&json!({"sub": "carol"}))).await.status, 200);
    assert!(!is_in(&carol).await);
}

#[tokio::test]
async fn a_session_there_that_has_a_name_ends_alone() {
    let server = TestServer::start().await;
    let corp = corp(&server).await;
    let first = comes(&server, &corp, ("carol", "s-1")).await;
    let second = comes(&server, &corp, ("carol", "s-2")).await;
    let other = comes(&server, &corp, ("dave", "d-1")).await;
    assert_eq!(says(&server, &corp.logout_token(&json!({"sub": null, "sid": "s-1"}))).await.status, 200);
    assert_eq!([is_in(&first).await, is_in(&second).await, is_in(&other).await], [false, true, true]);
    assert_eq!(says(&server, &corp.logout_token(&json!({"sub": "dave", "sid": "s-2"}))).await.status, 200);
    assert!(is_in(&second).await, "the session is of somebody else");
    assert_eq!(says(&server, &corp.logout_token(&json!({"sub": "carol", "sid": "s-2"}))).await.status, 200);
    assert!(!is_in(&second).await && is_in(&other).await);
}

/// OpenID Connect Back-Channel Logout §2.6: every rule, and every refusal is written down.
#[tokio::test]
async fn a_logout_token_that_lies_ends_nothing() {
    let server = TestServer::start().await;
    let corp = corp(&server).await;
    let carol = comes(&server, &corp, ("carol", "s-1")).await;
    let now = server.clock.seconds();
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let mut tokens: Vec<(String, String)> = [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another-client"}),
        json!({"aud": null}),
        json!({"iat": null}),
        json!({"iat": now + 3_600}),
        json!({"exp": now - 61}),
        json!({"exp": null}),
        json!({"events": null}),
        json!({"events": {}}),
        json!({"events": {event: "yes"}}),
        json!({"nonce": "n"}),
        json!({"sub": null}),
        json!({"jti": null}),
    ]
    .iter()
    .map(|lie| (lie.to_string(), corp.logout_token(lie)))
    .collect();
    for lie in [Lie::Unsigned, Lie::SignedWithPublicKey, Lie::SignedByAnother] {
        let told = format!("{lie:?}");
        corp.lies(lie);
        tokens.push((told, corp.logout_token(&json!({}))));
    }
    corp.lies(Lie::None);
    tokens.push(("an ID token".to_owned(), corp.id_token(crate::support::stand_in::CLIENT_ID, None)));
    tokens.push(("no token".to_owned(), "x".to_owned()));
    tokens.push(("a huge one".to_owned(), "x".repeat(17 * 1024)));
    for (what, token) in tokens {
        server.advance(std::time::Duration::from_secs(1));
        let answer = says(&server, &token).await;
        assert_eq!(answer.error(), "400 invalid_request", "{what}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let told = events(&server).await;
        let refused = told.iter().find(|event| event.name == EventName::SessionEnded).expect("it is told");
        assert_eq!((refused.outcome, &refused.details["reason"]), (Outcome::Failure, &json!("untrue")), "{what}");
        assert!(is_in(&carol).await, "{what}");
    }
    // Nobody of this name, and a way that this provider does not have.
    let token = corp.logout_token(&json!({}));
    let unknown = server.post("/federation/nobody/backchannel-logout", &[("logout_token", &token)]).await;
    assert_eq!(unknown.error(), "400 invalid_request");
    assert_eq!(server.post(TARGET, &[]).await.error(), "400 invalid_request");
}

/// What is refused is counted by the address it comes from; what is believed is not.
#[tokio::test]
async fn s_122_who_lies_too_often_about_who_left_is_not_heard() {
    let few =
        |config: &mut symbolon::config::Config| config.limits.logout_token = Some("2/min".parse().expect("a rate"));
    let server = TestServer::configured(Setup::default(), few).await;
    let corp = corp(&server).await;
    for _ in 0..5 {
        assert_eq!(says(&server, &corp.logout_token(&json!({"sub": "nobody"}))).await.status, 200);
        server.advance(std::time::Duration::from_secs(1));
    }
    for _ in 0..2 {
        assert_eq!(says(&server, "no token").await.error(), "400 invalid_request");
    }
    let refused = says(&server, &corp.logout_token(&json!({"sub": "nobody"}))).await;
    assert_eq!((refused.error().as_str(), refused.header("retry-after")), ("429 access_denied", "30"));
    let elsewhere = crate::support::server::form(TARGET, &[("logout_token", &corp.logout_token(&json!({"sub": "x"})))]);
    let there = server.send_from(([192, 0, 2, 7], 50_000).into(), elsewhere).await;
    assert_eq!(there.status, 200, "another address is not concerned");
    server.advance(std::time::Duration::from_secs(30));
    assert_eq!(says(&server, &corp.logout_token(&json!({"sub": "nobody"}))).await.status, 200);
}
