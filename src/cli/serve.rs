//! `symbolon serve`: the server, as settings say.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::app::{App, Extras, World};
use crate::cli::reload::{Live, Running};
use crate::cli::service::{self, Inherited, State, notify};
use crate::cli::{Call, CommandError, form, start_log};
use crate::config::flags::Flag;
use crate::config::log::{Log, Requests};
use crate::config::{Config, ConfigError};
use crate::edge::telemetry::Telemetry;
use crate::http::request_log::{Logged, RequestLog};
use crate::http::serve::{Bound, Shutdown, run, signal};
use crate::http::tls::Certificates;
use crate::jobs;
use crate::oauth::policy::Mode;

/// How long messages that are being handed over may hold up the end.
const MESSAGES: Duration = Duration::from_millis(1_500);

/// `symbolon serve`
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen, in place of the setting `server.listen`.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT; reads its settings again at SIGHUP.
    ///
    /// # Errors
    /// When settings, storage, keys or addresses cannot be used; each has its exit code.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let mut sources = call.sources();
        sources.flags.extend(self.listen.map(|listen| Flag::new("server.listen", listen)));
        let (config, settings) = Config::effective(&sources)?;
        start_log(config.log.format);
        let certificates = certificates(&config)?;
        let world = World::of(&config)?;
        let spans = Telemetry::start(&sources.environment, Arc::clone(&world.fetch));
        let spans = spans.map_err(|sentence| ConfigError::new("environment", sentence))?;
        let app = App::build(&config, Mode::Production, world).await?;
        let (public, operations) = bind(&config)?;
        let (at, operators_at) = (public.address(), operations.address());
        tracing::info!(issuer = config.issuer.as_str(), listen = %at, operations = %operators_at, "serving");
        if config.issuer.is_https() && config.server.trusted_proxies.is_empty() && certificates.is_none() {
            tracing::warn!(
                "the issuer is https, so a proxy stands in front, but server.trusted_proxies names none: \
                 limits count everybody who comes through it as one"
            );
        }
        let requests = requests(&config.log).map_err(anyhow::Error::from)?;
        let front = app.front(Extras {
            requests: requests.clone(),
            spans: spans.clone(),
            settings: Some(settings.clone()),
            ..Extras::default()
        });
        let (readiness, provider, courier) =
            (app.readiness.clone(), Arc::clone(&app.provider), Arc::clone(&app.courier));
        let shutdown = Shutdown { drain: config.server.drain, ..Shutdown::default() };
        let live = Arc::new(Live {
            sources,
            front: front.clone(),
            jobs: jobs::start(&provider, &courier),
            requests: requests.clone(),
            spans: spans.clone(),
            certificates: certificates.clone(),
            running: Mutex::new(Running { app, config, settings }),
        });
        live.at_hangup().map_err(anyhow::Error::from)?;
        let for_operators = live.running.lock().await.app.operations(Some(live.by_request()));
        if let Some(certificates) = &certificates {
            tokio::spawn(Arc::clone(certificates).watch());
        }
        let served = vec![(public.with_tls(certificates), front), (operations, for_operators)];
        let stop = signal().map_err(anyhow::Error::from)?;
        notify(State::Ready);
        service::keep_watch();
        let stopped = async {
            stop.await;
            notify(State::Stopping);
        };
        let ended = run(served, readiness, shutdown, stopped).await;
        live.jobs.stop(MESSAGES).await;
        if let Some(requests) = requests {
            requests.flush();
        }
        if let Some(spans) = spans {
            // A collector that does not answer holds up no end.
            let _ = tokio::time::timeout(Duration::from_millis(500), spans.flush()).await;
        }
        ended.map_err(anyhow::Error::from)?;
        live.running.lock().await.app.close().await;
        Ok(())
    }
}

/// Sockets that a service manager handed out go before the settings.
fn bind(config: &Config) -> Result<(Bound, Bound), CommandError> {
    let inherited = Inherited::take()?;
    let public = match inherited.public {
        Some(public) => public,
        None => Bound::new(&config.server.listen)?,
    };
    let operations = match inherited.operations {
        Some(operations) => operations,
        None => Bound::new(&config.server.operations)?,
    };
    Ok((public, operations))
}

fn certificates(config: &Config) -> Result<Option<Arc<Certificates>>, CommandError> {
    let files = config.server.tls.files();
    Ok(files.map(|(certificate, key)| Certificates::load(&certificate, &key)).transpose()?.map(Arc::new))
}

fn requests(log: &Log) -> std::io::Result<Option<RequestLog>> {
    let logged = match log.requests {
        Requests::All => Logged::Every,
        Requests::Failed => Logged::Failed,
        Requests::None => return Ok(None),
    };
    RequestLog::start(logged, form(log.format), Box::new(std::io::stderr())).map(Some)
}
