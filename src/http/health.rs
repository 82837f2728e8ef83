//! What operators ask: is it alive, may it get requests, which version is it.
//!
//! PROTOCOL.md §3 (SIGTERM: not ready first, then the rest). `/livez` asks nothing but the process; `/readyz` asks each dependency.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, RawQuery, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value, json};

use crate::http::probe::Probes;
use crate::http::proxy::Proxies;
use crate::http::serve::Readiness;
use crate::model::fault::Fault;

/// How long a dependency may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answer of a dependency.
pub type Asked = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// Something we work with.
#[derive(Clone)]
pub struct Dependency {
    name: &'static str,
    need: Need,
    ask: Arc<dyn Fn() -> Asked + Send + Sync>,
}

/// Whether we can do without.
#[derive(Copy, Clone, Eq, PartialEq)]
enum Need {
    Required,
    /// Its absence is told and endured: a server that is not ready for it would take every node out at once.
    Helpful,
}

impl Dependency {
    /// `ask` succeeds when the dependency is there; more than 2 s count as absent.
    pub fn new(name: &'static str, ask: impl Fn() -> Asked + Send + Sync + 'static) -> Self {
        Self { name, need: Need::Required, ask: Arc::new(ask) }
    }

    /// We go on without it, worse.
    #[must_use]
    pub fn helpful(self) -> Self {
        Self { need: Need::Helpful, ..self }
    }
}

/// What health is judged by.
#[derive(Clone)]
pub struct Health {
    /// Whether the server is about to stop.
    pub readiness: Readiness,
    /// What it works with.
    pub dependencies: Vec<Dependency>,
    /// What `symbolon doctor` sent.
    pub probes: Probes,
    /// Whose word on the caller counts.
    pub proxies: Proxies,
}

impl Health {
    /// The routes of the operations listener.
    pub fn operations(self) -> Router {
        Router::new()
            .route("/livez", get(async || text(StatusCode::OK, "ok")))
            .route("/healthz", get(Self::ready))
            .route("/readyz", get(Self::ready))
            .route("/version", get(version))
            .route("/probes/{id}", get(async |State(health): State<Self>, Path(id): Path<String>| health.probe(&id)))
            .with_state(self)
    }

    /// The one route that stands among the public ones as well: `/healthz`, without details.
    pub fn public(self) -> Router {
        Router::new().route("/healthz", get(Self::front_door)).with_state(self)
    }

    async fn front_door(State(health): State<Self>, request: Request) -> Response {
        if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
            health.probes.note(request.headers(), peer.ip(), &health.proxies);
        }
        health.answer(Detail::None).await
    }

    fn probe(&self, id: &str) -> Response {
        match self.probes.seen(id).and_then(|seen| serde_json::to_string(&seen).ok()) {
            Some(seen) => plain(StatusCode::OK, "application/json", seen),
            None => text(StatusCode::NOT_FOUND, "not seen"),
        }
    }

    async fn ready(State(health): State<Self>, RawQuery(query): RawQuery) -> Response {
        let is_verbose =
            query.is_some_and(|query| query.split('&').any(|part| part == "verbose" || part.starts_with("verbose=")));
        health.answer(if is_verbose { Detail::Each } else { Detail::None }).await
    }

    async fn answer(&self, detail: Detail) -> Response {
        let asked = self.dependencies.iter().map(|dependency| async move {
            let answer = tokio::time::timeout(PATIENCE, (dependency.ask)()).await;
            let answer = answer.unwrap_or_else(|_| Err(Fault::unavailable("it took longer than 2 seconds")));
            (dependency, answer)
        });
        let answers = futures_util::future::join_all(asked).await;
        let is_ready = !self.readiness.is_stopping()
            && answers.iter().all(|(dependency, answer)| answer.is_ok() || dependency.need == Need::Helpful);
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        match detail {
            Detail::None => text(status, if is_ready { "ok" } else { "not ready" }),
            Detail::Each => {
                let dependencies: Map<String, Value> = answers
                    .into_iter()
                    .map(|(dependency, answer)| {
                        (
                            dependency.name.to_owned(),
                            answer.map_or_else(|fault| fault.to_string(), |()| "ok".to_owned()).into(),
                        )
                    })
                    .collect();
                let body = json!({
                    "ready": is_ready,
                    "stopping": self.readiness.is_stopping(),
                    "dependencies": dependencies,
                });
                plain(status, "application/json", body.to_string())
            }
        }
    }
}

#[derive(Copy, Clone, Debug)]
enum Detail {
    None,
    Each,
}

async fn version() -> Response {
    let body = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    plain(StatusCode::OK, "application/json", body.to_string())
}

fn text(status: StatusCode, word: &'static str) -> Response {
    plain(status, "text/plain; charset=utf-8", word)
}

/// An answer that nobody keeps.
pub(super) fn plain(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use tower::ServiceExt as _;

    use super::*;

    fn health(dependencies: Vec<Dependency>) -> Health {
        Health { readiness: Readiness::default(), dependencies, probes: Probes::default(), proxies: Proxies::default() }
    }

    async fn ask(router: Router, path: &str) -> (u16, String) {
        let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_when_all_it_needs_answers() {
        let here = Dependency::new("store", || Box::pin(async { Ok(()) }));
        let away = Dependency::new("cache", || Box::pin(async { Err(Fault::unavailable("ask the cache")) }));
        let endured = away.clone().helpful();
        let silent = Dependency::new("cache", || Box::pin(std::future::pending()));
        for (dependencies, status) in [
            (vec![here.clone()], 200),
            (vec![here.clone(), away.clone()], 503),
            (vec![here.clone(), endured], 200),
            (vec![silent], 503),
        ] {
            let health = health(dependencies);
            for path in ["/readyz", "/healthz"] {
                assert_eq!(ask(health.clone().operations(), path).await.0, status);
            }
            assert_eq!(ask(health.clone().public(), "/healthz").await.0, status);
            assert_eq!(ask(health.operations(), "/livez").await, (200, "ok".into()));
        }
        let (_, verbose) = ask(health(vec![here, away]).operations(), "/readyz?verbose").await;
        let verbose: serde_json::Value = serde_json::from_str(&verbose).unwrap();
        let dependencies = serde_json::json!({"cache": "ask the cache", "store": "ok"});
        assert_eq!(verbose, serde_json::json!({"dependencies": dependencies, "ready": false, "stopping": false}));
    }

    #[tokio::test]
    async fn a_server_that_stops_is_not_ready_but_alive() {
        let health = health(vec![]);
        health.readiness.stop();
        assert_eq!(ask(health.clone().operations(), "/readyz").await, (503, "not ready".into()));
        assert_eq!(ask(health.operations(), "/livez").await.0, 200);
    }
}
