//! What operators are told: numbers for Prometheus, and what a reload of the settings came to.
//!
//! EXPERIENCE.md §2. It stands on a listener of its own, beside health; nothing of it is public.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::edge::meter;
use crate::http::health::{Health, plain};
use crate::model::fault::Fault;
use crate::model::signing_key::KeyState;
use crate::oauth::provider::Provider;

/// For so long a number that the database has to count stays as it is.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// How long the database may take to count.
const PATIENCE: Duration = Duration::from_secs(2);

/// What reads the settings again: the changes, or the one line that says what is wrong.
pub type Reload = Arc<dyn Fn() -> Reloading + Send + Sync>;
/// A reload under way.
pub type Reloading = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// What the operations listener works with.
#[derive(Clone)]
pub struct Operations {
    provider: Arc<Provider>,
    sampled: Arc<Mutex<Option<Instant>>>,
    reload: Option<Reload>,
}

impl Operations {
    /// The numbers of `provider`; without `reload`, settings are read once.
    pub fn new(provider: Arc<Provider>, reload: Option<Reload>) -> Self {
        Self { provider, sampled: Arc::default(), reload }
    }

    /// The routes of the operations listener.
    pub fn router(self, health: Health) -> Router {
        let own = Router::new().route("/metrics", get(metrics)).route("/reload", post(reload)).with_state(self);
        own.merge(health.operations())
    }

    /// Brings up to date what is counted in the database, now and then.
    async fn sample(&self) {
        let mut sampled = self.sampled.lock().await;
        if sampled.is_some_and(|at| at.elapsed() < SAMPLE_EVERY) {
            return;
        }
        match timeout(PATIENCE, count(&self.provider)).await {
            Ok(Ok(())) => *sampled = Some(Instant::now()),
            Ok(Err(fault)) => {
                tracing::warn!(error = %fault, "what /metrics counts could not be counted");
            }
            Err(_) => tracing::warn!("the database took too long to count for /metrics"),
        }
    }
}

async fn count(provider: &Provider) -> Result<(), Fault> {
    let (store, now) = (&provider.edges.store, provider.now());
    meter::sessions_active(store.count_live_sessions(now).await?);
    meter::messages_undone(&store.count_jobs().await?);
    let keys = store.signing_keys().await?;
    let active = keys.iter().filter(|key| key.state == KeyState::Active);
    let since = active.map(|key| (key.algorithm.as_str(), now.since(key.activated_at.unwrap_or(key.created_at))));
    meter::signing_key_ages(since);
    Ok(())
}

async fn metrics(State(operations): State<Operations>) -> Response {
    operations.sample().await;
    plain(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", meter::render())
}

/// From this machine alone: whoever may change the settings is on it.
async fn reload(State(operations): State<Operations>, ConnectInfo(peer): ConnectInfo<SocketAddr>) -> Response {
    let answer = |status, body: Value| plain(status, "application/json", body.to_string());
    if !peer.ip().to_canonical().is_loopback() {
        return answer(StatusCode::FORBIDDEN, json!({"error": "settings are reloaded from this machine alone"}));
    }
    match &operations.reload {
        None => answer(StatusCode::NOT_FOUND, json!({"error": "this server reads its settings once"})),
        Some(reload) => match reload().await {
            Ok(changes) => answer(StatusCode::OK, changes),
            Err(line) => answer(StatusCode::UNPROCESSABLE_ENTITY, json!({"error": line})),
        },
    }
}
