//! A page of a first-party app: calls the account API with the cookies of its browser.

use std::sync::Mutex;

use axum::body::Body;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Method, Request};
use serde_json::Value;

use super::answer::Answer;
use super::browser::Browser;
use super::server::{PASSWORD, TestServer};

/// A page in a browser. It keeps the CSRF token of the latest answer that had one.
pub(crate) struct Spa {
    pub(crate) browser: Browser,
    base: String,
    issuer: &'static str,
    csrf: Mutex<Option<String>>,
    prefer: Mutex<Option<String>>,
}

impl Spa {
    /// A page that was just opened: it asks for its session.
    pub(crate) async fn open(server: &TestServer) -> Self {
        let spa = Self::new(server);
        spa.get("/session").await.ok();
        spa
    }

    /// A page that has asked for nothing yet.
    pub(crate) fn new(server: &TestServer) -> Self {
        let base = format!("{}/api/v1", server.base());
        Self {
            browser: Browser::new(server),
            base,
            issuer: server.issuer,
            csrf: Mutex::default(),
            prefer: Mutex::default(),
        }
    }

    /// The same in a browser at another address.
    pub(crate) async fn at(server: &TestServer, address: [u8; 4]) -> Self {
        let spa = Self { browser: Browser::new(&server.seen_from(address)), ..Self::new(server) };
        spa.get("/session").await.ok();
        spa
    }

    /// The token that it would send.
    pub(crate) fn csrf(&self) -> Option<String> {
        self.csrf.lock().expect("no story panics here").clone()
    }

    /// Sends another token from now on; `None`: none.
    pub(crate) fn set_csrf(&self, token: Option<&str>) {
        *self.csrf.lock().expect("no story panics here") = token.map(str::to_owned);
    }

    /// Sends `Prefer` from now on; `None`: none.
    pub(crate) fn set_prefer(&self, wish: Option<&str>) {
        *self.prefer.lock().expect("no story panics here") = wish.map(str::to_owned);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Signs in by name and password.
    pub(crate) async fn sign_in(&self, identifier: &str, password: &str) -> Answer {
        let body = serde_json::json!({"method": "password", "identifier": identifier, "password": password});
        self.post("/sign-in", &body).await
    }

    /// A page in which a person is signed in.
    pub(crate) async fn signed_in(server: &TestServer, login: &str) -> Self {
        let spa = Self::open(server).await;
        let answer = spa.sign_in(login, PASSWORD).await.ok();
        assert_eq!(answer["status"], "complete");
        spa
    }

    /// One call below `/api/v1`, as a page of the server's own origin sends it.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send_from(self.issuer, (method, path), body).await
    }

    /// One call as a page of `origin` sends it.
    pub(crate) async fn send_from(&self, origin: &str, (method, path): (Method, &str), body: Option<&Value>) -> Answer {
        let is_safe = method.is_safe();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(wish) = self.prefer.lock().expect("no story panics here").clone() {
            request = request.header("prefer", wish);
        }
        if !is_safe {
            request = request.header(ORIGIN, origin);
            if let Some(token) = self.csrf() {
                request = request.header("x-csrf-token", token);
            }
        }
        let body = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.browser.send(request.body(body).expect("a request")).await;
        let is_json = answer.header("content-type").ends_with("json");
        if let Some(token) =
            is_json.then(|| answer.json()).and_then(|json| Some(json.get("csrf_token")?.as_str()?.to_owned()))
        {
            self.set_csrf(Some(&token));
        }
        answer
    }
}
