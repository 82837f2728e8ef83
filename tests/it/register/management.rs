//! A client reads, changes and removes its registration.
//!
//! RFC 7592.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::relying_party::Proof;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

struct Registered {
    server: TestServer,
    answer: Value,
}

impl Registered {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let metadata = json!({"redirect_uris": ["https://new.example/callback"], "client_name": "New"});
        let answer = server.json((Method::POST, "/oauth2/register"), &metadata, None).await.ok();
        Self { server, answer }
    }

    fn text(&self, name: &str) -> &str {
        self.answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.answer))
    }

    fn path(&self) -> &str {
        self.text("registration_client_uri").strip_prefix(self.server.issuer).expect("one of ours")
    }

    async fn call(&self, method: Method, body: &Value) -> Answer {
        self.server.json((method, self.path()), body, Some(self.text("registration_access_token"))).await
    }

    fn client(&self) -> RelyingParty {
        let proof = Proof::Basic(self.text("client_secret").to_owned());
        RelyingParty::registered(&self.server, self.text("client_id"), "https://new.example/callback", proof)
    }
}

#[tokio::test]
async fn a_client_reads_and_replaces_its_registration() {
    let new = Registered::new().await;
    let read = new.call(Method::GET, &Value::Null).await.ok();
    assert_eq!((&read["client_id"], &read["client_name"]), (&new.answer["client_id"], &json!("New")));
    assert!(read.get("client_secret").is_none(), "only its hash is kept");
    let management = &new.answer["registration_access_token"];
    assert_eq!(&read["registration_access_token"], management, "each answer has it (RFC 7592 §3)");

    let id = new.text("client_id");
    let update = json!({"client_id": id, "redirect_uris": ["https://new.example/other"]});
    let updated = new.call(Method::PUT, &update).await.ok();
    assert_eq!(updated["redirect_uris"], json!(["https://new.example/other"]));
    assert_eq!(&updated["registration_access_token"], management);
    assert!(updated.get("client_name").is_none(), "an update replaces everything (§2.2): {updated}");
    let browser = Browser::new(&new.server);
    let client = new.client();
    assert_eq!(
        browser.begin(&client.begin("openid")).await.status,
        StatusCode::BAD_REQUEST,
        "the old URI is gone at once"
    );
    assert_eq!(client.introspect("x").await.ok()["active"], false, "the secret stays");

    for (expected, update) in [
        ("400 invalid_client_metadata", json!({"redirect_uris": ["https://new.example/"]})),
        ("400 invalid_client_metadata", json!({"client_id": "other", "redirect_uris": ["https://new.example/"]})),
        (
            "400 invalid_client_metadata",
            json!({"client_id": id, "client_secret": "mine", "redirect_uris": ["https://new.example/"]}),
        ),
        (
            "400 invalid_client_metadata",
            json!({"client_id": id, "registration_access_token": "x", "redirect_uris": ["https://new.example/"]}),
        ),
        ("400 invalid_redirect_uri", json!({"client_id": id, "redirect_uris": ["javascript:x"]})),
        ("400 invalid_redirect_uri", json!({"client_id": id})),
    ] {
        assert_eq!(new.call(Method::PUT, &update).await.error(), expected, "{update}");
    }
    assert_eq!(new.call(Method::GET, &Value::Null).await.ok()["redirect_uris"], json!(["https://new.example/other"]));
    let own_secret = json!({"client_id": id, "client_secret": new.text("client_secret"), "redirect_uris": ["https://new.example/callback"]});
    new.call(Method::PUT, &own_secret).await.ok();
}

/// A method of another kind needs a secret kept in another way: the client gets a new one.
#[tokio::test]
async fn another_method_brings_another_secret() {
    let new = Registered::new().await;
    let id = new.text("client_id");
    let update = |method: &str| json!({"client_id": id, "redirect_uris": ["https://new.example/callback"], "token_endpoint_auth_method": method});
    let to_post = new.call(Method::PUT, &update("client_secret_post")).await.ok();
    assert!(to_post.get("client_secret").is_none(), "the same secret serves: {to_post}");
    let to_jwt = new.call(Method::PUT, &update("client_secret_jwt")).await.ok();
    assert!(to_jwt["client_secret"].as_str().is_some_and(|secret| secret.len() >= 86), "{to_jwt}");
    let to_none = new.call(Method::PUT, &update("none")).await.ok();
    assert!(to_none.get("client_secret").is_none(), "{to_none}");
    assert_eq!(new.client().introspect("x").await.error(), "401 invalid_client");
}

#[tokio::test]
async fn a_removed_client_is_gone_with_its_tokens() {
    let new = Registered::new().await;
    let tokens = new.client().tokens(&Browser::new(&new.server), "alice", "openid").await;
    let removed = new.call(Method::DELETE, &Value::Null).await;
    assert_eq!((removed.status, removed.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(new.call(Method::GET, &Value::Null).await.error(), "401 invalid_token");
    let client = new.client();
    assert_eq!(client.introspect("x").await.error(), "401 invalid_client");
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(client.userinfo(access_token).await.error(), "401 invalid_token");
}

/// §2: without the right token nothing is told, not even whether the client exists.
#[tokio::test]
async fn only_the_client_itself_manages_itself() {
    let new = Registered::new().await;
    let other = new
        .server
        .json((Method::POST, "/oauth2/register"), &json!({"redirect_uris": ["https://o.example/"]}), None)
        .await
        .ok();
    RelyingParty::web(&new.server, "shop").await;
    let tokens = [None, Some("wrong"), Some(""), other["registration_access_token"].as_str()];
    for token in tokens {
        for path in [
            new.path(),
            "/oauth2/register/nobody",
            "/oauth2/register/shop",
            "/oauth2/register/%00",
            "/oauth2/register/%FF",
        ] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let answer = new.server.json((method.clone(), path), &json!({}), token).await;
                assert!(answer.status.is_client_error(), "{method} {path} {token:?}: {answer}");
                if !path.contains('%') {
                    assert_eq!(answer.error(), "401 invalid_token", "{method} {path} {token:?}");
                    assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer}");
                }
            }
        }
    }
    new.call(Method::GET, &Value::Null).await.ok();
}
