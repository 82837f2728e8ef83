//! A browser at the demo app.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt as _;
use url::Url;

use super::server::{ISSUER, ORIGIN, SECRET, Server, StoppedClock, Wire};
use crate::dev::demo::{ClientLogin, DemoEdges, DemoSettings, router};
use crate::edge::random::SystemRandom;
use crate::edge::template::Templates;
use crate::protocol::secret::Secret;

/// A browser: it keeps the demo's cookie.
pub(super) struct Browser {
    app: Router,
    pub(super) cookie: Option<String>,
}

/// What a browser got.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

impl Browser {
    pub(super) fn at(server: &Arc<Server>) -> Self {
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
    pub(super) fn stranger(&self) -> Self {
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

    pub(super) async fn opens(&mut self, path: &str) -> Page {
        self.sends(Request::get(path), Body::empty()).await
    }

    /// Presses a button of the home page.
    pub(super) async fn presses(&mut self, action: &str, fields: &str) -> Page {
        let home = self.opens("/").await.body;
        let (_, rest) = home.split_once("name=\"csrf\" value=\"").expect("the page has forms");
        let csrf = rest.split('"').next().unwrap().to_owned();
        self.posts(action, &format!("csrf={csrf}{fields}")).await
    }

    pub(super) async fn posts(&mut self, path: &str, body: &str) -> Page {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.sends(request, Body::from(body.to_owned())).await
    }

    /// Begins to sign in; the server notes the nonce. The authorization URL is answered.
    pub(super) async fn begins(&mut self, server: &Server) -> Url {
        let page = self.opens("/sign-in").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        let url: Url = page.location.unwrap().parse().unwrap();
        *server.nonce.lock().unwrap() = parameter(&url, "nonce");
        url
    }

    pub(super) async fn signs_in(&mut self, server: &Server) -> Page {
        let url = self.begins(server).await;
        self.opens(&callback(&parameter(&url, "state"))).await
    }
}

pub(super) fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
        .expect("the parameter is there")
}

pub(super) fn callback(state: &str) -> String {
    format!("/callback?code=the-code&state={state}&iss=http%3A%2F%2Flocalhost%3A8080")
}
