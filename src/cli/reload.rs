//! `symbolon reload`, and what a running server does when its settings are to be read again.
//!
//! EXPERIENCE.md §2: the answer names what has changed and what waits for a restart; settings that are wrong change nothing.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

use crate::app::{App, Extras};
use crate::cli::operations::ask;
use crate::cli::output::Table;
use crate::cli::service::{State, notify};
use crate::cli::{Call, CommandError, one_line};
use crate::config::effective::{Change, Counts, Effective, changes};
use crate::config::{Config, Sources};
use crate::edge::telemetry::Telemetry;
use crate::http::front::Front;
use crate::http::operations::{Reload, Reloading};
use crate::http::request_log::RequestLog;
use crate::http::tls::Certificates;
use crate::jobs;

/// A running server that can be given other settings.
pub struct Live {
    /// Where its settings come from. The environment of a process does not change.
    pub sources: Sources,
    /// What the public address serves.
    pub front: Front,
    /// The jobs.
    pub jobs: jobs::Running,
    /// The lines of requests.
    pub requests: Option<RequestLog>,
    /// Who is told spans.
    pub spans: Option<Telemetry>,
    /// The certificate, which a reload looks at as well.
    pub certificates: Option<Arc<Certificates>>,
    /// What runs now; held while it changes, so that two reloads take turns.
    pub running: Mutex<Running>,
}

/// What a server runs with.
pub struct Running {
    /// The server.
    pub app: App,
    /// Its settings.
    pub config: Config,
    /// The same, one by one.
    pub settings: Vec<Effective>,
}

impl Live {
    /// Reads the settings again and takes over what can be taken over.
    ///
    /// # Errors
    /// One line; then everything is as it was.
    pub async fn reload(&self) -> Result<Vec<Change>, String> {
        let mut running = self.running.lock().await;
        notify(State::Reloading);
        let taken = self.take_over(&mut running).await;
        notify(State::Ready);
        match &taken {
            Ok(changes) => {
                let of = |counts| {
                    let keys = changes.iter().filter(|change| change.counts == counts);
                    keys.map(|change| change.key.as_str()).collect::<Vec<_>>().join(" ")
                };
                let (taken, waiting) = (of(Counts::AtOnce), of(Counts::AfterRestart));
                tracing::info!(taken, needs_restart = waiting, "the settings were read again");
            }
            Err(line) => tracing::error!(error = line, "the settings are wrong; the old ones stay"),
        }
        taken
    }

    async fn take_over(&self, running: &mut Running) -> Result<Vec<Change>, String> {
        let (config, settings) = Config::effective(&self.sources).map_err(|error| error.to_string())?;
        if let Some(certificates) = &self.certificates {
            certificates.renew().map_err(|error| error.to_string())?;
        }
        let changes = changes(&running.settings, &settings);
        let config = config.beside(&running.config);
        let app = running.app.rebuild(&config).await.map_err(|error| one_line(&error))?;
        // What waits for a restart is told again by the next reload.
        for (old, new) in running.settings.iter_mut().zip(settings) {
            if !changes.iter().any(|change| change.key == new.key && change.counts == Counts::AfterRestart) {
                *old = new;
            }
        }
        let extras = Extras {
            requests: self.requests.clone(),
            spans: self.spans.clone(),
            settings: Some(running.settings.clone()),
            ..Extras::default()
        };
        self.front.replace(&app.front(extras));
        self.jobs.work_for(Arc::clone(&app.provider), Arc::clone(&app.courier));
        running.app = app;
        running.config = config;
        Ok(changes)
    }

    /// Reloads at each SIGHUP, until the process ends.
    ///
    /// # Errors
    /// When the system gives no signal handler.
    pub fn at_hangup(self: &Arc<Self>) -> std::io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let live = Arc::clone(self);
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                // It has been logged.
                let _ = live.reload().await;
            }
        });
        Ok(())
    }

    /// For the operations listener.
    pub fn by_request(self: &Arc<Self>) -> Reload {
        let live = Arc::clone(self);
        Arc::new(move || -> Reloading {
            let live = Arc::clone(&live);
            Box::pin(async move { live.reload().await.map(|changes| answer(&changes)) })
        })
    }
}

fn answer(changes: &[Change]) -> Value {
    let changes = changes.iter().map(|change| {
        let counts = match change.counts {
            Counts::AtOnce => "at once",
            Counts::AfterRestart => "after a restart",
        };
        json!({"key": change.key, "counts": counts})
    });
    json!({"changed": changes.collect::<Vec<_>>()})
}

/// `symbolon reload`: has the running server read its settings again.
///
/// # Errors
/// When it does not answer, or its settings are wrong and the old ones stay: exit code 1.
pub async fn run(call: &Call) -> Result<(), CommandError> {
    let address = call.settings()?.server.operations.to_string();
    let answer = ask(&address, "POST", "/reload").await?;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status != 200 {
        let line = told.get("error").and_then(Value::as_str).unwrap_or("it did not say why");
        return Err(CommandError::Refused(format!("{address} keeps its settings: {line}")));
    }
    let mut table = Table::new(["changed", "counts"]);
    for change in told.get("changed").and_then(Value::as_array).into_iter().flatten() {
        table
            .row(["key", "counts"].map(|name| change.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()));
    }
    call.output.print(table, &told)
}
