//! S-075 on two nodes: what one of them ends is refused by the other within a second, wherever a token is taken.
//!
//! On SQLite both share a file, on PostgreSQL a database (`SYMBOLON_TEST_DATABASE=postgres`, which `tests/all` sets for its second round).

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use symbolon::model::client::{AccessTokenEncryption, AccessTokenFormat, Client, RefreshTokenPolicy, TokenDelivery};

use crate::support::answer::{Answer, code};
use crate::support::clients::{self, SECRET};
use crate::support::relying_party::Proof;
use crate::support::server::PASSWORD;
use crate::support::spa::Spa;
use crate::support::{RelyingParty, TestServer};

const NEW: &str = "another battery staple horse";

/// A first-party app without a secret, whose access tokens have this form.
fn app(id: &str, format: AccessTokenFormat) -> Client {
    let mut client = clients::native(id);
    client.policy.first_party = true;
    client.policy.direct_tokens = true;
    client.policy.refresh_token = RefreshTokenPolicy::Always;
    client.policy.access_token = format;
    client
}

async fn post(node: &TestServer, path: &str, body: &Value) -> Answer {
    node.json((Method::POST, &format!("/api/v1{path}")), body, None).await
}

async fn tokens(node: &TestServer, id: &str, password: &str) -> Value {
    let body =
        json!({"client_id": id, "method": "password", "identifier": "alice", "password": password, "scope": "openid"});
    post(node, "/tokens", &body).await.ok()
}

/// What Alice has at a moment, given by the first node.
struct Held {
    pairs: Vec<Value>,
    shop: Value,
    cookie: String,
    code: Value,
    verifier: String,
}

struct Nodes {
    one: TestServer,
    two: TestServer,
    /// One app with a secret, at either node.
    shop: [RelyingParty; 2],
}

impl Nodes {
    async fn start() -> Self {
        let one = TestServer::start().await;
        for (id, format, encryption) in [
            ("signed", AccessTokenFormat::Jwt, None),
            ("opaque", AccessTokenFormat::Opaque, None),
            ("sealed", AccessTokenFormat::Jwt, Some(AccessTokenEncryption::Direct)),
        ] {
            let mut client = app(id, format);
            client.policy.access_token_encryption = encryption;
            RelyingParty::of(&one, client).await;
        }
        let mut phone = app("phone", AccessTokenFormat::Jwt);
        phone.policy.token_delivery = TokenDelivery::Code;
        RelyingParty::of(&one, phone).await;
        let here = RelyingParty::web(&one, "shop").await;
        let two = one.neighbour().await;
        let there = RelyingParty::registered(&two, "shop", &here.redirect_uri, Proof::Basic(SECRET.to_owned()));
        Self { one, two, shop: [here, there] }
    }

    /// Of Alice with this password.
    async fn gives(&self, password: &str) -> Held {
        let mut pairs = Vec::new();
        for id in ["signed", "opaque", "sealed"] {
            pairs.push(tokens(&self.one, id, password).await);
        }
        let browser = Spa::open(&self.one).await;
        assert_eq!(browser.sign_in("alice", password).await.ok()["status"], "complete");
        let shop = self.shop[0].tokens(&browser.browser, "alice", "openid offline_access").await;
        let exchange = self.shop[0].begin("openid");
        let find =
            |name: &str| exchange.parameters.iter().find(|(known, _)| known == name).expect("it is there").1.clone();
        let body = json!({
            "client_id": "phone", "method": "password", "identifier": "alice", "password": password, "scope": "openid",
            "code_challenge": find("code_challenge"), "code_challenge_method": "S256",
        });
        let code = post(&self.one, "/sign-in", &body).await.ok()["authorization_code"].clone();
        let cookie = browser.browser.cookie("symbolon_session").expect("signed in");
        Held { pairs, shop, cookie, code, verifier: exchange.verifier }
    }

    /// What the second node says to each thing that is held, surface by surface: true where it is taken.
    async fn takes(&self, held: &Held) -> Vec<(String, bool)> {
        let node = &self.two;
        let mut said = Vec::new();
        for (number, pair) in held.pairs.iter().enumerate() {
            let token = pair["access_token"].as_str().expect("a token");
            let mut tell = |surface: &str, taken: bool| said.push((format!("{surface} {number}"), taken));
            let claims = node.get_with("/api/v1/tokens/claims", token).await;
            tell("claims", claims.status == StatusCode::OK);
            tell("person", node.get_with("/api/v1/me/sessions", token).await.status == StatusCode::OK);
            tell("userinfo", node.get_with("/oauth2/userinfo", token).await.status == StatusCode::OK);
            tell("verify", post(node, "/tokens/verify", &json!({"token": token})).await.status == StatusCode::OK);
        }
        for name in ["access_token", "refresh_token"] {
            let token = held.shop[name].as_str().expect("a token");
            said.push((format!("introspection of the {name}"), self.shop[1].is_active(token).await));
        }
        let browser = Spa::new(node);
        browser.browser.set_cookie("symbolon_session", &held.cookie);
        said.push(("session".to_owned(), browser.get("/session").await.ok()["user"].is_object()));
        said.push(("account".to_owned(), browser.browser.open("/account").await.page().has("sign-out")));
        said
    }

    /// What is used up when it is taken.
    async fn takes_once(&self, held: &Held) -> Vec<(String, bool)> {
        let mut said = Vec::new();
        for (number, pair) in held.pairs.iter().enumerate() {
            let answer = post(&self.two, "/tokens/refresh", &json!({"refresh_token": pair["refresh_token"]})).await;
            let is_taken = answer.status == StatusCode::OK;
            assert!(is_taken || code(&answer) == "401 invalid_refresh_token", "{answer}");
            said.push((format!("refresh {number}"), is_taken));
        }
        let refresh_token = held.shop["refresh_token"].as_str().expect("a token");
        said.push((
            "the token endpoint".to_owned(),
            self.shop[1].refresh(refresh_token).await.status == StatusCode::OK,
        ));
        let code = held.code.as_str().expect("a code");
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", held.verifier.as_str()),
            ("client_id", "phone"),
        ];
        said.push(("code".to_owned(), self.two.post("/oauth2/token", &fields).await.status == StatusCode::OK));
        said
    }
}

fn taken(said: &[(String, bool)]) -> Vec<&str> {
    said.iter().filter(|(_, taken)| *taken).map(|(surface, _)| surface.as_str()).collect()
}

/// What a person does at the first node that ends everything older, but the session in which they do it.
#[derive(Copy, Clone, Debug)]
enum Step {
    Password,
    Email,
}

impl Step {
    /// Takes it, over HTTP; returns when it was done.
    async fn taken(self, node: &TestServer, alice: &Spa) -> Instant {
        match self {
            Self::Password => {
                let body = json!({"current_password": PASSWORD, "new_password": NEW, "confirm_password": NEW});
                alice.send(Method::PUT, "/me/password", Some(&body)).await.of(StatusCode::NO_CONTENT);
            }
            Self::Email => {
                const NEXT: &str = "alice@example.net";
                alice.post("/me/email-changes", &json!({"new_email": NEXT})).await.of(StatusCode::ACCEPTED);
                node.deliver().await;
                let link = node.mailbox().link_for(NEXT);
                let token = link.split_once("token=").expect("a link").1;
                alice.post("/email-changes/confirm", &json!({"token": token})).await.of(StatusCode::OK);
            }
        }
        Instant::now()
    }
}

async fn ends_what_is_older(step: Step) {
    let nodes = Nodes::start().await;
    let held = nodes.gives(PASSWORD).await;
    let spent = nodes.gives(PASSWORD).await;
    let all = nodes.takes(&held).await;
    assert_eq!(taken(&all).len(), all.len(), "the other node takes everything, and remembers it: {all:?}");
    let once = nodes.takes_once(&spent).await;
    assert_eq!(taken(&once).len(), once.len(), "{once:?}");

    let alice = Spa::signed_in(&nodes.one, "alice").await;
    let ended = step.taken(&nodes.one, &alice).await;
    loop {
        let asked = Instant::now();
        let said = nodes.takes(&held).await;
        if taken(&said).is_empty() {
            break;
        }
        // Of what was asked a second after it: how long the answers took is another matter.
        let is_late = asked.duration_since(ended) > Duration::from_secs(1);
        assert!(!is_late, "{step:?}: still taken after a second: {:?}", taken(&said));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let once = nodes.takes_once(&held).await;
    assert!(taken(&once).is_empty(), "{step:?}: {once:?}");
    let there = Spa::new(&nodes.two);
    there.browser.set_cookie("symbolon_session", &alice.browser.cookie("symbolon_session").expect("still signed in"));
    assert!(there.get("/session").await.ok()["user"].is_object(), "{step:?}: where she did it, she stays signed in");

    // What comes later is good on both.
    let later = nodes.gives(if matches!(step, Step::Password) { NEW } else { PASSWORD }).await;
    let all = nodes.takes(&later).await;
    assert_eq!(taken(&all).len(), all.len(), "{step:?}: {all:?}");
    let once = nodes.takes_once(&later).await;
    assert_eq!(taken(&once).len(), once.len(), "{step:?}: {once:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_075_each_surface_of_each_node_refuses_what_is_older_than_a_password_within_a_second() {
    ends_what_is_older(Step::Password).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_075_each_surface_of_each_node_refuses_what_is_older_than_an_address_within_a_second() {
    ends_what_is_older(Step::Email).await;
}
