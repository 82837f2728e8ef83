//! Facebook and GitHub, played as their documents describe them: OAuth 2.0, and an API that tells of the person.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use symbolon::model::identity_provider::ProviderKind;
use url::Url;

use super::TestServer;
use super::answer::{Answer, parameters};
use super::stand_in::{CLIENT_ID, SECRET, add, credentials, json_answer};
use super::world::Site;

/// Which of the two.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Graph {
    Facebook,
    GitHub,
}

/// One of the two in a story. Clones share it.
#[derive(Clone)]
pub(crate) struct GraphStandIn {
    graph: Graph,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    /// The challenge and the redirect URI of each code.
    codes: HashMap<String, (String, String)>,
    /// The app that each token was made for.
    tokens: HashMap<String, String>,
    person: Value,
    emails: Value,
}

impl GraphStandIn {
    /// Opens it, and writes it down at `server` under the name of its kind.
    pub(crate) async fn open(server: &TestServer, graph: Graph) -> Self {
        let stand_in = Self { graph, told: Arc::default() };
        let (kind, hosts): (_, &[&str]) = match graph {
            Graph::Facebook => (ProviderKind::Facebook, &["https://graph.facebook.com"]),
            Graph::GitHub => (ProviderKind::GitHub, &["https://github.com", "https://api.github.com"]),
        };
        for host in hosts {
            server.web.open(host, Arc::new(stand_in.clone()));
        }
        add(server, (kind.as_str(), kind), |settings| settings.trust.email_domains = vec!["*".to_owned()]).await;
        stand_in
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("no story panics here")
    }

    /// From now on this person signs in there; `emails` as GitHub lists them.
    pub(crate) fn person(&self, person: Value, emails: Value) {
        let mut told = self.told();
        (told.person, told.emails) = (person, emails);
    }

    /// An access token that was made for `app`.
    pub(crate) fn token_for(&self, app: &str) -> String {
        let token = format!("EAAG-{}", TestServer::number());
        self.told().tokens.insert(token.clone(), app.to_owned());
        token
    }

    /// The person follows a redirect there, agrees, and is sent back: path and query of the way back.
    #[track_caller]
    pub(crate) fn visit(&self, redirect: &Answer) -> String {
        let url = redirect.location();
        let place = match self.graph {
            Graph::Facebook => "https://www.facebook.com/v23.0/dialog/oauth?",
            Graph::GitHub => "https://github.com/login/oauth/authorize?",
        };
        assert!(url.starts_with(place), "{url}");
        let sent: HashMap<String, String> = parameters(url).into_iter().collect();
        assert_eq!((sent["client_id"].as_str(), sent["response_type"].as_str()), (CLIENT_ID, "code"));
        let code = format!("code-{}", TestServer::number());
        self.told().codes.insert(code.clone(), (sent["code_challenge"].clone(), sent["redirect_uri"].clone()));
        let answer = [("code", code.as_str()), ("state", sent["state"].as_str())];
        let back = Url::parse_with_params(&sent["redirect_uri"], answer).expect("a URL");
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }

    fn redeem(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        if credentials(request, &fields) != (CLIENT_ID.to_owned(), SECRET.to_owned()) {
            // GitHub answers mistakes with 200.
            return match self.graph {
                Graph::GitHub => json_answer(200, &json!({"error": "incorrect_client_credentials"})),
                Graph::Facebook => json_answer(400, &json!({"error": {"type": "OAuthException", "code": 1}})),
            };
        }
        let known = fields.get("code").and_then(|code| self.told().codes.remove(code));
        let verifier = fields.get("code_verifier").map(|verifier| digest(&SHA256, verifier.as_bytes()));
        let challenge = verifier.map(|hash| URL_SAFE_NO_PAD.encode(hash)).unwrap_or_default();
        if known != Some((challenge, fields.get("redirect_uri").cloned().unwrap_or_default())) {
            return match self.graph {
                Graph::GitHub => {
                    json_answer(200, &json!({"error": "bad_verification_code", "error_description": "EVIL"}))
                }
                Graph::Facebook => json_answer(400, &json!({"error": {"type": "OAuthException", "message": "EVIL"}})),
            };
        }
        let token = self.token_for(CLIENT_ID);
        json_answer(200, &json!({"access_token": token, "token_type": "bearer", "expires_in": 5_183_944}))
    }

    fn facebook(&self, path: &str, query: &HashMap<String, String>) -> Response<Bytes> {
        let told = self.told();
        match path {
            "/v23.0/debug_token" => {
                if query["access_token"] != format!("{CLIENT_ID}|{SECRET}") {
                    return json_answer(400, &json!({"error": {"type": "OAuthException"}}));
                }
                let app = told.tokens.get(&query["input_token"]);
                json_answer(
                    200,
                    &json!({"data": {"app_id": app, "is_valid": app.is_some(), "user_id": told.person["id"],
                        "type": "USER", "scopes": ["email", "public_profile"]}}),
                )
            }
            "/v23.0/me" => {
                let token = &query["access_token"];
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), token.as_bytes());
                let proof = tag.as_ref().iter().fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02x}").expect("a String takes it");
                    text
                });
                if query.get("appsecret_proof") != Some(&proof) || !told.tokens.contains_key(token) {
                    return json_answer(400, &json!({"error": {"type": "GraphMethodException", "code": 100}}));
                }
                json_answer(200, &told.person)
            }
            _ => json_answer(404, &json!({})),
        }
    }

    fn github(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let told = self.told();
        let bearer = request.headers().get("authorization").and_then(|header| header.to_str().ok()).unwrap_or_default();
        let is_known = bearer.strip_prefix("Bearer ").is_some_and(|token| told.tokens.contains_key(token));
        match request.uri().path() {
            "/user" if is_known => json_answer(200, &told.person),
            "/user/emails" if is_known => json_answer(200, &told.emails),
            path if path == format!("/applications/{CLIENT_ID}/token") => {
                let asked: Value = serde_json::from_slice(request.body()).expect("JSON");
                match told.tokens.get(asked["access_token"].as_str().expect("a token")) {
                    Some(app) if app == CLIENT_ID => json_answer(200, &json!({"app": {"client_id": app}})),
                    _ => json_answer(404, &json!({"message": "Not Found"})),
                }
            }
            _ => json_answer(401, &json!({"message": "Bad credentials"})),
        }
    }
}

impl Site for GraphStandIn {
    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default();
        let query: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(match (self.graph, path.as_str()) {
            (Graph::Facebook, "/v23.0/oauth/access_token") | (Graph::GitHub, "/login/oauth/access_token") => {
                self.redeem(request)
            }
            (Graph::Facebook, path) => self.facebook(path, &query),
            (Graph::GitHub, _) => self.github(request),
        })
    }
}
