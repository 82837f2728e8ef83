//! Real HTTP: the app of this process behind a socket, or any server at a URL.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use symbolon::http::serve::{Bound, Shutdown, run};
use tokio::sync::oneshot;

use super::answer::Answer;
use super::server::TestServer;

/// The way to a server at an origin.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    client: reqwest::Client,
    origin: String,
}

impl Wire {
    pub(crate) fn to(origin: impl Into<String>) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client");
        Self { client, origin: origin.into() }
    }

    /// The answer; `None` when the connection breaks before its end.
    pub(crate) async fn try_send(&self, request: Request<Body>) -> Option<Answer> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body is in memory");
        let sent = self.client.request(parts.method, format!("{}{}", self.origin, parts.uri));
        let response = sent.headers(parts.headers).body(body).send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        Some(Answer { status, headers, body: response.bytes().await.ok()? })
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.try_send(request).await.expect("the server answers")
    }
}

/// A server of this process behind a real socket, until it is dropped.
pub(crate) struct Served {
    pub(crate) wire: Wire,
    _stop: oneshot::Sender<()>,
}

impl Served {
    pub(crate) fn new(server: &TestServer) -> Self {
        let bound = Bound::new(&"127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let wire = Wire::to(format!("http://{}", bound.address()));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = Shutdown { notice: Duration::ZERO, drain: Duration::ZERO };
        let running = run(vec![(bound, server.front())], server.app.readiness.clone(), shutdown, async {
            let _ = stopped.await;
        });
        tokio::spawn(running);
        Self { wire, _stop: stop }
    }
}
