//! A server made of a table: it answers from what it was told and remembers what it was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::{Request, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::edge::clock::Clock;
use crate::edge::fetch::{Fetch, FetchError, FetchPolicy};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

pub(super) const ISSUER: &str = "http://localhost:8080";
pub(super) const ORIGIN: &str = "http://localhost:8090";
pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const SECRET: &str = "web-secret-0123456789";

pub(super) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(NOW)
    }
}

/// Changes the claims of the next ID tokens.
pub(super) type Tamper = fn(&mut Map<String, Value>);

/// A server that answers from what it was told, and remembers what it was asked.
pub(super) struct Server {
    pub(super) key: SigningKey,
    pub(super) published: Vec<Value>,
    pub(super) heard: Mutex<Vec<(String, String, Option<String>)>>,
    pub(super) nonce: Mutex<String>,
    pub(super) tamper: Mutex<Tamper>,
    pub(super) active: Mutex<bool>,
}

impl Server {
    pub(super) fn new() -> Arc<Self> {
        let key = SigningKey::generate(SigningAlgorithm::RS256).unwrap().key;
        let published = vec![serde_json::to_value(key.public_jwk()).unwrap()];
        Arc::new(Self {
            key,
            published,
            heard: Mutex::default(),
            nonce: Mutex::default(),
            tamper: Mutex::new(|_| {}),
            active: Mutex::new(true),
        })
    }

    pub(super) fn heard(&self, path: &str) -> Vec<(String, Option<String>)> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(heard, ..)| heard == path).map(|(_, body, login)| (body.clone(), login.clone())).collect()
    }

    pub(super) fn access_token(&self) -> String {
        let claims = json!({
            "iss": ISSUER, "sub": "alice-id", "aud": "https://api.example.com", "client_id": "demo-web", "iat": NOW,
            "exp": NOW + 900, "jti": "j", "scope": "openid profile",
        });
        self.key.sign("at+jwt", &claims).unwrap()
    }

    pub(super) fn tokens(&self, grant_type: &str) -> Value {
        let access_token = self.access_token();
        let half = URL_SAFE_NO_PAD.encode(&TokenHash::of(&access_token).as_bytes()[..16]);
        let claims = json!({
            "iss": ISSUER, "sub": "alice-id", "aud": "demo-web", "iat": NOW, "exp": NOW + 3600, "auth_time": NOW,
            "nonce": *self.nonce.lock().unwrap(), "at_hash": half,
        });
        let Value::Object(mut claims) = claims else { unreachable!("an object was written") };
        (*self.tamper.lock().unwrap())(&mut claims);
        let id_token = self.key.sign("JWT", &claims).unwrap();
        json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 900, "id_token": id_token,
            "refresh_token": format!("refresh-after-{grant_type}"), "scope": "openid profile offline_access",
        })
    }

    pub(super) fn answer(&self, path: &str, body: &str) -> (u16, Value) {
        let form: std::collections::HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let endpoint = |name: &str| format!("{ISSUER}/oauth2/{name}");
        match path {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": ISSUER, "authorization_endpoint": endpoint("authorize"), "token_endpoint": endpoint("token"),
                    "jwks_uri": endpoint("jwks"), "userinfo_endpoint": endpoint("userinfo"),
                    "introspection_endpoint": endpoint("introspect"), "revocation_endpoint": endpoint("revoke"),
                    "end_session_endpoint": endpoint("logout"), "authorization_response_iss_parameter_supported": true,
                }),
            ),
            "/oauth2/jwks" => (200, json!({ "keys": self.published })),
            "/oauth2/token" => match form.get("grant_type").map(String::as_str) {
                Some("client_credentials") => (200, json!({ "access_token": "own", "token_type": "bearer" })),
                Some(grant_type) => (200, self.tokens(grant_type)),
                None => (400, json!({ "error": "invalid_request" })),
            },
            "/oauth2/userinfo" => {
                (200, json!({ "sub": "alice-id", "name": "Alice <Adams>", "email": "alice@example.com" }))
            }
            "/oauth2/introspect" => (200, json!({ "active": *self.active.lock().unwrap() })),
            "/oauth2/revoke" => (400, json!({ "error": "unsupported_token_type", "error_description": "not here" })),
            _ => (404, json!({})),
        }
    }
}

pub(super) struct Wire(pub(super) Arc<Server>);

#[async_trait]
impl Fetch for Wire {
    async fn send(&self, request: Request<Bytes>, _policy: FetchPolicy) -> Result<Response<Bytes>, FetchError> {
        let path = request.uri().path().to_owned();
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let login = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        let (status, answer) = self.0.answer(&path, &body);
        self.0.heard.lock().unwrap().push((path, body, login));
        let answer_bytes = Bytes::from(answer.to_string());
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        Ok(response.body(answer_bytes).unwrap())
    }
}
