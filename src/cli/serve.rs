//! `symbolon serve`: the server, as settings say.

use crate::app::{App, Extras, World};
use crate::cli::{Call, CommandError, start_log};
use crate::http::serve::{Bound, Listen, Shutdown, run, signal};
use crate::jobs;
use crate::oauth::policy::Mode;

/// `symbolon serve`
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen, in place of the setting `server.listen`.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Listen>,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When settings, storage, keys or addresses cannot be used; each has its exit code.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let config = call.settings()?;
        start_log();
        let app = App::build(&config, Mode::Production, World::real()).await?;
        let listen = self.listen.unwrap_or(config.server.listen);
        let public = Bound::new(&listen)?;
        let operations = Bound::new(&config.server.operations)?;
        tracing::info!(
            issuer = config.issuer.as_str(),
            listen = %public.address(),
            operations = %operations.address(),
            "serving"
        );
        if config.issuer.is_https() && config.server.trusted_proxies.is_empty() {
            tracing::warn!(
                "the issuer is https, so a proxy stands in front, but server.trusted_proxies names none: \
                 limits count everybody who comes through it as one"
            );
        }
        jobs::start(&app.provider);
        let served = vec![(public, app.front(Extras::default())), (operations, app.operations())];
        let shutdown = Shutdown { drain: config.server.drain, ..Shutdown::default() };
        let stop = signal().map_err(anyhow::Error::from)?;
        run(served, app.readiness.clone(), shutdown, stop).await.map_err(anyhow::Error::from)?;
        app.close().await;
        Ok(())
    }
}
