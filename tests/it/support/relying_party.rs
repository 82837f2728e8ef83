//! An app: starts with PKCE, redeems, refreshes, asks, verifies by JWKS.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::Value;
use symbolon::model::client::Client;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::answer::{Answer, parameters};
use super::browser::Browser;
use super::clients::{self, SECRET};
use super::server::{TestServer, form};
use super::tokens;
use super::transport::Transport;

/// How an app proves itself at the token endpoint.
#[derive(Clone)]
pub(crate) enum Proof {
    Name,
    Basic(String),
    Post(String),
    /// Makes an assertion for the given moment.
    Assertion(Arc<dyn Fn(i64) -> String + Send + Sync>),
}

/// An app.
#[derive(Clone)]
pub(crate) struct RelyingParty {
    server: Arc<dyn Transport>,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) proof: Proof,
}

/// An authorization request that an app began, and what it keeps for the answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) verifier: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    base: String,
}

impl Exchange {
    /// Sets a parameter.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends a parameter once more.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        self
    }

    /// Path and query at the authorization endpoint.
    pub(crate) fn target(&self) -> String {
        let query = Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        format!("{}/oauth2/authorize?{query}", self.base)
    }
}

impl RelyingParty {
    /// A web app with a secret.
    pub(crate) async fn web(server: &TestServer, id: &str) -> Self {
        Self::of(server, clients::web(id)).await
    }

    /// A single-page app.
    pub(crate) async fn spa(server: &TestServer, id: &str) -> Self {
        Self::of(server, clients::spa(id)).await
    }

    /// An app that the operator registers as `client`; proves itself by name or HTTP Basic until a story says otherwise.
    pub(crate) async fn of(server: &TestServer, client: Client) -> Self {
        server.store().create_client(&client).await.expect("stored");
        Self {
            server: Arc::new(server.clone()),
            redirect_uri: client.metadata.redirect_uris.first().cloned().unwrap_or_default(),
            proof: if client.is_public() { Proof::Name } else { Proof::Basic(SECRET.to_owned()) },
            client_id: client.id.to_string(),
        }
    }

    /// An app that is registered at `server` already.
    pub(crate) fn registered(
        server: &(impl Transport + Clone + 'static),
        client_id: &str,
        redirect_uri: &str,
        proof: Proof,
    ) -> Self {
        let (client_id, redirect_uri) = (client_id.to_owned(), redirect_uri.to_owned());
        Self { server: Arc::new(server.clone()), client_id, redirect_uri, proof }
    }

    /// A request for a code, with PKCE.
    pub(crate) fn begin(&self, scope: &str) -> Exchange {
        let number = TestServer::number();
        let verifier = format!("the-verifier-of-request-number-{number:0>20}");
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let (state, nonce) = (format!("state {number} &=ü"), format!("nonce-{number}"));
        let parameters = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Exchange { parameters, verifier, state, nonce, base: self.server.base().to_owned() }
    }

    /// Reads the answer at the redirect URI as RFC 9207 says: ours, for this request, from this issuer. Parameters by name.
    #[track_caller]
    pub(crate) fn receives(&self, exchange: &Exchange, url: &str) -> Value {
        let own = url.starts_with(&self.redirect_uri);
        assert!(own, "{url} is not at {}", self.redirect_uri);
        let answer: serde_json::Map<String, Value> =
            parameters(url).into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        assert_eq!(answer.get("state").and_then(Value::as_str), Some(exchange.state.as_str()), "{url}");
        assert_eq!(answer.get("iss").and_then(Value::as_str), Some(self.server.issuer()), "{url}");
        Value::Object(answer)
    }

    /// The code of an answer.
    #[track_caller]
    pub(crate) fn code(&self, exchange: &Exchange, url: &str) -> String {
        let answer = self.receives(exchange, url);
        answer["code"].as_str().unwrap_or_else(|| panic!("no code in {url}")).to_owned()
    }

    /// The error code of an answer.
    #[track_caller]
    pub(crate) fn error(&self, exchange: &Exchange, url: &str) -> String {
        let answer = self.receives(exchange, url);
        answer["error"].as_str().unwrap_or_else(|| panic!("no error in {url}")).to_owned()
    }

    /// A request of this app to an endpoint, with its proof.
    pub(crate) fn request(&self, target: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let target = format!("{}{target}", self.server.base());
        let mut fields = fields.to_vec();
        let assertion;
        match &self.proof {
            Proof::Name => fields.push(("client_id", &self.client_id)),
            Proof::Basic(_) => {}
            Proof::Post(secret) => fields.extend([("client_id", self.client_id.as_str()), ("client_secret", secret)]),
            Proof::Assertion(make) => {
                assertion = make(self.server.now());
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                fields.extend([("client_assertion_type", kind), ("client_assertion", assertion.as_str())]);
            }
        }
        let mut request = form(&target, &fields);
        if let Proof::Basic(secret) = &self.proof {
            request.headers_mut().insert(AUTHORIZATION, basic(&self.client_id, secret).parse().expect("ASCII"));
        }
        request
    }

    pub(crate) async fn post(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.server.send(self.request(target, fields)).await
    }

    pub(crate) async fn redeem(&self, exchange: &Exchange, code: &str) -> Answer {
        let redirect_uri = exchange.parameters.iter().find(|(name, _)| name == "redirect_uri");
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code), ("code_verifier", exchange.verifier.as_str())];
        fields.extend(redirect_uri.map(|(name, value)| (name.as_str(), value.as_str())));
        self.post("/oauth2/token", &fields).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    pub(crate) async fn introspect(&self, token: &str) -> Answer {
        self.post("/oauth2/introspect", &[("token", token)]).await
    }

    /// Whether introspection calls the token active.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await.ok()["active"].as_bool().expect("a boolean")
    }

    pub(crate) async fn revoke(&self, token: &str) -> Answer {
        self.post("/oauth2/revoke", &[("token", token)]).await
    }

    pub(crate) async fn userinfo(&self, access_token: &str) -> Answer {
        let request = Request::get(format!("{}/oauth2/userinfo", self.server.base()));
        let request = request.header(AUTHORIZATION, format!("Bearer {access_token}"));
        self.server.send(request.body(Body::empty()).expect("a request")).await
    }

    /// The whole flow with a person who agrees: the token response.
    pub(crate) async fn tokens(&self, browser: &Browser, login: &str, scope: &str) -> Value {
        self.tokens_for(browser, login, self.begin(scope)).await
    }

    /// The whole flow for this request.
    pub(crate) async fn tokens_for(&self, browser: &Browser, login: &str, exchange: Exchange) -> Value {
        let url = browser.authorize(&exchange, login).await;
        let code = self.code(&exchange, &url);
        let tokens = self.redeem(&exchange, &code).await.ok();
        if let Some(id_token) = tokens["id_token"].as_str() {
            assert_eq!(self.verified(id_token).await["nonce"], exchange.nonce.as_str());
        }
        tokens
    }

    /// The claims of an ID token, verified by the published keys as OIDC Core §3.1.3.7 says.
    pub(crate) async fn verified(&self, id_token: &str) -> Value {
        let claims = tokens::verify(&*self.server, id_token).await.claims;
        assert_eq!(claims["iss"], self.server.issuer());
        assert_eq!(claims["aud"], self.client_id.as_str());
        assert_eq!(claims["azp"], self.client_id.as_str());
        let now = self.server.now();
        assert!(claims["exp"].as_i64().expect("a date") > now, "{claims}");
        assert!(claims["iat"].as_i64().expect("a date") <= now, "{claims}");
        claims
    }
}

/// HTTP Basic, with name and secret percent-encoded (RFC 6749 §2.3.1).
pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}
