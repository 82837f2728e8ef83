//! Stories of a browser at the demo app, with a server made of a table.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use super::{ClientLogin, DemoEdges, DemoSettings, router};
use crate::edge::clock::Clock;
use crate::edge::fetch::{Fetch, FetchError, FetchPolicy};
use crate::edge::random::SystemRandom;
use crate::edge::template::Templates;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const ISSUER: &str = "http://localhost:8080";
const ORIGIN: &str = "http://localhost:8090";
const NOW: i64 = 1_800_000_000;
const SECRET: &str = "web-secret-0123456789";

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(NOW)
    }
}

/// Changes the claims of the next ID tokens.
type Tamper = fn(&mut Map<String, Value>);

/// A server that answers from what it was told, and remembers what it was asked.
struct Server {
    key: SigningKey,
    published: Vec<Value>,
    heard: Mutex<Vec<(String, String, Option<String>)>>,
    nonce: Mutex<String>,
    tamper: Mutex<Tamper>,
    active: Mutex<bool>,
}

impl Server {
    fn new() -> Arc<Self> {
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

    fn heard(&self, path: &str) -> Vec<(String, Option<String>)> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(heard, ..)| heard == path).map(|(_, body, login)| (body.clone(), login.clone())).collect()
    }

    fn access_token(&self) -> String {
        let claims = json!({
            "iss": ISSUER, "sub": "alice-id", "aud": "https://api.example.com", "client_id": "demo-web", "iat": NOW,
            "exp": NOW + 900, "jti": "j", "scope": "openid profile",
        });
        self.key.sign("at+jwt", &claims).unwrap()
    }

    fn tokens(&self, grant_type: &str) -> Value {
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

    fn answer(&self, path: &str, body: &str) -> (u16, Value) {
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

struct Wire(Arc<Server>);

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

/// A browser: it keeps the demo's cookie.
struct Browser {
    app: Router,
    cookie: Option<String>,
}

/// What a browser got.
struct Page {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

impl Browser {
    fn at(server: &Arc<Server>) -> Self {
        let login = |client_id: &str, secret: &str| ClientLogin {
            client_id: client_id.to_owned(),
            client_secret: Secret::from(secret),
        };
        let settings = DemoSettings {
            issuer: ISSUER.to_owned(),
            origin: ORIGIN.to_owned(),
            mailbox: format!("{ISSUER}/dev/mail"),
            audience: "https://api.example.com".to_owned(),
            web: login("demo-web", SECRET),
            api: login("demo-api", "api-secret"),
            spa: "demo-spa".to_owned(),
        };
        let edges = DemoEdges {
            fetch: Arc::new(Wire(Arc::clone(server))),
            clock: Arc::new(StoppedClock),
            random: Arc::new(SystemRandom),
            templates: Arc::new(Templates::new(None).unwrap()),
        };
        Self { app: router(settings, edges), cookie: None }
    }

    /// Another browser at the same app.
    fn stranger(&self) -> Self {
        Self { app: self.app.clone(), cookie: None }
    }

    async fn sends(&mut self, request: axum::http::request::Builder, body: Body) -> Page {
        let mut request = request.header(header::HOST, "localhost:8090");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let answer = self.app.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        if let Some(cookie) = answer.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.starts_with("symbolon_demo=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")
            );
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let status = answer.status();
        let location = answer.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        assert!(answer.headers().contains_key(header::CONTENT_SECURITY_POLICY));
        let body = to_bytes(answer.into_body(), 1 << 22).await.unwrap();
        Page { status, location, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn opens(&mut self, path: &str) -> Page {
        self.sends(Request::get(path), Body::empty()).await
    }

    /// Presses a button of the home page.
    async fn presses(&mut self, action: &str, fields: &str) -> Page {
        let home = self.opens("/").await.body;
        let (_, rest) = home.split_once("name=\"csrf\" value=\"").expect("the page has forms");
        let csrf = rest.split('"').next().unwrap().to_owned();
        self.posts(action, &format!("csrf={csrf}{fields}")).await
    }

    async fn posts(&mut self, path: &str, body: &str) -> Page {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.sends(request, Body::from(body.to_owned())).await
    }

    /// Begins to sign in; the server notes the nonce. The authorization URL is answered.
    async fn begins(&mut self, server: &Server) -> Url {
        let page = self.opens("/sign-in").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        let url: Url = page.location.unwrap().parse().unwrap();
        *server.nonce.lock().unwrap() = parameter(&url, "nonce");
        url
    }

    async fn signs_in(&mut self, server: &Server) -> Page {
        let url = self.begins(server).await;
        self.opens(&callback(&parameter(&url, "state"))).await
    }
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
        .expect("the parameter is there")
}

fn callback(state: &str) -> String {
    format!("/callback?code=the-code&state={state}&iss=http%3A%2F%2Flocalhost%3A8080")
}

#[tokio::test]
async fn a_person_signs_in_and_sees_each_exchange() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    assert!(browser.opens("/").await.body.contains("id=\"demo-sign-in\""));

    let url = browser.begins(&server).await;
    assert_eq!(url.path(), "/oauth2/authorize");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "demo-web"),
        ("redirect_uri", "http://localhost:8090/callback"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&url, name), value);
    }
    let before = browser.cookie.clone();
    let page = browser.opens(&callback(&parameter(&url, "state"))).await;
    assert_eq!((page.status, page.location.as_deref()), (StatusCode::SEE_OTHER, Some("/")), "{}", page.body);
    assert_ne!(browser.cookie, before, "the cookie changes at sign-in");

    let heard = server.heard("/oauth2/token");
    let (form, login) = &heard[0];
    let verifier = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "code_verifier").unwrap().1;
    let challenge = URL_SAFE_NO_PAD.encode(TokenHash::of(&verifier).as_bytes());
    assert_eq!(challenge, parameter(&url, "code_challenge"), "RFC 7636 §4.6");
    assert!(login.as_ref().unwrap().starts_with("Basic "));

    let home = browser.opens("/").await.body;
    assert!(home.contains("signed in as Alice &lt;Adams&gt;"), "{home}");
    for title in ["Discovery", "Authorization request", "Authorization response", "Token request: the code", "UserInfo"]
    {
        assert!(home.contains(title), "{title}");
    }
    assert!(home.contains("class=\"exchange") && !home.contains(SECRET));
    assert!(!home.contains("id=\"demo-sign-in\""));
}

#[tokio::test]
async fn each_button_shows_its_exchange() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    for (action, fields, expected) in [
        ("/do/userinfo", "", "The server told 3 claims"),
        ("/do/verify", "", "An API would accept this access token"),
        ("/do/introspect", "", "the access token is active."),
        ("/do/refresh", "", "and a new refresh token"),
        ("/do/client-credentials", "", "The app has a token of its own"),
        ("/do/revoke", "&token=refresh_token", "unsupported_token_type. not here"),
    ] {
        let page = browser.presses(action, fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{action}: {}", page.body);
        let home = browser.opens("/").await.body;
        assert!(home.contains(expected), "{action}: {home}");
    }
    let refreshed = &server.heard("/oauth2/token")[1].0;
    assert!(refreshed.contains("refresh_token=refresh-after-authorization_code"), "{refreshed}");
    let revoked = &server.heard("/oauth2/revoke")[0].0;
    assert_eq!(revoked, "token=refresh-after-refresh_token&token_type_hint=refresh_token");

    *server.active.lock().unwrap() = false;
    browser.presses("/do/introspect", "").await;
    assert!(browser.opens("/").await.body.contains("not active any more"));
    browser.presses("/clear", "").await;
    assert!(!browser.opens("/").await.body.contains("class=\"exchange"));
}

/// OIDC Core §3.1.3.7
#[tokio::test]
async fn an_id_token_that_fails_a_check_signs_nobody_in() {
    let tampers: [(&str, Tamper); 8] = [
        ("iss", |claims| drop(claims.insert("iss".to_owned(), "http://evil.example".into()))),
        ("aud", |claims| drop(claims.insert("aud".to_owned(), "other".into()))),
        ("azp", |claims| drop(claims.insert("azp".to_owned(), "other".into()))),
        ("exp", |claims| drop(claims.insert("exp".to_owned(), (NOW - 60).into()))),
        ("iat", |claims| drop(claims.insert("iat".to_owned(), (NOW + 60).into()))),
        ("nonce", |claims| drop(claims.insert("nonce".to_owned(), "another".into()))),
        ("nonce", |claims| drop(claims.remove("nonce"))),
        ("at_hash", |claims| drop(claims.insert("at_hash".to_owned(), "another".into()))),
    ];
    let server = Server::new();
    let mut browser = Browser::at(&server);
    for (check, tamper) in tampers {
        *server.tamper.lock().unwrap() = tamper;
        let page = browser.signs_in(&server).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{check}");
        assert!(
            page.body.contains("The ID token is not believed") && page.body.contains(&format!("{check}: ")),
            "{}",
            page.body
        );
        assert!(browser.opens("/").await.body.contains("id=\"demo-sign-in\""), "{check}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_published_signs_nobody_in() {
    let other = Server::new();
    let server = Arc::new(Server { published: other.published.clone(), ..Arc::into_inner(Server::new()).unwrap() });
    let mut browser = Browser::at(&server);
    let page = browser.signs_in(&server).await;
    assert!(page.body.contains("signature: no published key"), "{}", page.body);
}

/// RFC 6749 §10.12, RFC 9207 §2.4
#[tokio::test]
async fn an_answer_for_another_browser_or_from_another_server_is_refused() {
    let server = Server::new();
    let mut alice = Browser::at(&server);
    let mut mallory = alice.stranger();
    let url = alice.begins(&server).await;
    let state = parameter(&url, "state");

    assert_eq!(mallory.opens(&callback(&state)).await.status, StatusCode::BAD_REQUEST);
    let page = alice.opens(&format!("/callback?code=the-code&state={state}&iss=http%3A%2F%2Fevil.example")).await;
    assert!(page.body.contains("The answer is not believed"), "{}", page.body);
    let page = alice.opens(&callback(&state)).await;
    assert!(page.body.contains("not for this browser"), "a state is good once: {}", page.body);
    assert!(server.heard("/oauth2/token").is_empty());
}

#[tokio::test]
async fn a_refusal_of_the_server_is_told_with_a_way_to_try_again() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    let url = browser.begins(&server).await;
    let answer = format!(
        "/callback?error=access_denied&error_description=no%20%3Cb%3E&state={}&iss=http%3A%2F%2Flocalhost%3A8080",
        parameter(&url, "state")
    );
    let page = browser.opens(&answer).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    for part in ["id=\"demo-error\"", "access_denied", "no &lt;b&gt;", "href=\"/sign-in\""] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}

#[tokio::test]
async fn signing_out_ends_at_the_server_and_comes_back() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    let page = browser.presses("/sign-out", "").await;
    let url: Url = page.location.unwrap().parse().unwrap();
    assert_eq!(url.path(), "/oauth2/logout");
    assert_eq!(parameter(&url, "post_logout_redirect_uri"), "http://localhost:8090/signed-out");
    assert_eq!(parameter(&url, "id_token_hint").split('.').count(), 3);
    assert!(browser.opens("/").await.body.contains("id=\"demo-sign-in\""), "signed out here at once");

    let back = format!("/signed-out?state={}", parameter(&url, "state"));
    assert_eq!(browser.opens(&back).await.status, StatusCode::SEE_OTHER);
    assert!(browser.opens("/").await.body.contains("Signed out here and at the server"));
}

#[tokio::test]
async fn a_form_from_elsewhere_does_nothing() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    let asked = server.heard("/oauth2/introspect").len();
    for path in ["/do/introspect", "/sign-out", "/clear"] {
        assert_eq!(browser.posts(path, "csrf=guessed").await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(server.heard("/oauth2/introspect").len(), asked);
    assert!(browser.opens("/").await.body.contains("signed in as"));
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    let page = browser.opens("/nowhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("There is no such page"));
    for (path, status) in
        [("/assets/none.css", 404), ("/sign-in?max_age=x", 400), ("/sign-in?iss=http%3A%2F%2Fevil", 400)]
    {
        assert_eq!(browser.opens(path).await.status.as_u16(), status, "{path}");
    }
    let page = browser.opens("/spa").await;
    assert!(page.status.is_success() && page.body.contains("data-client-id=\"demo-spa\""), "{}", page.body);
}

#[tokio::test]
async fn pages_and_their_files_need_no_inline_code() {
    let server = Server::new();
    let mut browser = Browser::at(&server);
    browser.signs_in(&server).await;
    for path in ["/", "/spa", "/nowhere"] {
        let body = browser.opens(path).await.body;
        for forbidden in ["style=", "onclick=", "<style", "javascript:"] {
            assert!(!body.contains(forbidden), "{path}: {forbidden}");
        }
        assert!(!body.split("<script").skip(1).any(|rest| !rest.starts_with(" src=")), "{path}");
        for file in body.split("/assets/").skip(1) {
            let name = file.split('"').next().unwrap();
            let page = browser.opens(&format!("/assets/{name}")).await;
            assert!(page.status.is_success() && !page.body.is_empty(), "{name}");
        }
    }
}
