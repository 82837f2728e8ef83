//! A server on loopback that keeps what is posted to it: a provider of messages, or an operator's own.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Posted {
    /// A header as text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// A field of a form; empty when it is not there.
    pub(crate) fn field(&self, name: &str) -> String {
        let found = url::form_urlencoded::parse(&self.body).find(|(field, _)| field == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

/// A server of this process. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct HttpSink {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    posted: Vec<Posted>,
    answers: VecDeque<StatusCode>,
    by_path: Vec<(String, StatusCode)>,
}

impl HttpSink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let sink =
            Self { address: listener.local_addr().expect("an address"), kept: Arc::new(Mutex::new(Kept::default())) };
        let router = Router::new().fallback(keep).with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        sink
    }

    /// Its origin, as `fetch.allow` names it.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was posted, in order.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.kept().posted.clone()
    }

    /// Answers the next request with `status`; those without one are answered 202.
    pub(crate) fn answer(&self, status: u16) {
        self.kept().answers.push_back(StatusCode::from_u16(status).expect("a status"));
    }

    /// From now on requests to these paths are answered so.
    pub(crate) fn answers_by_path(&self, answers: &[(&str, u16)]) {
        let answers =
            answers.iter().map(|(path, status)| ((*path).to_owned(), StatusCode::from_u16(*status).expect("a status")));
        self.kept().by_path = answers.collect();
    }

    /// Forgets the answers that nobody came for.
    pub(crate) fn answers_as_always(&self) {
        self.kept().answers.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no request panics")
    }
}

async fn keep(State(sink): State<HttpSink>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut kept = sink.kept();
    let path = uri.path().to_owned();
    let by_path = kept.by_path.iter().find(|(known, _)| *known == path).map(|(_, status)| *status);
    kept.posted.push(Posted { method, path, headers, body });
    by_path.or_else(|| kept.answers.pop_front()).unwrap_or(StatusCode::ACCEPTED)
}
